"""The ticks a baseline is judged by, for all subjects that come or came: by days, each with what is normal on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from botwatch.detect.finding import Flags, Floats, Subject
from botwatch.detect.normal import Normal, learn
from botwatch.detect.past import Past
from botwatch.detect.rule import TICK_S
from botwatch.detect.scatter import How
from botwatch.detect.ticks import Need, Ticks
from botwatch.detect.view import View
from botwatch.measure.query import DAY_S


@dataclass(frozen=True, slots=True)
class Day:
    """Some judged ticks of one day, `first` to `last` of all; `ends` are the moments at which ticks end, from as far
    back as is looked to the last that counts."""

    first: int
    last: int
    ends: NDArray[np.int64]
    normal: Normal

    @property
    def count(self) -> int:
        return self.last - self.first

    @property
    def ticks(self) -> slice:
        """Of a stretch, those that end at these moments; but at the first nothing is counted yet."""
        return slice(self.first + 1, self.first + len(self.ends))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Judged are the last `asked` ticks, each by what came up to `late` ticks before and `reach` ticks back."""

    subjects: tuple[Subject, ...]
    values: tuple[Floats, ...]  # of each need; NaN is no value
    watched: Flags
    pasts: tuple[Past, ...]
    end_s: int
    asked: int
    late: int
    reach: int

    @classmethod
    def of(cls, view: View, needs: tuple[Need, ...], asked: int, late: int, reach: int) -> Stretch:
        columns = reach + asked + late
        told = [view.ticks(need) for need in needs]
        pasts = tuple(view.past(need) for need in needs)
        subjects = tuple(sorted({*pasts[0].subjects, *told[0].subjects}))
        missed = np.ones(columns, dtype=np.bool_)
        missed[columns - len(told[0].missed[-columns:]) :] = told[0].missed[-columns:]
        values = tuple(_placed(ticks, subjects, columns) for ticks in told)
        return cls(subjects, values, ~missed, pasts, told[0].end_s, asked, late, reach)

    def days(self, how: How) -> Iterator[Day]:
        first_s, first = self.end_s - (self.asked - 1) * TICK_S, 0  # when the first judged tick ends
        while first < self.asked:
            day_s = (first_s + first * TICK_S - 1) // DAY_S * DAY_S
            last = min(self.asked, (day_s + DAY_S - first_s) // TICK_S + 1)
            ends = first_s + TICK_S * np.arange(first - self.late - self.reach, last - self.late, dtype=np.int64)
            guard = self.pasts[1] if len(self.pasts) > 1 else None
            yield Day(first, last, ends, learn(self.pasts[0], guard, self.subjects, day_s, how))
            first = last


def _placed(ticks: Ticks, subjects: tuple[Subject, ...], columns: int) -> Floats:
    """In the order of the subjects; what is not held in front has no value."""
    found = np.full((len(subjects), columns), np.nan)
    place = {subject: row for row, subject in enumerate(subjects)}
    rows = [(place[subject], row) for row, subject in enumerate(ticks.subjects) if subject in place]
    if rows:
        told = ticks.values[[row for _, row in rows], -columns:]
        found[[at for at, _ in rows], columns - told.shape[1] :] = told
    return found
