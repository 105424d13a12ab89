"""What the bot calls: how a call is named, whether it timed out, and what its answer says of limits.

A dependency is called what the bot calls it (`names`), else by its address; on the machine itself, where everything
has the same address, by its port or its kind of database.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, SpanKind, StatusCode

from botwatch_sdk import _limits, _live, _names, _rates, _taps
from botwatch_sdk._emit import event
from botwatch_sdk._guard import contained
from botwatch_sdk._tally import Keep, Labels
from botwatch_sdk._text import identifier

_HOSTS: Final = (_names.SERVER_ADDRESS, "net.peer.name")
_PORTS: Final = ("server.port", "net.peer.port")
_URLS: Final = ("url.full", "http.url")
_SYSTEMS: Final = ("db.system.name", "db.system")
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_TOO_MANY: Final = frozenset({429, 503})
_ORM: Final = "opentelemetry.instrumentation.sqlalchemy"
_DRIVERS_UNHEARD: Final = ("psycopg2", "pg8000")
_BY_TIME: Final = ("statement timeout", "lock timeout", "lock_timeout")


class Names:
    """What the bot calls its dependencies: by host, host and port, or kind of database."""

    def __init__(self) -> None:
        self._given: Mapping[str, str] = {}
        self.drivers: frozenset[str] = frozenset()  # databases whose driver tells its own calls

    def take(self, given: Mapping[str, str]) -> None:
        told = {identifier(place).lower(): identifier(name) for place, name in given.items()}
        self._given = {**self._given, **{place: name for place, name in told.items() if place and name}}

    def of(self, attributes: Mapping[str, Any]) -> str:
        """Empty where its address says all there is to say."""
        host, port = _place(attributes)
        system = _first(attributes, _SYSTEMS)
        for known in (f"{host}:{port}", host, system):
            if known in self._given:
                return self._given[known]
        if host and host not in _LOCAL:
            return ""
        return system or (f"{host}:{port}" if host and port else "")


names: Final = Names()
_known: Final = _rates.Known()


def _place(attributes: Mapping[str, Any]) -> tuple[str, str]:
    host, port = _first(attributes, _HOSTS), _first(attributes, _PORTS)
    url = _first(attributes, _URLS)
    if url and not (host and port):
        try:
            parts = urlsplit(url)
            host, port = host or (parts.hostname or ""), port or str(parts.port or "")
        except ValueError:
            pass
    return host.lower(), port


def _first(attributes: Mapping[str, Any], wanted: tuple[str, ...]) -> str:
    return next((str(attributes[name]) for name in wanted if attributes.get(name)), "")


def listen() -> None:
    """From now on what goes to Botwatch of a call has its name and the kind of its failure."""
    _taps.of_calls = described


def described(span: ReadableSpan) -> ReadableSpan:
    """A copy that says more; the bot's own exporters see the span as it was."""
    try:
        attributes = dict(span.attributes or {})
        more = _more(span, attributes)
        kind = SpanKind.INTERNAL if _counted_by_its_driver(span, attributes) else span.kind
        if not more and kind is span.kind:
            return span
        return ReadableSpan(
            span.name,
            span.context,
            span.parent,
            span.resource,
            {**attributes, **more},
            span.events,
            span.links,
            kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
    except Exception as error:
        contained("naming a call", error)
        return span


def _more(span: ReadableSpan, attributes: Mapping[str, Any]) -> dict[str, str]:
    more = {}
    if not attributes.get(_names.PEER_SERVICE) and (name := names.of(attributes)):
        more[_names.PEER_SERVICE] = name
    if not attributes.get(_names.SERVER_ADDRESS) and (host := _place(attributes)[0]):
        more[_names.SERVER_ADDRESS] = host
    failed = span.status.status_code is StatusCode.ERROR and not attributes.get(_names.ERROR_TYPE)
    if failed and (why := _failure(span)):
        more[_names.ERROR_TYPE] = why
    return more


def _failure(span: ReadableSpan) -> str:
    """The type of the exception; a database that gave up because of the time says so only in its text."""
    told = (span.status.description or "").lower()
    if any(words in told for words in _BY_TIME):
        return "timeout"
    for happened in reversed(span.events):
        said = happened.attributes or {}
        if happened.name == _names.EXCEPTION and said.get(_names.EXCEPTION_TYPE):
            text = str(said.get(_names.EXCEPTION_MESSAGE, "")).lower()
            if any(words in text for words in _BY_TIME):
                return "timeout"
            return identifier(said[_names.EXCEPTION_TYPE])
    return ""


def _counted_by_its_driver(span: ReadableSpan, attributes: Mapping[str, Any]) -> bool:
    """SQLAlchemy and the driver under it both tell of one call: SQLAlchemy's stays in the trace as a step."""
    scope = span.instrumentation_scope
    if scope is None or scope.name != _ORM or any(driver in sys.modules for driver in _DRIVERS_UNHEARD):
        return False
    return _first(attributes, _SYSTEMS) in names.drivers


# --- answers


def answered(span: Span, status: object, headers: object) -> None:
    """Called with each answer of an HTTP client, on the bot's thread."""
    runtime = _live.runtime
    if runtime is None:
        return
    try:
        found = list(_rates.pairs(headers))
        if found:
            attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
            _note(runtime, names.of(attributes) or _place(attributes)[0] or "unnamed", status, found)
    except Exception as error:
        contained("reading an answer's limits", error)


def _note(runtime: _live.Runtime, dependency: str, status: object, headers: list[tuple[str, str]]) -> None:
    tally = runtime.counters.tally
    label: Labels = ((_names.DEPENDENCY_NAME, identifier(dependency)),)
    if status in _TOO_MANY:
        waits = (_rates.retry_after_s(value, time.time()) for name, value in headers if name == _rates.RETRY_AFTER)
        for wait_s in waits:
            if wait_s is not None:
                tally.read(_names.DEPENDENCY_RETRY_AFTER, label, wait_s, Keep.HIGHEST)
    for limit in _rates.announced(headers):
        labels = (*label, (_names.LIMIT_NAME, limit.name)) if limit.name else label
        if limit.remaining is not None:
            tally.read(_names.DEPENDENCY_REMAINING, labels, limit.remaining, Keep.LOWEST)
        if limit.limit is not None:
            tally.read(_names.DEPENDENCY_LIMIT, labels, limit.limit)
            before = _known.changed(dependency, limit.name, limit.limit, time.monotonic())
            if before is not None:
                _tell_change(runtime, dependency, limit.name, before, limit.limit)


def _tell_change(runtime: _live.Runtime, dependency: str, name: str, before: float, after: float) -> None:
    what = f"limit {name}" if name else "limit"
    event(
        runtime,
        _names.LIMIT_CHANGED,
        {
            _names.DEPENDENCY_NAME: identifier(dependency),
            _names.LIMIT_NAME: name,
            _names.LIMIT_BEFORE: before,
            _names.LIMIT_AFTER: after,
        },
        f"the {what} of {identifier(dependency)} went from {before:g} to {after:g}"[: _limits.REASON_CHARS_MAX],
        SeverityNumber.WARN if after < before else SeverityNumber.INFO,
    )
