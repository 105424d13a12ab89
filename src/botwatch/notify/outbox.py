"""From changes to deliveries, in two transactions that a crash may part anywhere.

`take` turns untold changes into notices and marks them told; `seal`, in a file of its own, turns notices that have
settled into deliveries, each with all its words. Neither sends. After a crash each finds what is left.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.incident.rows import ChangeRow, IncidentRow
from botwatch.incident.steps import Step
from botwatch.notify.note import ESCALATED, Moment, Note, Purpose, Told, as_json
from botwatch.notify.route import Decision, Plan, Reason, decide
from botwatch.notify.rows import CHANNEL_CHARS, DETAIL_CHARS, AttachmentRow, DeliveryRow, NoticeRow
from botwatch.notify.told import facts_of, told_of

OPEN: Final = ("settling", "held")


@dataclass(frozen=True, slots=True)
class Frame:
    """What every message needs beside its facts."""

    url: str = ""
    zone: str = "UTC"

    def note(self, channel: str, purpose: Purpose, now_ns: int, **more: Any) -> Note:
        """A new message. Without a thread of its own it waits for no other."""
        name = secrets.token_hex(16)
        known = {"id": name, "thread": name, "channel": channel, "purpose": purpose, "created_ns": now_ns}
        return Note(**{**known, "url": self.url, "zone": self.zone, **more})


def take(session: Session, plan: Plan, now_ns: int) -> int:
    """How many changes were taken: as many as there were, unless it is the most for one transaction."""
    query = sa.select(ChangeRow).where(ChangeRow.told_ns.is_(None)).order_by(ChangeRow.id)
    changes = list(session.scalars(query.limit(limits.NOTICES_PER_PASS_MAX).with_for_update(skip_locked=True)))
    if not changes:
        return 0
    ids = {change.incident_id for change in changes}
    incidents = {row.id: row for row in session.scalars(sa.select(IncidentRow).where(IncidentRow.id.in_(ids)))}
    heard = _heard(session, ids)
    for change in changes:
        row = incidents[change.incident_id]
        if change.what == Step.WORSENED:
            _forget_escalation(session, row.id)
        for decision in decide(facts_of(row), change.what, plan, heard[row.id]):
            session.add(_notice(decision, change, now_ns))
            if decision.told and not decision.digest and decision.step != ESCALATED:
                heard[row.id].setdefault(decision.channel, decision.thread)
        change.told_ns = now_ns
    return len(changes)


def _forget_escalation(session: Session, incident: str) -> None:
    """It begins anew with what the routes say for the severity it has now."""
    waiting = (NoticeRow.incident_id == incident) & (NoticeRow.step == ESCALATED) & NoticeRow.state.in_(OPEN)
    session.execute(sa.update(NoticeRow).where(waiting).values(state="dropped", reason=Reason.ANEW.value))


def _heard(session: Session, incidents: Collection[str]) -> defaultdict[str, dict[str, str]]:
    """By incident: the channels that are told of it, and their thread."""
    told = (NoticeRow.state.in_(OPEN) & (NoticeRow.step != ESCALATED)) | (NoticeRow.state == "sealed")
    query = sa.select(NoticeRow.incident_id, NoticeRow.channel, NoticeRow.thread).where(
        NoticeRow.incident_id.in_(incidents), told, NoticeRow.reason != Reason.DIGEST
    )
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for incident, channel, thread in session.execute(query.order_by(NoticeRow.id)):
        found[incident].setdefault(channel, thread)
    return found


def _notice(decision: Decision, change: ChangeRow, now_ns: int) -> NoticeRow:
    state = "digest" if decision.digest else "settling" if decision.told else "dropped"
    return NoticeRow(
        channel=decision.channel[:CHANNEL_CHARS],
        incident_id=change.incident_id,
        step=decision.step,
        at_ns=change.at_ns,
        who=change.who,
        why=change.why,
        thread=decision.thread,
        settle_ms=round(decision.settle_s * 1_000),
        state=state,
        reason=decision.reason.value,
        detail=decision.detail[:DETAIL_CHARS],
        due_ns=now_ns + round(decision.settle_s * SECOND_NS),
        created_ns=now_ns,
    )


def add(session: Session, note: Note) -> DeliveryRow:
    """One message into the outbox; what it says is fixed from here on."""
    row = DeliveryRow(
        id=note.id,
        channel=note.channel,
        purpose=note.purpose.value,
        thread=note.thread,
        note=as_json(note),
        status="waiting",
        created_ns=note.created_ns,
        due_ns=note.created_ns,
        attempts=0,
        answer="",
        receipt=[],
        ref={},
    )
    session.add(row)
    if note.files:
        session.flush()
    for position, file in enumerate(note.files):
        session.add(AttachmentRow(delivery_id=note.id, position=position, body=file.body))
    return row


def digest(session: Session, now_ns: int, frame: Frame) -> int:
    """One message for each channel with what waited for it; how many there are."""
    waiting: defaultdict[str, list[NoticeRow]] = defaultdict(list)
    query = sa.select(NoticeRow).where(NoticeRow.state == "digest").order_by(NoticeRow.id)
    for notice in session.scalars(query.limit(limits.NOTICES_PER_PASS_MAX)):
        waiting[notice.channel].append(notice)
    for channel, notices in waiting.items():
        story: defaultdict[str, list[NoticeRow]] = defaultdict(list)
        for notice in notices:
            story[notice.incident_id].append(notice)
        names = list(story)[: limits.DIGEST_ITEMS_MAX]
        rows = {row.id: row for row in session.scalars(sa.select(IncidentRow).where(IncidentRow.id.in_(names)))}
        told = tuple(told_by(rows[name], story[name], False, frame) for name in names)
        row = add(session, frame.note(channel, Purpose.DIGEST, now_ns, told=told, more=len(story) - len(names)))
        for notice in notices:
            notice.state, notice.delivery_id = "sealed", row.id
    return len(waiting)


def told_by(row: IncidentRow, notices: Sequence[NoticeRow], late: bool, frame: Frame) -> Told:
    steps = [(Moment(step=each.step, at_ns=each.at_ns, who=each.who), each.why) for each in notices[-64:]]
    return told_of(row, steps, url=frame.url, late=late)
