"""The rows of incidents: opened, worsened, acknowledged, noted, resolved, listed. One transaction is the caller's.

A change is written with what it changes, so that whoever tells people reads both or neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.detect.rule import Operand, Severity
from botwatch.errors import Conflict, NotFound
from botwatch.incident.explain import Explainable, explain
from botwatch.incident.nouns import Change, Incident, Live, Opening, Resolving, Standing, Worsening
from botwatch.incident.rows import ChangeRow, IncidentRow
from botwatch.incident.steps import RULE, Status, Step
from botwatch.state import audit

Points = Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Times are of the start. `live`: only those that are not over, or only those that are."""

    from_ns: int = 0
    to_ns: int = 2**63 - 1
    live: bool | None = None
    status: Status | None = None
    severity: Severity | None = None
    rule: str | None = None
    label: tuple[str, str] | None = None
    ids: tuple[str, ...] = ()


# --- what the loop writes


def open_(session: Session, *openings: Opening) -> None:
    """Many at once: a dead network opens hundreds in one tick. What else changed is told with the first of them."""
    rows = [_row(opening) for opening in openings]
    session.add_all(rows)
    session.flush()
    some = zip(rows[: limits.INCIDENTS_EXPLAINED_MAX], openings, strict=False)
    explain(session, [Explainable(row, opening.found, row.started_ns) for row, opening in some])
    session.add_all(_changed(row.id, row.started_ns, Step.OPENED, RULE, row.summary, row.trigger_value) for row in rows)


def resolve(session: Session, resolving: Resolving) -> Incident | None:
    """As it stands then; None where it was over already."""
    row = _live(session, resolving.id)
    if row is None:
        return None
    row.status = Status.RESOLVED
    row.resolved_ns = max(resolving.at_ns, row.started_ns)
    row.last_value = resolving.value if resolving.value is not None else row.last_value
    row.peak_value = resolving.peak if resolving.peak is not None else row.peak_value
    if resolving.points:
        row.evidence = {**row.evidence, "points": joined(row.evidence.get("points", []), resolving.points)}
    _change(session, row.id, resolving.at_ns, Step.RESOLVED, RULE, resolving.why, resolving.value)
    return Incident.of(row)


def worsen(session: Session, worsening: Worsening) -> None:
    row = _live(session, worsening.id)
    if row is not None:
        row.severity = worsening.severity
        _change(session, row.id, worsening.at_ns, Step.WORSENED, RULE, worsening.why, row.last_value)


def stand(session: Session, standings: Iterable[Standing]) -> None:
    """Note the values of those that stay open; that is no change."""
    rows = [{"id": s.id, "peak_value": s.peak, "last_value": s.last} for s in standings]
    if rows:
        session.execute(sa.update(IncidentRow), rows)


def joined(before: Points, after: Points) -> list[list[float | None]]:
    """Points of both, each time once, the newest of as many as are kept."""
    points = {int(point[0] or 0): point[1] for point in (*before, *after)}
    return [[at, points[at]] for at in sorted(points)][-limits.INCIDENT_POINTS_MAX :]


# --- what people do


def acknowledge(session: Session, now_ns: int, who: str, incident_id: str, why: str) -> Incident:
    """Whoever does it twice is told how things stand, and nothing changes."""
    row = _of(session, incident_id, for_update=True)
    if row.status == Status.RESOLVED:
        raise Conflict("The incident is over already.", hint="an incident that is over needs nobody")
    if row.status == Status.OPEN:
        row.status, row.acknowledged_ns, row.acknowledged_by = Status.ACKNOWLEDGED, now_ns, who
        _change(session, row.id, now_ns, Step.ACKNOWLEDGED, who, why, row.last_value)
        audit.record(session, now_ns, who, "incident.acknowledge", row.id, rule=row.rule)
    session.flush()
    return Incident.of(row)


def note(session: Session, now_ns: int, who: str, incident_id: str, text: str) -> Incident:
    """What somebody found out; also of one that is over."""
    row = _of(session, incident_id, for_update=True)
    query = sa.select(sa.func.count()).select_from(ChangeRow).where(ChangeRow.incident_id == row.id)
    if (session.scalar(query) or 0) >= limits.INCIDENT_CHANGES_MAX:
        raise Conflict(f"The incident has {limits.INCIDENT_CHANGES_MAX} changes already.", hint="note it elsewhere")
    _change(session, row.id, now_ns, Step.NOTED, who, text, row.last_value)
    audit.record(session, now_ns, who, "incident.note", row.id, rule=row.rule)
    return Incident.of(row)


# --- reading


def live(session: Session) -> list[Live]:
    """All that are not over."""
    query = sa.select(IncidentRow).where(IncidentRow.resolved_ns.is_(None))
    return [
        Live(
            row.id,
            row.rule,
            row.labels,
            Severity(row.severity),
            row.peak_value,
            row.last_value,
            row.snapshot.get("operand") == Operand.AT_MOST,
        )
        for row in session.scalars(query)
    ]


