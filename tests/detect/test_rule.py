from __future__ import annotations

import json
from typing import Any

import pytest

from botwatch.detect.problems import Misfits, read_rule
from botwatch.detect.rule import EVERYTHING, Aggregation, Kind, Operand, Rule, default_subject
from botwatch.measure.query import Condition, Op
from tests.detect.botpress import FIELDS, PASTED


def read(**given: Any) -> Rule:
    return read_rule({"name": "x", **given}, "test")


def wrong(**given: Any) -> dict[str, str]:
    """What is wrong with it, by field."""
    with pytest.raises(Misfits) as error:
        read(**given)
    return {problem.field: problem.text for problem in error.value.problems}


class TestBotpress:
    def test_its_first_example_pasted_unchanged_means_what_its_page_says(self) -> None:
        rule = read_rule(json.loads(PASTED[0]), "test")
        assert (rule.name, rule.kind, rule.field) == ("High CPU Usage", Kind.THRESHOLD, "cpu.usage")
        assert (rule.aggregation, rule.operand, rule.value) == (Aggregation.AVG, Operand.AT_LEAST, 60)
        assert (rule.timeframe, rule.cooldown, rule.by) == (120, 60, ("host",))

    def test_its_other_examples_too_without_a_cooldown(self) -> None:
        errors, silence = (read_rule(json.loads(text.removesuffix(",")), "test") for text in PASTED[1:])
        assert (errors.field, errors.aggregation, errors.value, errors.timeframe) == ("errors.count", "sum", 10, 60)
        assert (silence.operand, silence.value, silence.timeframe) == (Operand.AT_MOST, 0, 600)
        assert errors.cooldown == silence.cooldown == 0
        assert errors.by == silence.by == ("host",)

    @pytest.mark.parametrize("field", FIELDS)
    def test_each_of_its_fields_is_a_measure_with_hosts(self, field: str) -> None:
        assert read(field=field, value=1).by == ("host",)

    def test_its_word_for_a_host_is_ours(self) -> None:
        rule = read(field="cpu.usage", value=1, by="hostName", where="hostName=web-1")
        assert rule.by == ("host",)
        assert rule.where == (Condition("host", Op.IS, ("web-1",)),)


class TestSubject:
    @pytest.mark.parametrize(
        ("field", "by"),
        [
            ("cpu.usage", ("host",)),
            ("turns.unanswered", ("host",)),
            ("sessions.active", ("bot",)),
            ("payloads.invalid", ("bot",)),
            ("metric:anything", ("host",)),
            ("no.such.measure", ("host",)),
        ],
    )
    def test_the_host_where_there_is_one_else_the_bot(self, field: str, by: tuple[str, ...]) -> None:
        assert default_subject(field) == by

    def test_a_ratio_has_one_that_both_measures_have(self) -> None:
        assert read(field="action.errors", per="payloads.count", value=1).by == ("bot",)

    def test_everything_is_judged_once(self) -> None:
        assert read(field="cpu.usage", value=1, by="everything").labels == ()
        assert read(field="cpu.usage", value=1, by=["everything"]).by == EVERYTHING

    def test_a_composite_says_it_itself_or_leaves_it_to_its_parts(self) -> None:
        assert read(all=["a", "b"]).by == ()
        assert read(any="a, b", by="bot").by == ("bot",)


