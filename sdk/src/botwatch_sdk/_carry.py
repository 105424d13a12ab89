"""One id over several services: set it, read it, send it along, take it up again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from botwatch_sdk import _limits, _scope
from botwatch_sdk._conversation import Id
from botwatch_sdk._dice import new_id
from botwatch_sdk._guard import never_raises
from botwatch_sdk._text import identifier

CORRELATION_HEADER: Final = "x-correlation-id"
_TRACE_HEADERS: Final = ("traceparent", "tracestate")
_TRACE = TraceContextTextMapPropagator()
# What may go into a header of the next service and into a log line: nothing that ends a line.
_CORRELATION_FORM = re.compile(r"[\x21-\x7e]{1,256}")

Headers = Mapping[str, str | bytes] | Iterable[tuple[str | bytes, str | bytes]]


@dataclass(frozen=True, slots=True)
class Current:
    """Where the code that asks stands; empty where there is none."""

    session: str
    user: str
    channel: str
    correlation: str
    message: str
    trace: str
    span: str


@never_raises(lambda: Current("", "", "", "", "", "", ""))
def current() -> Current:
    """Session, user, channel, correlation id, the message being answered, and the trace and span ids as hex."""
    context = get_current()
    scope = _scope.of(context) or _scope.EMPTY
    span = get_current_span(context).get_span_context()
    return Current(
        scope.session,
        scope.user,
        scope.channel,
        scope.correlation,
        scope.message,
        format_trace_id(span.trace_id) if span.is_valid else "",
        format_span_id(span.span_id) if span.is_valid else "",
    )


class Correlation(_scope.Held[str]):
    """Names the id; with what came over the wire, also the trace to go on with."""

    __slots__ = ("_remote", "id")

    def __init__(self, id: str, remote: Context | None = None) -> None:
        super().__init__()
        self.id = id
        self._remote = remote

    def _enter(self, before: Context) -> tuple[Context, str]:
        scope = (_scope.of(before) or _scope.EMPTY).inside(correlation=self.id)
        return _scope.placed(scope, Context({**before, **(self._remote or {})})), self.id

    def _inert(self) -> str:
        return self.id


@never_raises(lambda: Correlation(""))
def correlation(id: Id | None = None) -> Correlation:
    """`with correlation(request_id):` puts it on all spans, logs and events inside. Without an id a new one is made;
    `with correlation() as id:` names it."""
    return Correlation(identifier(id) or new_id())


def _no_headers() -> MutableMapping[str, str]:
    return {}


@never_raises(_no_headers)
def inject(headers: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Add `traceparent` and `x-correlation-id` to the headers of a request or a queue message."""
    carrier: MutableMapping[str, str] = {} if headers is None else headers
    _TRACE.inject(carrier)
    found = _scope.current().correlation
    if _CORRELATION_FORM.fullmatch(found):
        carrier[CORRELATION_HEADER] = found
    return carrier


@never_raises(lambda: Correlation(""))
def extract(headers: Headers) -> Correlation:
    """`with extract(request.headers):` goes on with the caller's trace and correlation id; bytes and pairs will do.

    What does not have the form of a trace or an id is passed over; without an id a new one is made.
    """
    found = _picked(headers)
    remote = _TRACE.extract({name: found[name] for name in _TRACE_HEADERS if name in found}, context=Context())
    id = found.get(CORRELATION_HEADER, "")
    return Correlation(id if _CORRELATION_FORM.fullmatch(id) else new_id(), remote)


def _picked(headers: Headers) -> dict[str, str]:
    """Ours, by lower-case name, the first of each; whatever kind of headers it is, no more than so many are read."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    wanted = (*_TRACE_HEADERS, CORRELATION_HEADER)
    found: dict[str, str] = {}
    for read, (name, value) in enumerate(pairs):
        if read >= _limits.HEADERS_MAX:
            break
        known = _header(name).lower()
        if known in wanted:
            found.setdefault(known, _header(value))
    return found


def _header(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
