"""A question, taken apart into leaves for the engine and put together again from their answers: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from botwatch.measure import catalogue, frames
from botwatch.measure.compile import Leaf
from botwatch.measure.frames import Frame
from botwatch.measure.model import Counted, Empty, Fold, Measure, Preferred, Priced
from botwatch.measure.price import price
from botwatch.measure.query import Query
from botwatch.measure.sources import SEEN
from botwatch.measure.window import Kept, window

Answers = Callable[[Leaf], Frame]

_SEEN = Counted(SEEN, "least(count[count], 1)")


@dataclass(frozen=True, slots=True)
class Plan:
    """`leaf` is what the engine counts, `seen` where the bot was seen; both are None for what is made of parts."""

    measure: Measure
    by: tuple[str, ...]
    leaf: Leaf | None
    seen: Leaf | None
    parts: tuple[Plan, ...]
    rate: bool

    def leaves(self) -> Iterator[Leaf]:
        yield from (leaf for leaf in (self.leaf, self.seen) if leaf)
        for part in self.parts:
            yield from part.leaves()

    def frame(self, answers: Answers) -> Frame:
        """The values, from the answers to the leaves."""
        frame = self._values(answers)
        if self.measure.empty is Empty.ZERO:
            frames.fill_zero(frame)
        elif self.seen:
            frames.fill_seen(frame, answers(self.seen))
        if self.rate:
            frames.by_the_second(frame)
        return frame

    def _values(self, answers: Answers) -> Frame:
        if self.leaf:
            return answers(self.leaf)
        told = [part.frame(answers) for part in self.parts]
        match self.measure.how:
            case Preferred(apart=apart, fold=how):
                return frames.fold(frames.prefer(told, apart), self.by, how)
            case _:
                return frames.fold(frames.cost(*told, price), self.by, Fold.SUM)


def plan(query: Query, measure: Measure, kept: Kept, zone: str) -> Plan:
    """Lay the question out. The measure has been checked to have what it asks for."""
    rate = query.aggregation == catalogue.RATE and (not catalogue.is_open(measure) or _grows(measure))
    seen = None
    match measure.how:
        case Counted() as counted:
            leaf, parts = _leaf(query, counted, kept, zone), tuple[Plan, ...]()
        case Preferred(parts=names, apart=apart):
            leaf, parts = None, _parts(query, names, apart, kept, zone)
        case Priced(apart=apart) as priced:
            leaf, parts = None, _parts(query, (priced.calls, priced.tokens_in, priced.tokens_out), apart, kept, zone)
    if measure.empty is Empty.SEEN and not isinstance(measure.how, Preferred):
        own = replace(
            query,
            by=tuple(label for label in SEEN.labels if label in query.by),
            where=tuple(condition for condition in query.where if condition.label in SEEN.labels),
        )
        seen = _leaf(own, _SEEN, kept, zone)
    return Plan(measure, query.by, leaf, seen, parts, rate)


def _grows(measure: Measure) -> bool:
    return isinstance(measure.how, Counted) and "risen" in measure.how.value


def _leaf(query: Query, counted: Counted, kept: Kept, zone: str) -> Leaf:
    over = window(
        query.start_s, query.end_s, query.step_s, kept=kept, zone=zone, grain_s=counted.source.grain_s
    )
    return Leaf(counted, over, query.by, query.where)


def _parts(query: Query, names: tuple[str, ...], apart: tuple[str, ...], kept: Kept, zone: str) -> tuple[Plan, ...]:
    by = (*query.by, *(label for label in apart if label not in query.by))
    inner = replace(query, by=by, aggregation="")
    return tuple(plan(inner, catalogue.part(name), kept, zone) for name in names)


def frames_of(answers: Mapping[Leaf, Frame]) -> Answers:
    return lambda leaf: answers[leaf]
