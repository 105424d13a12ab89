"""Shares and means: over one length of time, as surely as there is much of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from botwatch.detect import band
from botwatch.detect.finding import Flags, Floats
from botwatch.detect.plan import Plan
from botwatch.detect.rule import Rule
from botwatch.detect.scatter import Of
from botwatch.detect.sequence import Found
from botwatch.detect.stretch import Day, Stretch
from botwatch.detect.windows import ticks_of


def judge(rule: Rule, plan: Plan, stretch: Stretch, day: Day) -> Iterator[tuple[slice, Found]]:
    yield slice(None), (_shares if plan.how.of is Of.SHARE else _means)(rule, plan, _Window(rule, stretch, day))


class _Window:
    """What came in the time frame that ends with each judged tick, over how many, and what is usual."""

    def __init__(self, rule: Rule, stretch: Stretch, day: Day) -> None:
        self.width = ticks_of(rule.timeframe)
        values = stretch.values[0][:, day.ticks]
        size = (~np.isnan(values)).astype(np.float64)
        if len(stretch.values) > 1:
            size = np.where(np.isnan(values), 0.0, np.nan_to_num(stretch.values[1][:, day.ticks]))
        self.of = self._sum(size)
        self.total = self._sum(np.nan_to_num(values) * size)
        self.enough = self.of >= (max(1.0, rule.guard_min) if len(stretch.values) > 1 else 1.0)
        ends = day.ends[self.width :]
        self.usual = day.normal.mean(day.ends[: -self.width], ends)
        scatter = day.normal.scatter
        self.noise, self.swing = scatter.noise[:, None], scatter.swing[:, None]
        if len(stretch.values) == 1:
            self.of_as_learned = np.ones(self.of.shape)  # of each hour one value is known, however many it is made of
        else:
            self.of_as_learned = self.of

    def _sum(self, ticks: Floats) -> Floats:
        sums = np.concatenate((np.zeros((len(ticks), 1)), np.cumsum(ticks, axis=1)), axis=1)
        return sums[:, self.width :] - sums[:, : -self.width]

    def found(self, breached: Flags, over: Flags, came: Floats, usual: Floats) -> Found:
        return Found(breached, over, came, usual, np.full(came.shape, self.width, dtype=np.int32))


def _shares(rule: Rule, plan: Plan, window: _Window) -> Found:
    options, of, rate = plan.options, window.of, window.total / 100
    bad = rate if plan.how.bad else of - rate
    usual = of * np.minimum(1.0, window.usual)
    known = window.enough & (usual > 0)
    sure = band.surprise(bad, np.maximum(usual, 1e-9), window.noise, window.swing)
    breached = known & (bad >= options.expected_min) & (bad * (1 - options.change) > usual)
    breached &= sure >= options.sensitivity.sure
    whole = np.where(known, of, np.nan)
    came, expected = (100 * part / whole if plan.how.bad else 100 - 100 * part / whole for part in (bad, usual))
    return window.found(breached, known & (sure < 1), came, expected)


def _means(rule: Rule, plan: Plan, window: _Window) -> Found:
    options, usual = plan.options, window.usual
    known = window.enough & (usual > 0)
    found = window.total / np.where(known, window.of, np.nan)
    with np.errstate(invalid="ignore"):
        strange = band.strangeness(found, usual, window.of_as_learned, window.noise, window.swing)
        low = (found < (1 - options.change) * usual) & (strange < -options.sensitivity.sure)
        high = (found * (1 - options.change) > usual) & (strange > options.sensitivity.sure)
        well = (found >= (1 - options.change / 2) * usual) | (not plan.low)
        well &= (found * (1 - options.change / 2) <= usual) | (not plan.high)
    breached = known & ((low & plan.low) | (high & plan.high))
    return window.found(breached, known & well, found, usual)
