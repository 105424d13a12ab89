"""The one runtime that is alive, if any. Everything public looks here; only `_runtime` and `testing` write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from botwatch_sdk._guard import warn_once

if TYPE_CHECKING:
    from opentelemetry._logs import Logger
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

    from botwatch_sdk._counters import Counters

T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    def put(self, item: T_contra, text_bytes: int = 0) -> None:
        """Never waits, never raises."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was put is taken."""


class Runtime(Protocol):
    """What recording needs; the real one sends, the one of `testing` keeps."""

    @property
    def tracer(self) -> Tracer: ...

    @property
    def logger(self) -> Logger: ...

    @property
    def counters(self) -> Counters: ...

    @property
    def spans(self) -> Sink[ReadableSpan]: ...

    @property
    def logs(self) -> Sink[ReadableLogRecord]: ...

    @property
    def resource(self) -> Resource: ...


runtime: Runtime | None = None


def idle() -> None:
    """Called where something is not recorded because `init` was not called."""
    warn_once("idle", "botwatch: init() was not called, so nothing is recorded")
