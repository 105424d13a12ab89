"""Logs: what the bot logs through `logging` or structlog, sent with the conversation and the trace it belongs to."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from itertools import islice
from typing import Any

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import get_current

from botwatch_sdk import _carry, _faults, _limits, _live, _names, _scope, _wire
from botwatch_sdk._counters import Kind
from botwatch_sdk._guard import contained
from botwatch_sdk._text import Fields, identifier, text

# What every record has; the rest was given by the bot with `extra=`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "trace_id", "span_id"}
_OF_STRUCTLOG = frozenset({"event", "level", "timestamp", "exc_info", "stack_info", "trace_id", "span_id"})
# The short names people use in logs, and those `LogFilter` leaves on a record.
_ALIASES = {
    "correlation_id": _names.CORRELATION,
    "session_id": _names.SESSION,
    "user_id": _names.USER,
    "channel": _names.CHANNEL,
}
_ADDED = ("correlation_id", "session_id", "trace_id", "span_id")
_busy = threading.local()
_LEVELS = {
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "exception": logging.ERROR,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


class LogHandler(logging.Handler):
    """Sends records as OpenTelemetry logs: `logging.getLogger().addHandler(LogHandler())`.

    `extra=` becomes attributes. Warnings and errors are counted, an exception once however often it is logged.
    """

    def emit(self, record: logging.LogRecord) -> None:
        runtime = _live.runtime
        if runtime is None or _wire.is_ours() or getattr(_busy, "emitting", False):
            return
        _busy.emitting = True
        try:
            attributes = _attributes(vars(record), _STANDARD)
            attributes["logger"] = record.name
            error = record.exc_info[1] if record.exc_info else None
            _send(runtime, record.levelno, record.levelname, _body(record), attributes, error, record.created)
        except Exception as failed:
            contained("LogHandler", failed)
        finally:
            _busy.emitting = False


class LogFilter(logging.Filter):
    """Puts `correlation_id`, `session_id`, `trace_id` and `span_id` on each record, for the bot's own formatters."""

    def filter(self, record: logging.LogRecord) -> bool:
        here = _carry.current()
        record.correlation_id = here.correlation
        record.session_id = here.session
        record.trace_id = here.trace
        record.span_id = here.span
        return True


class StructlogProcessor:
    """`structlog.configure(processors=[…, StructlogProcessor(), JSONRenderer()])`: before the renderer.

    Adds `correlation_id`, `session_id`, `trace_id` and `span_id` to the event and sends it. `ship=False` only adds:
    for a structlog that writes through `logging` with our handler.
    """

    def __init__(self, *, ship: bool = True) -> None:
        self._ship = ship

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        try:
            runtime = _live.runtime
            if self._ship and runtime is not None and not _wire.is_ours():
                self._shipped(runtime, method, event)
            here = _carry.current()
            named = zip(_ADDED, (here.correlation, here.session, here.trace, here.span), strict=True)
            for name, value in named:
                if value:
                    event.setdefault(name, value)
        except Exception as failed:
            contained("StructlogProcessor", failed)
        return event

    @staticmethod
    def _shipped(runtime: _live.Runtime, method: str, event: Mapping[str, Any]) -> None:
        named = str(event.get("level", method)).lower()
        level = _LEVELS.get(named, logging.INFO)
        attributes = _attributes(event, _OF_STRUCTLOG)
        error = _raised(event.get("exc_info"))
        _send(runtime, level, named.upper(), text(event.get("event")), attributes, error, time.time())


def _attributes(fields: Mapping[str, object], apart: frozenset[str]) -> dict[str, Any]:
    given = ((name, value) for name, value in fields.items() if name not in apart)
    found: dict[str, Any] = {}
    take = Fields().take
    for name, value in islice(given, _limits.LOG_FIELDS_MAX):
        alias = _ALIASES.get(name)
        if alias is None:
            found[identifier(name)] = take(value)
        elif value:
            found[alias] = identifier(value)
    return found


def _raised(exc_info: object) -> BaseException | None:
    """structlog takes an exception, a tuple of `sys.exc_info()` or just True."""
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        exc_info = exc_info[1]
    elif exc_info is True:
        exc_info = sys.exc_info()[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _body(record: logging.LogRecord) -> str:
    try:
        return text(record.getMessage())
    except Exception:
        return text(record.msg)  # arguments that do not fit the message, or do not print


def _send(
    runtime: _live.Runtime,
    level: int,
    level_name: str,
    body: str,
    attributes: dict[str, Any],
    error: BaseException | None,
    created_s: float,
) -> None:
    context = get_current()
    scope = _scope.of(context)
    if scope is not None:
        attributes = {**scope.attributes, **attributes}
    first = error is not None and _faults.first_seen(error)
    if error is not None:
        attributes |= _faults.attributes(error)
    if error is None or first:
        _count(runtime, level)
    runtime.logger.emit(
        timestamp=int(created_s * 1e9),
        observed_timestamp=time.time_ns(),
        context=context,
        severity_number=_severity(level),
        severity_text=level_name,
        body=body,
        attributes=attributes,
        # Told as an exception where no span has told it, unless the bot calls it an event of its own.
        event_name=_names.EXCEPTION if first and "event.name" not in attributes else None,
    )


def _count(runtime: _live.Runtime, level: int) -> None:
    if level >= logging.ERROR:
        runtime.counters.event(Kind.ERROR)
    elif level >= logging.WARNING:
        runtime.counters.event(Kind.WARNING)


def _severity(level: int) -> SeverityNumber:
    for least, severity in (
        (logging.CRITICAL, SeverityNumber.FATAL),
        (logging.ERROR, SeverityNumber.ERROR),
        (logging.WARNING, SeverityNumber.WARN),
        (logging.INFO, SeverityNumber.INFO),
        (logging.DEBUG, SeverityNumber.DEBUG),
    ):
        if level >= least:
            return severity
    return SeverityNumber.TRACE
