"""The band of what is normal along time, as a chart shows it: the one that rules judge by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from botwatch.detect import band
from botwatch.detect.baseline import Plan
from botwatch.detect.finding import Floats, Subject
from botwatch.detect.normal import LEARNED_DAYS, Of, learn
from botwatch.detect.past import Past
from botwatch.detect.ticks import HOUR_S
from botwatch.measure.query import DAY_S


@dataclass(frozen=True, slots=True)
class Curve:
    """One row a subject, one column a step, in the measure's own terms; NaN where nothing is known to be normal."""

    low: Floats
    expected: Floats
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
    """`steps` are their starts and ends; `of` is over how many a share or mean was taken."""
    starts, ends = steps
    shape = (len(subjects), len(starts))
    usual, noise, swing = (np.full(shape, np.nan) for _ in range(3))
    for day_s in sorted(set(((ends - 1) // DAY_S * DAY_S).tolist())):
        here = np.flatnonzero((ends - 1) // DAY_S * DAY_S == day_s)
        normal = learn(*pasts, subjects, day_s, plan.how)
        lengths = (ends - starts)[here]
        total = normal.between(starts[here], ends[here]) * normal.level_at(ends[here])
        scale = lengths / HOUR_S if plan.how.of is Of.COUNT else 1.0
        known = normal.judged[:, None] & (np.nan_to_num(normal.usual).sum(axis=1) > 0)[:, None]
        usual[:, here] = np.where(known, total * scale, np.nan)
        noise[:, here], swing[:, here] = normal.noise[:, None], normal.swing[:, None]
    last = learn(*pasts, subjects, int((ends[-1] - 1) // DAY_S * DAY_S), plan.how)
    low, expected, high = _edges(plan, usual, noise, swing, of)
    return Curve(low, expected, high, last.days, tuple(last.learning(row) for row in range(len(subjects))))


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
    if plan.how.bad:
        return np.zeros_like(bad), 100 * usual, bad
    return 100 - bad, 100 - 100 * usual, np.full_like(bad, 100.0)
