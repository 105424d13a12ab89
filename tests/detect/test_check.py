from __future__ import annotations

from typing import Any

import pytest

from botwatch import limits
from botwatch.detect import check
from botwatch.detect.rule import EVERYTHING, Rule


def rule(name: str, **given: Any) -> Rule:
    return Rule.model_validate({"name": name, **given})


def threshold(name: str, **given: Any) -> Rule:
    return rule(name, **{"field": "cpu.usage", "value": 1, **given})


def book(*rules: Rule) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}


class TestAlone:
    @pytest.mark.parametrize(
        ("given", "field", "text"),
        [
            ({"field": "cpu.usge"}, "field", "there is no measure 'cpu.usge'; did you mean cpu.usage"),
            ({"per": "mem.usag"}, "per", "there is no measure 'mem.usag'; did you mean mem.usage"),
            ({"guard": "action.cont"}, "guard", "did you mean action.count"),
            ({"field": "cpu.usage.gauge"}, "field", "there is no measure 'cpu.usage.gauge'"),
            ({"field": "metric:"}, "field", "expected the name of a metric behind metric:, found none"),
            ({"by": "hots"}, "by", "cpu.usage has no label 'hots'; did you mean host?"),
            ({"where": ["bots=shop"]}, "where", "cpu.usage has no label 'bots'; did you mean bot?"),
            ({"by": "host,cpu", "guard": "action.count"}, "by", "action.count has no label 'cpu'"),
        ],
    )
    def test_what_there_is_not_is_named_with_what_comes_near(
        self, given: dict[str, Any], field: str, text: str
    ) -> None:
        found = list(check.alone(threshold("x", **given)))
        assert [place for place, _ in found] == [field]
        assert text in found[0][1]

    def test_a_kind_that_nothing_judges_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(check, "DETECTORS", {"ratio": None})
        assert list(check.alone(threshold("x"))) == [
            ("kind", "threshold rules are not judged by this version; expected one of ratio"),
        ]

    def test_a_metric_takes_any_label(self) -> None:
        assert list(check.alone(threshold("x", field="metric:own.thing", by="bot,anything", where="shop=a"))) == []


class TestAmong:
    def test_rules_that_are_named_are_there(self) -> None:
        one, both = threshold("CPU high", depends_on="CPU hgh"), rule("both", all=["CPU high", "Memory hihg"])
        known = book(one, both, threshold("Memory high"))
        assert list(check.among(one, known)) == [
            ("depends_on", "there is no rule 'CPU hgh'; did you mean CPU high?"),
        ]
        assert list(check.among(both, known)) == [
            ("all", "there is no rule 'Memory hihg'; did you mean Memory high?"),
        ]

    def test_channels_are_checked_where_they_are_known(self) -> None:
        one = threshold("x", notify="slak, mail")
        assert list(check.among(one, book(one))) == []
        assert list(check.among(one, book(one), ["slack", "mail"])) == [
            ("notify", "there is no channel 'slak'; did you mean slack?"),
        ]
        assert "there are no channels yet" in next(check.among(one, book(one), []))[1]

    @pytest.mark.parametrize("length", [2, 3, limits.RULE_DEPTH_MAX])
    def test_no_rule_leads_back_to_itself(self, length: int) -> None:
        rules = [rule(f"r{n}", all=[f"r{(n + 1) % length}", "leaf"]) for n in range(length)]
        known = book(*rules, threshold("leaf"))
        assert all(["leads back to" in text for _, text in check.among(one, known)] == [True] for one in rules)
        rules = [threshold(f"r{n}", depends_on=f"r{(n + 1) % length}") for n in range(length)]
        assert all(check.circular(one, book(*rules)) for one in rules)

    def test_rules_are_nested_so_deep_and_no_deeper(self) -> None:
        def nested(depth: int) -> list[tuple[str, str]]:
            rules = [rule(f"r{n}", any=[f"r{n + 1}"]) for n in range(depth)]
            return list(check.among(rules[0], book(*rules, threshold(f"r{depth}"))))

        assert nested(limits.RULE_DEPTH_MAX) == []
        assert "one behind the other" in nested(limits.RULE_DEPTH_MAX + 2)[0][1]

    def test_two_ways_to_one_rule_are_no_circle(self) -> None:
        rules = [rule("top", all=["a", "b"]), rule("a", any=["leaf"]), rule("b", any=["leaf"]), threshold("leaf")]
        assert list(check.among(rules[0], book(*rules))) == []

    def test_a_composite_is_judged_by_labels_one_of_its_parts_has(self) -> None:
        known = book(threshold("host"), threshold("all", by="everything"))
        assert list(check.among(rule("x", all=["host", "all"], by="host"), known)) == []
        assert list(check.among(rule("x", all=["host", "all"], by="bot"), known)) == [
            ("by", "none of the rules it names is judged by bot"),
        ]


class TestSettled:
    def test_a_composite_has_the_labels_its_parts_share(self) -> None:
        a, b = threshold("a", by="bot,host"), threshold("b", by="host")
        inner, outer = rule("inner", any=["a", "b"]), rule("outer", all=["inner", "a"])
        known = book(a, b, inner, outer)
        assert check.settled(inner, known).by == ("host",)
        assert check.settled(outer, known).by == ("host",)
        assert check.settled(rule("x", all=["a", "c"]), book(a, threshold("c", by="cpu"))).by == EVERYTHING
        assert check.settled(rule("x", all=["a", "b"], by="bot"), known).by == ("bot",)
        assert check.settled(a, known) is a


class TestCost:
    def test_rules_over_one_series_cost_one_question(self) -> None:
        many = book(*(threshold(f"r{n}", field="action.errors", value=n) for n in range(100)))
        assert check.cost(many, many) == check.Cost(rules=100, series=1, statements=2)

    def test_series_of_one_source_share_a_statement_and_other_groups_do_not(self) -> None:
        same = book(
            *(threshold(field, field=field, by="bot") for field in ("action.error_rate", "action.latency")),
        )
        assert check.cost(same, same).statements == 1
        other = same | book(threshold("x", field="action.latency", by="bot,action"))
        assert check.cost(other, other).statements == 2

    def test_what_is_disabled_costs_nothing_unless_it_is_a_part(self) -> None:
        part = threshold("part", enabled=False)
        assert check.cost(book(part), book(part)).series == 0
        whole = rule("whole", all=["part"])
        assert check.cost(book(whole), book(part, whole)).series == 1

    def test_what_cannot_be_asked_costs_nothing(self) -> None:
        broken = book(
            threshold("a", field="no.such"),
            threshold("b", by="nope"),
            threshold("c", where="nope=1"),
            rule("d", all=["gone"]),
        )
        assert check.cost(broken, broken).statements == 0
