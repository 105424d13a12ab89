"""What drift has found, as rows: new ones are told with their story, old ones kept up to date, ended when over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from botwatch import limits
from botwatch.detect.drift.compare import CRITICAL, Change, What, is_known_after
from botwatch.detect.drift.holds import Where
from botwatch.detect.drift.maps import folded
from botwatch.detect.drift.profile import Share, Stat
from botwatch.detect.drift.source import Drift, Source
from botwatch.detect.drift.story import TOGETHER_NS, Cause, Sample, beginning, masked, sentence, tell
from botwatch.detect.rows_drift import DriftRow
from botwatch.watch.payloads.reading import Document

OVER_NS: Final = 30 * 60 * 10**9  # not found for so long: over
_HELD_MAX: Final = 2 * limits.DRIFTS_PER_SOURCE_MAX
_LOST_NS_MAX: Final = 2 * 3_600 * 10**9
REMEMBERED_NS: Final = 2 * 86_400 * 10**9
# When more is known of whom it touches, and of which versions: before incidents look for their causes again.
_AGAIN_NS: Final = (60 * 10**9, 8 * 60 * 10**9, 25 * 60 * 10**9)
Key = tuple[str, Share]
_TOUCHED: Final = ("sessions", "traces", "bots", "actions", "versions", "at_ns")
Touching = Callable[[Sequence[Document]], Mapping[str, Any]]  # whom documents belong to


@dataclass(frozen=True, slots=True)
class Told:
    """A new finding, ready to be kept."""

    cause: Cause
    evidence: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return self.cause.drift.variant, self.cause.drift.change.share


def story(
    source: Source, drifts: Sequence[Drift], documents: Sequence[Document], now_ns: int, touching: Touching
) -> list[Told]:
    samples = [
        Sample(number, document.at_ns, folded(document.shape, source.maps), document.version)
        for number, document in enumerate(documents)
    ]
    choices = {drift.variant: source.choices(drift.variant, now_ns // 10**9) for drift in drifts}
    return [
        Told(cause, _evidence(cause, documents, choices[cause.drift.variant], touching))
        for cause in tell(drifts, samples, source)
    ]


def _evidence(
    cause: Cause, documents: Sequence[Document], choices: Mapping[str, bool], touching: Touching
) -> dict[str, Any]:
    touched = [documents[number] for number in cause.affected]
    before = [documents[number] for number in cause.unaffected[-1:]]
    return {
        "sure": cause.sure,
        "before": [masked(document.content, choices) for document in before],
        "after": [masked(document.content, choices) for document in touched[:1]],
        "versions": {one.version: [one.showing, one.of] for one in cause.versions},
        **touching(touched),
    }


def key_of(row: DriftRow) -> Key:
    return row.variant, Share(row.path, Stat(row.stat), row.value)


def change_of(row: DriftRow) -> Change:
    return Change(
        What(row.what), key_of(row)[1], row.before_count, row.before_of, row.now_count, row.now_of, row.surprise
    )


def live(session: Session, source: str) -> dict[Key, DriftRow]:
    """What is still going on, by what it is about."""
    rows = session.scalars(sa.select(DriftRow).where(DriftRow.source == source, DriftRow.ended_ns.is_(None)))
    return {key_of(row): row for row in rows}


def together(session: Session, rows: Sequence[DriftRow]) -> dict[int, int]:
    """Of each, the first that began in the same minutes at its source: changes of one event are told as one."""
    other = aliased(DriftRow)
    first = (
        sa.select(sa.func.min(other.id))
        .where(
            other.source == DriftRow.source,
            other.found_ns >= DriftRow.found_ns - REMEMBERED_NS,
            other.began_ns > DriftRow.began_ns - TOGETHER_NS,
            other.began_ns < DriftRow.began_ns + TOGETHER_NS,
        )
        .scalar_subquery()
    )
    query = sa.select(DriftRow.id, first).where(DriftRow.id.in_([row.id for row in rows]))
    return {int(id): int(event) for id, event in session.execute(query)}


def beside(session: Session, row: DriftRow) -> list[DriftRow]:
    """A change, and those that began with it and go on."""
    rows = live(session, row.source).values()
    event = together(session, [row, *rows])
    return [row, *(one for one in rows if one is not row and event[one.id] == event[row.id])]


def ended(session: Session, source: str, now_ns: int) -> list[DriftRow]:
    """What was over within the last days by itself, the newest last."""
    query = sa.select(DriftRow).where(
        DriftRow.source == source, DriftRow.ended_ns > now_ns - REMEMBERED_NS, DriftRow.accepted_ns.is_(None)
    )
    return list(session.scalars(query.order_by(DriftRow.id.desc()).limit(limits.DRIFTS_PER_SOURCE_MAX)))[::-1]


def standing(session: Session, source: str, now_ns: int) -> tuple[set[Key], set[Key]]:
    """What is still going on, and what of it is young and to be looked at again."""
    rows = live(session, source)
    return set(rows), {key for key, row in rows.items() if _is_due(row, now_ns)}


def _is_due(row: DriftRow, now_ns: int) -> bool:
    looked_ns = int(row.evidence.get("looked_ns", row.found_ns))
    return any(looked_ns < row.found_ns + after_ns <= now_ns for after_ns in _AGAIN_NS)


def deepen(session: Session, source: str, due: Set[Key], told: Sequence[Told], now_ns: int) -> None:
    """Of those that were told before: in how many it is, and whom they touch, as it is known now. The examples stay."""
    rows, found = live(session, source), {finding.key: finding for finding in told}
    for key in due & rows.keys():
        row, finding = rows[key], found.get(key)
        evidence = finding.evidence if finding else {}
        more = {name: evidence[name] for name in _TOUCHED if evidence.get(name)}
        row.evidence = {**row.evidence, **more, "looked_ns": now_ns}
        if finding and finding.cause.moved_to == row.moved_to:
            row.sentence = sentence(finding.cause)[: limits.RULE_TEXT_CHARS_MAX]


def accepted(session: Session, source: str) -> list[DriftRow]:
    query = sa.select(DriftRow).where(DriftRow.source == source, DriftRow.accepted_ns.is_not(None))
    return list(session.scalars(query.order_by(DriftRow.id)))


@dataclass(frozen=True, slots=True)
class Before:
    """What a source has to know of what was found and said of it when it is taken up again."""

    accepted: Sequence[DriftRow]
    turned: Sequence[tuple[str, str, int]]  # values that were found to be new: where, which, and when first
    told: dict[Share, int]
    held: Sequence[tuple[Where, int, int, bool]]  # drifted from when to when, and nobody said that it is right; lasting


def before(session: Session, source: str, from_ns: int, now_ns: int) -> Before:
    held = [
        ((row.variant, row.path), row.began_ns // 10**9, row.last_ns // 10**9, lasting)
        for row in _unaccepted_since(session, source, from_ns)
        if What(row.what) not in CRITICAL and ((lasting := not is_known_after(change_of(row))) or row.ended_ns is None)
    ]
    return Before(accepted(session, source), _turned(session, source), told(session, source, now_ns), held)


def _turned(session: Session, source: str) -> list[tuple[str, str, int]]:
    query = sa.select(DriftRow.path, DriftRow.value, sa.func.min(DriftRow.found_ns)).where(
        DriftRow.source == source, DriftRow.what == What.VALUE_NEW.value
    )
    rows = session.execute(query.group_by(DriftRow.path, DriftRow.value).limit(limits.DRIFTS_PER_SOURCE_MAX))
    return [(str(path), str(value), int(found_ns) // 10**9) for path, value, found_ns in rows]


def _unaccepted_since(session: Session, source: str, from_ns: int) -> Sequence[DriftRow]:
    query = sa.select(DriftRow).where(
        DriftRow.source == source, DriftRow.last_ns > from_ns, DriftRow.accepted_ns.is_(None)
    )
    newest = session.scalars(query.order_by(DriftRow.began_ns.desc()).limit(_HELD_MAX)).all()
    return newest[::-1]


def told(session: Session, source: str, now_ns: int) -> dict[Share, int]:
    """What was told within the last days, and when last."""
    rows = (*ended(session, source, now_ns), *live(session, source).values())
    return {key_of(row)[1]: row.last_ns // 10**9 for row in rows}


def keep_up(session: Session, source: str, drifts: Sequence[Drift], over: Set[Key], now_ns: int) -> None:
    """Bring the rows that are live up to date; end those that are over, or were not found for a while."""
    found = {(drift.variant, drift.change.share): drift for drift in drifts}
    for key, row in live(session, source).items():
        drift = found.get(key)
        if drift is not None:
            row.last_ns, row.surprise = now_ns, max(row.surprise, drift.change.surprise)
            row.now_count, row.now_of = drift.change.now_count, drift.change.now_of
        elif key in over or now_ns - row.last_ns > OVER_NS:
            row.ended_ns = now_ns


def _goes_on(row: DriftRow, began_ns: int, now_ns: int) -> bool:
    """Whether it was not over: it began when it had begun, or it was only not found for a while."""
    ended_ns = row.ended_ns or now_ns
    lost = ended_ns - row.last_ns > OVER_NS and now_ns - ended_ns < _LOST_NS_MAX
    return lost or abs(row.began_ns - began_ns) < TOGETHER_NS


def add(session: Session, source: str, told: Sequence[Told], now_ns: int) -> list[str]:
    """Make rows of what is new; the sentences of those that were."""
    known, before = live(session, source), {key_of(row): row for row in ended(session, source, now_ns)}
    begun = [row.began_ns for row in (*known.values(), *before.values())]
    added: list[str] = []
    for finding in told:
        drift, change = finding.cause.drift, finding.cause.drift.change
        if finding.key in known or len(known) + len(added) >= limits.DRIFTS_PER_SOURCE_MAX:
            continue
        began_ns = beginning(finding.cause, begun) or now_ns - drift.window_s * 10**9
        if (again := before.get(finding.key)) and _goes_on(again, began_ns, now_ns):
            again.last_ns, again.ended_ns = now_ns, None
            continue
        text = sentence(finding.cause)[: limits.RULE_TEXT_CHARS_MAX]
        session.add(
            DriftRow(
                source=source,
                variant=drift.variant[: limits.DRIFT_VARIANT_CHARS_MAX],
                path=change.path[: limits.DRIFT_PATH_CHARS_MAX],
                stat=change.share.stat.value,
                value=change.share.value[: limits.DRIFT_VALUE_CHARS_MAX],
                what=change.what.value,
                sentence=text,
                moved_to=finding.cause.moved_to[: limits.DRIFT_PATH_CHARS_MAX],
                before_count=change.before_count,
                before_of=change.before_of,
                now_count=change.now_count,
                now_of=change.now_of,
                surprise=change.surprise,
                began_ns=began_ns,
                found_ns=now_ns,
                last_ns=now_ns,
                evidence=dict(finding.evidence),
            )
        )
        begun.append(began_ns)
        added.append(text)
    return added
