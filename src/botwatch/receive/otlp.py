"""OTLP without its transports: the three signals, and how one request is checked.

Written against the OpenTelemetry protocol specification 1.10.0 ("OTLP"); sections are named where
they decide something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.nouns import Inbox, Parcel, Refusal
from botwatch.receive import check_logs, check_points, check_series, check_traces, otlp_json
from botwatch.receive.check import Tally, sealed
from botwatch.receive.door import Door, Terms, digest
from botwatch.receive.split import Cut, not_protobuf


@dataclass(frozen=True, slots=True)
class Otlp:
    """One signal of OTLP: where it comes in, what it is made of, how it is checked."""

    inbox: Inbox
    path: str
    rpc: str
    noun: str
    request: type[Message]
    response: type[Message]
    rejected_field: str
    check: Callable[[Message, Terms], Tally]
    known: Callable[[bytes, Terms], tuple[Tally, bytes] | None] = lambda *_: None  # the same and sooner, or None


TRACES = Otlp(
    inbox=Inbox.TRACES,
    path="/v1/traces",
    rpc="/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    noun="spans",
    request=ExportTraceServiceRequest,
    response=ExportTraceServiceResponse,
    rejected_field="rejected_spans",
    check=check_traces.check,
)
LOGS = Otlp(
    inbox=Inbox.LOGS,
    path="/v1/logs",
    rpc="/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    noun="log records",
    request=ExportLogsServiceRequest,
    response=ExportLogsServiceResponse,
    rejected_field="rejected_log_records",
    check=check_logs.check,
)
POINTS = Otlp(
    inbox=Inbox.POINTS,
    path="/v1/metrics",
    rpc="/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    noun="data points",
    request=ExportMetricsServiceRequest,
    response=ExportMetricsServiceResponse,
    rejected_field="rejected_data_points",
    check=check_points.check,
    known=check_series.Known().checked,
)
SIGNALS = (TRACES, LOGS, POINTS)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request that was understood."""

    rejected: int
    message: str


ALL_TAKEN = Taken(0, "")


async def take(door: Door, otlp: Otlp, body: bytes, *, as_json: bool) -> Taken:
    """Check a request, make its parcel durable, and say what was left out."""
    terms = door.options.terms(otlp.inbox.signal)
    inline_max = limits.JSON_CHECK_INLINE_BYTES_MAX if as_json else limits.CHECK_INLINE_BYTES_MAX
    with door.counting(otlp.inbox.signal):
        parcel, notes = await door.check(len(body), inline_max, lambda: parcel_of(otlp, body, terms, as_json=as_json))
    await door.put(parcel)
    if not parcel.rejected and not notes:
        return ALL_TAKEN
    return Taken(sum(parcel.rejected.values()), told(otlp, parcel, notes, terms))


def parcel_of(otlp: Otlp, body: bytes, terms: Terms, *, as_json: bool) -> tuple[Parcel, list[str]]:
    tally, clean = (_checked_json if as_json else _checked)(otlp, body, terms)
    parcel = Parcel(
        inbox=otlp.inbox,
        body=clean,
        items=tally.items,
        digest=digest(otlp.inbox, body),
        dedup=tally.dedup,
        rejected=dict(tally.rejected),
    )
    return parcel, tally.notes


def _checked(otlp: Otlp, body: bytes, terms: Terms) -> tuple[Tally, bytes]:
    total = Tally()
    cut = Cut()
    clean: list[bytes] = []
    for piece in cut.pieces(body):
        try:
            tally, written = otlp.known(piece, terms) or _taken_apart(otlp, piece, terms)
        except DecodeError:
            raise not_protobuf() from None
        total.add(tally)
        clean.append(written)
    if cut.oversized:
        total.rejected[Refusal.TOO_LARGE] += cut.oversized
    return total, b"".join(clean)


def _taken_apart(otlp: Otlp, piece: bytes, terms: Terms) -> tuple[Tally, bytes]:
    request = otlp.request.FromString(piece)
    tally = otlp.check(request, terms)
    return tally, sealed(request, terms)


def _checked_json(otlp: Otlp, body: bytes, terms: Terms) -> tuple[Tally, bytes]:
    request = otlp_json.parse(otlp.request, body)
    tally = otlp.check(request, terms)
    return tally, sealed(request, terms)


def told(otlp: Otlp, parcel: Parcel, notes: list[str], terms: Terms) -> str:
    """The message of a partial success: what was left out, why, and what to do about it."""
    parts = [
        f"{otlp.noun} refused: {count} ({reason}): {_why(reason, terms)}" for reason, count in parcel.rejected.items()
    ]
    return "; ".join((*parts, *notes))


def _why(reason: Refusal, terms: Terms) -> str:
    if reason is Refusal.CLOCK:
        oldest, newest = (_readable(time_ns) for time_ns in (terms.oldest_ns, terms.newest_ns))
        return f"their time is not between {oldest} and {newest}; check the sender's clock"
    return _WHY[reason]


def _readable(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).isoformat().replace("+00:00", "Z")


_WHY = {
    Refusal.BAD_ID: "a trace id has 16 bytes, a span id 8, and neither is all zeros",
    Refusal.EMPTY_METRIC: "a data point needs a value, or the flag that says there is none",
    Refusal.INVALID: "a histogram has one bucket more than bounds",
    Refusal.TOO_LARGE: f"one item may have {limits.ITEM_BYTES_MAX} bytes",
}
