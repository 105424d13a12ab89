"""What goes in and out of the routes over channels, silences and deliveries. A secret goes in, and never out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field, SecretStr

from botwatch import limits
from botwatch.api.pages import moment
from botwatch.api.shapes_auth import Given
from botwatch.detect.rule import Severity
from botwatch.notify import render
from botwatch.notify.book import Channel
from botwatch.notify.drill import Report
from botwatch.notify.note import Note
from botwatch.notify.quiet import Kept
from botwatch.notify.route import Reason, Route
from botwatch.notify.rows import DeliveryRow, NoticeRow
from botwatch.notify.silence import Silence


class ChannelGiven(Given):
    kind: str = Field(max_length=32, description="one of /api/channels/kinds")
    options: dict[str, Any] = Field(
        default={}, max_length=50, description="a secret that is left out stays as it is; null takes it away"
    )
    enabled: bool = True


class ChannelShape(BaseModel):
    name: str
    kind: str
    enabled: bool
    source: str = Field(description="settings or api")
    options: dict[str, Any] = Field(description="without secrets")
    secrets: list[str] = Field(description="the secret options that are set")
    changed: datetime | None
    changed_by: str
    waiting: int = Field(description="deliveries that were not taken yet")
    waiting_since: datetime | None
    last_delivered: datetime | None
    last_failed: datetime | None
    last_answer: str = Field(description="of the last delivery that ended")

    @classmethod
    def of(cls, channel: Channel, fares: Fares) -> Self:
        hidden = channel.options.hidden
        shown = channel.options.model_dump(mode="json", exclude=set(hidden))
        held = [name for name in hidden if _held(getattr(channel.options, name))]
        return cls(
            name=channel.name,
            kind=channel.kind,
            enabled=channel.enabled,
            source=channel.source,
            options=shown,
            secrets=sorted(held),
            changed=moment(channel.changed_ns),
            changed_by=channel.changed_by,
            waiting=fares.waiting,
            waiting_since=moment(fares.waiting_ns),
            last_delivered=moment(fares.delivered_ns),
            last_failed=moment(fares.failed_ns),
            last_answer=fares.answer,
        )


class Fares(BaseModel):
    """How deliveries through one channel went."""

    waiting: int = 0
    waiting_ns: int | None = None
    delivered_ns: int | None = None
    failed_ns: int | None = None
    answer: str = ""


def _held(value: Any) -> bool:
    return bool(value.get_secret_value()) if isinstance(value, SecretStr) else bool(value)


class RoutesShape(BaseModel):
    source: str = Field(description="settings, api, or default: every channel hears of warning and critical")
    routes: list[Route]


class RoutesGiven(Given):
    routes: list[dict[str, Any]] = Field(max_length=limits.ROUTES_MAX, description="in order: the first that fits")


class SilenceShape(BaseModel):
    id: int
    silence: Silence
    holds: bool = Field(description="it mutes at this moment")
    created: datetime
    created_by: str
    over: datetime | None = Field(description="null: it recurs without an end")

    @classmethod
    def of(cls, kept: Kept, now_ns: int) -> Self:
        over = kept.over_ns is not None and kept.over_ns <= now_ns
        return cls(
            id=kept.id,
            silence=kept.silence,
            holds=not over and kept.silence.holds(now_ns),
            created=moment(kept.created_ns),
            created_by=kept.created_by,
            over=moment(kept.over_ns),
        )


class AttemptShape(BaseModel):
    at: datetime
    latency_ms: float
    taken: bool
    answer: str

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            at=moment(int(kept["at_ns"])), latency_ms=kept["latency_ms"], taken=kept["taken"], answer=kept["answer"]
        )


class DeliveryShape(BaseModel):
    id: str = Field(description="the idempotency key that the receiver gets")
    channel: str
    purpose: str = Field(description="incident, digest, trouble, test, hook or report")
    title: str
    status: str = Field(description="waiting, delivered, failed, or folded: told by a later one")
    incidents: list[str]
    severity: Severity
    created: datetime
    due: datetime | None = Field(description="when it is tried next; null: it has ended")
    finished: datetime | None
    attempts: int
    latency_ms: float | None = Field(description="of the last attempt")
    answer: str = Field(description="what the receiver said last")
    folded_into: str | None

    @classmethod
    def of(cls, row: DeliveryRow) -> Self:
        return cls(**_facts(row))


class ReceiptShape(DeliveryShape):
    text: str = Field(description="the message")
    receipt: list[AttemptShape] = Field(description="the attempts: of many the first and the latest")

    @classmethod
    def of(cls, row: DeliveryRow) -> Self:
        text = render.text(Note.model_validate(row.note))
        return cls(**_facts(row), text=text, receipt=[AttemptShape.of(each) for each in row.receipt])


def _facts(row: DeliveryRow) -> dict[str, Any]:
    note = Note.model_validate(row.note)
    return {
        "id": row.id,
        "channel": row.channel,
        "purpose": row.purpose,
        "title": render.title(note),
        "status": row.status,
        "incidents": [told.incident for told in note.told],
        "severity": note.severity,
        "created": moment(row.created_ns),
        "due": moment(row.due_ns) if row.status == "waiting" else None,
        "finished": moment(row.finished_ns),
        "attempts": row.attempts,
        "latency_ms": row.latency_ms,
        "answer": row.answer,
        "folded_into": row.folded_into,
    }


class DrillGiven(Given):
    channels: list[str] = Field(
        default=[], max_length=limits.CHANNELS_MAX, description="none: as the routes say for what is critical"
    )


class LegShape(BaseModel):
    name: str
    took_s: float = Field(description="since the leg before")


class DrillShape(BaseModel):
    came_back: bool
    problem: str = Field(description="where it stopped, and why")
    began: datetime
    legs: list[LegShape]
    channels: list[str]
    incident: str | None

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            came_back=not report.problem,
            problem=report.problem,
            began=moment(report.began_ns),
            legs=[LegShape(name=leg.name, took_s=leg.took_s) for leg in report.legs],
            channels=report.channels,
            incident=report.incident,
        )


class NoticeShape(BaseModel):
    """Who was to hear of one change of an incident, and why, or why not."""

    channel: str = Field(description="empty: nobody could be told")
    step: str
    at: datetime
    state: str = Field(description="settling, held, digest, sealed: part of a delivery; dropped")
    reason: Reason
    detail: str
    due: datetime | None = Field(description="when it is looked at next; null: it has been decided")
    delivery: str | None

    @classmethod
    def of(cls, row: NoticeRow) -> Self:
        return cls(
            channel=row.channel,
            step=row.step,
            at=moment(row.at_ns),
            state=row.state,
            reason=Reason(row.reason),
            detail=row.detail,
            due=moment(row.due_ns) if row.state in ("settling", "held") else None,
            delivery=row.delivery_id,
        )


def fares(rows: Sequence[tuple[str, str, int, int | None, int | None]]) -> dict[str, Fares]:
    """From (channel, status, count, first created, last finished) of the state database."""
    found: dict[str, Fares] = {}
    for channel, status, count, created_ns, finished_ns in rows:
        known = found.setdefault(channel, Fares())
        if status == "waiting":
            known.waiting, known.waiting_ns = count, created_ns
        elif status == "delivered":
            known.delivered_ns = finished_ns
        elif status == "failed":
            known.failed_ns = finished_ns
    return found
