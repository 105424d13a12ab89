"""Contracts as people write them, and what is wrong with those that cannot be kept."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.detect import check
from botwatch.detect.contract import Outcome, due_us, outcome, read
from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.judge import needs
from botwatch.detect.problems import Misfits, read_rule
from botwatch.detect.rule import Kind
from botwatch.measure.query import Condition, Op

SLA: dict[str, Any] = {"when": "handoff", "then": "message human", "within": "15m"}


def problems(**options: Any) -> str:
    with pytest.raises(Misfits) as caught:
        read_rule({"name": "c", "kind": "contract", "options": options}, "api")
    (found,) = caught.value.problems
    assert found.field == "options"
    return found.text


def test_what_a_contract_leaves_out_is_none_may_be_breached() -> None:
    rule = read_rule({"name": "c", "kind": "contract", "options": SLA}, "api")
    assert (rule.field, rule.aggregation, rule.operand, rule.value) == (
        "contract.breached",
        "sum",
        "equalOrMoreThan",
        1,
    )
    assert rule.by == ("bot", "channel")
    assert list(check.alone(rule)) == []


def test_it_is_judged_by_its_own_outcomes_alone() -> None:
    rule = read_rule({"name": "c", "kind": "contract", "options": SLA, "where": "bot=shop"}, "api")
    (need,) = needs(rule, {"c": rule})
    own = Condition("contract", Op.IS, ("c",))
    assert need.where == rule.where == (Condition("bot", Op.IS, ("shop",)), own)
    written = rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert read_rule(written, "api") == rule
    renamed = read_rule({**written, "name": "a|b\\c"}, "api")
    assert renamed.where[-1] == Condition("contract", Op.IS, ("a|b\\c",))
    assert read_rule(renamed.model_dump(mode="json", by_alias=True), "api") == renamed


def test_its_rate_can_be_judged_instead() -> None:
    given = {"name": "c", "kind": "contract", "options": SLA, "field": "contract.rate"}
    rule = read_rule({**given, "operand": "equalOrLessThan", "value": 95, "by": "bot"}, "api")
    assert list(check.alone(rule)) == []
    with pytest.raises(Misfits, match="value: expected the number"):
        read_rule(given, "api")
    with pytest.raises(Misfits, match=r"its own measures, contract\.\*; found 'cpu.usage'"):
        read_rule({**given, "field": "cpu.usage", "value": 1}, "api")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "expected when, then and within; when is missing"),
        ({**SLA, "when": "smoke signal"}, "when: expected message in"),
        ({**SLA, "when": "message"}, "when: expected message in"),
        ({**SLA, "when": "message up"}, "when: expected message in"),
        ({**SLA, "when": 5}, "when: expected message in"),
        ({**SLA, "when": {"what": "event x", "name": "y"}}, "when: expected message in"),
        ({**SLA, "when": {"what": "message in", "where": {"a": "b"}}}, "when: messages have no attributes"),
        ({**SLA, "then": []}, "then: "),
        ({**SLA, "then": ["message human", "nothing"]}, "then.1: expected message in"),
        ({**SLA, "within": "soon"}, "within: expected a duration"),
        ({**SLA, "within": 0}, "within: "),
        ({**SLA, "within": "40d"}, "within: "),
        ({**SLA, "same": "user"}, "same: "),
        ({**SLA, "same": "job"}, "same job joins put and done, and nothing else"),
        ({**SLA, "when": "put mails"}, "same job joins put and done, and nothing else"),
        ({**SLA, "when": "expected", "then": "message out"}, "same expected joins expected and met"),
        ({**SLA, "then": "met"}, "what is met is what was expected"),
        ({**SLA, "terms": [{"bot": "shop"}]}, "terms.0: expected a bot or a channel"),
        ({**SLA, "terms": [{"within": "1m"}]}, "terms.0: expected a bot or a channel"),
        ({**SLA, "terms": [{"bot": "shop", "hours": {"days": "mon"}}]}, "terms.0.hours.from is missing"),
        ({**SLA, "hours": {"from": "09:00", "to": "09:01", "days": "mon"}, "within": "1d"}, "hours: they are so few"),
        ({**SLA, "wthin": "1m"}, "wthin: "),
    ],
)
def test_what_cannot_be_kept_is_told_with_its_place(options: dict[str, Any], told: str) -> None:
    assert told in problems(**options)


def test_a_job_and_an_expectation_are_joined_by_their_own_names() -> None:
    assert read({"when": "put mails", "then": "done mails", "within": "1m"}).same == "job"
    assert read({"when": "expected refund", "then": "met", "within": "1m"}).same == "expected"
    assert read({"when": "put *", "then": "event x", "within": "1m", "same": "trace"}).same == "trace"


def test_the_first_term_that_fits_counts_and_takes_over_what_it_does_not_say() -> None:
    hours = {"from": "09:00", "to": "17:00"}
    terms = [{"bot": "shop", "channel": "chat", "within": "1m"}, {"channel": "chat", "hours": hours}]
    found = read({**SLA, "terms": terms})
    assert found.terms_of("shop", "chat").within_s == 60
    other = found.terms_of("other", "chat")
    assert (other.within_s, other.hours is not None) == (900, True)
    assert found.terms_of("other", "mail").hours is None


def test_anything_that_decides_makes_another_edition() -> None:
    found = read(SLA)
    editions = {
        found.edition("c", "UTC"),
        found.edition("d", "UTC"),
        found.edition("c", "Asia/Tokyo"),
        read({**SLA, "within": "16m"}).edition("c", "UTC"),
        read({**SLA, "then": ["message human", "message out"]}).edition("c", "UTC"),
    }
    assert len(editions) == 5
    assert found.edition("c", "UTC") == read({**SLA, "within": 900}).edition("c", "UTC")


@pytest.mark.parametrize(
    ("followed", "now", "expected"),
    [
        (None, 99, None),
        (None, 100, Outcome.BREACHED),
        (100, 100, Outcome.KEPT),
        (50, 60, Outcome.KEPT),
        (101, 200, Outcome.LATE),
        (150, 200, Outcome.LATE),
        (151, 200, Outcome.BREACHED),
        (101, 99, None),
    ],
)
def test_what_became_of_it(followed: int | None, now: int, expected: Outcome | None) -> None:
    assert outcome(followed, 100, now, 50) == expected


def test_without_hours_a_deadline_is_a_sum() -> None:
    terms = read(SLA).terms_of("b", "c")
    assert due_us(7, terms, terms.calendar("UTC", 0, 0)) == 7 + 900 * 1_000_000


def test_those_that_are_ready_made_can_be_read_and_say_where_to_look() -> None:
    ready = {rule.name: rule for rule in DEFAULTS if rule.kind is Kind.CONTRACT}
    assert set(ready) == {"Handoffs reach a human", "Expectations are met", "Jobs are done"}
    assert {name: rule.enabled for name, rule in ready.items()} == dict.fromkeys(ready, True) | {"Jobs are done": False}
    assert all("breaches" in rule.message and read(rule.options) for rule in ready.values())
