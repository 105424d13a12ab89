"""An exception as three texts, recorded once however many spans, logs and hooks it passes."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping

from opentelemetry.trace import Span, StatusCode

from botwatch_sdk import _limits, _names
from botwatch_sdk._counters import Counters, Kind
from botwatch_sdk._guard import contained, describe
from botwatch_sdk._text import text

_MARK = "_botwatch_seen"


def type_name(error: BaseException) -> str:
    """As OpenTelemetry names it: `module.Class`, builtins bare."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return text(name, _limits.ID_CHARS_MAX)


def attributes(error: BaseException) -> Mapping[str, str]:
    return {
        _names.EXCEPTION_TYPE: type_name(error),
        _names.EXCEPTION_MESSAGE: _message(error),
        _names.EXCEPTION_STACK: _stack(error),
    }


def _message(error: BaseException) -> str:
    try:
        return text(str(error), _limits.REASON_CHARS_MAX)
    except Exception as failed:
        return f"<str() of it failed: {type(failed).__name__}>"


def _stack(error: BaseException) -> str:
    """The end of it where it is too long: there stands what happened."""
    try:
        lines = "".join(traceback.format_exception(error))
    except Exception as failed:
        return f"<traceback of it failed: {type(failed).__name__}>"
    return text(lines[-_limits.STACK_CHARS_MAX :])


def first_seen(error: BaseException, trace_id: int = 0) -> bool:
    """False when this exception was recorded already: in this trace, or, without a trace, anywhere.

    One instance that is raised again and again (a module's constant) is recorded once in each trace.
    """
    try:
        marks = vars(error)
        mark = marks.get(_MARK)
        if mark is not None and (not trace_id or mark == trace_id):
            return False
        marks[_MARK] = trace_id
        return True
    except Exception:
        return True  # it carries no marks


def fail(span: Span, error: BaseException, counters: Counters) -> None:
    """The span did not succeed. That its own process is told to stop is no failure of what it was doing."""
    if not isinstance(error, Exception | asyncio.CancelledError):
        return
    try:
        if isinstance(error, Exception) and first_seen(error, span.get_span_context().trace_id):
            span.add_event(_names.EXCEPTION, attributes(error))
            counters.event(Kind.ERROR)
        span.set_attribute(_names.ERROR_TYPE, type_name(error))
        span.set_status(StatusCode.ERROR, text(describe(error), _limits.REASON_CHARS_MAX))
    except Exception as failed:
        contained("recording an exception", failed)


def refuse(span: Span, why: str) -> None:
    """A failure the bot saw itself, without an exception."""
    span.set_attribute(_names.ERROR_TYPE, why)
    span.set_status(StatusCode.ERROR, why)
