"""The status, the sessions and one session, as the API gives them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from botwatch.api.pages import Page
from botwatch.api.shapes_telemetry import Attributes, LogItem, TraceItem
from botwatch.nouns import Author, Direction, Outcome


class SessionFigures(BaseModel):
    active: int | None
    peak_today: int | None
    avg_duration_seconds: int | None


class MessageFigures(BaseModel):
    today: int | None
    this_hour: int | None
    avg_response_ms: int | None


class ResourceFigures(BaseModel):
    cpu_percent: int | None
    memory_percent: int | None
    gpu_percent: int | None
    disk_percent: int | None


class Status(BaseModel):
    """The shape other tools know: nothing is added to it. null: there is no such figure."""

    sessions: SessionFigures
    messages: MessageFigures
    resources: ResourceFigures
    services: dict[str, str]


class SessionState(StrEnum):
    ACTIVE = "active"  # a message within the idle time, and not ended since
    ENDED = "ended"
    IDLE = "idle"


class Feedback(BaseModel):
    count: int
    average: float


class SessionItem(BaseModel):
    id: str
    bot: str
    user: str | None = Field(description="masked unless you may see it")
    channel: str
    host: str
    started: datetime
    last_seen: datetime
    duration_seconds: float = Field(description="from the first message to the last")
    messages: int
    messages_in: int
    messages_out: int
    state: SessionState
    handed_off: bool
    outcome: str | None
    feedback: Feedback | None


class SessionPage(Page[SessionItem]):
    total: int | None = Field(description="of all pages; only counted for active sessions")


class Said(BaseModel):
    at: datetime
    direction: Direction
    author: Author
    text: str
    message_id: str | None
    reply_to: str | None
    trace_id: str | None


class TurnItem(BaseModel):
    asked: datetime
    answered: datetime | None
    outcome: Outcome
    answered_by: str | None
    response_ms: float | None
    message_id: str | None
    trace_id: str | None


class SessionFeedback(BaseModel):
    at: datetime
    score: float | None
    text: str
    message_id: str | None


class SessionEvent(BaseModel):
    at: datetime
    event: str
    text: str
    message_id: str | None
    attributes: Attributes


class Session(BaseModel):
    session: SessionItem
    other_bots: list[str] = Field(description="which have a session of the same id; ask with `bot`")
    transcript: list[Said] = Field(description="the newest, oldest first")
    transcript_truncated: bool
    turns: list[TurnItem]
    traces: list[TraceItem] = Field(description="the newest first")
    logs: Page[LogItem] = Field(
        description="the newest first; `next` goes on at /api/logs with the same session and bot"
    )
    feedback: list[SessionFeedback]
    events: list[SessionEvent]
