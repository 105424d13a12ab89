"""One measure divided by another, each brought to one value over the time frame first."""

from __future__ import annotations

import dataclasses

import numpy as np

from botwatch.detect.finding import Verdicts
from botwatch.detect.rule import Rule
from botwatch.detect.ticks import Need
from botwatch.detect.values import Windows, aligned, guarded, verdicts
from botwatch.detect.view import View, hold_ticks
from botwatch.detect.windows import ticks_of


class Ratio:
    """Where nothing came to divide by, there is no value: 0 of 0 is not 0 %."""

    def needs(self, rule: Rule) -> tuple[Need, ...]:
        return tuple(Need(name, rule.labels, rule.where) for name in (rule.field, rule.per, rule.guard) if name)

    def reach(self, rule: Rule) -> int:
        return ticks_of(rule.timeframe) + hold_ticks(rule)

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        width, asked = ticks_of(rule.timeframe), columns + hold_ticks(rule)
        per, field = (Need(name, rule.labels, rule.where) for name in (rule.per, rule.field))
        below, above = view.ticks(per), view.ticks(field)
        divisor = view.window(per, asked, width, rule.aggregation)
        dividend = aligned(view.window(field, asked, width, rule.aggregation), above, below)
        if above.counts:
            dividend = np.nan_to_num(dividend)  # no row of what is counted is none of it
        found = dividend / np.where(divisor == 0, np.nan, divisor)
        found = guarded(rule, view, asked, below, found)
        # A quotient says nothing of how much came: of one, no value is never 0.
        ticks = dataclasses.replace(below, counts=False)
        windows = Windows(
            ticks,
            found,
            view.expected(per, asked),
            view.lacking(per, asked, width),
            view.young(per, asked, width),
        )
        return verdicts(rule, windows, columns)
