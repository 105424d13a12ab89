"""Events: log records with a name, which carry the conversation they belong to."""

from __future__ import annotations

import time
from collections.abc import Mapping

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import get_current
from opentelemetry.util.types import AnyValue

from botwatch_sdk import _live, _scope


def event(
    runtime: _live.Runtime,
    name: str,
    attributes: Mapping[str, AnyValue],
    body: str | None = None,
    severity: SeverityNumber = SeverityNumber.INFO,
) -> None:
    """`attributes` win over what the scope says."""
    context = get_current()
    scope = _scope.of(context)
    now_ns = time.time_ns()
    runtime.logger.emit(
        timestamp=now_ns,
        observed_timestamp=now_ns,
        context=context,
        severity_number=severity,
        body=body,
        attributes=attributes if scope is None else {**scope.attributes, **attributes},
        event_name=name,
    )
