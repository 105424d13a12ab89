"""Where OpenTelemetry's stream is tapped: the providers, and the processors in them that feed the lanes.

They are made once a process and stay; the runtime behind them may change (another `init`, a fork, a test).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from opentelemetry import _logs, metrics, trace
from opentelemetry._logs import LogRecord
from opentelemetry.context import Context, get_current
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.environment_variables import (
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT,
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT,
    OTEL_TRACES_SAMPLER,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AnyValue, Attributes

from botwatch_sdk import _limits, _live, _scope, _wire
from botwatch_sdk._dice import TraceIds
from botwatch_sdk._version import __version__

SCOPE: Final = "botwatch_sdk"
_NESTED: Final = frozenset({list, tuple, dict, bytes})
_EMPTY_CONTEXT: Final = Context()
# OpenTelemetry's stand-ins for "nobody set a provider" are public for spans only.
_NO_LOGGERS: Final = "ProxyLoggerProvider"
_NO_METERS: Final = "_ProxyMeterProvider"
_CALLS: Final = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})
# Set by `instrument`: a span of a call as it goes to Botwatch.
of_calls: Callable[[ReadableSpan], ReadableSpan] | None = None


class SpanTap(SpanProcessor):
    """Gives each span, whoever started it, the session it belongs to, and hands it on when it has ended."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        scope = _scope.of(get_current() if parent_context is None else parent_context)
        if scope is not None and not _is_ours(span.instrumentation_scope):
            span.set_attributes(scope.attributes)

    def on_end(self, span: ReadableSpan) -> None:
        runtime = _live.runtime
        if runtime is not None and span.context is not None and span.context.trace_flags.sampled:
            weight = _weight(span.attributes)
            if span.status.status_code is StatusCode.ERROR:
                weight += _limits.STACK_CHARS_MAX  # the stack in its event; to look is dearer than to assume
            if of_calls is not None and span.kind in _CALLS:
                span = of_calls(span)
            runtime.spans.put(span, weight)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        runtime = _live.runtime
        return runtime is None or runtime.spans.flush(timeout_millis / 1_000)


class LogTap(LogRecordProcessor):
    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        runtime = _live.runtime
        if runtime is None or _wire.is_ours():
            return
        kept = _copied(log_record.log_record)
        scope = _scope.of(kept.context)
        if scope is not None and not _is_ours(log_record.instrumentation_scope):
            kept.attributes = {**scope.attributes, **_plain(kept.attributes or {})}
        kept.context = _EMPTY_CONTEXT  # what waits in the queue must not keep the bot's objects alive
        runtime.logs.put(
            ReadableLogRecord(
                kept, log_record.resource or runtime.resource, log_record.instrumentation_scope, log_record.limits
            ),
            _weight(kept.attributes) + (len(kept.body) if isinstance(kept.body, str) else _weight({"": kept.body})),
        )

    def shutdown(self) -> None:
        """The runtime has an end of its own."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        runtime = _live.runtime
        return runtime is None or runtime.logs.flush(timeout_millis / 1_000)


def _weight(attributes: Attributes) -> int:
    """About the bytes of it; numbers are in the base weight of an item."""
    if not attributes:
        return 0
    weight = 0
    for value in _plain(attributes).values():
        if type(value) is str:
            weight += len(value)
        elif type(value) in _NESTED:
            weight += len(repr(value))
    return weight


def _plain(attributes: Mapping[str, AnyValue]) -> Mapping[str, AnyValue]:
    """OpenTelemetry's own mapping is slow to walk, and quick to copy."""
    copy: Callable[[], Mapping[str, AnyValue]] | None = getattr(attributes, "copy", None)
    return attributes if copy is None else copy()


def _is_ours(scope: InstrumentationScope | None) -> bool:
    """What we record carries its conversation from the start, which is cheaper."""
    return scope is not None and scope.name == SCOPE


def _copied(record: LogRecord) -> LogRecord:
    """Shallow, as `copy.copy` but at a tenth of its time."""
    copied = object.__new__(type(record))
    copied.__dict__.update(record.__dict__)
    return copied


class Reader(MetricReader):
    """Collects when the heart asks. Nothing here waits for the network."""

    def __init__(self) -> None:
        super().__init__()
        self._data: MetricsData | None = None

    def read(self) -> MetricsData | None:
        self._data = None
        self.collect()
        return self._data

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: object) -> None:
        self._data = metrics_data

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Own:
    """Our providers. One set a process: OpenTelemetry takes a global provider only once."""

    tracers: TracerProvider
    loggers: LoggerProvider
    meters: MeterProvider
    reader: Reader
    resource: Resource


