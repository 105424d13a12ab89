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
_KNOT_S: Final = 300
_KNOTS: Final = HOUR_S // _KNOT_S
_WEEK: Final = 7 * 24
_WEEKS: Final = 4
_LATELY: Final = 14 * 24  # hours over which scatter is learned
_AHEAD: Final = 25
_SPAN: Final = _LATELY + _AHEAD
_FROM: Final = DAYS * 24 - _LATELY
_FOLLOWS: Final = 0.25  # of the difference, in an hour in which much comes
_FOLLOWS_ALONE: Final = 0.06  # of what is left when all beside it are taken into account
_MUCH: Final = 10.0
_LEVEL: Final = (0.25, 4.0)
_FROZEN_HOURS: Final = 48
_STRANGE: Final = 2.0
_HOURS_MIN: Final = 48
_HOURS_OF_A_DAY: Final = 12  # that make it a known one
_NOISE, _SWING = 1.5, 0.02  # until enough is known
_NOISE_MIN, _SWING_MIN = 0.1, 0.001
_REGULAR: Final = 0.6  # with less noise than that it is a clock that sends, and no chance
_SQUARES: Final = ((0.5, 0.455), (0.6, 0.708), (0.7, 1.074))  # of a normal deviate, by their rank
_LEARNING_SWING: Final = 0.02  # added while only the hour of the day is known
_USUAL_MIN: Final = 3.0  # in an hour with less, chance hides how numbers scatter
_CURVE: Final = tuple(weight / 35 for weight in (-3, 12, 17, 12, -3))  # the best parabola through five
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
    """For one day: `usual` by the hour from four hours before it to the one after it, and `summed` up every five
    minutes of them; `level` by the hours of the day."""

    start_s: int
    usual: Floats
    summed: Floats
    level: Floats
    noise: Floats
    swing: Floats
    days: NDArray[np.int64]

    @property
    def judged(self) -> Flags:
        return np.asarray(self.days >= JUDGED_DAYS, dtype=np.bool_)

    def between(self, start_s: NDArray[np.int64], end_s: NDArray[np.int64]) -> Floats:
        """The mean usual value an hour between two moments of the day, or shortly before it."""
        hours = (end_s - start_s) / HOUR_S
        return np.asarray((self._summed_at(end_s) - self._summed_at(start_s)) / hours)

    def _summed_at(self, at_s: NDArray[np.int64]) -> Floats:
        place = np.clip((at_s - self.start_s) / _KNOT_S + NODES_BEFORE * _KNOTS, 0, self.summed.shape[1] - 1)
        before = np.minimum(place.astype(np.int64), self.summed.shape[1] - 2)
        share = place - before
        return np.asarray(self.summed[:, before] * (1 - share) + self.summed[:, before + 1] * share)

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
    smooth = np.ones((len(subjects), _SPAN), dtype=np.bool_)
    if how.of is Of.SHARE:
        usual = _usual_share((before if how.bad else 100 - before) / 100 * of, of)
        came = (told if how.bad else 100 - told) / 100 * of
        shown = usual[:, -_AHEAD - NODES_BEFORE :]
        came, usual = came[:, _FROM:], usual * of[:, _FROM:]
    else:
        came, usual = told[:, _FROM:], _usual(told)
        if how.of is Of.COUNT:
            usual, smooth = _smoothed(usual)
        shown = _sharpened(usual, smooth)[:, -_AHEAD - NODES_BEFORE :]
    hourly = _Hourly(came, usual, of[:, _FROM:], groups_of(subjects) if how.beside else None, how)
    rows = len(subjects)
    noise, swing = _scatter(hourly, _levels(hourly, np.full(rows, _NOISE), np.full(rows, _SWING)))
    swing = swing + np.where(days < LEARNED_DAYS, _LEARNING_SWING, 0.0)
    level = _levels(hourly, noise, swing)[:, _LATELY : _LATELY + 24]
    return Normal(day_s, shown, _summed(shown, smooth[:, -_AHEAD - NODES_BEFORE :]), level, noise, swing, days)


def _summed(usual: Floats, smooth: Flags) -> Floats:
    """Along lines from the middle of an hour to that of the next; what is not smooth begins and ends with its hour."""
    usual = np.nan_to_num(usual)
    place = (np.arange(usual.shape[1] * _KNOTS) + 0.5) / _KNOTS - 0.5
    before = np.clip(np.floor(place).astype(np.int64), 0, usual.shape[1] - 2)
    share = np.clip(place - before, 0.0, 1.0)
    line = usual[:, before] * (1 - share) + usual[:, before + 1] * share
    steps = np.repeat(usual, _KNOTS, axis=1)
    rate = np.where(smooth[:, before] & smooth[:, before + 1], line, steps)
    return np.concatenate((np.zeros((len(usual), 1)), np.cumsum(rate, axis=1) / _KNOTS), axis=1)


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


