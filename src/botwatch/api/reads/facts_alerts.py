"""What became of incidents on their way to people: what the topic 'alerts' looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch.api.context import Context
from botwatch.api.diagnosis.alerts import TOLD_MAX, Alerts, Channel, Cooling, Undelivered, Untold
from botwatch.clock import SECOND_NS
from botwatch.detect.rule import Rule
from botwatch.incident.rows import ChangeRow, IncidentRow
from botwatch.incident.steps import Step
from botwatch.measure.query import DAY_S
from botwatch.notify import book
from botwatch.notify.note import ESCALATED
from botwatch.notify.rows import DeliveryRow, NoticeRow

_DAY_NS: Final = DAY_S * SECOND_NS
_TELLING: Final = (Step.OPENED, Step.WORSENED, ESCALATED)


async def alerts(context: Context, now_ns: int) -> Alerts:
    rules = context.rules.rules() if context.rules is not None else None
    health = context.judgement.health if context.judgement is not None else None

    def read(session: Session) -> Alerts:
        channels = book.channels(session, book.Base.of(context.settings))
        return Alerts(
            now_ns,
            tuple(Channel(name, channel.enabled) for name, channel in channels.items()),
            None if rules is None else sum(rule.enabled for rule in rules),
            _opened(session, now_ns),
            health.paused if health is not None and health.leading else "",
            tuple(health.troubles.items()) if health is not None else (),
            tuple(_undelivered(session, now_ns)),
            tuple(_untold(session, now_ns)),
            tuple(_cooling(session, rules or (), now_ns)),
            session.scalar(sa.select(sa.func.min(ChangeRow.at_ns)).where(ChangeRow.told_ns.is_(None))),
            context.notifier.failing if context.notifier is not None else frozenset(),
        )

    return await context.database.read(read)


def _opened(session: Session, now_ns: int) -> int:
    query = sa.select(sa.func.count()).select_from(IncidentRow).where(IncidentRow.started_ns >= now_ns - _DAY_NS)
    return session.scalar(query) or 0


def _undelivered(session: Session, now_ns: int) -> Iterator[Undelivered]:
    failed, waiting = DeliveryRow.status == "failed", DeliveryRow.status == "waiting"
    query = (
        sa.select(
            DeliveryRow.channel,
            sa.func.sum(sa.case((failed, 1), else_=0)),
            sa.func.sum(sa.case((waiting, 1), else_=0)),
            sa.func.max(DeliveryRow.attempts),
            sa.func.max(DeliveryRow.created_ns),
            sa.func.max(DeliveryRow.seq),
        )
        .where(DeliveryRow.created_ns >= now_ns - _DAY_NS, DeliveryRow.attempts > 0, failed | waiting)
        .group_by(DeliveryRow.channel)
        .order_by(DeliveryRow.channel)
    )
    for channel, lost, waits, attempts, last_ns, seq in session.execute(query):
        if _delivered_since(session, channel, seq):
            continue
        answer = session.scalar(sa.select(DeliveryRow.answer).where(DeliveryRow.seq == seq)) or ""
        yield Undelivered(channel, lost, waits, attempts, last_ns, answer)


def _delivered_since(session: Session, channel: str, seq: int) -> bool:
    """It took something later: then it is mended."""
    query = sa.select(DeliveryRow.seq).where(
        DeliveryRow.channel == channel, DeliveryRow.seq > seq, DeliveryRow.status == "delivered"
    )
    return session.scalars(query.limit(1)).first() is not None


def _untold(session: Session, now_ns: int) -> Iterator[Untold]:
    query = (
        sa.select(
            NoticeRow.reason,
            NoticeRow.channel,
            NoticeRow.detail,
            NoticeRow.state,
            sa.func.count(sa.distinct(NoticeRow.incident_id)),
            sa.func.min(IncidentRow.rule),
        )
        .join(IncidentRow, IncidentRow.id == NoticeRow.incident_id)
        .where(
            NoticeRow.created_ns >= now_ns - _DAY_NS,
            NoticeRow.state.in_(("held", "dropped")),
            NoticeRow.step.in_(_TELLING),
        )
        .group_by(NoticeRow.reason, NoticeRow.channel, NoticeRow.detail, NoticeRow.state)
        .order_by(sa.func.max(NoticeRow.id).desc())
        .limit(TOLD_MAX)
    )
    for reason, channel, detail, state, count, rule in session.execute(query):
        yield Untold(reason, channel, detail, state == "held", count, rule)


def _cooling(session: Session, rules: Sequence[Rule], now_ns: int) -> Iterator[Cooling]:
    cooldown_ns = {rule.name: round(rule.cooldown * SECOND_NS) for rule in rules if rule.enabled and rule.cooldown}
    if not cooldown_ns:
        return
    last_ns = sa.func.max(IncidentRow.resolved_ns)
    query = (
        sa.select(IncidentRow.rule, IncidentRow.subject, last_ns)
        .where(IncidentRow.resolved_ns >= now_ns - max(cooldown_ns.values()), IncidentRow.rule.in_(cooldown_ns))
        .group_by(IncidentRow.rule, IncidentRow.subject)
        .order_by(last_ns.desc())
        .limit(10 * TOLD_MAX)
    )
    for rule, subject, resolved_ns in session.execute(query):
        until_ns = (resolved_ns or 0) + cooldown_ns[rule]
        if until_ns > now_ns:
            yield Cooling(rule, subject, until_ns)
