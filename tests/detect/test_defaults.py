from __future__ import annotations

from botwatch.detect import check
from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.rule import Operand, Severity
from botwatch.measure import catalogue

BY_NAME = {rule.name: rule for rule in DEFAULTS}


def test_each_names_measures_labels_and_rules_there_are() -> None:
    assert len(BY_NAME) == len(DEFAULTS) > 10
    assert list(check.problems(DEFAULTS, BY_NAME, [], {})) == []


def test_each_is_on_says_what_to_do_and_is_ours() -> None:
    assert all(rule.message and rule.source == "default" for rule in DEFAULTS)
    off = [rule.name for rule in DEFAULTS if not rule.enabled]
    assert off == ["Jobs are done"]  # it needs workers that tell their spans


def test_the_table_of_important_metrics() -> None:
    table = {
        "Response time": ("response.time", 2_000, 5_000),
        "Error rate": ("action.errors", 0.01, 0.05),
        "CPU usage": ("cpu.usage", 70, 85),
        "Memory usage": ("mem.usage", 75, 85),
        "Queue depth": ("queue.depth", 100, 500),
        "Disk usage": ("disk.usage", 80, 90),
    }
    for what, (field, warning, critical) in table.items():
        high, worse = BY_NAME[f"{what} high"], BY_NAME[f"{what} critical"]
        assert (high.field, high.value, high.severity) == (field, warning, Severity.WARNING)
        assert (worse.field, worse.value, worse.severity) == (field, critical, Severity.CRITICAL)


def test_where_the_catalogue_has_limits_the_rules_have_the_same() -> None:
    pairs = [(rule, BY_NAME[rule.depends_on[0]]) for rule in DEFAULTS if rule.depends_on and not rule.per]
    compared = 0
    for warning, critical in pairs:
        measure = catalogue.find(warning.field)
        limits = measure.thresholds or measure.colours
        if limits is not None:
            compared += 1
            assert (warning.value, critical.value) == (limits.warning, limits.critical)
    assert compared > 8


def test_a_warning_comes_before_its_critical_rule_keeps_quiet_under_it_and_both_end_short_of_where_they_begin() -> None:
    for warning in (rule for rule in DEFAULTS if rule.depends_on):
        critical = BY_NAME[warning.depends_on[0]]
        assert (warning.severity, critical.severity) == (Severity.WARNING, Severity.CRITICAL)
        assert (warning.by, warning.operand) == (critical.by, critical.operand)
        worse = critical.value - warning.value
        assert worse > 0 if warning.operand is Operand.AT_LEAST else worse < 0
        for rule in (warning, critical):
            assert rule.recover is None or (rule.value - rule.recover) * worse > 0


def test_a_service_that_is_down_is_not_told_to_be_degraded_too() -> None:
    down, degraded = BY_NAME["Service is down"], BY_NAME["Service is degraded"]
    assert (down.field, down.operand, down.value, down.severity) == ("service.up", "equalOrLessThan", 0, "critical")
    assert degraded.depends_on == (down.name,)


def test_none_judges_by_a_single_tick_or_a_single_failure() -> None:
    for rule in DEFAULTS:
        assert rule.timeframe + rule.hold >= 60
    for name in ("Error rate high", "Error rate critical"):
        assert (BY_NAME[name].guard, BY_NAME[name].guard_min) == ("action.errors", 5)
    for name in ("Messages unanswered", "Bot does not answer"):
        assert (BY_NAME[name].guard, BY_NAME[name].guard_min > 1) == ("turns.unanswered", True)
    for name in ("Response time high", "Response time critical"):  # one late reply stays in the window so long
        assert BY_NAME[name].hold >= BY_NAME[name].timeframe
