"""Whether a process leaks: pure, from how low its memory came in each of some equal stretches of time.

What a process gives back is no leak, however high it rises in between. So only the floors are looked at: they must
rise steadily, by enough to matter, without falling, without doing it all in one step, and without levelling off as
those of a process do that warms up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise
from statistics import fmean, median
from typing import Final

from botwatch.limits import MIB

STRETCHES: Final = 8
_JUDGED_MIN: Final = 5
_RISE_BYTES_MIN: Final = 8 * MIB
_RISE_SHARE_MIN: Final = 0.03  # of where it began
_FALL_SHARE_MAX: Final = 0.1  # of the whole rise
_STEP_SHARE_MAX: Final = 0.6
_PACE_SHARE_MIN: Final = 0.5  # of the first half's, in the second


class Verdict(StrEnum):
    LEAKS = "leaks"
    TOO_YOUNG = "too young"
    ENDED = "ended"
    STEADY = "does not grow"
    FALLS = "gives memory back"
    STEP = "grew in one step"
    SETTLES = "grows less and less"
    SEEN_BEFORE = "has been as high before"
    FAR = "has long to go"


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back is looked. A leak is told when what is left will last at most so long at its pace."""

    length_s: int
    left_s_max: float

    @property
    def stretch_s(self) -> int:
        return self.length_s // STRETCHES


# A fast leak is told within a quarter of an hour; a slow one may take a day to be sure of, and has days to go.
HORIZONS: Final = (
    Horizon(1_200, 7_200),
    Horizon(7_200, 43_200),
    Horizon(43_200, float("inf")),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`pace` is in bytes a second, `left_s` until what is left is eaten; both only of what leaks."""

    verdict: Verdict
    pace: float = 0.0
    left_s: float | None = None


def judge(
    floors: Sequence[float | None],
    horizon: Horizon,
    *,
    peak_before: float | None = None,
    left_bytes: float | None = None,
) -> Judgement:
    """`floors` are the lowest memory of each stretch, oldest first; None where nothing was read.

    `peak_before` is the highest the same process ever was before them.
    """
    known = _lived(floors)
    if not known:
        return Judgement(Verdict.ENDED)
    if len(known) < _JUDGED_MIN:
        return Judgement(Verdict.TOO_YOUNG)
    verdict = _shape(known)
    if verdict is not Verdict.LEAKS:
        return Judgement(verdict)
    if peak_before is not None and known[-1] <= peak_before:
        return Judgement(Verdict.SEEN_BEFORE)
    pace = _pace(known) / horizon.stretch_s
    left_s = None if left_bytes is None else max(left_bytes, 0.0) / pace
    if (left_s if left_s is not None else float("inf")) > horizon.left_s_max:
        return Judgement(Verdict.FAR)
    return Judgement(Verdict.LEAKS, pace, left_s)


def first_leak(judgements: Sequence[Judgement]) -> Judgement | None:
    """What is told of a process that was judged over several horizons: the leak with the least time left."""
    leaks = [found for found in judgements if found.verdict is Verdict.LEAKS]
    return min(leaks, key=lambda leak: (leak.left_s is None, leak.left_s or 0.0, -leak.pace), default=None)


def _lived(floors: Sequence[float | None]) -> list[float]:
    """The floors without a gap up to now; of a life that began among them without the first, when it warmed up."""
    known: list[float] = []
    for floor in reversed(floors):
        if floor is None:
            break
        known.append(floor)
    known.reverse()
    return known if len(known) == len(floors) else known[1:]


def _shape(floors: Sequence[float]) -> Verdict:
    rises = [after - before for before, after in pairwise(floors)]
    total = floors[-1] - floors[0]
    if total < max(_RISE_BYTES_MIN, _RISE_SHARE_MIN * floors[0]):
        return Verdict.STEADY
    if min(rises) < -_FALL_SHARE_MAX * total:
        return Verdict.FALLS
    if max(rises) > _STEP_SHARE_MAX * total:
        return Verdict.STEP
    half = len(rises) // 2
    if fmean(rises[-half:]) < _PACE_SHARE_MIN * fmean(rises[:half]):
        return Verdict.SETTLES
    return Verdict.LEAKS


def _pace(floors: Sequence[float]) -> float:
    """Bytes a stretch: the middle of the slopes between every two floors, which one odd floor does not move."""
    slopes = [(after - before) / (j - i) for (i, before), (j, after) in combinations(enumerate(floors), 2)]
    return max(median(slopes), 1.0)
