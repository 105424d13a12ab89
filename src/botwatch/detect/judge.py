"""All kinds of rules in one place, and what there is to know of a rule before it is judged.

Judging is a pure function of rules and ticks. It does not remember: the loop, a backtest and a unit test of a rule
ask the same question of the same ticks and get the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from botwatch import limits
from botwatch.detect.absence import Absence
from botwatch.detect.baseline import Baseline
from botwatch.detect.composite import Composite
from botwatch.detect.past import Pasts
from botwatch.detect.ratio import Ratio
from botwatch.detect.rule import Kind, Rule
from botwatch.detect.threshold import Threshold
from botwatch.detect.ticks import Need
from botwatch.detect.view import Detector, Series, View, detector_of
from botwatch.errors import CannotJudge

DETECTORS: Final[Mapping[str, Detector]] = {
    Kind.THRESHOLD: Threshold(),
    Kind.RATIO: Ratio(),
    Kind.ABSENCE: Absence(),
    Kind.COMPOSITE: Composite(),
    Kind.CONTRACT: Threshold(),  # over its own outcomes, which are counted like anything else
    Kind.BASELINE: Baseline(),
}


def view(series: Series, rules: Mapping[str, Rule], past: Pasts | None = None) -> View:
    """The ticks up to one moment; `series` and `past` raise `CannotJudge` for what cannot be read."""
    return View(series, rules, DETECTORS, past)


def needs(rule: Rule, rules: Mapping[str, Rule]) -> dict[Need, int]:
    """The series a rule is judged by, each with how many ticks before a judged one it takes. Raises `CannotJudge`."""
    found: dict[Need, int] = {}
    for one, before in _with_parts(rule, rules, 0, ()):
        detector = detector_of(one, DETECTORS)
        for need in detector.needs(one):
            found[need] = max(found.get(need, 0), before + detector.reach(one))
    return found


def pasts(rule: Rule, rules: Mapping[str, Rule]) -> set[Need]:
    """The series of which the weeks before are needed too. Raises `CannotJudge`."""
    baselines = (one for one, _ in _with_parts(rule, rules, 0, ()) if one.kind is Kind.BASELINE)
    return {need for one in baselines for need in DETECTORS[Kind.BASELINE].needs(one)}


def _with_parts(
    rule: Rule, rules: Mapping[str, Rule], before: int, above: tuple[str, ...]
) -> Iterator[tuple[Rule, int]]:
    """The rule and those it is made of, each with how far back it is asked for."""
    if rule.name in above:
        raise CannotJudge(f"it names itself: {' > '.join((*above, rule.name))}")
    if len(above) > limits.RULE_DEPTH_MAX:
        raise CannotJudge(f"rules name rules more than {limits.RULE_DEPTH_MAX} deep")
    yield rule, before
    for name in rule.parts:
        part = rules.get(name)
        if part is None:
            raise CannotJudge(f"there is no rule called {name!r}", hint="add it, or take its name out of this rule")
        reach = detector_of(rule, DETECTORS).reach(rule)
        yield from _with_parts(part, rules, before + reach, (*above, rule.name))
