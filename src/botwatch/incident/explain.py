"""What an incident says of itself when it opens: what it is about, and what it may come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.incident.causes import state
from botwatch.incident.causes.change import MINUTE_NS, Change, Window
from botwatch.incident.causes.suspects import sentence, suspects
from botwatch.incident.nouns import Found
from botwatch.incident.rows import IncidentRow

DRIFT: Final = "payload.drift"
_TOGETHER_NS: Final = 15 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class Explainable:
    """The row of an incident that opens, and what the telemetry store told about its time."""

    row: IncidentRow
    found: Found


def explain(session: Session, opened: Sequence[Explainable]) -> None:
    """Complete the rows. What the state knows is asked once for all of them."""
    if not opened:
        return
    began = [one.row.began_ns for one in opened]
    known = state.changes(session, Window.around(min(began), max(began)))
    for one in opened:
        _explain(session, one.row, one.found, known)


def _explain(session: Session, row: IncidentRow, found: Found, known: Sequence[Change]) -> None:
    """Documents of its own source are what an incident is about, whenever they began to change."""
    source = row.labels.get("source", "")
    own = [state.document(document) for document in state.live_documents(session, source)] if source else []
    places = {name: [value] for name, value in row.labels.items() if value} | {"rule": [row.rule]}
    bots = sorted({value for one in own for name, value in one.places if name == "bot"})
    if bots and "bot" not in places:
        places["bot"] = bots
    about = _about(row, own)
    began_ns = min((one.at_ns for one in about), default=row.began_ns)
    others = [one for one in (*found.changes, *known) if one not in own and one.link != f"/incidents/{row.id}"]
    suspected = suspects(others, places, began_ns, found.measured)
    if began_ns != row.began_ns:
        # It was found later than it began: what stands around that is worth a look, and is no cause.
        told = {one.change for one in suspected}
        suspected += suspects([one for one in others if one not in told], {}, row.began_ns)
    room = limits.RELATED_CHANGES_MAX
    related = [*({**_told(one), "about": True} for one in own), *(one.row() for one in suspected)]
    row.summary = _summary(row, own)[: limits.RULE_TEXT_CHARS_MAX]
    row.began_ns = min(row.began_ns, began_ns)
    row.evidence = {
        **row.evidence,
        "related": related[:room],
        "cause": sentence(suspected)[: limits.RULE_TEXT_CHARS_MAX],
        "asked": found.known,
        **({"touched": found.touched.row()} if found.touched else {}),
    }


def _about(row: IncidentRow, own: Sequence[Change]) -> list[Change]:
    """Those that led to it: an older one that nobody accepted did not."""
    if str(row.snapshot.get("field", "")) != DRIFT:
        return []
    newest = max((one.at_ns for one in own), default=0)
    return [one for one in own if newest - one.at_ns < _TOGETHER_NS]


def _told(change: Change) -> dict[str, object]:
    return {"what": change.kind.value, "text": change.text, "at_ns": change.at_ns, "link": change.link}


def _summary(row: IncidentRow, own: Sequence[Change]) -> str:
    """A changed document says by itself what is wrong; a count of changed places does not."""
    drifts = str(row.snapshot.get("field", "")) == DRIFT
    return "; ".join(one.text for one in own) if drifts and own else row.summary
