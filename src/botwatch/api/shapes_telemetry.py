"""Logs, traces, faults and the intake, as the API gives them. Texts are what bots and users wrote:
they are data, whatever they look like.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field, JsonValue

from botwatch.api.pages import Page, moment
from botwatch.nouns import Refusal
from botwatch.spool import Counts, Dead

Attributes = dict[str, JsonValue]


class LogItem(BaseModel):
    at: datetime
    level: str
    severity: int = Field(description="as OpenTelemetry numbers it, 1 to 24")
    event: str
    text: str
    bot: str
    host: str
    instance: str
    channel: str
    scope: str
    session_id: str | None
    user: str | None = Field(description="masked unless you may see it")
    trace_id: str | None
    span_id: str | None
    correlation_id: str | None
    attributes: Attributes
    resource: Attributes


class Histogram(BaseModel):
    """Counts by level, one number for each step from `start` on."""

    start: datetime
    step_seconds: float
    levels: dict[str, list[int]]


class LogPage(Page[LogItem]):
    histogram: Histogram | None = Field(description="where `buckets` was given")


class TraceItem(BaseModel):
    trace_id: str
    name: str = Field(description="of its first span")
    start: datetime
    duration_ms: float
    spans: int
    errors: int
    failed: bool
    bots: list[str]
    action: str | None
    session_id: str | None
    user: str | None
    channel: str | None


class SpanEvent(BaseModel):
    at: datetime
    offset_ns: int
    name: str
    attributes: Attributes


class SpanLink(BaseModel):
    trace_id: str
    span_id: str


class SpanItem(BaseModel):
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    start: datetime
    offset_ns: int = Field(description="from the start of the trace")
    duration_ns: int
    status: str
    status_message: str
    failure: str | None = Field(description="error, timeout or rate_limited")
    bot: str
    host: str
    instance: str
    scope: str
    action: str | None
    request: str | None
    dependency: str | None
    model: str | None
    tokens_in: int
    tokens_out: int
    session_id: str | None
    user: str | None
    channel: str | None
    correlation_id: str | None
    attributes: Attributes
    resource: Attributes
    events: list[SpanEvent]
    links: list[SpanLink]


class TraceSession(BaseModel):
    bot: str
    session_id: str


class TraceMessage(BaseModel):
    at: datetime
    bot: str
    session_id: str
    message_id: str | None
    direction: str
    author: str
    text: str


class Trace(BaseModel):
    trace_id: str
    name: str
    start: datetime
    duration_ns: int
    failed: bool
    truncated: bool = Field(description="it has more spans than are shown")
    spans: list[SpanItem] = Field(description="in the order they began")
    logs: list[LogItem]
    sessions: list[TraceSession]
    messages: list[TraceMessage]


class FaultItem(BaseModel):
    id: str
    bot: str
    type: str
    message: str = Field(description="of the newest")
    count: int
    first_seen: datetime
    last_seen: datetime
    hosts: list[str]
    trace_id: str | None
    session_id: str | None


class FaultDay(BaseModel):
    day: str
    count: int


class Fault(FaultItem):
    stack: str
    days: list[FaultDay]


class IntakeCounts(BaseModel):
    """In items: received = stored + spooled + duplicate + the sum of rejected."""

    received: int
    stored: int
    spooled: int
    duplicate: int
    rejected: dict[Refusal, int] = Field(description="by reason; a reason that never was is left out")

    @classmethod
    def of(cls, counts: Counts) -> Self:
        return cls(
            received=counts.received,
            stored=counts.stored,
            spooled=counts.spooled,
            duplicate=counts.duplicate,
            rejected=dict(counts.rejected),
        )


class IntakeShape(BaseModel):
    traces: IntakeCounts
    logs: IntakeCounts
    points: IntakeCounts
    payloads: IntakeCounts


class DeadShape(BaseModel):
    """A request that was acknowledged and that the engine refused."""

    id: int
    kind: str
    items: int
    bytes: int
    received: datetime
    refused: datetime
    reason: str

    @classmethod
    def of(cls, dead: Dead) -> Self:
        return cls(
            id=dead.id,
            kind=dead.inbox.signal,
            items=dead.items,
            bytes=dead.size,
            received=moment(dead.received_ns),
            refused=moment(dead.dead_ns),
            reason=dead.reason,
        )


class Retried(BaseModel):
    requests: int
