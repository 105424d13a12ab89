"""Rules of kind `contract`: what became of all that had to be followed, against a number.

What is kept and what is breached is settled elsewhere and counted like anything else. So the rule is one over such
a measure, narrowed to its own contract.
"""

from __future__ import annotations

from botwatch.detect.finding import Verdicts
from botwatch.detect.rule import Rule
from botwatch.detect.threshold import Threshold
from botwatch.detect.ticks import Need
from botwatch.detect.view import View
from botwatch.measure.query import Condition, Op


class Breaches(Threshold):
    def needs(self, rule: Rule) -> tuple[Need, ...]:
        return super().needs(_narrowed(rule))

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        return super().judge(_narrowed(rule), view, columns)


def _narrowed(rule: Rule) -> Rule:
    own = Condition("contract", Op.IS, (rule.name,))
    return rule.model_copy(update={"where": (*rule.where, own)})
