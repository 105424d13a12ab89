"""What was before: one value an hour for every subject, over six weeks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from botwatch.detect.finding import Flags, Floats, Subject
from botwatch.detect.ticks import HOUR_S, Need
from botwatch.measure.query import DAY_S

DAYS: Final = 42
HOURS: Final = DAYS * 24
SETTLED_HOURS: Final = 1  # an hour is looked at when it is over for so long


@dataclass(frozen=True, slots=True)
class Past:
    """NaN is no value; `unknown` marks hours in which nobody watched, or that are not over. The hours of a week are
    those on the clocks of `zone`.

    `learned` keeps what was worked out from these values and nothing else, so that it is worked out once.
    """

    labels: tuple[str, ...]
    subjects: tuple[Subject, ...]
    values: Floats
    unknown: Flags
    first_s: int
    counts: bool
    zone: str = "UTC"
    learned: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def end_s(self) -> int:
        return self.first_s + int(self.values.shape[1]) * HOUR_S

    def of(self, subjects: Sequence[Subject], start_s: int, hours: int) -> Floats:
        """The hours from there on for these subjects; what is counted is 0 in the hours since it was first counted."""
        place = {subject: row for row, subject in enumerate(self.subjects)}
        rows = [(at, place[subject]) for at, subject in enumerate(subjects) if subject in place]
        found = np.full((len(subjects), hours), np.nan)
        shift = (start_s - self.first_s) // HOUR_S
        low, high = max(0, -shift), min(hours, self.values.shape[1] - shift)
        if low >= high or not rows:
            return found
        here = np.s_[low + shift : high + shift]
        told = self.values[[row for _, row in rows], here]
        if self.counts:
            begun = np.maximum.accumulate(np.nan_to_num(told) > 0, axis=1)
            told = np.where(begun, np.nan_to_num(told), np.nan)
        told = np.where(self.unknown[here], np.nan, told)
        found[[at for at, _ in rows], low:high] = told
        return found


Pasts = Callable[[Need], Past]


def settled_until_s(end_s: int) -> int:
    """Up to where the past is looked at when the last judged tick ends then: two whole hours may still change."""
    return (end_s - 1) // HOUR_S * HOUR_S - SETTLED_HOURS * HOUR_S


def from_s(start_s: int) -> int:
    """Where the past begins that a tick ending then is judged by."""
    return max(0, (start_s - 1) // DAY_S * DAY_S - DAYS * DAY_S)


def past_of(
    need: Need, counts: bool, first_s: int, told: Mapping[Subject, Floats], unknown: Flags, zone: str = "UTC"
) -> Past:
    """`told` has one value an hour from `first_s` on, `unknown` says how many."""
    subjects = tuple(sorted(told))
    values = np.full((len(subjects), len(unknown)), np.nan)
    for row, subject in enumerate(subjects):
        values[row] = told[subject]
    return Past(need.by, subjects, values, unknown, first_s, counts, zone)
