"""Series that were written down, answering like measures do: what rules are tested on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from botwatch.detect.rule import TICK_S
from botwatch.detect.ticks import Need
from botwatch.incident.asking import counts, measure_of
from botwatch.measure.frames import Frame, Values
from botwatch.measure.query import Condition, Op, Query, like
from botwatch.measure.reader import Framed
from botwatch.measure.window import Kept, window


@dataclass(frozen=True, slots=True)
class Series:
    """`values` begin at the source's start, one for each tick."""

    measure: str
    labels: Mapping[str, str]
    values: Sequence[float | None]


@dataclass(slots=True)
class Recorded:
    start_s: int
    series: list[Series] = field(default_factory=list)

    async def frames(self, queries: Sequence[Query]) -> list[Framed]:
        return [self._frame(query) for query in queries]

    def _frame(self, query: Query) -> Frame:
        over = window(query.start_s, query.end_s, query.step_s, kept=Kept(), zone="UTC")
        frame = Frame(query.by, over)
        together = counts(measure_of(Need(query.measure, ())))
        told: dict[tuple[str, ...], list[Values]] = {}
        for one in self.series:
            if one.measure == query.measure and all(_fits(one.labels, condition) for condition in query.where):
                key = tuple(one.labels.get(label, "") for label in query.by)
                told.setdefault(key, []).append(self._in_steps(one, frame, together=together))
        for key, lists in told.items():
            frame.groups[key] = [_joined(column, together=together) for column in zip(*lists, strict=True)]
        return frame

    def _in_steps(self, one: Series, frame: Frame, *, together: bool) -> Values:
        step_s = frame.window.grid.step_s or TICK_S
        found: Values = []
        for start_s in frame.window.grid.starts:
            first = max(0, (max(start_s, frame.window.start_s) - self.start_s) // TICK_S)
            last = max(0, (min(start_s + step_s, frame.window.end_s) - self.start_s) // TICK_S)
            found.append(_joined(one.values[first:last], together=together))
        return found


def _joined(values: Sequence[float | None], *, together: bool) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return sum(known) if together else sum(known) / len(known)


def _fits(labels: Mapping[str, str], condition: Condition) -> bool:
    value = labels.get(condition.label, "")
    if condition.op is Op.LIKE:
        return any(re.fullmatch(_regex(pattern), value, re.DOTALL) for pattern in condition.values)
    return (value in condition.values) is (condition.op is Op.IS)


def _regex(pattern: str) -> str:
    """For the `LIKE` pattern the engine would be given."""
    out, escaped = "", False
    for char in like(pattern):
        if escaped:
            out, escaped = out + re.escape(char), False
        elif char == "\\":
            escaped = True
        else:
            out += {"%": ".*", "_": "."}.get(char) or re.escape(char)
    return out
