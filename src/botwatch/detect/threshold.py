"""The value of one measure against a number."""

from __future__ import annotations

from botwatch.detect.finding import Verdicts
from botwatch.detect.rule import Rule
from botwatch.detect.ticks import Need
from botwatch.detect.values import Windows, guarded, verdicts
from botwatch.detect.view import View, hold_ticks
from botwatch.detect.windows import ticks_of


class Threshold:
    def needs(self, rule: Rule) -> tuple[Need, ...]:
        return tuple(Need(name, rule.labels, rule.where) for name in (rule.field, rule.guard) if name)

    def reach(self, rule: Rule) -> int:
        return ticks_of(rule.timeframe) + hold_ticks(rule)

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        need, width = Need(rule.field, rule.labels, rule.where), ticks_of(rule.timeframe)
        asked = columns + hold_ticks(rule)
        ticks = view.ticks(need)
        found = guarded(rule, view, asked, ticks, view.window(need, asked, width, rule.aggregation))
        windows = Windows(
            ticks,
            found,
            view.expected(need, asked),
            view.lacking(need, asked, width),
            view.young(need, asked, width),
        )
        return verdicts(rule, windows, columns)
