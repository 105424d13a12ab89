"""The band of what is normal along time, as a chart shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from botwatch.detect import band
from botwatch.detect.finding import Floats, Subject
from botwatch.detect.normal import LEARNED_DAYS, Normal, learn
from botwatch.detect.past import Past
from botwatch.detect.plan import Plan
from botwatch.detect.scatter import Of
from botwatch.detect.ticks import HOUR_S
from botwatch.measure.query import DAY_S


@dataclass(frozen=True, slots=True)
class Curve:
    """One row a subject, one column a step, in the measure's own terms; NaN where nothing is known to be normal."""

    low: Floats
    usual: Floats
    high: Floats
    days: NDArray[np.int64]
    learning: tuple[str, ...]

    @property
    def learned(self) -> NDArray[np.bool_]:
        return np.asarray(self.days >= LEARNED_DAYS, dtype=np.bool_)


def curve(
    plan: Plan,
    pasts: tuple[Past, Past | None],
    subjects: tuple[Subject, ...],
    steps: tuple[NDArray[np.int64], NDArray[np.int64]],
    of: Floats,
) -> Curve:
    """`steps` are their starts and ends, of any length; `of` is over how many a share or mean was taken."""
    starts, ends = steps
    shape = (len(subjects), len(starts))
    total, noise, swing = (np.zeros(shape) for _ in range(3))
    days = range(int(starts[0]) // DAY_S * DAY_S, int(ends[-1]), DAY_S)
    normal: Normal = learn(*pasts, subjects, days[0], plan.how)
    for day_s in days:
        normal = learn(*pasts, subjects, day_s, plan.how)
        here = np.flatnonzero((starts < day_s + DAY_S) & (ends > day_s))
        low, high = np.maximum(starts[here], day_s), np.minimum(ends[here], day_s + DAY_S)
        known = normal.judged[:, None]
        total[:, here] += np.where(known, normal.until(high) - normal.until(low), np.nan)
        noise[:, here], swing[:, here] = normal.scatter.noise[:, None], normal.scatter.swing[:, None]
    usual = total if plan.counts else total / ((ends - starts) / HOUR_S)
    low_, usual, high_ = _edges(plan, usual, noise, swing, of)
    return Curve(low_, usual, high_, normal.days, tuple(normal.learning(row) for row in range(len(subjects))))


def _edges(plan: Plan, usual: Floats, noise: Floats, swing: Floats, of: Floats) -> tuple[Floats, Floats, Floats]:
    sure = plan.options.sensitivity.sure
    if plan.how.of is Of.COUNT:
        low, high = band.bounds(usual, noise, swing, sure)
        return low, usual, high
    if plan.how.of is Of.MEAN:
        low, high = band.bounds_of_mean(usual, of, noise, swing, sure)
        return low, usual, high
    counted = np.where(of > 0, of, np.nan)
    _, most = band.bounds(usual * counted, noise, swing, sure)
    bad = np.minimum(100.0, 100 * most / counted)
    nothing = np.where(np.isnan(usual), np.nan, 0.0)
    if plan.how.bad:
        return nothing, 100 * usual, bad
    return 100 - bad, 100 - 100 * usual, 100 + nothing
