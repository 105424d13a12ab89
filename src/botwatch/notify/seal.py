"""Notices that have settled become deliveries: grouped, held back, or folded with what could not be delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.incident.rows import IncidentRow
from botwatch.notify.note import ESCALATED, Purpose
from botwatch.notify.outbox import OPEN, Frame, add, told_by
from botwatch.notify.route import Fate, Live, Plan, Reason, Verdict, verdict
from botwatch.notify.rows import DeliveryRow, NoticeRow
from botwatch.notify.told import facts_of

_MS_NS: Final = 1_000_000
Place = tuple[str, str]


def seal(session: Session, plan: Plan, now_ns: int, frame: Frame, busy: Collection[str] = ()) -> int:
    """How many notices were looked at. `busy`: the deliveries that are being sent now, which stay as they are."""
    due = _due(session, now_ns)
    if not due:
        return 0
    ids = {notice.incident_id for notice in due}
    incidents = {row.id: row for row in session.scalars(sa.select(IncidentRow).where(IncidentRow.id.in_(ids)))}
    live = _live(session, incidents.values())
    heard = _sealed(session, ids)
    bundles: defaultdict[Place, list[NoticeRow]] = defaultdict(list)
    for notice in due:
        place = (notice.incident_id, notice.channel)
        found = _verdict(notice, incidents[notice.incident_id], place in heard, plan, live, now_ns)
        if found.fate is Fate.TELL:
            heard.add(place)
            bundles[notice.channel, notice.thread].append(notice)
            if notice.state == "held":
                notice.reason, notice.detail = Reason.ROUTE.value, f"after {notice.detail}"
        else:
            _keep_back(notice, found, now_ns)
    _Bundler(session, incidents, now_ns, frame).write(bundles, _stale(session, bundles, busy))
    return len(due)


def _due(session: Session, now_ns: int) -> list[NoticeRow]:
    """Those that have settled, and with them what came into the same group meanwhile."""
    query = sa.select(NoticeRow).where(NoticeRow.state.in_(OPEN)).order_by(NoticeRow.id)
    query = query.limit(limits.NOTICES_PER_PASS_MAX).with_for_update(skip_locked=True)
    due = list(session.scalars(query.where(NoticeRow.due_ns <= now_ns)))
    groups = {(notice.channel, notice.thread) for notice in due if notice.state == "settling"}
    if not groups:
        return due
    later = query.where(
        NoticeRow.due_ns > now_ns,
        NoticeRow.state == "settling",
        NoticeRow.step != ESCALATED,
        NoticeRow.thread.in_({thread for _, thread in groups}),
    )
    joined = [notice for notice in session.scalars(later) if (notice.channel, notice.thread) in groups]
    return sorted(due + joined, key=lambda notice: notice.id)


def _live(session: Session, incidents: Iterable[IncidentRow]) -> list[Live]:
    above = {rule for row in incidents for rule in facts_of(row).depends_on}
    if not above:
        return []
    query = sa.select(IncidentRow).where(IncidentRow.resolved_ns.is_(None), IncidentRow.rule.in_(above))
    return [Live(row.rule, row.labels) for row in session.scalars(query)]


def _sealed(session: Session, incidents: Collection[str]) -> set[Place]:
    query = sa.select(NoticeRow.incident_id, NoticeRow.channel).where(
        NoticeRow.incident_id.in_(incidents), NoticeRow.state == "sealed"
    )
    return {(incident, channel) for incident, channel in session.execute(query)}


def _verdict(
    notice: NoticeRow, row: IncidentRow, heard: bool, plan: Plan, live: Sequence[Live], now_ns: int
) -> Verdict:
    if notice.reason == Reason.HOOK:
        return Verdict(Fate.TELL)
    held = notice.state == "held"
    return verdict(facts_of(row), notice.step, heard=heard, held=held, plan=plan, live=live, now_ns=now_ns)


def _keep_back(notice: NoticeRow, found: Verdict, now_ns: int) -> None:
    if found.reason is not None:
        notice.reason, notice.detail = found.reason.value, found.detail
    if found.fate is Fate.DROP:
        notice.state = "dropped"
        return
    notice.state = "held"
    # What escalates waits its time anew: it is about people who were told and did not answer.
    again_ms = notice.settle_ms if notice.step == ESCALATED else limits.HELD_AGAIN_S * 1_000
    notice.due_ns = now_ns + again_ms * _MS_NS


def _stale(session: Session, bundles: Collection[Place], busy: Collection[str]) -> dict[Place, list[NoticeRow]]:
    """What was to be told in these threads and could not be delivered so far."""
    waiting = sa.select(DeliveryRow.id, DeliveryRow.channel, DeliveryRow.thread).where(
        DeliveryRow.status == "waiting",
        DeliveryRow.channel.in_({channel for channel, _ in bundles}),
        DeliveryRow.purpose == Purpose.INCIDENT.value,
        DeliveryRow.attempts > 0,
        DeliveryRow.id.not_in(busy),
    )
    places = {name: (channel, thread) for name, channel, thread in session.execute(waiting)}
    ids = [name for name, place in places.items() if place in bundles]
    found: defaultdict[Place, list[NoticeRow]] = defaultdict(list)
    for notice in session.scalars(sa.select(NoticeRow).where(NoticeRow.delivery_id.in_(ids)).order_by(NoticeRow.id)):
        found[places[notice.delivery_id or ""]].append(notice)
    return found


class _Bundler:
    def __init__(self, session: Session, incidents: dict[str, IncidentRow], now_ns: int, frame: Frame) -> None:
        self.session = session
        self.incidents = incidents
        self.now_ns = now_ns
        self.frame = frame

    def write(self, bundles: dict[Place, list[NoticeRow]], stale: dict[Place, list[NoticeRow]]) -> None:
        missing = {notice.incident_id for notices in stale.values() for notice in notices} - self.incidents.keys()
        query = sa.select(IncidentRow).where(IncidentRow.id.in_(missing))
        self.incidents |= {row.id: row for row in self.session.scalars(query)} if missing else {}
        for place, notices in bundles.items():
            self._write(place, notices, stale.get(place, []))

    def _write(self, place: Place, notices: list[NoticeRow], stale: list[NoticeRow]) -> None:
        late = {notice.incident_id for notice in stale}
        story: defaultdict[str, list[NoticeRow]] = defaultdict(list)
        for notice in sorted([*stale, *notices], key=lambda each: each.id):
            story[notice.incident_id].append(notice)
        names = list(story)
        purpose = Purpose.HOOK if notices[0].reason == Reason.HOOK else Purpose.INCIDENT
        channel, thread = place
        for start in range(0, len(names), limits.TOLD_PER_DELIVERY_MAX):
            part = names[start : start + limits.TOLD_PER_DELIVERY_MAX]
            told = tuple(told_by(self.incidents[name], story[name], name in late, self.frame) for name in part)
            note = self.frame.note(channel, purpose, self.now_ns, told=told, thread=thread)
            self._settle([notice for name in part for notice in story[name]], add(self.session, note).id)

    def _settle(self, notices: list[NoticeRow], delivery: str) -> None:
        """What these notices were part of before is now told by the new delivery."""
        for old in {notice.delivery_id for notice in notices if notice.delivery_id is not None}:
            self.session.execute(
                sa.update(DeliveryRow)
                .where(DeliveryRow.id == old, DeliveryRow.status == "waiting")
                .values(status="folded", folded_into=delivery, finished_ns=self.now_ns)
            )
        for notice in notices:
            notice.state, notice.delivery_id = "sealed", delivery