def ended(session: Session, since_ns: int) -> dict[tuple[str, str], int]:
    """When the last incident of each rule and subject ended, in seconds, where that is not longer ago."""
    query = (
        sa.select(IncidentRow.rule, IncidentRow.subject, sa.func.max(IncidentRow.resolved_ns))
        .where(IncidentRow.resolved_ns >= since_ns)
        .group_by(IncidentRow.rule, IncidentRow.subject)
    )
    return {(rule, subject): (at_ns or 0) // SECOND_NS for rule, subject, at_ns in session.execute(query)}


def one(session: Session, incident_id: str) -> tuple[Incident, list[Change]]:
    row = _of(session, incident_id)
    query = sa.select(ChangeRow).where(ChangeRow.incident_id == row.id).order_by(ChangeRow.id)
    return Incident.of(row), [Change.of(change) for change in session.scalars(query)]


def listed(session: Session, wanted: Filter, before: tuple[int, str] | None, count: int) -> list[Incident]:
    """The ones that started last first."""
    query = sa.select(IncidentRow).where(*_conditions(wanted))
    if before is not None:
        at_ns, incident_id = before
        query = query.where(
            sa.or_(
                IncidentRow.started_ns < at_ns, sa.and_(IncidentRow.started_ns == at_ns, IncidentRow.id < incident_id)
            )
        )
    query = query.order_by(IncidentRow.started_ns.desc(), IncidentRow.id.desc()).limit(count)
    return [Incident.of(row) for row in session.scalars(query)]


def counted(session: Session) -> Mapping[str, int]:
    """How many are not over, by severity."""
    query = (
        sa.select(IncidentRow.severity, sa.func.count())
        .where(IncidentRow.resolved_ns.is_(None))
        .group_by(IncidentRow.severity)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def changed_since(session: Session, after: int | None) -> tuple[int, list[str]]:
    """The number of the newest change, and which incidents changed after the one of that number, each once."""
    newest = session.scalar(sa.select(sa.func.max(ChangeRow.id))) or 0
    if after is None or newest <= after:
        return newest, []
    query = sa.select(ChangeRow.incident_id).where(ChangeRow.id > after).group_by(ChangeRow.incident_id)
    latest = query.order_by(sa.func.max(ChangeRow.id).desc()).limit(limits.LIVE_INCIDENTS_MAX)
    return newest, list(session.scalars(latest))


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [
        IncidentRow.started_ns >= wanted.from_ns,
        IncidentRow.started_ns < wanted.to_ns,
    ]
    if wanted.live is not None:
        found.append(IncidentRow.resolved_ns.is_(None) if wanted.live else IncidentRow.resolved_ns.is_not(None))
    found += [IncidentRow.status == wanted.status] if wanted.status else []
    found += [IncidentRow.severity == wanted.severity] if wanted.severity else []
    found += [IncidentRow.rule == wanted.rule] if wanted.rule is not None else []
    found += [IncidentRow.id.in_(wanted.ids)] if wanted.ids else []
    if wanted.label is not None:
        name, value = wanted.label
        found.append(IncidentRow.labels[name].as_string() == value)
    return found


def _live(session: Session, incident_id: str) -> IncidentRow | None:
    row = session.get(IncidentRow, incident_id, with_for_update=True)
    return row if row is not None and row.resolved_ns is None else None


def _of(session: Session, incident_id: str, *, for_update: bool = False) -> IncidentRow:
    row = session.get(IncidentRow, incident_id, with_for_update=for_update or None)
    if row is None:
        raise NotFound("There is no incident of this id.", hint="/api/incidents lists them")
    return row


def _row(opening: Opening) -> IncidentRow:
    return IncidentRow(
        id=opening.id,
        rule=opening.rule,
        subject=opening.subject,
        labels=dict(opening.labels),
        severity=opening.severity,
        status=Status.OPEN,
        reason=opening.reason,
        summary=opening.summary[: limits.RULE_TEXT_CHARS_MAX],
        trigger_value=opening.value,
        peak_value=opening.value,
        last_value=opening.value,
        began_ns=opening.began_ns,
        started_ns=opening.started_ns,
        snapshot=dict(opening.snapshot),
        evidence=dict(opening.evidence),
    )


def _change(
    session: Session, incident_id: str, at_ns: int, what: Step, who: str, why: str, value: float | None
) -> None:
    session.add(_changed(incident_id, at_ns, what, who, why, value))


def _changed(incident_id: str, at_ns: int, what: Step, who: str, why: str, value: float | None) -> ChangeRow:
    return ChangeRow(
        incident_id=incident_id, at_ns=at_ns, what=what, who=who, why=why[: limits.RULE_TEXT_CHARS_MAX], value=value
    )
