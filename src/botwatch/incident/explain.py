"""What an incident says of itself: what it is about, and what it may come from.

It is told when it opens, and looked at again while it is young: what is found then replaces what was known, unless that
was surer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.detect.drift.story import TOGETHER_NS
from botwatch.incident.causes import state
from botwatch.incident.causes.change import Change, Window
from botwatch.incident.causes.documents import compared
from botwatch.incident.causes.suspects import Suspect, sentence, surer, suspects
from botwatch.incident.nouns import Found
from botwatch.incident.rows import IncidentRow

DRIFT: Final = "payload.drift"


@dataclass(frozen=True, slots=True)
class Explainable:
    """The row of an incident, and what the telemetry store told about its time, and when it was asked."""

    row: IncidentRow
    found: Found
    at_ns: int


def explain(session: Session, some: Sequence[Explainable]) -> list[IncidentRow]:
    """Complete the rows; those of which another cause is suspected now. What the state knows is asked once for all."""
    if not some:
        return []
    began = [one.row.began_ns for one in some]
    known = state.changes(session, Window.around(min(began), max(began)))
    return [one.row for one in some if _explain(session, one, known)]


def _explain(session: Session, one: Explainable, known: Sequence[Change]) -> bool:
    """Documents of its own source are what an incident is about, whenever they began to change."""
    row, found = one.row, one.found
    source = row.labels.get("source", "")
    rows = state.live_documents(session, source) if source else []
    own = [state.document(document) for document in rows]
    places = {name: [value] for name, value in row.labels.items() if value} | {"rule": [row.rule]}
    bots = sorted({value for one in own for name, value in one.places if name == "bot"})
    if bots and "bot" not in places:
        places["bot"] = bots
    about = _about(row, own)
    began_ns = min((one.at_ns for one in about), default=row.began_ns)
    others = [one for one in (*found.changes, *known) if one not in own and one.link != f"/incidents/{row.id}"]
    measured = {**found.measured, **compared(rows, found.changes)}
    suspected = suspects(others, places, began_ns, measured)
    if began_ns != row.began_ns:
        # It was found later than it began: what stands around that is worth a look, and is no cause.
        told = {one.change for one in suspected}
        suspected += suspects([one for one in others if one not in told], {}, row.began_ns)
    events = list(_events(own))
    row.summary = _summary(row, events)[: limits.RULE_TEXT_CHARS_MAX]
    row.began_ns = min(row.began_ns, began_ns)
    return _told_of(one, [{**_told(each), "about": True} for each in events], suspected)


def _told_of(one: Explainable, about: list[dict[str, Any]], suspected: Sequence[Suspect]) -> bool:
    """Write it down; whether the cause is another one than before."""
    row, before = one.row, one.row.evidence
    known = [related for related in before.get("related", ()) if not related.get("about")]
    kept, cause, cause_ns = known, str(before.get("cause", "")), before.get("cause_ns")
    if "looked_ns" not in before or surer(suspected, known):
        kept, cause = [each.row() for each in suspected], sentence(suspected)[: limits.RULE_TEXT_CHARS_MAX]
    news = bool(cause) != bool(before.get("cause")) or bool(cause and kept and _named(kept) != _named(known))
    row.evidence = {
        **before,
        "related": [*about, *kept][: limits.RELATED_CHANGES_MAX],
        "cause": cause,
        "cause_ns": (one.at_ns if cause else None) if news else cause_ns,
        "asked": one.found.known or bool(before.get("asked")),
        "looked_ns": one.at_ns,
        **({"touched": one.found.touched.row()} if one.found.touched else {}),
    }
    return news


def _named(related: Sequence[Mapping[str, Any]]) -> tuple[object, ...]:
    """Which change is suspected, and how surely; when a dependency got worse is known better later."""
    return tuple(related[0][name] for name in ("what", "link", "sure")) if related else ()


def _about(row: IncidentRow, own: Sequence[Change]) -> list[Change]:
    """Those that led to it: an older one that nobody accepted did not."""
    if str(row.snapshot.get("field", "")) != DRIFT:
        return []
    newest = max((one.at_ns for one in own), default=0)
    return [one for one in own if newest - one.at_ns < TOGETHER_NS]


def _events(own: Sequence[Change]) -> Iterator[Change]:
    """What began in the same minutes has one cause: the first of it, which explains most, and how many more places."""
    beside: dict[Change, int] = {}
    for one in own:
        first = next((known for known in beside if abs(known.at_ns - one.at_ns) < TOGETHER_NS), one)
        beside[first] = beside.get(first, -1) + 1
    for first, count in beside.items():
        more = f"; {count} other {'change' if count == 1 else 'changes'} began with it" if count else ""
        yield replace(first, text=first.text + more)


def _told(change: Change) -> dict[str, object]:
    return {"what": change.kind.value, "text": change.text, "at_ns": change.at_ns, "link": change.link}


def _summary(row: IncidentRow, own: Sequence[Change]) -> str:
    """A changed document says by itself what is wrong; a count of changed places does not."""
    drifts = str(row.snapshot.get("field", "")) == DRIFT
    return "; ".join(one.text for one in own) if drifts and own else row.summary
