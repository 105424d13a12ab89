"""What the receivers' tests share: an intake that remembers, a caller, and requests to send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from google.protobuf.message import Message
from starlette.types import ASGIApp

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.errors import TryAgain
from botwatch.nouns import Inbox, Parcel, Receipt, Refusal, Signal
from botwatch.receive import otlp
from botwatch.receive.door import DAY_NS, Options, Terms
from botwatch.receive.otlp import Otlp

NOW_NS = 1_790_000_000 * SECOND_NS
PROTOBUF = "application/x-protobuf"
JSON = "application/json"
NDJSON = "application/x-ndjson"


def options(*, keep_text: bool = True, now_ns: int = NOW_NS) -> Options:
    return Options.of_days(traces=14, logs=14, points=14, keep_text=keep_text, clock=ManualClock(now_ns))


def terms(signal: Signal = Signal.TRACES, *, keep_text: bool = True) -> Terms:
    return options(keep_text=keep_text).terms(signal)


@dataclass
class MemoryIntake:
    """Keeps parcels in a list, and knows a digest again."""

    parcels: list[Parcel] = field(default_factory=list)
    refused: Counter[tuple[Signal, Refusal]] = field(default_factory=Counter)
    error: TryAgain | None = None

    async def put(self, parcel: Parcel) -> Receipt:
        if self.error is not None:
            raise self.error
        duplicate = parcel.dedup and any(parcel.digest == known.digest for known in self.parcels)
        if not duplicate:
            self.parcels.append(parcel)
        return Receipt(duplicate)

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        self.refused[signal, reason] += items

    def messages(self, signal: Otlp) -> Any:
        """All parcels of a signal, read as the engine does: joined."""
        bodies = [parcel.body for parcel in self.parcels if parcel.inbox is signal.inbox]
        return signal.request.FromString(b"".join(bodies))


class OneKey:
    def __init__(self, token: str) -> None:
        self.token = token

    async def admits(self, token: str | None) -> bool:
        return token == self.token


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    asked_for: int  # parts of the body that the application took

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


async def post(
    app: ASGIApp,
    path: str,
    body: bytes | Sequence[bytes] = b"",
    media_type: str | None = PROTOBUF,
    *,
    method: str = "POST",
    query: str = "",
    headers: Iterable[tuple[str, str]] = (),
) -> Reply:
    """One request, straight into the application. A body given in parts arrives in parts."""
    parts = [body] if isinstance(body, bytes) else list(body)
    sent = [(b"content-type", media_type.encode())] if media_type is not None else []
    sent += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    asked_for = 0
    answer: dict[str, Any] = {"body": b""}

    async def receive() -> dict[str, Any]:
        nonlocal asked_for
        asked_for += 1
        if asked_for > len(parts):
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts[asked_for - 1], "more_body": asked_for < len(parts)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.update(message)
        else:
            answer["body"] += message["body"]

    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": sent}
    await app(scope, receive, send)
    received = {name.decode(): value.decode() for name, value in answer.get("headers", ())}
    return Reply(answer.get("status", 0), received, answer["body"], asked_for)


def span(**fields: Any) -> dict[str, Any]:
    whole = {
        "trace_id": b"t" * 16,
        "span_id": b"s" * 8,
        "name": "send_confirmation",
        "start_time_unix_nano": NOW_NS - SECOND_NS,
        "end_time_unix_nano": NOW_NS,
    }
    return whole | fields


def record(**fields: Any) -> dict[str, Any]:
    return {"time_unix_nano": NOW_NS, "body": {"string_value": "hello"}} | fields


def point(**fields: Any) -> dict[str, Any]:
    return {"time_unix_nano": NOW_NS, "as_double": 1.5} | fields


def metric(kind: str, *points: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"a.{kind}", kind: {"data_points": points}}


_RESOURCE = {"attributes": [{"key": "service.name", "value": {"string_value": "bot"}}]}
_SHAPE = {
    Inbox.TRACES: ("resource_spans", "scope_spans", "spans"),
    Inbox.LOGS: ("resource_logs", "scope_logs", "log_records"),
    Inbox.POINTS: ("resource_metrics", "scope_metrics", "metrics"),
}


def request(signal: Otlp, *items: dict[str, Any]) -> Any:
    resources, scopes, name = _SHAPE[signal.inbox]
    return signal.request(**{resources: [{"resource": _RESOURCE, scopes: [{name: items}]}]})


def items_of(signal: Otlp, message: Message) -> list[Any]:
    resources, scopes, name = _SHAPE[signal.inbox]
    return [
        item
        for resource in getattr(message, resources)
        for scope in getattr(resource, scopes)
        for item in getattr(scope, name)
    ]


def a_request(signal: Otlp, count: int = 3) -> Any:
    """A request of this signal that nothing is wrong with."""
    if signal is otlp.TRACES:
        return request(signal, *(span(span_id=b"span%04d" % number) for number in range(count)))
    if signal is otlp.LOGS:
        return request(signal, *(record(body={"string_value": f"line {number}"}) for number in range(count)))
    return request(signal, *(metric("gauge", point(as_double=number)) for number in range(count)))


def attribute(key: str, text: str = "text") -> dict[str, Any]:
    return {"key": key, "value": {"string_value": text}}


def structured(key: str) -> dict[str, Any]:
    """An attribute with a list of one map: [{"role": "user"}]."""
    role = {"kvlist_value": {"values": [attribute("role", "user")]}}
    return {"key": key, "value": {"array_value": {"values": [role]}}}


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def field_bytes(number: int, content: bytes) -> bytes:
    """A length-delimited field, as it is on the wire."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def span_bytes(content: bytes) -> bytes:
    """A trace request around the bytes of one span."""
    return field_bytes(1, field_bytes(2, field_bytes(2, content)))


WEEK_LATE_NS = NOW_NS - 7 * DAY_NS
TOO_LATE_NS = NOW_NS - 15 * DAY_NS
HOUR_AHEAD_NS = NOW_NS + 3_600 * SECOND_NS
TOO_FAR_AHEAD_NS = NOW_NS + 2 * DAY_NS
