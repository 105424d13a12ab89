"""What an incident says in one line, to people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from botwatch.detect.durations import written
from botwatch.detect.finding import Reason, Verdicts
from botwatch.detect.plan import plan_of
from botwatch.detect.rule import TICK_S, Aggregation, Kind, Operand, Rule
from botwatch.incident.steps import subject_said

_AGGREGATION: Final = {
    Aggregation.AVG: "the average",
    Aggregation.SUM: "the sum",
    Aggregation.MIN: "the lowest",
    Aggregation.MAX: "the highest",
    Aggregation.LAST: "the last",
    Aggregation.COUNT: "the number of ticks",
}
_SILENCE: Final = {
    Reason.NO_EVENTS: "there was none for {time}, though it is alive",
    Reason.NO_DATA: "there was no value for {time}, though it is alive",
    Reason.SILENT_BOT: "nothing at all came from the bot for {time}; its host is alive",
    Reason.SILENT_HOST: "nothing at all came from the host for {time}",
    Reason.SILENT: "nothing at all came from anybody for {time}",
}
_ENDED: Final = {
    Reason.GONE: "nothing was heard of it for a day, so it is no longer expected",
    Reason.RULE_REMOVED: "the rule was removed",
    Reason.RULE_DISABLED: "the rule was switched off",
    Reason.RULE_CHANGED: "the rule is no longer about it",
}


@dataclass(frozen=True, slots=True)
class Usual:
    """What came, and what is usual, in the time over which that was noticed. Of a count it is since that changed."""

    came: float
    expected: float
    over_s: int
    until_s: int  # before the judged moment
    counts: bool

    @classmethod
    def of(cls, rule: Rule, verdicts: Verdicts, row: int, column: int) -> Usual | None:
        if rule.kind is not Kind.BASELINE or verdicts.expected is None or verdicts.span is None:
            return None
        plan, over_s = plan_of(rule), int(verdicts.span[row, column]) * TICK_S
        # A count is told as it would be over the time frame, so that all are alike; here it is what came.
        scale = over_s / rule.timeframe if plan.counts else 1.0
        came, expected = (float(part[row, column]) * scale for part in (verdicts.found, verdicts.expected))
        return cls(came, expected, over_s, plan.late * TICK_S, plan.counts)

    def since_s(self, at_s: int) -> int:
        """When it began."""
        return at_s - self.until_s - self.over_s

    def row(self) -> dict[str, float]:
        return {"came": self.came, "expected": self.expected, "over_s": self.over_s}

    def __str__(self) -> str:
        if self.counts:
            return f"{round(self.came)} came in {written(self.over_s)}, {self.expected:.3g} are usual at this time"
        return f"{self.came:.4g} over {written(self.over_s)}, {self.expected:.4g} is usual at this time"


def opened(
    rule: Rule, labels: Mapping[str, str], reason: Reason, value: float | None, usual: Usual | None = None
) -> str:
    """`cpu.usage of host web-1: the average over 2m is 93.2, and 85 or more is too much`, and what the rule adds."""
    told = f"{_what(rule)}{_of(labels)}: {_why(rule, reason, value) if usual is None else usual}"
    return f"{told}. {rule.message}" if rule.message else told


def resolved(rule: Rule | None, reason: Reason, value: float | None) -> str:
    if rule is not None and rule.kind is Kind.BASELINE and reason is Reason.GONE:
        return "nothing is known to be usual any more"
    if reason in _ENDED:
        return _ENDED[reason]
    if rule is None or value is None or rule.kind in (Kind.COMPOSITE, Kind.ABSENCE):
        return "it is well again"
    if rule.kind is Kind.BASELINE:
        return f"it is as usual again: {number(value)} over {written(rule.timeframe)}"
    return f"it is well again: {_value(rule, value)}"


def number(value: float) -> str:
    """Short, and the same for all."""
    return f"{value:.6g}" if math.isfinite(value) else "unknown"


def _why(rule: Rule, reason: Reason, value: float | None) -> str:
    if reason in _SILENCE:
        return _SILENCE[reason].format(time=written(rule.timeframe))
    if reason is Reason.COMBINED:
        return f"{'all' if rule.all else 'at least one'} of {', '.join(rule.parts)}"
    held = f" for {written(rule.hold)}" if rule.hold else ""
    limit = "less is too little" if rule.operand is Operand.AT_MOST else "more is too much"
    return f"{_value(rule, value)}{held}, and {number(rule.value)} or {limit}"


def _value(rule: Rule, value: float | None) -> str:
    found = "unknown" if value is None else number(value)
    return f"{_AGGREGATION[rule.aggregation]} over {written(rule.timeframe)} is {found}"


def _what(rule: Rule) -> str:
    if rule.kind is Kind.COMPOSITE:
        return rule.name
    return f"{rule.field} / {rule.per}" if rule.per else rule.field


def _of(labels: Mapping[str, str]) -> str:
    return f" of {subject_said(labels)}" if labels else ""
