"""What became of deliveries, in the state database: which may be sent now, and their receipts.

A thread goes through a channel in order: a delivery waits until the one before it in its thread has ended. A
delivery that is not taken is tried again at growing intervals; one that is refused for good, or is not taken
for long, is told of on another channel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.notify import backoff
from botwatch.notify.book import Channel
from botwatch.notify.note import Note, Purpose
from botwatch.notify.outbox import Frame, add
from botwatch.notify.rows import AttachmentRow, DeliveryRow, NoticeRow

_GIVE_UP_NS: Final = limits.DELIVERY_GIVE_UP_DAYS * 86_400 * SECOND_NS
_TROUBLE_NS: Final = limits.DELIVERY_TROUBLE_S * SECOND_NS
_TOLD_ELSEWHERE: Final = frozenset({Purpose.INCIDENT, Purpose.DIGEST, Purpose.TROUBLE, Purpose.HOOK, Purpose.REPORT})


@dataclass(frozen=True, slots=True)
class Order:
    """One delivery to be sent."""

    id: str
    channel: str
    note: Note
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one attempt. `retryable` is None where it was taken."""

    order: Order
    at_ns: int
    latency_ms: float
    answer: str
    retryable: bool | None = None
    retry_after_s: float | None = None
    ref: Mapping[str, str] = field(default_factory=dict)
    chance: float = 0.5

    @property
    def taken(self) -> bool:
        return self.retryable is None


def channels_waiting(session: Session) -> list[str]:
    query = sa.select(DeliveryRow.channel).where(DeliveryRow.status == "waiting").distinct()
    return list(session.scalars(query))


def due(session: Session, channel: str, now_ns: int, busy: Collection[str], count: int, *, keeps: bool) -> list[Order]:
    """The first of each thread, oldest first; `keeps`: with what the provider calls the message before."""
    before = aliased(DeliveryRow)
    earlier = sa.select(before.seq).where(
        before.status == "waiting",
        before.channel == DeliveryRow.channel,
        before.thread == DeliveryRow.thread,
        before.seq < DeliveryRow.seq,
    )
    query = (
        sa.select(DeliveryRow)
        .where(
            DeliveryRow.status == "waiting",
            DeliveryRow.channel == channel,
            DeliveryRow.due_ns <= now_ns,
            DeliveryRow.id.not_in(busy),
            ~earlier.exists(),
        )
        .order_by(DeliveryRow.seq)
        .limit(count)
    )
    found = []
    for row in session.scalars(query):
        note = _with_files(session, Note.model_validate(row.note))
        if keeps and (ref := _ref(session, row)):
            note = note.model_copy(update={"ref": ref})
        found.append(Order(row.id, row.channel, note, row.attempts))
    return found


def _with_files(session: Session, note: Note) -> Note:
    if not note.files:
        return note
    query = sa.select(AttachmentRow.position, AttachmentRow.body).where(AttachmentRow.delivery_id == note.id)
    bodies = {row.position: row.body for row in session.execute(query)}
    files = [file.model_copy(update={"body": bodies.get(place, b"")}) for place, file in enumerate(note.files)]
    return note.model_copy(update={"files": tuple(files)})


def _ref(session: Session, row: DeliveryRow) -> dict[str, str]:
    query = sa.select(DeliveryRow.ref).where(
        DeliveryRow.channel == row.channel,
        DeliveryRow.thread == row.thread,
        DeliveryRow.seq < row.seq,
        DeliveryRow.status == "delivered",
    )
    found = session.scalars(query.order_by(DeliveryRow.seq.desc()).limit(1)).first()
    return found or {}


