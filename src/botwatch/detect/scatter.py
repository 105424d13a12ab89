"""How a series scatters around what is usual, and at which level it is: learned from the last two weeks.

Level is how much more or less than usual the last hours brought. It follows slowly, so that a holiday or a change of
habits is not taken for a fault, and it does not follow what falls out of the band before two days have passed: a
fault does not become normal because it lasts.

Of the parts of one whole, each is seen beside the others: what moves all of them moves each, and what is left when
that is taken out is how far one scatters by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from botwatch.detect import band
from botwatch.detect.finding import Flags, Floats, Subject

LATELY: Final = 14 * 24  # hours over which scatter is learned; the day itself comes after them
_FOLLOWS: Final = 0.25  # of the difference, in an hour in which much comes
_FOLLOWS_ALONE: Final = 0.02  # of what is left when all beside it are taken into account
_MUCH: Final = 10.0
_LEVEL: Final = (0.25, 4.0)
_FROZEN_HOURS: Final = 48
_STRANGE: Final = 2.0
_HOURS_MIN: Final = 48
_NOISE, _SWING = 1.5, 0.02  # until enough is known
_NOISE_MIN, _SWING_MIN = 0.1, 0.0003
_REGULAR: Final = 0.6  # with less noise than that it is a clock that sends, and no chance
_MIDDLE: Final = 0.455  # of the squares of a normal deviate the median,
_CUT, _BELOW_CUT = 3.0, 0.858  # and the mean when they are cut there
_ROUNDS: Final = 6
_KNOWN: Final = 0.1  # so surely is a variance known from two weeks
_USUAL_MIN: Final = 3.0  # in an hour with less, chance hides how numbers scatter


class Of(StrEnum):
    """What the numbers of a measure are."""

    COUNT = "count"
    SHARE = "share"  # percent of what another measure counts
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class How:
    """`beside`: each subject is seen against the others that differ from it in the last label only. `least`: how
    great a change is one. `bad`: of a share, whether what it counts is bad, or what it leaves out."""

    of: Of
    least: float
    beside: bool = False
    bad: bool = True


@dataclass(frozen=True, slots=True)
class Scatter:
    """One row a subject. `noise` is how many times the variance of a Poisson count it is; `own` and `common` are
    variances that grow with the square of what is usual, its own and the one it shares with those beside it; `vouch`
    is how much those tell of what is shared, for each that is expected of itself."""

    noise: Floats
    own: Floats
    common: Floats
    vouch: Floats

    @property
    def swing(self) -> Floats:
        return self.own + self.common

    def of(self, rows: slice | NDArray[np.int64] | Flags) -> Scatter:
        return Scatter(self.noise[rows], self.own[rows], self.common[rows], self.vouch[rows])

    @classmethod
    def unknown(cls, rows: int) -> Scatter:
        nothing = np.zeros(rows)
        return cls(np.full(rows, _NOISE), np.full(rows, _SWING), nothing, nothing)


@dataclass(frozen=True, slots=True)
class Hourly:
    """The last two weeks and the day itself: what came, and what was usual as it was known then."""

    came: Floats
    usual: Floats
    of: Floats
    groups: NDArray[np.int64] | None
    how: How


def groups_of(subjects: tuple[Subject, ...]) -> NDArray[np.int64]:
    """A number for those that differ in the last label only."""
    known: dict[Subject, int] = {}
    return np.array([known.setdefault(subject[:-1], len(known)) for subject in subjects], dtype=np.int64)


def others(values: Floats, groups: NDArray[np.int64]) -> Floats:
    """What the others of its group come to, for each row."""
    total = np.zeros((int(groups.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(total, groups, values)
    return np.asarray(total[groups] - values)


def median(values: Floats) -> Floats:
    """Along the first axis, of those that are numbers; NaN where none is."""
    return quantile(values, 0.5)


def quantile(values: Floats, q: float) -> Floats:
    ordered = np.sort(values, axis=0)
    count = (~np.isnan(values)).sum(axis=0)
    rank = q * (np.maximum(count, 1) - 1)
    low, high = np.floor(rank).astype(np.int64), np.ceil(rank).astype(np.int64)
    under = np.take_along_axis(ordered, low[None], axis=0)[0]
    over = np.take_along_axis(ordered, high[None], axis=0)[0]
    return np.asarray(under + (over - under) * (rank - low))


def learn(hourly: Hourly) -> tuple[Floats, Scatter]:
    """The level of each hour, as far as the hours before it tell, and the scatter around it."""
    first = levels(hourly, Scatter.unknown(len(hourly.came)))
    found = scatter(hourly, first)
    return levels(hourly, found), found


def scatter(hourly: Hourly, level: Floats) -> Scatter:
    """Noise is how far two hours are from each other, swing what is left of how far they are from expected."""
    level, nothing = level[_SETTLED], np.zeros(len(hourly.came))
    if hourly.groups is None:
        return Scatter(*_scattered(*(_alone(hourly, hours, level) for hours in _HOURS)), nothing, nothing)
    told = [_beside(hourly, hours, level, hourly.groups) for hours in _HOURS]
    noise, own = _scattered(*(one.own for one in told))
    their_noise, common = _scattered(*(one.shared for one in told))
    here, there = (np.nansum(part, axis=1) for part in (told[0].expected, told[0].there))
    return Scatter(noise, own, common, there / np.maximum(here, 1e-9) / their_noise)


_SETTLED: Final = np.s_[:, 24 : LATELY - 1]  # the level has to begin somewhere
_HOURS: Final = (_SETTLED, np.s_[:, 23 : LATELY - 2])
_Apart = tuple[Floats, Floats]  # how far from expected, as a share of it, and over how many that is told


def _alone(hourly: Hourly, hours: tuple[slice, slice], level: Floats) -> _Apart:
    came, expected = hourly.came[hours], hourly.usual[hours] * level
    means = hourly.how.of is Of.MEAN
    size = hourly.of[hours] if means else expected
    valid = ~np.isnan(came) & (expected > 0) & ((size > 0) & (came > 0) if means else size >= _USUAL_MIN)
    ratio = np.where(valid, came, np.nan) / np.where(valid, expected, 1.0)
    return np.log(ratio) if means else ratio - 1, np.where(valid, size, np.nan)


@dataclass(frozen=True, slots=True)
class _Beside:
    own: _Apart
    shared: _Apart
    expected: Floats
    there: Floats


def _beside(hourly: Hourly, hours: tuple[slice, slice], level: Floats, groups: NDArray[np.int64]) -> _Beside:
    came, expected = hourly.came[hours], np.nan_to_num(hourly.usual[hours] * level)
    known = ~np.isnan(came)
    expected = np.where(known, expected, 0.0)
    theirs, there = others(np.nan_to_num(came), groups), others(expected, groups)
    vouched = (there >= _USUAL_MIN) & (theirs > 0)
    ratio = np.where(vouched, theirs, np.nan) / np.where(vouched, there, 1.0)
    alike = expected * ratio
    valid = vouched & known & (alike >= _USUAL_MIN)
    own = np.where(valid, came, np.nan) / np.where(valid, alike, 1.0) - 1
    size = np.where(valid, 1 / (1 / np.where(valid, alike, 1.0) + 1 / np.where(valid, theirs, 1.0)), np.nan)
    return _Beside((own, size), (ratio - 1, np.where(vouched, there, np.nan)), expected, there)


def _scattered(now: _Apart, before: _Apart) -> tuple[Floats, Floats]:
    """Noise and swing."""
    noise = spread((now[0] - before[0]) ** 2 / (1 / now[1] + 1 / before[1]))
    noise = np.where(noise < _REGULAR, np.maximum(noise, _NOISE_MIN), np.maximum(noise, 1.0))
    great = now[1] >= median(now[1].T)[:, None]
    apart = spread(np.where(great, now[0] ** 2 * now[1], np.nan))
    swing = (apart - (1 + _KNOWN) * noise) / median(np.where(great, now[1], np.nan).T)
    enough = (~np.isnan(now[0] - before[0])).sum(axis=1) >= _HOURS_MIN
    return np.where(enough, noise, _NOISE), np.where(enough, np.maximum(swing, _SWING_MIN), _SWING)


def spread(apart: Floats) -> Floats:
    """A variance, of squares that are cut where few are that large, so that a bad day hardly counts."""
    known = ~np.isnan(apart)
    count, squares = np.maximum(known.sum(axis=1), 1), np.where(known, apart, 0.0)
    found = quantile(apart.T, 0.5) / _MIDDLE
    for _ in range(_ROUNDS):
        found = np.minimum(squares, _CUT * found[:, None]).sum(axis=1) / count / _BELOW_CUT
    return found


def levels(hourly: Hourly, known: Scatter) -> Floats:
    """For each hour what the hours up to the last but one have brought of what was usual."""
    rows = len(hourly.came)
    level, before, out = np.ones(rows), np.ones(rows), np.zeros(rows, dtype=np.int64)
    found = np.ones(hourly.came.shape)
    for hour in range(LATELY + 24):
        found[:, hour] = before
        before = level
        level, out = _moved(hourly, hour, level, out, known)
    found[:, LATELY + 24 :] = before[:, None]
    return found


def _moved(
    hourly: Hourly, hour: int, level: Floats, out: NDArray[np.int64], known: Scatter
) -> tuple[Floats, NDArray[np.int64]]:
    """The level after an hour, and for how many hours each was out of the band."""
    how = hourly.how
    came, usual, of = hourly.came[:, hour], level * hourly.usual[:, hour], hourly.of[:, hour]
    told = ~np.isnan(came) & (usual > 0)
    beside = usual if hourly.groups is None else usual * _of_others(came, usual, hourly.groups)
    came, usual, beside = (np.where(told, values, 1.0) for values in (came, usual, beside))
    if how.of is Of.MEAN:
        sure, much = band.strangeness(came, usual, of, known.noise, known.swing), of
    else:
        sure, much = band.surprise(came, beside, known.noise, known.swing), usual
    changed = (came < (1 - how.least) * beside) | (came * (1 - how.least) > beside)
    strange = told & changed & (np.abs(sure) > _STRANGE)
    out = np.where(strange, out + 1, np.where(told, 0, out))
    follows = told & (~strange | (out > _FROZEN_HOURS))
    ratio, follow = came / usual, np.full(len(came), _FOLLOWS)
    if hourly.groups is not None:
        # What moves all of them moves each; beyond that each moves by itself, and slowly.
        here, there = (np.where(told & ~strange, values, 0.0) for values in (came, usual))
        here, there = (values + others(values, hourly.groups) for values in (here, there))
        common = np.where(there > 0, here / np.maximum(there, 1e-9), 1.0)
        level = level * (1 + _FOLLOWS * there / (there + _MUCH) * (common - 1))
        ratio = ratio / np.maximum(common, 0.01)
        follow = np.where(strange, _FOLLOWS, _FOLLOWS_ALONE)
    gain = np.where(follows, follow * much / (much + _MUCH), 0.0)
    return np.clip(level * (1 + gain * (ratio - 1)), *_LEVEL), out


def _of_others(came: Floats, usual: Floats, groups: NDArray[np.int64]) -> Floats:
    """How much of what is usual came of the others."""
    there = others(np.nan_to_num(usual), groups)
    return np.asarray((others(np.nan_to_num(came), groups) + 1) / (there + 1))