def _usual(told: Floats) -> Floats:
    at = np.s_[_FROM : _FROM + _SPAN]
    weeks = np.stack([told[:, at.start - _WEEK * back : at.stop - _WEEK * back] for back in range(1, _WEEKS + 1)])
    days = np.stack([told[:, at.start - 24 * back : at.stop - 24 * back] for back in range(1, 8)])
    of_day = median(days)
    counted = (~np.isnan(weeks)).sum(axis=0)
    # Two weeks outvote nobody: the hour of the day decides between them.
    two = median(np.concatenate((weeks, of_day[None])))
    return np.where(counted >= 3, median(weeks), np.where(counted == 2, two, of_day))


def _smoothed(usual: Floats) -> tuple[Floats, Flags]:
    """Together with the hours around it, as a curve through five of them goes, unless it stands out of them as a peak
    that comes again does; and where it does not."""
    wide = np.concatenate((usual[:, :1], usual[:, :1], usual, usual[:, -1:], usual[:, -1:]), axis=1)
    count = usual.shape[1]
    curve = sum(weight * wide[:, at : at + count] for at, weight in enumerate(_CURVE))
    alike = (usual - curve) ** 2 <= _PEAK**2 * (0.25 * usual + 1)
    return np.where(alike, np.maximum(curve, 0.0), usual), alike


def _sharpened(usual: Floats, smooth: Flags) -> Floats:
    """So that lines from the middle of one hour to that of the next hold as much as the hours did."""
    bent = usual[:, :-2] - 2 * usual[:, 1:-1] + usual[:, 2:]
    found = usual.copy()
    found[:, 1:-1] = np.maximum(usual[:, 1:-1] - bent / 8, usual[:, 1:-1] / 2)
    there = smooth.copy()
    there[:, 1:-1] &= smooth[:, :-2] & smooth[:, 2:]
    return np.where(there & ~np.isnan(found), found, usual)


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
    """Noise is how far two hours are from each other, swing what is left of how far they are from expected."""
    settled, before = np.s_[:, 24 : _LATELY - 1], np.s_[:, 23 : _LATELY - 2]  # the level has to begin somewhere
    means = hourly.how.of is Of.MEAN
    ratios, sizes = [], []
    for hours in (settled, before):
        came, expected = hourly.came[hours], hourly.usual[hours] * level[settled]
        size = hourly.of[hours] if means else expected
        valid = ~np.isnan(came) & (expected > 0) & ((size > 0) & (came > 0) if means else size >= _USUAL_MIN)
        ratio = np.where(valid, came, np.nan) / np.where(valid, expected, 1.0)
        ratios.append(np.log(ratio) if means else ratio - 1)
        sizes.append(np.where(valid, size, np.nan))
    noise = _spread((ratios[0] - ratios[1]) ** 2 / (1 / sizes[0] + 1 / sizes[1]))
    noise = np.where(noise < _REGULAR, np.maximum(noise, _NOISE_MIN), np.maximum(noise, 1.0))
    great = sizes[0] >= median(sizes[0].T)[:, None]
    apart = _spread(np.where(great, ratios[0] ** 2 * sizes[0], np.nan))
    swing = (apart - noise) / median(np.where(great, sizes[0], np.nan).T)
    enough = (~np.isnan(ratios[0] - ratios[1])).sum(axis=1) >= _HOURS_MIN
    return np.where(enough, noise, _NOISE), np.where(enough, np.maximum(swing, _SWING_MIN), _SWING)


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
    ratio, follow = came / usual, _FOLLOWS
    if hourly.groups is not None:
        # What moves all of them moves each; beyond that each moves by itself, and slowly.
        told, there = (np.where(known & ~strange, values, 0.0) for values in (came, usual))
        told, there = (values + others(values, hourly.groups) for values in (told, there))
        common = np.where(there > 0, told / np.maximum(there, 1e-9), 1.0)
        level = level * (1 + _FOLLOWS * there / (there + _MUCH) * (common - 1))
        ratio, follow = ratio / np.maximum(common, 0.01), _FOLLOWS_ALONE
    gain = np.where(follows, follow * much / (much + _MUCH), 0.0)
    return np.clip(level * (1 + gain * (ratio - 1)), *_LEVEL), out
