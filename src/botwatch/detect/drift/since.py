"""When a change began, and between which moments that is known.

The documents that are kept tell it to the minute, as far back as they go: where many come, that is less than the hour
or the day in which a faint change is found. What was counted every five minutes and every hour goes back as far, and
what the share was before is known. Where both speak and differ, the counts are right: documents of half an hour turn by
chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from botwatch.detect.drift.compare import Change, likelihood, ratio
from botwatch.detect.drift.course import HOUR_S, Course
from botwatch.detect.drift.profile import Profile
from botwatch.detect.drift.source import Drift, Source

_ENOUGH: Final = 3.0  # how much better, in logarithms, a moment has to explain what came than none, or than another


class Begun(NamedTuple):
    """The likeliest moment, and the first and last it may have been."""

    at_ns: int
    after_ns: int
    until_ns: int

    @classmethod
    def exactly(cls, at_ns: int) -> Self:
        return cls(at_ns, at_ns, at_ns)

    def meets(self, other: Begun) -> bool:
        return self.after_ns <= other.until_ns and other.after_ns <= self.until_ns


class Turn(NamedTuple):
    """The index from which on marks are others, and the first and last it may be."""

    at: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Part:
    """How many showed it in a stretch of time, out of how many."""

    at_s: int
    end_s: int
    count: float
    of: float


def turning(marks: Sequence[bool], *, falls: bool = False) -> Turn | None:
    """Where the share of marks rose, or fell; None where no moment tells more than none."""
    total, whole, before = sum(marks), likelihood(sum(marks), len(marks)), 0
    gains: list[tuple[float, int]] = []
    for index, mark in enumerate(marks):
        left, after = len(marks) - index, total - before
        if index and (after * index < before * left if falls else after * index > before * left):
            gains.append((likelihood(before, index) + likelihood(after, left) - whole, index))
        before += mark
    return _likeliest(gains)


def counted(drift: Drift, source: Source) -> Begun | None:
    """When the share became another than it is known to have been, by what was counted in each stretch of time."""
    change = drift.change
    known = Course(change.before_count, change.before_of).share
    if known >= 1 or not source.ticks:
        return None  # names that are folded into one can be there twice
    from_s = source.ticks[-1][0] - 2 * drift.window_s
    counts = _counts(change, source.pieces(drift.variant, 0))
    lately = [part for part in counts if part.at_s >= from_s]
    turn = _turned(change, lately, known)
    if turn is not None and not turn.first:  # it was so before
        lately, turn = counts, _turned(change, counts, known)
    if turn is None:
        return None
    first, at = lately[turn.first], lately[turn.at]
    after_s = lately[turn.first - 1].end_s if turn.first else first.at_s
    at_s = at.end_s - _shown(lately[turn.at :], known) * (at.end_s - at.at_s)
    return Begun(int(at_s * 10**9), after_s * 10**9, lately[turn.last].end_s * 10**9)


def _counts(change: Change, pieces: Sequence[tuple[int, Profile]]) -> list[_Part]:
    places = (profile.places.get(change.path) for _, profile in pieces)
    parent = next((place.parent for place in places if place), change.path.rpartition(".")[0])
    counts = [(at_s, *profile.count(change.share, parent)) for at_s, profile in pieces]
    counts = [part for part in counts if part[2] > 0]
    later = [*(at_s for at_s, _, _ in counts[1:]), math.inf]
    return [
        _Part(at_s, int(min(at_s + HOUR_S, end_s)), min(count, of), of)
        for (at_s, count, of), end_s in zip(counts, later, strict=True)
    ]


def _turned(change: Change, counts: Sequence[_Part], known: float) -> Turn | None:
    gains, count, of = list[tuple[float, int]](), 0.0, 0.0
    for index in reversed(range(len(counts))):
        count, of = count + counts[index].count, of + counts[index].of
        if (count > known * of) is (change.now > change.before):
            usual = count * math.log(known) + (of - count) * math.log(1 - known)
            gains.append((likelihood(count, of) - usual, index))
    return _likeliest(gains[::-1], _alike(change))


def _likeliest(gains: Sequence[tuple[float, int]], alike: float = 1.0) -> Turn | None:
    most, at = max(gains, key=lambda gain: gain[0], default=(0.0, 0))
    if most <= _ENOUGH * alike:
        return None
    near = [index for gain, index in gains if gain >= most - _ENOUGH * alike]
    return Turn(at, near[0], near[-1])


def _alike(change: Change) -> float:
    """Documents that came together are alike: how much less the change was found to prove than their number."""
    return max(1.0, ratio(change.before_count, change.before_of, change.now_count, change.now_of) / change.surprise)


def _shown(counts: Sequence[_Part], known: float) -> float:
    """In how much of the first stretch it is as in those that follow."""
    first, later = counts[0], counts[1:]
    after = sum(part.count for part in later) / sum(part.of for part in later) if later else known
    return min(1.0, max(0.0, (first.count / first.of - known) / (after - known))) if after != known else 1.0