@dataclass(frozen=True, slots=True)
class Taps:
    """What a runtime records through. `resource` is what the providers stamp, None where they are the bot's."""

    tracer: trace.Tracer
    logger: _logs.Logger
    readers: tuple[Reader, ...]
    resource: Resource | None


class _Made:
    """What this process has by now: our providers, and those of the bot's own that we listen to."""

    def __init__(self) -> None:
        self.own: Own | None = None
        self.attached: list[object] = []
        self.readers: list[Reader] = []

    def is_new(self, provider: object) -> bool:
        if any(known is provider for known in self.attached):
            return False
        self.attached.append(provider)
        return True


_made = _Made()


def has_meters_of_its_own() -> bool:
    """Whether the bot set up metrics itself: then it wants to see them."""
    found = metrics.get_meter_provider()
    return isinstance(found, MeterProvider) and (_made.own is None or found is not _made.own.meters)


def own(resource: Resource, instruments: Callable[[metrics.Meter], None]) -> Own:
    if _made.own is None:
        reader = Reader()
        ours = Own(
            TracerProvider(
                # An action is counted by its span: what a caller upstream samples away was done all the same.
                sampler=None if os.environ.get(OTEL_TRACES_SAMPLER) else ALWAYS_ON,
                resource=resource,
                shutdown_on_exit=False,
                id_generator=TraceIds(),
                span_limits=_span_limits(),
            ),
            LoggerProvider(resource=resource, shutdown_on_exit=False),
            MeterProvider([reader], resource=resource, shutdown_on_exit=False),
            reader,
            resource,
        )
        ours.tracers.add_span_processor(SpanTap())
        ours.loggers.add_log_record_processor(LogTap())
        instruments(ours.meters.get_meter(SCOPE, __version__))
        _made.own = ours
    return _made.own


def private(ours: Own) -> Taps:
    """Nothing else of the process sees these."""
    return _taps(ours.tracers, ours.loggers, (ours.reader,), ours.resource)


def public(ours: Own) -> Taps:
    """Where the bot set up OpenTelemetry itself we listen to its providers; where it did not, ours become the global
    ones, so that every instrumentation library is heard too."""
    tracers = _public_tracers(ours)
    loggers = _public_loggers(ours)
    readers = (ours.reader, *_public_readers(ours))
    stamped = tracers is ours.tracers and loggers is ours.loggers and len(readers) == 1
    return _taps(tracers, loggers, readers, ours.resource if stamped else None)


def _taps(
    tracers: trace.TracerProvider, loggers: _logs.LoggerProvider, readers: tuple[Reader, ...], resource: Resource | None
) -> Taps:
    return Taps(tracers.get_tracer(SCOPE, __version__), loggers.get_logger(SCOPE, __version__), readers, resource)


def _public_tracers(ours: Own) -> trace.TracerProvider:
    found = trace.get_tracer_provider()
    if isinstance(found, trace.ProxyTracerProvider):
        trace.set_tracer_provider(ours.tracers)
        return ours.tracers
    if isinstance(found, TracerProvider):
        if found is not ours.tracers and _made.is_new(found):
            found.add_span_processor(SpanTap())
        return found
    return ours.tracers


def _public_loggers(ours: Own) -> _logs.LoggerProvider:
    found = _logs.get_logger_provider()
    if isinstance(found, LoggerProvider):
        if found is not ours.loggers and _made.is_new(found):
            found.add_log_record_processor(LogTap())
        return found
    if type(found).__name__ == _NO_LOGGERS:
        _logs.set_logger_provider(ours.loggers)
    return ours.loggers


def _public_readers(ours: Own) -> tuple[Reader, ...]:
    found = metrics.get_meter_provider()
    if isinstance(found, MeterProvider):
        if found is not ours.meters and hasattr(found, "add_metric_reader") and _made.is_new(found):
            reader = Reader()
            found.add_metric_reader(reader)
            _made.readers.append(reader)
    elif type(found).__name__ == _NO_METERS:
        metrics.set_meter_provider(ours.meters)
    return tuple(_made.readers)


def _span_limits() -> SpanLimits:
    """A bound on each value, unless the environment sets one."""
    if any(map(os.environ.get, (OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT))):
        return SpanLimits()
    return SpanLimits(max_attribute_length=_limits.ATTRIBUTE_CHARS_MAX)
