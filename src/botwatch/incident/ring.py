"""The newest ticks of one series in memory, moved on as time goes, corrected where data came late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from botwatch import limits
from botwatch.detect.finding import NEVER_S, Flags, Floats, Subject
from botwatch.detect.rule import TICK_S
from botwatch.detect.ticks import HOUR_S, Need, Ticks, last_heard
from botwatch.measure.frames import Frame

_ROOM_TICKS: Final = 64  # so that the matrix is moved once in so many ticks


class Spread:
    """From the steps of an answer to ticks. A step that is longer than a tick counts for all of its ticks, and what
    was counted in it is shared out among them."""

    def __init__(self, frame: Frame, first_s: int, ticks: int, *, counts: bool) -> None:
        step_s = frame.window.grid.step_s or TICK_S
        self._places = (first_s + TICK_S * np.arange(ticks) - frame.window.grid.starts[0]) // step_s
        self._share = step_s // TICK_S if counts else 1

    def __call__(self, values: Sequence[float | None]) -> Floats:
        return np.asarray(np.array(values, dtype=np.float64)[self._places] / self._share)


class Ring:
    """`columns` ticks that end at `end_s`, for every subject that is still expected. `fits` says whether there is room
    for so many more cells."""

    def __init__(
        self,
        need: Need,
        columns: int,
        end_s: int,
        *,
        counts: bool,
        fits: Callable[[int], bool],
        zero_is_nothing: bool = False,
    ) -> None:
        self.need = need
        self.columns = columns
        self.counts = counts
        self.read_s = end_s - columns * TICK_S  # up to here it has been read
        self._fits = fits
        self._zero_is_nothing = zero_is_nothing
        self._first_s = self.read_s
        self._rows: dict[Subject, int] = {}
        self._values = np.full((0, columns + _ROOM_TICKS), np.nan)
        self._heard_s = np.zeros(0, dtype=np.int64)
        self._placed: np.ndarray | None = None
        self.crowded = False  # there are more subjects than are judged; those that came first are

    @property
    def subjects(self) -> int:
        return len(self._rows)

    @property
    def cells(self) -> int:
        return self._values.size

    @property
    def end_s(self) -> int:
        return self._first_s + self.columns * TICK_S

    def advance(self, end_s: int) -> None:
        """Move on; what falls out at the beginning is remembered only as heard."""
        ticks = (end_s - self.end_s) // TICK_S
        if ticks <= 0:
            return
        cut = min(ticks, self.columns)
        heard_s = last_heard(self._values[:, :cut], self._first_s)
        self._heard_s = np.maximum(self._heard_s, heard_s)
        self._values[:, : self.columns - cut] = self._values[:, cut : self.columns]
        self._values[:, self.columns - cut : self.columns] = np.nan
        before_s = self._first_s
        self._first_s += ticks * TICK_S
        if before_s // HOUR_S != self._first_s // HOUR_S:
            self._forget(end_s)

    def put(self, frame: Frame, groups: Iterable[tuple[Subject, Sequence[float | None]]]) -> None:
        """Take what was read in place of what was there."""
        window = frame.window
        low = max(0, (window.start_s - self._first_s) // TICK_S)
        high = min(self.columns, (window.end_s - self._first_s) // TICK_S)
        if low >= high:
            return
        spread = Spread(frame, self._first_s + low * TICK_S, high - low, counts=self.counts)
        self._values[:, low:high] = np.nan
        for subject, values in groups:
            told = spread(values)
            if self._zero_is_nothing:
                told[told == 0] = np.nan
            if not np.isnan(told).all() and (row := self._row(subject)) is not None:
                self._values[row, low:high] = told

    def heard(self, subject: Subject, at_s: int) -> None:
        row = self._row(subject)
        if row is not None:
            self._heard_s[row] = max(self._heard_s[row], at_s)

    def ticks(self, missed: Flags) -> Ticks:
        """As they are now; `missed` marks those nobody watched."""
        subjects, values, heard_s = tuple(self._rows), self._values[: len(self._rows), : self.columns], self._heard_s
        rows = self._with_a_place(subjects)
        if rows is not None:
            subjects, values, heard_s = tuple(subjects[row] for row in rows), values[rows], heard_s[rows]
        return Ticks(
            self.need.by,
            subjects,
            values,
            self._first_s,
            self.counts,
            heard_s[: len(subjects)],
            missed[-self.columns :],
        )

    def _row(self, subject: Subject) -> int | None:
        """None: there is no room for another. A flood of names must not keep those that are known from being judged."""
        found = self._rows.get(subject)
        if found is not None:
            return found
        row, full = len(self._rows), len(self._rows) == len(self._values)
        more = max(8, row) if full else 0
        if row >= limits.RULE_SUBJECTS_MAX or (full and not self._fits(more * self._values.shape[1])):
            self.crowded = True
            return None
        self._rows[subject] = row
        if full:
            self._values = np.vstack((self._values, np.full((more, self._values.shape[1]), np.nan)))
            self._heard_s = np.concatenate((self._heard_s, np.full(more, NEVER_S, dtype=np.int64)))
        self._heard_s[row] = NEVER_S
        self._placed = None
        return row

    def _with_a_place(self, subjects: tuple[Subject, ...]) -> np.ndarray | None:
        """Without the subjects on no host in particular, where the same one is on hosts too; None: all of them."""
        if "host" not in self.need.by:
            return None
        if self._placed is None:
            at = self.need.by.index("host")
            elsewhere = {subject[:at] + subject[at + 1 :] for subject in subjects if subject[at]}
            shown = [
                row
                for row, subject in enumerate(subjects)
                if subject[at] or subject[:at] + subject[at + 1 :] not in elsewhere
            ]
            self._placed = np.array(shown, dtype=np.int64)
        return None if len(self._placed) == len(subjects) else self._placed

    def _forget(self, end_s: int) -> None:
        """Whoever has been gone for so long that its incidents have ended gives its row back."""
        since_s = end_s - limits.SUBJECT_EXPECTED_S - 2 * HOUR_S
        heard_s = np.maximum(self._heard_s, last_heard(self._values[:, : self.columns], self._first_s))
        kept = [subject for subject, row in self._rows.items() if heard_s[row] >= since_s]
        if len(kept) == len(self._rows):
            return
        self.crowded = False
        rows = [self._rows[subject] for subject in kept]
        self._values, self._heard_s = self._values[rows], self._heard_s[rows]
        self._rows = {subject: row for row, subject in enumerate(kept)}
        self._placed = None