class TestKinds:
    def test_the_kind_follows_from_the_fields(self) -> None:
        assert read(field="cpu.usage", value=1).kind is Kind.THRESHOLD
        assert read(field="action.errors", per="action.count", value=1).kind is Kind.RATIO
        assert read(all=["a", "b"]).kind is Kind.COMPOSITE
        assert read(kind="absence", field="bot.seen").kind is Kind.ABSENCE

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"value": 1}, "field"),
            ({"field": "cpu.usage"}, "value"),
            ({"kind": "ratio", "field": "cpu.usage", "value": 1}, "per"),
            ({"kind": "threshold", "field": "cpu.usage", "per": "mem.usage", "value": 1}, "per"),
            ({"kind": "composite"}, "all"),
            ({"all": ["a"], "any": ["b"]}, "all"),
            ({"all": ["a"], "field": "cpu.usage"}, "field"),
            ({"kind": "threshold", "field": "cpu.usage", "value": 1, "any": ["a"]}, "all"),
            ({"all": ["x", "y"]}, "all"),
            ({"field": "cpu.usage", "value": 1, "depends_on": "x"}, "depends_on"),
            ({"field": "cpu.usage", "value": 1, "timeframe": "9s"}, "timeframe"),
            ({"field": "cpu.usage", "value": 80, "recover": 81}, "recover"),
            ({"field": "mem.free", "value": 80, "recover": 79, "operand": "equalOrLessThan"}, "recover"),
        ],
    )
    def test_what_does_not_fit_together_is_told_under_the_field_to_change(
        self, given: dict[str, Any], field: str
    ) -> None:
        assert list(wrong(**given)) == [field]


class TestProblems:
    def test_all_of_them_are_told_at_once_with_what_was_found_and_what_comes_near(self) -> None:
        told = wrong(
            field="cpu.usage",
            aggregation="average",
            operand="equalOrMoreTan",
            value="sixty",
            timeframe="2 moons",
            severity="critcal",
            no_data=7,
            colldown="1m",
            where=["bot"],
            enabled="perhaps",
        )
        assert (
            told["aggregation"] == "expected one of avg, sum, min, max, last, count, found 'average'; did you mean avg?"
        )
        assert "found 'equalOrMoreTan'; did you mean equalOrMoreThan" in told["operand"]
        assert "found 'sixty'" in told["value"]
        assert "found '2 moons'" in told["timeframe"]
        assert "did you mean critical?" in told["severity"]
        assert told["no_data"].endswith("found 7")
        assert told["colldown"] == "rules have no such field; did you mean cooldown?"
        assert told["where"].startswith("expected label=value, label!=value or label~pattern")
        assert "found 'perhaps'" in told["enabled"]
        assert len(told) == 9

    @pytest.mark.parametrize("value", [True, float("inf"), "nan", None, [1], "1,5"])
    def test_a_value_is_a_number(self, value: object) -> None:
        assert list(wrong(field="cpu.usage", value=value)) == ["value"]

    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[31m", "\u202egpj", "\ud800", "x" * 201, 7, None])
    def test_a_name_is_one_readable_line(self, name: object) -> None:
        assert list(wrong(name=name, field="cpu.usage", value=1)) == ["name"]

    @pytest.mark.parametrize("given", [None, 7, "cpu.usage", [1]])
    def test_what_is_no_rule_is_told(self, given: object) -> None:
        with pytest.raises(Misfits, match=r"^file\.json: rule 'number 3': expected a rule with name, field and value"):
            read_rule(given, "file.json", "number 3")

    def test_where_it_came_from_is_not_for_the_rule_to_say(self) -> None:
        assert wrong(field="cpu.usage", value=1, source="default") == {"source": "rules have no such field"}
        assert list(wrong(field="cpu.usage", value=1, hold="1m")) == ["hold"]

    def test_options_are_plain_and_bounded(self) -> None:
        deep: list[Any] = []
        for _ in range(500):
            deep = [deep]
        assert list(wrong(field="cpu.usage", value=1, options={"a": deep})) == ["options"]
        assert list(wrong(field="cpu.usage", value=1, options={"a": "x" * 20_000})) == ["options"]
        assert read(field="cpu.usage", value=1, options={"a": float("nan")}).options == {"a": None}


class TestWritten:
    @pytest.mark.parametrize(
        "where",
        ["bot=shop", "bot!=shop|help", r"action~send_*|a\|b", r"bot=a\|b|c\\d", r"action~\*literal\\", "bot="],
    )
    def test_a_rule_is_read_back_as_it_was(self, where: str) -> None:
        rule = read(field="action.errors", value=1, where=[where], timeframe="90s", **{"for": "5m"})
        written = rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert (written["timeframe"], written["for"]) == ("90s", "5m")
        again = read_rule(json.loads(json.dumps(written)), "test")
        assert again == rule
        assert again.where == rule.where
