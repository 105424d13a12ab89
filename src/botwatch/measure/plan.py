"""A question, taken apart into leaves for the engine and put together again from their answers: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from botwatch.measure import catalogue, frames
from botwatch.measure.compile import Leaf
from botwatch.measure.frames import Frame
from botwatch.measure.model import Counted, Empty, Fold, Measure, Preferred
from botwatch.measure.price import price
from botwatch.measure.query import Query
from botwatch.measure.sources import SEEN
from botwatch.measure.sources_talks import CONCURRENCY
from botwatch.measure.window import Kept, window

Answers = Callable[[Leaf], Frame]

_SEEN = Counted(SEEN, "least(count[count], 1)")
_COUNTED = Counted(CONCURRENCY, "least(count[minute], 1)")


@dataclass(frozen=True, slots=True)
class Plan:
    """`leaf` is what the engine counts, None for what is made of parts; `seen` where nothing counted means 0."""

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
            frame = frames.fill_zero(frame)
        elif self.seen:
            frame = frames.fill_seen(frame, answers(self.seen))
        return frames.by_the_second(frame) if self.rate else frame

    def _values(self, answers: Answers) -> Frame:
        if self.leaf:
            return answers(self.leaf)
        told = [part.frame(answers) for part in self.parts]
        match self.measure.how:
            case Preferred(apart=apart, fold=how):
                return frames.fold(frames.prefer(told, apart), self.by, how)
            case _:
                calls, tokens_in, tokens_out = told
                return frames.fold(frames.cost(calls, tokens_in, tokens_out, price), self.by, Fold.SUM)


def plan(query: Query, measure: Measure, kept: Kept, zone: str) -> Plan:
    """Lay the question out. The measure has been checked to have what it asks for."""
    rate = query.aggregation == catalogue.RATE and (not catalogue.is_open(measure) or _grows(measure))
    seen = None
    leaf, parts = None, tuple[Plan, ...]()
    if isinstance(measure.how, Counted):
        leaf = _leaf(query, measure.how, kept, zone)
    else:
        by = (*query.by, *(label for label in measure.how.apart if label not in query.by))
        inner = replace(query, by=by, aggregation="")
        parts = tuple(plan(inner, catalogue.part(name), kept, zone) for name in catalogue.parts(measure))
    if measure.empty is Empty.COUNTED:
        seen = _leaf(replace(query, by=(), where=()), _COUNTED, kept, zone)
    elif measure.empty is Empty.SEEN and not isinstance(measure.how, Preferred):
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
    over = window(query.start_s, query.end_s, query.step_s, kept=kept, zone=zone, grain_s=counted.source.grain_s)
    return Leaf(counted, over, query.by, query.where)
