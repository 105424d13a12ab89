"""What is normal on one day, learned from the weeks before it.

Usual is the median of the same hour of the week over four to six weeks, so that an outage or a holiday among them does
not count; with less than two weeks it is that of the same hour of the day over seven days. Hours are those of the
clocks on the wall: where these are put forward or back, what people do at nine is still done at nine. Around that
there is a level, and how far numbers scatter (`scatter`).

All of it is worked out anew for every day from the six weeks before, so that it depends on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from botwatch.detect import scatter
from botwatch.detect.finding import Flags, Floats, Subject
from botwatch.detect.past import DAYS, Past
from botwatch.detect.scatter import LATELY, Hourly, How, Of, Scatter, groups_of, median, others, spread
from botwatch.detect.ticks import HOUR_S
from botwatch.detect.wall import earlier
from botwatch.measure.query import DAY_S

LEARNED_DAYS: Final = 14  # from which on the hour of the week is known
JUDGED_DAYS: Final = 3  # with fewer nothing is judged
HOURS_BEFORE: Final = 5  # of the day before, that windows reach back to
_KNOT_S: Final = 300
_KNOTS: Final = HOUR_S // _KNOT_S
_WEEKS: Final = tuple(7 * 24 * number for number in range(1, 7))
_DAYS: Final = tuple(24 * number for number in range(1, 8))
_AHEAD: Final = 25
_SPAN: Final = LATELY + _AHEAD
_FROM: Final = DAYS * 24 - LATELY
_HOURS_OF_A_DAY: Final = 12  # that make it a known one
_LEARNING_SWING: Final = 0.02  # added while only the hour of the day is known
_CURVE: Final = tuple(weight / 35 for weight in (-3, 12, 17, 12, -3))  # the best parabola through five
_PEAK: Final = 2.0  # deviations of a median of four
_OF_MEDIAN: Final = 0.15  # the variance of what is usual in terms of itself: a median of four, smoothed
_STANDS_OUT: Final = 3.0  # deviations
_LEAST: Final = 1e-9
_RARE: Final = 0.25  # added to what is bad, so that none so far is not never


@dataclass(frozen=True, slots=True)
class Normal:
    """For one day. `usual` by the hour, from some hours before it to the one after it, without the level; `summed` is
    what is to be expected up to each five minutes of them, with it. `a_day` is what a whole day comes to."""

    start_s: int
    usual: Floats
    summed: Floats
    level: Floats
    scatter: Scatter
    days: NDArray[np.int64]

    @property
    def judged(self) -> Flags:
        """Of whom enough is known, and anything to be expected."""
        return np.asarray((self.days >= JUDGED_DAYS) & (np.nan_to_num(self.usual).sum(axis=1) > 0), dtype=np.bool_)

    @property
    def a_day(self) -> Floats:
        day = self.usual[:, HOURS_BEFORE : HOURS_BEFORE + 24]
        return np.where(self.judged, np.nan_to_num(day).sum(axis=1), 0.0)

    def until(self, at_s: NDArray[np.int64], rows: slice = slice(None)) -> Floats:
        """What is to be expected up to a moment of the day, or shortly before it: differences tell of any window. Of
        what is not counted it is the mean, times hours."""
        summed = self.summed[rows]
        place = np.clip((at_s - self.start_s) / _KNOT_S + HOURS_BEFORE * _KNOTS, 0, summed.shape[1] - 1)
        before = np.minimum(place.astype(np.int64), summed.shape[1] - 2)
        share = place - before
        return np.asarray(summed[:, before] * (1 - share) + summed[:, before + 1] * share)

    def mean(self, start_s: NDArray[np.int64], end_s: NDArray[np.int64]) -> Floats:
        """The mean usual value an hour between two such moments."""
        return np.asarray((self.until(end_s) - self.until(start_s)) / ((end_s - start_s) / HOUR_S))

    def learning(self, row: int) -> str:
        """What can be said of a subject of which too little is known; empty: it is known."""
        days = int(self.days[row])
        if days >= LEARNED_DAYS:
            return ""
        judged = "" if days >= JUDGED_DAYS else f"; nothing is judged before {JUDGED_DAYS}"
        return f"learning, {days} of {LEARNED_DAYS} days{judged}"


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
    smooth, groups = np.ones((len(subjects), _SPAN), dtype=np.bool_), groups_of(subjects) if how.beside else None
    if how.of is Of.SHARE:
        usual = _usual_share((before if how.bad else 100 - before) / 100 * of, of)
        came = ((told if how.bad else 100 - told) / 100 * of)[:, _FROM:]
        shown, usual = usual, usual * of[:, _FROM:]
    else:
        came, usual = told[:, _FROM:], _usual(told, past.zone, start_s)
        if how.of is Of.COUNT:
            usual, smooth = _smoothed(usual)
        if groups is not None:
            usual = _shared(usual, groups)
        shown = _sharpened(usual, smooth)
    level, spread = scatter.learn(Hourly(came, usual, of[:, _FROM:], groups, how))
    spread = Scatter(
        spread.noise, spread.own + np.where(days < LEARNED_DAYS, _LEARNING_SWING, 0.0), spread.common, spread.vouch
    )
    here = np.s_[:, LATELY - HOURS_BEFORE :]
    summed = _summed(shown[here], smooth[here], level[here])
    return Normal(day_s, shown[here], summed, level[:, LATELY : LATELY + 24], spread, days)


def _summed(usual: Floats, smooth: Flags, level: Floats) -> Floats:
    """Along lines from the middle of an hour to that of the next; what is not smooth begins and ends with its hour."""
    usual = np.nan_to_num(usual)
    place = (np.arange(usual.shape[1] * _KNOTS) + 0.5) / _KNOTS - 0.5
    before = np.clip(np.floor(place).astype(np.int64), 0, usual.shape[1] - 2)
    share = np.clip(place - before, 0.0, 1.0)
    line = usual[:, before] * (1 - share) + usual[:, before + 1] * share
    steps = np.repeat(usual, _KNOTS, axis=1)
    rate = np.where(smooth[:, before] & smooth[:, before + 1], line, steps) * np.repeat(level, _KNOTS, axis=1)
    return np.concatenate((np.zeros((len(usual), 1)), np.cumsum(rate, axis=1) / _KNOTS), axis=1)


def _by_day(values: Floats | Flags) -> NDArray[Any]:
    days = (values.shape[1] - _AHEAD) // 24
    return values[:, : days * 24].reshape(len(values), days, 24)


def _usual(told: Floats, zone: str, start_s: int) -> Floats:
    known = np.concatenate((told, np.full((len(told), 1), np.nan)), axis=1)  # before the beginning nothing is known
    weeks, days = (
        np.stack([known[:, at] for at in earlier(zone, start_s, (_FROM, _SPAN), backs)]) for backs in (_WEEKS, _DAYS)
    )
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


def _shared(usual: Floats, groups: NDArray[np.int64]) -> Floats:
    """Nearer to its share of all in its group, which is known far better, as far as what it differs by from hour to
    hour may be chance; hours that stand out are left alone."""
    told = np.nan_to_num(usual)
    whole = told + others(told, groups)
    share = told.sum(axis=1) / np.maximum(np.where(np.isnan(usual), 0.0, whole).sum(axis=1), _LEAST)
    steady = np.maximum(share[:, None] * whole, _LEAST)
    apart, chance = usual / steady - 1, _OF_MEDIAN / steady
    much = np.where(steady >= median(steady.T)[:, None], steady, np.nan)
    varies = np.maximum(spread(apart**2 * much) - _OF_MEDIAN, 0.0) / median(much.T)
    varies = np.nan_to_num(varies)[:, None]
    kept = np.where(apart**2 > _STANDS_OUT**2 * (varies + chance), 1.0, varies / (varies + chance))
    return np.asarray(steady * (1 + kept * apart))


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
