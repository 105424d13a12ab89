"""What an incident says in one line, to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from botwatch.detect.finding import Reason, Verdicts
from botwatch.detect.plan import plan_of
from botwatch.detect.rule import TICK_S, Aggregation, Kind, Operand, Rule
from botwatch.detect.ticks import Need
from botwatch.errors import CannotJudge
from botwatch.incident.asking import measure_of
from botwatch.incident.steps import subject_said
from botwatch.measure.amounts import SHARE, told

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
    unit: str = ""

    @classmethod
    def of(cls, rule: Rule, verdicts: Verdicts, row: int, column: int) -> Usual | None:
        if rule.kind is not Kind.BASELINE or verdicts.expected is None or verdicts.span is None:
            return None
        plan, over_s = plan_of(rule), int(verdicts.span[row, column]) * TICK_S
        # A count is told as it would be over the time frame, so that all are alike; here it is what came.
        scale = over_s / rule.timeframe if plan.counts else 1.0
        came, expected = (float(part[row, column]) * scale for part in (verdicts.found, verdicts.expected))
        return cls(came, expected, over_s, plan.late * TICK_S, plan.counts, unit_of(rule))

    def since_s(self, at_s: int) -> int:
        """When it began."""
        return at_s - self.until_s - self.over_s

    def row(self) -> dict[str, float]:
        return {"came": self.came, "expected": self.expected, "over_s": self.over_s}

    def __str__(self) -> str:
        if self.counts:
            usual = told(round(self.expected) if self.expected >= 10 else self.expected, "")
            return f"{round(self.came):,} came in {_time(self.over_s)}, {usual} are usual at this time"
        came, expected = told(self.came, self.unit), told(self.expected, self.unit)
        return f"{came} over {_time(self.over_s)}, {expected} is usual at this time"


def opened(
    rule: Rule, labels: Mapping[str, str], reason: Reason, value: float | None, usual: Usual | None = None
) -> str:
    """`cpu.usage of host web-1: the average over 2 min is 93.2 %; 85 % or more is too much`, and what the rule adds."""
    said = f"{_what(rule)}{_of(labels)}: {_why(rule, reason, value) if usual is None else usual}"
    return f"{said}. {rule.message}" if rule.message else said


def resolved(rule: Rule | None, reason: Reason, value: float | None) -> str:
    if rule is not None and rule.kind is Kind.BASELINE and reason is Reason.GONE:
        return "nothing is known to be usual any more"
    if reason in _ENDED:
        return _ENDED[reason]
    if rule is None or value is None or rule.kind in (Kind.COMPOSITE, Kind.ABSENCE):
        return "it is well again"
    if rule.kind is Kind.BASELINE:
        return f"it is as usual again: {told(value, unit_of(rule))} over {_time(rule.timeframe)}"
    return f"it is well again: {_value(rule, value)}"


def unit_of(rule: Rule) -> str:
    """Of what it judges; empty where the measure has none that is known."""
    if rule.per:
        return SHARE if abs(rule.value) <= 1 else ""  # calls by calls is a share, tokens by messages is not
    if not rule.field or rule.aggregation is Aggregation.COUNT:
        return ""
    try:
        measure = measure_of(Need(rule.field, ()))
    except CannotJudge:
        return ""
    return measure.unit if measure else ""


def _why(rule: Rule, reason: Reason, value: float | None) -> str:
    if reason in _SILENCE:
        return _SILENCE[reason].format(time=_time(rule.timeframe))
    if reason is Reason.COMBINED:
        return f"{'all' if rule.all else 'at least one'} of {', '.join(rule.parts)}"
    if rule.kind is Kind.CONTRACT and not rule.per:
        more = f"; {told(rule.value, '')} or more is too much" if rule.value > 1 else ""
        were = "was" if value == 1 else "were"
        return f"{told(value, '')} {were} not kept in the last {_time(rule.timeframe)}{more}"
    held = f" for {_time(rule.hold)}" if rule.hold else ""
    limit = "less is too little" if rule.operand is Operand.AT_MOST else "more is too much"
    return f"{_value(rule, value)}{held}; {told(rule.value, unit_of(rule))} or {limit}"


def _value(rule: Rule, value: float | None) -> str:
    if rule.per and rule.aggregation is Aggregation.SUM:
        return f"{told(value, unit_of(rule))} over {_time(rule.timeframe)}"
    return f"{_AGGREGATION[rule.aggregation]} over {_time(rule.timeframe)} is {told(value, unit_of(rule))}"


def _time(seconds: int) -> str:
    return told(seconds, "seconds")


def _what(rule: Rule) -> str:
    if rule.kind is Kind.COMPOSITE:
        return rule.name
    return f"{rule.field} / {rule.per}" if rule.per else rule.field


def _of(labels: Mapping[str, str]) -> str:
    return f" of {subject_said(labels)}" if labels else ""
