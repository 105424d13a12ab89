"""What else changed when something went wrong: the documents, and other incidents, of the same minutes.

Nothing here claims to be the cause. It is what somebody who looks for the cause would look at first, the nearest
in place and time before the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.detect.rows_drift import DriftRow
from botwatch.incident.rows import IncidentRow

DRIFT: Final = "payload.drift"
_BEFORE_NS: Final = 30 * 60 * SECOND_NS
_AFTER_NS: Final = 5 * 60 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Related:
    """`near` counts how much of the place it shares."""

    what: str  # document or incident
    text: str
    at_ns: int
    link: str
    near: int

    def row(self) -> dict[str, Any]:
        return {"what": self.what, "text": self.text, "at_ns": self.at_ns, "link": self.link}


def related(session: Session, labels: Mapping[str, str], began_ns: int, own: str = "") -> list[Related]:
    """The nearest first. `own` is the incident it is about."""
    window = began_ns - _BEFORE_NS, began_ns + _AFTER_NS
    found = [*_documents(session, labels, window), *_incidents(session, labels, window, own)]
    found.sort(key=lambda one: (-one.near, abs(one.at_ns - began_ns)))
    return found[: limits.RELATED_CHANGES_MAX]


def _documents(session: Session, labels: Mapping[str, str], window: tuple[int, int]) -> list[Related]:
    """Those of its own source are told whenever they began: they are what it is about."""
    source = labels.get("source", "")
    lately = sa.and_(DriftRow.began_ns >= window[0], DriftRow.began_ns <= window[1])
    own = sa.and_(DriftRow.source == source, DriftRow.ended_ns.is_(None))
    query = sa.select(DriftRow).where(sa.or_(lately, own) if source else lately).order_by(DriftRow.id)
    return [
        Related(
            "document",
            f"{row.source}: {row.sentence}",
            row.began_ns,
            f"/insights?source={quote(row.source, safe='')}",
            2 if row.source == source else int(labels.get("bot", "") in row.evidence.get("bots", [])),
        )
        for row in session.scalars(query.limit(limits.RELATED_CHANGES_MAX))
    ]


def _incidents(session: Session, labels: Mapping[str, str], window: tuple[int, int], own: str) -> list[Related]:
    query = (
        sa.select(IncidentRow)
        .where(IncidentRow.began_ns >= window[0], IncidentRow.began_ns <= window[1], IncidentRow.id != own)
        .order_by(IncidentRow.began_ns.desc())
    )
    return [
        Related(
            "incident",
            f"{row.rule} {', '.join(row.labels.values())}".strip(),
            row.began_ns,
            f"/incidents/{row.id}",
            sum(labels.get(name) == value for name, value in row.labels.items()),
        )
        for row in session.scalars(query.limit(limits.RELATED_CHANGES_MAX))
    ]


def told(field: str, summary: str, found: list[Related]) -> str:
    """A changed document says by itself what is wrong; a count of changed places does not."""
    documents = [one.text for one in found if one.what == "document" and one.near == 2]
    return "; ".join(documents) if field == DRIFT and documents else summary
