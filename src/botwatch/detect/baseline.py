"""A measure against what is usual for it: at this hour of the week, at the level of the last hours.

What is counted is looked at over all lengths of time up to four hours at once (`sequence`), so that a busy bot is
judged within minutes and a quiet one only when enough was to be expected; a night without messages is no silence. With
`beside` each value of the last label is judged against the others of its bot: when all of them fall together it is a
holiday, or another rule's matter. A share is judged by how many are bad of how many came, a mean by how far it is
from the usual one (`averages`).
"""

from __future__ import annotations

import numpy as np

from botwatch.detect import averages, counted
from botwatch.detect.finding import Call, Calls, Verdicts
from botwatch.detect.plan import Plan, plan_of
from botwatch.detect.rule import Rule
from botwatch.detect.stretch import Stretch
from botwatch.detect.ticks import Need
from botwatch.detect.view import View, hold_ticks
from botwatch.detect.windows import rolling_all, ticks_of


class Baseline:
    def needs(self, rule: Rule) -> tuple[Need, ...]:
        return tuple(Need(name, rule.labels, rule.where) for name in (rule.field, rule.guard) if name)

    def reach(self, rule: Rule) -> int:
        plan = plan_of(rule)
        return plan.late + hold_ticks(rule) + _back(rule, plan)

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        plan, asked = plan_of(rule), columns + hold_ticks(rule)
        stretch = Stretch.of(view, self.needs(rule), asked, plan.late, _back(rule, plan))
        shape = (len(stretch.subjects), asked)
        breached, over, usable = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
        came, usual, span = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.int32)
        for day in stretch.days(plan.how):
            usable[:, day.first : day.last] = day.normal.judged[:, None]
            for rows, found in (counted if plan.counts else averages).judge(rule, plan, stretch, day):
                piece = rows, slice(day.first, day.last)
                breached[piece], over[piece] = found.breached, found.over
                came[piece], usual[piece], span[piece] = found.came, found.usual, found.span
        held = rolling_all(breached & usable, hold_ticks(rule) + 1)
        calls: Calls = np.where(held, Call.OPENS, np.where(over | ~usable, Call.ENDS, Call.STAYS)).astype(np.int8)
        # Counts are told as they would be over one length of time, so that all are alike.
        scale = ticks_of(rule.timeframe) / np.maximum(span, 1) if plan.counts else np.ones(shape)
        none, cut = np.zeros((shape[0], columns), dtype=np.bool_), np.s_[:, -columns:]
        return Verdicts(
            rule.labels, stretch.subjects, calls[cut], (came * scale)[cut], none, ~usable[cut], (usual * scale)[cut],
            span[cut],
        )  # fmt: skip


def _back(rule: Rule, plan: Plan) -> int:
    return counted.REACH if plan.counts else ticks_of(rule.timeframe)
