"""Changes that the state database knows of: documents, other incidents, and what people set here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.detect.rows_drift import DriftRow
from botwatch.incident.causes.change import Change, Kind, Window, places
from botwatch.incident.rows import IncidentRow
from botwatch.state.rows import AuditRow

Source = Callable[[Session, Window], list[Change]]

# What may change how things go, or only how they look, by the words of the audit.
_SET: Final = {
    "rule.put": "the rule {} was changed",
    "rule.delete": "the rule {} was deleted",
    "service.add": "the service {} was added to what is watched",
    "service.change": "the service {} is asked in another way",
    "service.remove": "the service {} is not watched any more",
    "channel.put": "the channel {} was changed",
    "channel.remove": "the channel {} was removed",
    "routes.put": "who is told of what was changed",
    "payload.declare": "what documents of {} should be was changed",
    "drift.accept": "the changed documents of {} were accepted",
}


def changes(session: Session, window: Window) -> list[Change]:
    return [change for source in SOURCES for change in source(session, window)]


def document(row: DriftRow) -> Change:
    bots = (("bot", str(bot)) for bot in row.evidence.get("bots", []))
    return Change(
        Kind.DOCUMENT,
        row.began_ns,
        f"{row.source}: {row.sentence}",
        row.source,
        frozenset({("source", row.source), *bots}),
        f"/insights?source={quote(row.source, safe='')}",
    )


def live_documents(session: Session, source: str) -> list[DriftRow]:
    """What is going on at a source, whenever it began."""
    query = sa.select(DriftRow).where(DriftRow.source == source, DriftRow.ended_ns.is_(None)).order_by(DriftRow.id)
    return list(session.scalars(query.limit(limits.DRIFTS_PER_SOURCE_MAX)))


def _documents(session: Session, window: Window) -> list[Change]:
    query = sa.select(DriftRow).where(DriftRow.began_ns >= window.from_ns, DriftRow.began_ns < window.to_ns)
    rows = session.scalars(query.order_by(DriftRow.began_ns.desc()).limit(limits.CHANGES_READ_MAX))
    return [document(row) for row in rows]


def _incidents(session: Session, window: Window) -> list[Change]:
    query = sa.select(IncidentRow.id, IncidentRow.rule, IncidentRow.labels, IncidentRow.began_ns).where(
        IncidentRow.began_ns >= window.from_ns, IncidentRow.began_ns < window.to_ns
    )
    rows = session.execute(query.order_by(IncidentRow.began_ns.desc()).limit(limits.CHANGES_READ_MAX))
    found = []
    for id, rule, labels, began_ns in rows:
        where = ", ".join(labels.values())
        text, subject = f"{rule} {where}".strip(), f"{rule} {where}"
        found.append(Change(Kind.INCIDENT, began_ns, text, subject, places(**labels), f"/incidents/{id}"))
    return found


def _set(session: Session, window: Window) -> list[Change]:
    query = sa.select(AuditRow).where(
        AuditRow.at_ns >= window.from_ns, AuditRow.at_ns < window.to_ns, AuditRow.what.in_(list(_SET))
    )
    return [
        Change(
            Kind.RULE,
            row.at_ns,
            f"{_SET[row.what].format(row.subject)} by {row.who}",
            row.subject,
            places(rule=row.subject) if row.what.startswith("rule.") else frozenset(),
            "/alerts/rules" if row.what.startswith("rule.") else "/settings",
        )
        for row in session.scalars(query.order_by(AuditRow.id.desc()).limit(limits.CHANGES_READ_MAX))
    ]


SOURCES: Final[tuple[Source, ...]] = (_documents, _incidents, _set)
