"""Whether a rule fits what there is: measures, labels, other rules, channels; and what it costs to judge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from botwatch import limits
from botwatch.detect.judge import DETECTORS, needs
from botwatch.detect.plan import plan_of
from botwatch.detect.problems import Problem, unknown
from botwatch.detect.rule import EVERYTHING, TICK_S, Kind, Rule
from botwatch.errors import BadRequest, CannotJudge
from botwatch.measure import catalogue
from botwatch.measure.compile import Leaf, compile_many
from botwatch.measure.model import Measure
from botwatch.measure.plan import plan
from botwatch.measure.query import METRIC, Query, near
from botwatch.measure.window import Kept

Rules = Mapping[str, Rule]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of judging once, every tick: `series` are questions to the store, each answered for all subjects at once."""

    rules: int
    series: int
    statements: int


def alone(rule: Rule) -> Iterator[tuple[str, str]]:
    """What does not fit in a rule by itself, as field and text."""
    if rule.kind not in DETECTORS:
        yield "kind", f"{rule.kind} rules are not judged by this version; expected one of {', '.join(DETECTORS)}"
    if rule.kind is Kind.BASELINE:
        yield from _learned(rule)
    for field, name in (("field", rule.field), ("per", rule.per), ("guard", rule.guard)):
        if name:
            yield from _measured(rule, field, name)


def among(rule: Rule, rules: Rules, channels: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
    """What does not fit with the rules and channels there are; of channels only where these are known."""
    for field, names in (("all", rule.all), ("any", rule.any), ("depends_on", rule.depends_on)):
        for name in names:
            if name not in rules:
                yield field, unknown("rule", name, list(rules))
    for name in rule.notify if channels is not None else ():
        if name not in (channels or ()):
            hint = "" if channels else "; there are no channels yet"
            yield "notify", unknown("channel", name, list(channels or ())) + hint
    for field, follow in (("all" if rule.all else "any", _parts), ("depends_on", _depends)):
        trouble = _walk(rule, rules, follow)
        if trouble:
            yield field, trouble
    parts = [rules[name] for name in rule.parts if name in rules]
    if parts and rule.labels and not any(set(rule.labels) <= set(part.labels) for part in parts):
        yield "by", f"none of the rules it names is judged by {', '.join(rule.labels)}"


def circular(rule: Rule, rules: Rules) -> bool:
    """Whether it depends, in the end, on itself: each would keep the other from being told."""
    return bool(_walk(rule, rules, _depends))


def settled(rule: Rule, rules: Rules) -> Rule:
    """A composite that does not say its subject has the labels that all its parts have; any other rule is as it is."""
    if rule.kind is not Kind.COMPOSITE or rule.by:
        return rule
    leaves = list(_leaves(rule, rules, 0))
    common = [label for label in (leaves[0].labels if leaves else ()) if all(label in leaf.labels for leaf in leaves)]
    return rule.model_copy(update={"by": tuple(common) or EVERYTHING})


def series(judged: Rules, known: Rules) -> dict[Query, None]:
    """What the judge asks for these rules, each question once, over a tick that could be any."""
    asked: dict[Query, None] = {}
    for rule in judged.values():
        with suppress(CannotJudge):
            for need in needs(rule, known) if rule.enabled else ():
                asked[Query(need.measure, 0, TICK_S, TICK_S, need.by, need.where)] = None
    return asked


def cost(judged: Rules, known: Rules) -> Cost:
    """As few statements as the questions allow. What cannot be asked costs nothing."""
    asked = series(judged, known)
    leaves: list[Leaf] = []
    for query in asked:
        with suppress(BadRequest):
            measure = _measure(query.measure)
            catalogue.check(query, measure)
            leaves += plan(query, measure, Kept(), "UTC").leaves()
    enabled = sum(rule.enabled for rule in judged.values())
    return Cost(enabled, len(asked), len(compile_many(leaves)))


def problems(
    rules: Sequence[Rule], known: Rules, channels: Collection[str] | None, lines: Mapping[str, Mapping[str, int]]
) -> Iterator[Problem]:
    """All that does not fit. `lines` has those of each rule's fields, by the rule's name."""
    for rule in rules:
        own = lines.get(rule.name, {})
        for field, text in (*alone(rule), *among(rule, known, channels)):
            yield Problem(rule.source, rule.name, field, text, own.get(field, own.get("")))


def _measured(rule: Rule, field: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        measure = _measure(name)
    except BadRequest as error:
        yield field, unknown("measure", name, _names()) if name != METRIC else error.message
        return
    if catalogue.is_open(measure):
        return
    known = catalogue.labels(measure)
    asked = [("by", label) for label in rule.labels] + [("where", condition.label) for condition in rule.where]
    for place, label in asked:
        if label not in known:
            yield place, f"{name} has no label {label!r}{near(label, known)}; it has {', '.join(known)}"


def _learned(rule: Rule) -> Iterator[tuple[str, str]]:
    try:
        plan_of(rule)
    except CannotJudge as error:
        if error.message.startswith("options"):
            yield "options", error.message


def _names() -> list[str]:
    return [name for found in catalogue.describe() for name in (found.name, *found.aliases)]


def _measure(name: str) -> Measure:
    if not name.startswith(METRIC):
        return catalogue.find(name)
    if name == METRIC:
        raise BadRequest(f"expected the name of a metric behind {METRIC}, found none")
    return catalogue.metric(name.removeprefix(METRIC), "gauge", "", "", "")


def _parts(rule: Rule) -> tuple[str, ...]:
    return rule.parts


def _depends(rule: Rule) -> tuple[str, ...]:
    return rule.depends_on


Follow = Callable[[Rule], tuple[str, ...]]


def _walk(rule: Rule, rules: Rules, follow: Follow) -> str:
    """What is wrong with where a rule leads: back to itself, or too far."""
    reached, level = {rule.name}, [rule]
    for depth in range(limits.RULE_DEPTH_MAX + 1):
        names = {name for found in level for name in follow(found)}
        if rule.name in names:
            return f"it leads back to {rule.name!r} itself, over {', '.join(sorted(found.name for found in level))}"
        level = [rules[name] for name in sorted(names - reached) if name in rules]
        reached |= names
        if not level:
            return ""
        if depth == limits.RULE_DEPTH_MAX:
            break
    return f"it leads over more than {limits.RULE_DEPTH_MAX} rules, one behind the other"


def _leaves(rule: Rule, rules: Rules, depth: int) -> Iterator[Rule]:
    for name in rule.parts if depth <= limits.RULE_DEPTH_MAX else ():
        part = rules.get(name)
        if part is not None and part.kind is Kind.COMPOSITE and not part.by:
            yield from _leaves(part, rules, depth + 1)
        elif part is not None:
            yield part
