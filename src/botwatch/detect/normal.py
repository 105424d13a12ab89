"""What is normal on one day, learned from the weeks before it.

Usual is the median of the same hour of the week over four weeks, so that an outage or a holiday among them does not
count; with less than two weeks it is the median of the same hour of the day over seven days. Around that there is a
level: how much more or less than usual the last hours brought. It follows slowly, so that a holiday or a change of
habits is not taken for a fault, and it does not follow what falls out of the band before two days have passed: a
fault does not become normal because it lasts. How far numbers scatter is learned from the two weeks before.

All of it is worked out anew for every day from the six weeks before, so that it depends on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from botwatch.detect import band
from botwatch.detect.finding import Flags, Floats, Subject
from botwatch.detect.past import DAYS, Past
from botwatch.detect.ticks import HOUR_S
from botwatch.measure.query import DAY_S

LEARNED_DAYS: Final = 14  # from which on the hour of the week is known
JUDGED_DAYS: Final = 3  # with fewer nothing is judged
NODES_BEFORE: Final = 4  # hours of the day before that windows reach back to
_WEEK: Final = 7 * 24
_WEEKS: Final = 4
_LATELY: Final = 14 * 24  # hours over which scatter is learned
_AHEAD: Final = 25
_SPAN: Final = _LATELY + _AHEAD
_FROM: Final = DAYS * 24 - _LATELY
_FOLLOWS: Final = 0.25  # of the difference, in an hour in which much comes
_MUCH: Final = 10.0
_LEVEL: Final = (0.25, 4.0)
_FROZEN_HOURS: Final = 48
_STRANGE: Final = 3.0
_HOURS_MIN: Final = 48
_HOURS_OF_A_DAY: Final = 12  # that make it a known one
_NOISE, _SWING = 1.5, 0.02  # until enough is known
_NOISE_MIN, _SWING_MIN = 0.1, 0.001
_REGULAR: Final = 0.6  # with less noise than that it is a clock that sends, and no chance
_SQUARES: Final = ((0.5, 0.455), (0.7, 1.074), (0.85, 2.072))  # of a normal deviate, by their rank
_LEARNING_SWING: Final = 0.02  # added while only the hour of the day is known
_USUAL_MIN: Final = 3.0  # in an hour with less, chance hides how numbers scatter
_PEAK: Final = 2.0  # deviations of a median of four
_RARE: Final = 0.25  # added to what is bad, so that none so far is not never


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
class Normal:
    """For one day: `usual` by the hour from four hours before it to the one after it; `level` by its hours."""

    start_s: int
    usual: Floats
    level: Floats
    noise: Floats
    swing: Floats
    days: NDArray[np.int64]

    @property
    def judged(self) -> Flags:
        return np.asarray(self.days >= JUDGED_DAYS, dtype=np.bool_)

    def usual_at(self, at_s: NDArray[np.int64]) -> Floats:
        """By the hour, at moments of the day or shortly before it: from the middle of one hour to that of the next."""
        usual = np.nan_to_num(self.usual)
        place = (at_s - self.start_s) / HOUR_S + NODES_BEFORE - 0.5
        before = np.clip(np.floor(place).astype(np.int64), 0, usual.shape[1] - 2)
        share = place - before
        return np.asarray(usual[:, before] * (1 - share) + usual[:, before + 1] * share)

    def level_at(self, end_s: NDArray[np.int64]) -> Floats:
        """For ticks of the day, by when they end."""
        return np.asarray(self.level[:, (end_s - 1 - self.start_s) // HOUR_S])

    def learning(self, row: int) -> str:
        """What can be said of a subject of which too little is known; empty: it is known."""
        days = int(self.days[row])
        if days >= LEARNED_DAYS:
            return ""
        judged = "" if days >= JUDGED_DAYS else f"; nothing is judged before {JUDGED_DAYS}"
        return f"learning, {days} of {LEARNED_DAYS} days{judged}"


def groups_of(subjects: tuple[Subject, ...]) -> NDArray[np.int64]:
    """A number for those that differ in the last label only."""
    known: dict[Subject, int] = {}
    return np.array([known.setdefault(subject[:-1], len(known)) for subject in subjects], dtype=np.int64)


def others(values: Floats, groups: NDArray[np.int64]) -> Floats:
    """What the others of its group come to, for each row."""
    total = np.zeros((int(groups.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(total, groups, values)
    return np.asarray(total[groups] - values)


def learn(past: Past, guard: Past | None, subjects: tuple[Subject, ...], day_s: int, how: How) -> Normal:
    key = (day_s, how, guard.end_s if guard else 0, subjects)
    found = past.learned.get(key)
    if found is None:
        found = past.learned[key] = _learn(past, guard, subjects, day_s, how)
    return found


def _learn(past: Past, guard: Past | None, subjects: tuple[Subject, ...], day_s: int, how: How) -> Normal:
    start_s, hours = day_s - DAYS * DAY_S, DAYS * 24 + _AHEAD
    told = past.of(subjects, start_s, hours)
    of = np.ones(told.shape) if guard is None else np.nan_to_num(guard.of(subjects, start_s, hours))
    before = told.copy()
    before[:, DAYS * 24 - 1] = np.nan  # the last hour is not over for long enough when the day begins
    days = (_by_day(~np.isnan(before)).sum(axis=2) >= _HOURS_OF_A_DAY).sum(axis=1).astype(np.int64)
    if how.of is Of.SHARE:
        usual = _usual_share((before if how.bad else 100 - before) / 100 * of, of)
        came = (told if how.bad else 100 - told) / 100 * of
        shown = usual[:, -_AHEAD - NODES_BEFORE :]
        came, usual = came[:, _FROM:], usual * of[:, _FROM:]
    else:
        came, usual = told[:, _FROM:], _usual(told, smooth=how.of is Of.COUNT)
        shown = usual[:, -_AHEAD - NODES_BEFORE :]
    hourly = _Hourly(came, usual, of[:, _FROM:], groups_of(subjects) if how.beside else None, how)
    rows = len(subjects)
    noise, swing = _scatter(hourly, _levels(hourly, np.full(rows, _NOISE), np.full(rows, _SWING)))
    swing = swing + np.where(days < LEARNED_DAYS, _LEARNING_SWING, 0.0)
    level = _levels(hourly, noise, swing)[:, _LATELY : _LATELY + 24]
    return Normal(day_s, shown, level, noise, swing, days)


@dataclass(frozen=True, slots=True)
class _Hourly:
    """The last two weeks and the day itself: what came, and what was usual as it was known then."""

    came: Floats
    usual: Floats
    of: Floats
    groups: NDArray[np.int64] | None
    how: How


def _by_day(values: Floats | Flags) -> NDArray[Any]:
    days = (values.shape[1] - _AHEAD) // 24
    return values[:, : days * 24].reshape(len(values), days, 24)


def _usual(told: Floats, *, smooth: bool) -> Floats:
    at = np.s_[_FROM : _FROM + _SPAN]
    weeks = np.stack([told[:, at.start - _WEEK * back : at.stop - _WEEK * back] for back in range(1, _WEEKS + 1)])
    days = np.stack([told[:, at.start - 24 * back : at.stop - 24 * back] for back in range(1, 8)])
    of_day = median(days)
    counted = (~np.isnan(weeks)).sum(axis=0)
    # Two weeks outvote nobody: the hour of the day decides between them.
    two = median(np.concatenate((weeks, of_day[None])))
    found = np.where(counted >= 3, median(weeks), np.where(counted == 2, two, of_day))
    return _smoothed(found) if smooth else found


def _smoothed(usual: Floats) -> Floats:
    """Together with the hours around it, unless it stands out of them as a peak that comes again does."""
    wide = np.concatenate((usual[:, :1], usual, usual[:, -1:]), axis=1)
    around = (wide[:, :-2] + wide[:, 2:]) / 2
    alike = (usual - around) ** 2 <= _PEAK**2 * (0.5 * usual + 1)
    return np.where(alike, (usual + 2 * around) / 3, usual)


def _usual_share(came: Floats, of: Floats) -> Floats:
    """The median of fourteen days, for every hour: what fails does not follow the clock, and is rare in an hour."""
    bad = np.nansum(_by_day(came), axis=2)[:, -LEARNED_DAYS:]
    whole = np.where(np.isnan(_by_day(came)), 0.0, _by_day(of)).sum(axis=2)[:, -LEARNED_DAYS:]
    rate = median(np.where(whole > 0, (bad + _RARE) / (whole + 2 * _RARE), np.nan).T)
    return np.asarray(np.repeat(rate[:, None], _SPAN, axis=1))


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


def _beside(came: Floats, usual: Floats, groups: NDArray[np.int64]) -> Floats:
    """How much of what is usual came of the others."""
    there = others(np.nan_to_num(usual), groups)
    return np.asarray((others(np.nan_to_num(came), groups) + 1) / (there + 1))


def _scatter(hourly: _Hourly, level: Floats) -> tuple[Floats, Floats]:
    """Noise and swing, from how far hours were from what was expected of them when they came."""
    settled = np.s_[:, 24 : _LATELY - 1]  # the level has to begin somewhere
    came, expected, of = hourly.came[settled], (hourly.usual * level)[settled], hourly.of[settled]
    both = ~np.isnan(came) & ~np.isnan(expected)
    if hourly.how.of is Of.MEAN:
        valid, size = both & (of > 0) & (came > 0) & (expected > 0), of
        apart = np.log(np.where(valid, came, 1.0) / np.where(valid, expected, 1.0)) ** 2 * of
    else:
        valid, size = both & (expected >= _USUAL_MIN), expected
        apart = (came - expected) ** 2 / np.where(valid, expected, 1.0)
    return _fitted(np.where(valid, apart, np.nan), np.where(valid, size, np.nan))


def _fitted(apart: Floats, size: Floats) -> tuple[Floats, Floats]:
    """A line through how far small and great hours were apart: where it begins is noise, how it rises swing."""
    enough = (~np.isnan(apart)).sum(axis=1) >= _HOURS_MIN
    middle = median(size.T)[:, None]
    small, great = (np.where(part, apart, np.nan) for part in (size <= middle, size > middle))
    at_small, at_great = (median(np.where(part, size, np.nan).T) for part in (size <= middle, size > middle))
    low, high, all_ = _spread(small), _spread(great), _spread(apart)
    tells = at_great >= 2 * at_small
    rise = np.maximum(0.0, (high - low) / np.where(tells, at_great - at_small, 1.0))
    swing = np.where(tells, rise, 0.0)
    noise = np.where(tells, low - swing * at_small, all_)
    noise = np.where(noise < _REGULAR, np.maximum(noise, _NOISE_MIN), np.maximum(noise, 1.0))
    noise = np.where(enough, noise, _NOISE)
    return noise, np.where(enough, np.maximum(swing, _SWING_MIN), _SWING)


def _spread(apart: Floats) -> Floats:
    """A variance from the middle to the shoulder of squares, so that a bad day does not count."""
    parts = [quantile(apart.T, q) / square for q, square in _SQUARES]
    return np.asarray(sum(parts) / len(parts))


def _levels(hourly: _Hourly, noise: Floats, swing: Floats) -> Floats:
    """For each hour what the hours up to the last but one have brought of what was usual."""
    rows = len(hourly.came)
    level, before, out = np.ones(rows), np.ones(rows), np.zeros(rows, dtype=np.int64)
    found = np.ones(hourly.came.shape)
    for hour in range(_LATELY + 24):
        found[:, hour] = before
        before = level
        level, out = _moved(hourly, hour, level, out, noise, swing)
    return found


def _moved(
    hourly: _Hourly, hour: int, level: Floats, out: NDArray[np.int64], noise: Floats, swing: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """The level after an hour, and for how many hours each was out of the band."""
    how = hourly.how
    came, usual, of = hourly.came[:, hour], level * hourly.usual[:, hour], hourly.of[:, hour]
    known = ~np.isnan(came) & (usual > 0)
    beside = usual if hourly.groups is None else usual * _beside(came, usual, hourly.groups)
    came, usual, beside = (np.where(known, values, 1.0) for values in (came, usual, beside))
    if how.of is Of.MEAN:
        sure, much = band.strangeness(came, usual, of, noise, swing), of
    else:
        sure, much = band.surprise(came, beside, noise, swing), usual
    changed = (came < (1 - how.least) * beside) | (came * (1 - how.least) > beside)
    strange = known & changed & (np.abs(sure) > _STRANGE)
    out = np.where(strange, out + 1, np.where(known, 0, out))
    follows = known & (~strange | (out > _FROZEN_HOURS))
    gain = np.where(follows, _FOLLOWS * much / (much + _MUCH), 0.0)
    return np.clip(level * (1 + gain * (came / usual - 1)), *_LEVEL), out
