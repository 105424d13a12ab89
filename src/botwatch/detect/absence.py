"""Nothing came over the whole time frame, although the subject was heard of within the last day."""

from __future__ import annotations

import numpy as np

from botwatch.detect.finding import Verdicts
from botwatch.detect.rule import Aggregation, Rule
from botwatch.detect.ticks import Need
from botwatch.detect.values import Windows, called
from botwatch.detect.view import View, hold_ticks
from botwatch.detect.windows import ticks_of


class Absence:
    """Of what is counted, 0 is nothing too; of anything else only no value at all."""

    def needs(self, rule: Rule) -> tuple[Need, ...]:
        return (Need(rule.field, rule.labels, rule.where),)

    def reach(self, rule: Rule) -> int:
        return ticks_of(rule.timeframe) + hold_ticks(rule)

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        need, width = Need(rule.field, rule.labels, rule.where), ticks_of(rule.timeframe)
        asked = columns + hold_ticks(rule)
        ticks = view.ticks(need)
        highest = view.window(need, asked, width, Aggregation.MAX)
        lowest = view.window(need, asked, width, Aggregation.MIN)
        came = (highest > 0) | (lowest < 0) if ticks.counts else ~np.isnan(highest)
        quiet = ~came
        lacking = view.lacking(need, asked, width)
        breached = quiet if lacking is None else quiet & ~lacking
        found = np.zeros(highest.shape) if ticks.counts else highest
        windows = Windows(ticks, found, view.expected(need, asked), lacking)
        return called(rule, windows, breached, came, found, quiet, columns)