class Recorder:
    """Writes receipts; remembers only which channels were told of as failing, and when."""

    def __init__(self) -> None:
        self._told_ns: dict[str, int] = {}

    def record(
        self,
        session: Session,
        outcomes: Iterable[Outcome],
        channels: Mapping[str, Channel],
        failing: Collection[str],
        frame: Frame,
    ) -> None:
        by_id = {outcome.order.id: outcome for outcome in outcomes}
        for row in session.scalars(sa.select(DeliveryRow).where(DeliveryRow.id.in_(by_id))):
            outcome = by_id[row.id]
            _receipt(row, outcome)
            if row.status == "waiting" and self._settle(row, outcome) and outcome.order.note.purpose in _TOLD_ELSEWHERE:
                self._tell_elsewhere(session, row, outcome, channels, failing, frame)
            if row.status != "waiting" and outcome.order.note.files:
                session.execute(sa.delete(AttachmentRow).where(AttachmentRow.delivery_id == row.id))

    def _settle(self, row: DeliveryRow, outcome: Outcome) -> bool:
        """Whether another channel is to be told."""
        if outcome.taken:
            row.status, row.finished_ns, row.ref = "delivered", outcome.at_ns, dict(outcome.ref)
            return False
        age_ns = outcome.at_ns - row.created_ns
        test = row.purpose == Purpose.TEST  # whoever asked for it is waiting for the answer
        if not outcome.retryable or age_ns > _GIVE_UP_NS or test:
            row.status, row.finished_ns = "failed", outcome.at_ns
            return row.troubled_ns is None
        wait_s = backoff.wait_s(row.attempts, outcome.chance, outcome.retry_after_s)
        row.due_ns = outcome.at_ns + round(wait_s * SECOND_NS)
        return row.troubled_ns is None and age_ns > _TROUBLE_NS

    def _tell_elsewhere(
        self,
        session: Session,
        row: DeliveryRow,
        outcome: Outcome,
        channels: Mapping[str, Channel],
        failing: Collection[str],
        frame: Frame,
    ) -> None:
        row.troubled_ns = outcome.at_ns
        note = outcome.order.note
        tried = (*note.tried, row.channel)
        others = [name for name, each in channels.items() if each.enabled and name not in tried]
        other = next((name for name in others if name not in failing), others[0] if others else None)
        if other is None:
            return
        told = () if note.purpose is Purpose.HOOK else _unheard(session, note, row.channel)
        if not told and not self._again(row.channel, outcome.at_ns):
            return
        text = note.text
        if note.purpose is not Purpose.TROUBLE:
            kind = "" if note.purpose is Purpose.HOOK else "the channel "
            what = f"the report {note.subject}" if note.purpose is Purpose.REPORT else "it"
            text = f"{kind}{row.channel} does not take {what}: {outcome.answer}"
        trouble = frame.note(other, Purpose.TROUBLE, outcome.at_ns, told=told, more=note.more, text=text, tried=tried)
        add(session, trouble)

    def _again(self, channel: str, now_ns: int) -> bool:
        last_ns = self._told_ns.get(channel)
        if last_ns is not None and 0 <= now_ns - last_ns < limits.TROUBLE_AGAIN_S * SECOND_NS:
            return False
        self._told_ns[channel] = now_ns
        return True


def _receipt(row: DeliveryRow, outcome: Outcome) -> None:
    row.attempts += 1
    row.latency_ms, row.answer = round(outcome.latency_ms, 3), outcome.answer
    entry: dict[str, Any] = {
        "at_ns": outcome.at_ns,
        "latency_ms": row.latency_ms,
        "answer": outcome.answer,
        "taken": outcome.taken,
    }
    kept = list(row.receipt)
    most = limits.DELIVERY_ATTEMPTS_KEPT_MAX
    row.receipt = [*kept, entry] if len(kept) < most else [*kept[: most // 2], *kept[most // 2 + 1 :], entry]


def _unheard(session: Session, note: Note, channel: str) -> tuple[Any, ...]:
    """The incidents of this message that no other channel has delivered anything of."""
    names = [told.incident for told in note.told]
    query = (
        sa.select(NoticeRow.incident_id)
        .join(DeliveryRow, DeliveryRow.id == NoticeRow.delivery_id)
        .where(
            NoticeRow.incident_id.in_(names),
            NoticeRow.channel != channel,
            DeliveryRow.status == "delivered",
            DeliveryRow.purpose == Purpose.INCIDENT.value,
        )
        .distinct()
    )
    heard = set(session.scalars(query))
    return tuple(told for told in note.told if told.incident not in heard)


def sweep(session: Session, now_ns: int) -> int:
    """Forget what ended long ago; how many deliveries that were."""
    before_ns = now_ns - limits.DELIVERIES_KEPT_DAYS * 86_400 * SECOND_NS
    session.execute(
        sa.delete(NoticeRow).where(NoticeRow.created_ns < before_ns, NoticeRow.state.in_(("sealed", "dropped")))
    )
    gone = session.execute(
        sa.delete(DeliveryRow).where(DeliveryRow.created_ns < before_ns, DeliveryRow.status != "waiting")
    )
    return int(getattr(gone, "rowcount", 0))
