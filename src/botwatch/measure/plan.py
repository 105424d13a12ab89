"""A question, taken apart into leaves for the engine and put together again from their answers: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from botwatch import limits
from botwatch.measure import catalogue, frames
from botwatch.measure.compile import Leaf
from botwatch.measure.frames import Frame
from botwatch.measure.model import Counted, Empty, Fold, Measure, Preferred, Priced
from botwatch.measure.price import price
from botwatch.measure.query import TICK_S, Query
from botwatch.measure.sources import SEEN
from botwatch.measure.sources_talks import CONCURRENCY
from botwatch.measure.window import HOUR_S, Kept, Window, window

Answers = Callable[[Leaf], Frame]

_SEEN = Counted(SEEN, "least(count[count], 1)")
_COUNTED = Counted(CONCURRENCY, "least(count[minute], 1)")


@dataclass(frozen=True, slots=True)
class Plan:
    """`leaf` is what the engine counts, None for what is made of parts; `seen` where nothing counted means 0."""

    measure: Measure
    by: tuple[str, ...]
    window: Window
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
                cost = frames.cost(calls, tokens_in, tokens_out, price)
                return frames.rebucket(frames.fold(cost, self.by, Fold.SUM), self.window)


def plan(query: Query, measure: Measure, kept: Kept, zone: str) -> Plan:
    """Lay the question out. The measure has been checked to have what it asks for."""
    how = measure.how
    grain_s = how.source.grain_s if isinstance(how, Counted) else TICK_S
    over = window(query.start_s, query.end_s, query.step_s, kept=kept, zone=zone, grain_s=grain_s)
    leaf, parts = None, tuple[Plan, ...]()
    if isinstance(how, Counted):
        leaf = Leaf(how, over, query.by, query.where)
    else:
        by = (*query.by, *(label for label in how.apart if label not in query.by))
        step_s = _priced_step_s(over) if isinstance(how, Priced) else query.step_s
        inner = replace(query, by=by, step_s=step_s, aggregation="")
        parts = tuple(plan(inner, catalogue.part(name), kept, zone) for name in catalogue.parts(measure))
    rate = query.aggregation == catalogue.RATE
    return Plan(measure, query.by, over, leaf, _seen(query, measure, over), parts, rate)


def _seen(query: Query, measure: Measure, over: Window) -> Leaf | None:
    """What tells 0 from nothing. A measure that prefers one part over another leaves it to them."""
    if measure.empty is Empty.COUNTED:
        return Leaf(_COUNTED, over, (), ())
    if measure.empty is not Empty.SEEN or isinstance(measure.how, Preferred) or not query.filled:
        return None
    by = tuple(label for label in SEEN.labels if label in query.by)
    where = tuple(condition for condition in query.where if condition.label in SEEN.labels)
    return Leaf(_SEEN, over, by, where)


def _priced_step_s(over: Window) -> int | None:
    """Prices change by the date and the hour: what is asked for longer is counted by the hour where that fits."""
    step_s = over.grid.step_s
    length_s = over.end_s - over.start_s
    if (step_s or length_s) > HOUR_S:
        for finer_s in (HOUR_S, HOUR_S // 4):
            if over.grid.allows(finer_s) and length_s // finer_s <= limits.MEASURE_POINTS_MAX:
                return finer_s
    return step_s
