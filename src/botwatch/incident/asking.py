"""How series are asked for: many of them in few questions, and which of their ticks may still change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from botwatch import limits
from botwatch.detect.finding import Subject
from botwatch.detect.rule import TICK_S
from botwatch.detect.ticks import Need
from botwatch.errors import BadRequest, CannotJudge
from botwatch.measure import catalogue
from botwatch.measure.frames import Values
from botwatch.measure.model import Counted, Empty, Measure
from botwatch.measure.query import METRIC, Condition, Op, Query
from botwatch.measure.sources import CONTRACTS, TURNS
from botwatch.measure.sources_runs import Starts
from botwatch.measure.sources_talks import Concurrency, Sessions

# Where 'nothing' is known for each of these, it does not matter which of them a question is narrowed to.
_PLACES: Final = frozenset({"bot", "host"})
_TALKS_LATE_TICKS: Final = 30
_TOGETHER_MIN: Final = 2
_NUL: Final = "\0"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question for several needs that differ only in which bot or host they are about."""

    by: tuple[str, ...]
    where: tuple[Condition, ...]
    needs: tuple[Need, ...]

    def query(self, measure: str, start_s: int, end_s: int, step_s: int) -> Query:
        return Query(measure, start_s, end_s, step_s, self.by, self.where)

    def of(self, need: Need, groups: Mapping[Subject, Values]) -> Iterator[tuple[Subject, Values]]:
        """What of the answer belongs to one of them."""
        if len(self.needs) == 1:
            for key, values in groups.items():
                yield storable(key), values
            return
        wanted = {condition.label: condition.values[0] for condition in need.where if _is_place(condition)}
        fixed = [(self.by.index(label), value) for label, value in wanted.items()]
        shown = [self.by.index(label) for label in need.by]
        for key, values in groups.items():
            if all(key[place] == value for place, value in fixed):
                yield storable(tuple(key[place] for place in shown)), values


def storable(subject: Subject) -> Subject:
    """Names of bots are anybody's text; the one character that no database takes is not let in."""
    if _NUL not in "".join(subject):
        return subject
    return tuple(part.replace(_NUL, "\N{REPLACEMENT CHARACTER}") for part in subject)


def asks(needs: Iterable[Need]) -> list[tuple[str, Ask]]:
    """For each measure the questions that answer all needs of it."""
    families: dict[tuple[str, tuple[str, ...], frozenset[str], tuple[Condition, ...]], list[Need]] = {}
    for need in needs:
        places = frozenset(condition.label for condition in need.where if _is_place(condition))
        others = tuple(condition for condition in need.where if not _is_place(condition))
        families.setdefault((need.measure, need.by, places, others), []).append(need)
    found: list[tuple[str, Ask]] = []
    for (measure, by, places, others), members in families.items():
        if not places or len(members) < _TOGETHER_MIN:
            found += [(measure, Ask(need.by, need.where, (need,))) for need in members]
            continue
        labels = (*by, *sorted(places - set(by)))
        for start in range(0, len(members), limits.MEASURE_CONDITION_VALUES_MAX):
            some = members[start : start + limits.MEASURE_CONDITION_VALUES_MAX]
            where = (*others, *(_any_of(label, some) for label in sorted(places)))
            found.append((measure, Ask(labels, where, tuple(some))))
    return found


def _is_place(condition: Condition) -> bool:
    return condition.label in _PLACES and condition.op is Op.IS and len(condition.values) == 1


def _any_of(label: str, needs: Iterable[Need]) -> Condition:
    values = {c.values[0] for need in needs for c in need.where if c.label == label and _is_place(c)}
    return Condition(label, Op.IS, tuple(sorted(values)))


def measure_of(need: Need) -> Measure | None:
    """None for a metric: what it is shows when it comes."""
    if need.measure.startswith(METRIC):
        return None
    try:
        return catalogue.find(need.measure)
    except BadRequest as error:
        raise CannotJudge(error.message, hint=error.hint) from None


def counts(measure: Measure | None) -> bool:
    """Whether it counts things, so that nothing and 0 are alike."""
    return measure is not None and measure.empty in (Empty.SEEN, Empty.ZERO)


def late_ticks(measure: Measure | None, deadline_s: int) -> int:
    """How many of the newest ticks may still change: a turn is dated when it was asked, and known at its deadline."""
    how = measure.how if measure else None
    if isinstance(how, Counted):
        if how.source in (TURNS, CONTRACTS):
            return -(-(deadline_s + limits.SETTLE_EVERY_S) // TICK_S) + limits.JUDGED_LATE_TICKS_MIN
        if isinstance(how.source, Sessions | Concurrency | Starts):
            return _TALKS_LATE_TICKS
    return limits.JUDGED_LATE_TICKS_MIN
