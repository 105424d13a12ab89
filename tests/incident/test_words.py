"""What an incident says in one line."""

from __future__ import annotations

import pytest

from botwatch.detect.finding import Reason
from botwatch.detect.rule import Rule
from botwatch.incident import words


def rule(**more: object) -> Rule:
    given: dict[str, object] = {
        "name": "R",
        "field": "cpu.usage",
        "operand": "equalOrMoreThan",
        "value": 70,
        "timeframe": "2m",
    }
    return Rule.model_validate({**given, **more})


@pytest.mark.parametrize(
    ("given", "value", "said"),
    [
        (
            {"for": "3m"},
            83.3273,
            "cpu.usage of host vm: the average over 2 min is 83.3 % for 3 min; 70 % or more is too much",
        ),
        (
            {"field": "response.time", "value": 2000, "message": "Look at its traces."},
            2532.02,
            "response.time of host vm: the average over 2 min is 2.5 s; 2 s or more is too much. Look at its traces.",
        ),
        (
            {"field": "action.errors", "per": "action.count", "kind": "ratio", "aggregation": "sum", "value": 0.05},
            0.0704225,
            "action.errors / action.count of host vm: 7.04 % over 2 min; 5 % or more is too much",
        ),
        (
            {"field": "memory.time_left", "aggregation": "last", "operand": "equalOrLessThan", "value": 14400},
            9001.2,
            "memory.time_left of host vm: the last over 2 min is 2 h 30 min; 4 h or less is too little",
        ),
        (
            {"field": "queue.depth", "value": 500},
            23412.4,
            "queue.depth of host vm: the average over 2 min is 23,412; 500 or more is too much",
        ),
        ({"value": 90}, None, "cpu.usage of host vm: the average over 2 min is unknown; 90 % or more is too much"),
    ],
)
def test_it_says_what_was_found_in_the_unit_of_the_measure(
    given: dict[str, object], value: float | None, said: str
) -> None:
    assert words.opened(rule(**given), {"host": "vm"}, Reason.BREACHED, value) == said


def test_a_contract_says_how_often_it_was_not_kept() -> None:
    options = {"when": "handoff", "then": "message human", "within": "15m"}
    kept = Rule.model_validate({"name": "Handoffs", "kind": "contract", "options": options, "timeframe": "15m"})
    many = kept.model_copy(update={"value": 3.0})
    assert words.opened(kept, {"bot": "shop"}, Reason.BREACHED, 1.0).endswith("shop: 1 was not kept in the last 15 min")
    assert words.opened(many, {}, Reason.BREACHED, 4.0).endswith(
        "4 were not kept in the last 15 min; 3 or more is too much"
    )


def test_what_is_usual_has_separators_and_units() -> None:
    assert (
        str(words.Usual(1204.0, 9876.5, 250, 0, counts=True))
        == "1,204 came in 4 min 10 sec, 9,876 are usual at this time"
    )
    assert str(words.Usual(0.0, 2.34, 600, 0, counts=True)) == "0 came in 10 min, 2.34 are usual at this time"
    assert (
        str(words.Usual(2532.02, 400.0, 600, 0, counts=False, unit="ms"))
        == "2.5 s over 10 min, 400 ms is usual at this time"
    )


def test_the_end_says_the_value_as_the_beginning_did() -> None:
    assert words.resolved(rule(), Reason.RECOVERED, 41.27) == "it is well again: the average over 2 min is 41.3 %"
