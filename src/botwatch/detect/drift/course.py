"""One share over time: its mean, and how far it wanders by itself.

Documents that come close together are alike: one sender sends many, an experiment is on for half a day, a campaign
runs. So the documents of an hour are not as many independent witnesses, nor are the hours of a day. How alike they are
is measured: by how much the share differs between hours, between quarters of a day, and between days, compared
with what chance would have it. A look that goes back a day is judged by how days differ. As long as few of them are
known, the hours of one are taken to be as alike as the documents of an hour have proved to be.

How far it wanders is itself known only from stretches that could be compared with others. What came in one burst,
however many documents that was, was seen once; and of one day nobody knows how days differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log1p, sqrt
from typing import Final, Self

HOUR_S: Final = 3_600
SCALES_S: Final = (6 * HOUR_S, 24 * HOUR_S)  # beyond the hour
_CAUTIOUS: Final = 4.0  # hours that were not seen, and in which it is taken to wander
_HOURS_MIN: Final = 20.0  # what was said to be right is as well known as that from the start
_STRETCHES_MIN: Final = 7.0  # quarters of two days, the first of them faded a little
_CAUTIOUS_BLOCKS: Final = 2.0
_BY_CHANCE: Final = 1.5  # standard errors of how far hours differ that prove nothing


@dataclass(slots=True)
class Blocks:
    """The same over longer stretches than an hour: those that are over, and the one that is not."""

    square: float = 0.0  # the sum of count²/of, block by block
    over: float = 0.0
    count: float = 0.0  # of the block that is not over
    of: float = 0.0

    def close(self) -> None:
        if self.of:
            self.square += self.count * self.count / self.of
            self.over += 1
            self.count = self.of = 0.0

    def fade(self, by: float) -> None:
        self.square *= by
        self.over *= by
        self.count *= by
        self.of *= by

    def copy(self) -> Blocks:
        return Blocks(self.square, self.over, self.count, self.of)


@dataclass(slots=True)
class Course:
    """What is needed of the hours, and of longer stretches in the order of `SCALES_S`."""

    count: float = 0.0
    of: float = 0.0
    square: float = 0.0  # the sum of count²/of, hour by hour
    hours: float = 0.0
    quarters: Blocks = field(default_factory=Blocks)
    days: Blocks = field(default_factory=Blocks)
    said: bool = False  # somebody accepted it

    @classmethod
    def never(cls, around: Course | None, of: float) -> Self:
        """Of what has not been seen yet, in as much as was seen of what is around it."""
        if around is None:
            return cls()
        found = cls(0.0, of, 0.0, around.hours)
        found.quarters.over, found.days.over = around.quarters.over, around.days.over
        return found

    def add(self, count: float, of: float) -> None:
        self.count += count
        self.of += of
        self.square += count * count / of
        self.hours += 1
        for blocks in (self.quarters, self.days):
            blocks.count += count
            blocks.of += of

    def fade(self, by: float) -> None:
        self.count *= by
        self.of *= by
        self.square *= by
        self.hours *= by
        self.quarters.fade(by)
        self.days.fade(by)

    def copy(self) -> Course:
        quarters, days = self.quarters.copy(), self.days.copy()
        return Course(self.count, self.of, self.square, self.hours, quarters, days, self.said)

    @property
    def share(self) -> float:
        """Never quite 0 or 1: what was not seen in n is less frequent than about 1 in 2n."""
        return (self.count + 0.5) / (self.of + 1.0)

    def wandering(self, of: float, window_s: int) -> float:
        """By how much `of` documents of such a time differ more than chance would have them; 1: not more."""
        if not self.of:
            return 1.0
        chance = self.share * (1 - self.share)
        spread = max(0.0, self.square - self.count * self.count / self.of)
        wanders = max(1.0, (spread / chance + 3.0 * _CAUTIOUS) / (max(self.hours - 1, 0.0) + _CAUTIOUS))
        if not self.hours:
            return wanders
        # What chance alone would show between as many hours is no sign that they are alike.
        known = spread / chance / max(self.hours - 1, 1.0) - 1 - _BY_CHANCE * sqrt(2 / max(self.hours, 1.0))
        alike = max(0.0, known) / max(1.0, self.of / self.hours)  # of two documents, from 0 to 1
        for scale_s, blocks in zip(SCALES_S, (self.quarters, self.days), strict=True):
            if window_s >= scale_s:
                alike = self._alike(blocks, chance, alike)
        return max(wanders, 1 + min(1.0, alike) * max(0.0, of - 1))

    def _alike(self, blocks: Blocks, chance: float, before: float) -> float:
        """How alike two documents of such a stretch are, by what is known of them and of shorter ones."""
        count, of = self.count - blocks.count, self.of - blocks.of
        if blocks.over < 1 or of <= 0:
            return before
        each = max(1.0, of / blocks.over)
        expected = 1 + before * (each - 1)
        spread = max(0.0, blocks.square - count * count / of)
        known = max(blocks.over - 1, 0.0) + _CAUTIOUS_BLOCKS
        found = (spread / chance + _CAUTIOUS_BLOCKS * expected) / known
        return max(0.0, found - 1 - sqrt(2 / known)) / max(1.0, each - 1)

    def sure(self, surprise: float) -> float:
        """What a surprise is worth where it is known from few stretches only how far this share wanders."""
        if self.quarters.over < _STRETCHES_MIN and not self.said:
            return 0.0
        known = max(self.hours, _HOURS_MIN)
        return known * log1p(surprise / known)
