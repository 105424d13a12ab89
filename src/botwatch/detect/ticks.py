"""The ticks of one series for all its subjects, as judging takes them: one row a subject, one column a tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from botwatch import limits
from botwatch.detect.finding import NEVER_S, Flags, Floats, Subject
from botwatch.detect.rule import TICK_S
from botwatch.measure.query import Condition

HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Need:
    """A series a rule is judged by: one measure, told apart by labels, narrowed by conditions."""

    measure: str
    by: tuple[str, ...]
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticks:
    """NaN is no value. `counts`: the measure counts things, so that nothing and 0 are alike to whoever waits for them.

    `heard_s` is when each subject last had a value before the first column. `missed` marks ticks nobody watched:
    what is lacking there may have happened.
    """

    labels: tuple[str, ...]
    subjects: tuple[Subject, ...]
    values: Floats
    first_s: int
    counts: bool
    heard_s: NDArray[np.int64]
    missed: Flags

    @property
    def end_s(self) -> int:
        return self.first_s + int(self.values.shape[1]) * TICK_S

    def tail(self, columns: int) -> Ticks:
        """The last columns; what a subject was heard of before them is remembered."""
        cut = self.values.shape[1] - columns
        if cut <= 0:
            return self
        heard_s = np.maximum(self.heard_s, last_heard(self.values[:, :cut], self.first_s))
        first_s = self.first_s + cut * TICK_S
        return Ticks(self.labels, self.subjects, self.values[:, cut:], first_s, self.counts, heard_s, self.missed[cut:])

    def until(self, end_s: int) -> Ticks:
        """Without the columns from that time on."""
        columns = max(0, (end_s - self.first_s) // TICK_S)
        if columns >= self.values.shape[1]:
            return self
        return Ticks(
            self.labels,
            self.subjects,
            self.values[:, :columns],
            self.first_s,
            self.counts,
            self.heard_s,
            self.missed[:columns],
        )

    def expected(self, columns: int) -> Flags:
        """For the last columns: whether the subject had a value within the last day, counted in whole hours.

        Whole hours, so that a loop that just began and one that always ran agree on it.
        """
        width = self.values.shape[1]
        starts = self.first_s + TICK_S * np.arange(width, dtype=np.int64)
        heard = np.where(np.isnan(self.values), np.int64(NEVER_S), starts)
        heard = np.maximum(np.maximum.accumulate(heard, axis=1), self.heard_s[:, None])[:, width - columns :]
        hours = starts[width - columns :] // HOUR_S * HOUR_S
        return np.asarray(heard // HOUR_S * HOUR_S >= hours - limits.SUBJECT_EXPECTED_S, dtype=np.bool_)

    def first_heard(self, farthest: int) -> NDArray[np.int64]:
        """The column of each subject's first value; `-farthest` where it had one before the first column."""
        valid = ~np.isnan(self.values)
        first = np.where(valid.any(axis=1), valid.argmax(axis=1), self.values.shape[1])
        return np.asarray(np.where(self.heard_s > NEVER_S, -farthest, first), dtype=np.int64)


def last_heard(values: Floats, first_s: int) -> NDArray[np.int64]:
    """The start of the last tick with a value of each row."""
    starts = first_s + TICK_S * np.arange(values.shape[1], dtype=np.int64)
    heard = np.where(np.isnan(values), np.int64(NEVER_S), starts)
    return np.asarray(heard.max(axis=1, initial=NEVER_S), dtype=np.int64)
