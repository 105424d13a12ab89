"""What came of each subject, what was to be expected, and what those beside it say was: added up for `sequence`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from botwatch.detect import sequence
from botwatch.detect.finding import Floats
from botwatch.detect.plan import Plan
from botwatch.detect.rule import TICK_S, Rule
from botwatch.detect.scatter import groups_of
from botwatch.detect.sequence import Asked, Found, Sums
from botwatch.detect.stretch import Day, Stretch
from botwatch.detect.windows import ticks_of

REACH: Final = 4 * 3_600 // TICK_S  # ticks: a change is looked for over no longer time
_CELLS: Final = 2_000_000  # worked on at once


def judge(rule: Rule, plan: Plan, stretch: Stretch, day: Day) -> Iterator[tuple[slice, Found]]:
    """Some rows at a time, so that memory does not grow with them."""
    options, normal, usable = plan.options, day.normal, day.normal.judged
    asked = Asked(
        plan.low, plan.high, options.change, options.sensitivity.often / max(1, int(usable.sum())),
        options.expected_min, options.beside, min(ticks_of(rule.timeframe), REACH),
    )  # fmt: skip
    some = max(1, _CELLS // len(day.ends))
    pieces = [slice(low, low + some) for low in range(0, len(stretch.subjects), some)]
    groups = _Groups.of(stretch, day, pieces) if options.beside else None
    for rows in pieces:
        ticks = groups.ticks if groups is not None and len(pieces) == 1 else _Ticks.of(stretch, day, rows)
        usual = _summed(ticks.usual)
        sums = Sums(_summed(ticks.came), usual, usual if groups is None else _summed(groups.beside(ticks, rows)))
        yield rows, sequence.judge(sums, normal.scatter.of(rows), normal.a_day[rows], usable[rows], asked, day.count)


@dataclass(frozen=True, slots=True)
class _Ticks:
    """Nothing came and nothing was to be expected where nobody watched, or where too little is known."""

    came: Floats
    usual: Floats

    @classmethod
    def of(cls, stretch: Stretch, day: Day, rows: slice) -> _Ticks:
        counts = stretch.watched[day.ticks] & day.normal.judged[rows, None]
        came = np.nan_to_num(stretch.values[0][rows, day.ticks])
        usual = np.diff(day.normal.until(day.ends, rows), axis=1)
        return cls(came, usual) if counts.all() else cls(np.where(counts, came, 0.0), np.where(counts, usual, 0.0))


@dataclass(frozen=True, slots=True)
class _Groups:
    """What came and what was usual of all that differ in the last label only, together."""

    of_row: NDArray[np.int64]
    came: Floats
    usual: Floats
    ticks: _Ticks  # of the last piece

    @classmethod
    def of(cls, stretch: Stretch, day: Day, pieces: list[slice]) -> _Groups:
        of_row = groups_of(stretch.subjects)
        shape = (int(of_row.max(initial=-1)) + 1, len(day.ends) - 1)
        came, usual, ticks = np.zeros(shape), np.zeros(shape), _Ticks(np.zeros((0, 0)), np.zeros((0, 0)))
        for rows in pieces:
            ticks = _Ticks.of(stretch, day, rows)
            first = np.flatnonzero(np.diff(of_row[rows], prepend=-1))  # subjects are in order, so groups are too
            came[of_row[rows][first]] += np.add.reduceat(ticks.came, first, axis=0)
            usual[of_row[rows][first]] += np.add.reduceat(ticks.usual, first, axis=0)
        return cls(of_row, came, usual, ticks)

    def beside(self, ticks: _Ticks, rows: slice) -> Floats:
        """What was to be expected if each had changed as the others did."""
        groups = self.of_row[rows]
        came, usual = self.came[groups] - ticks.came, self.usual[groups] - ticks.usual
        vouched = usual > _LEAST * ticks.usual
        return np.where(vouched, ticks.usual * came / np.where(vouched, usual, 1.0), ticks.usual)


_LEAST: Final = 1e-3  # of what is usual of one must be usual of the others, for them to say anything


def _summed(values: Floats) -> Floats:
    return np.concatenate((np.zeros((len(values), 1)), np.cumsum(values, axis=1)), axis=1)
