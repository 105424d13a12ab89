"""What can be asked, how it is written, and what a mistake is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch import limits
from botwatch.errors import BadRequest
from botwatch.measure.query import (
    Condition,
    Op,
    Query,
    like,
    parse_condition,
    parse_conditions,
    parse_duration_s,
    parse_labels,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bot=shop", Condition("bot", Op.IS, ("shop",))),
        ("bot=shop|help", Condition("bot", Op.IS, ("shop", "help"))),
        ("bot!=shop", Condition("bot", Op.IS_NOT, ("shop",))),
        ("action~send_*", Condition("action", Op.LIKE, ("send_*",))),
        ("action=a=b!=c", Condition("action", Op.IS, ("a=b!=c",))),
        ("channel=", Condition("channel", Op.IS, ("",))),
        (r"action=a\|b|c\\", Condition("action", Op.IS, ("a|b", "c\\"))),
        (r"action~a\*|b\|c", Condition("action", Op.LIKE, (r"a\*", "b|c"))),
        ("bot.queue.name=mail out", Condition("bot.queue.name", Op.IS, ("mail out",))),
    ],
)
def test_a_condition_is_a_label_an_operator_and_values(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize("text", ["", "bot", "=shop", "bot<3", "bot!shop"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="expected label=value, label!=value or label~pattern"):
        parse_conditions([text])


@given(st.text(max_size=20))
def test_any_value_can_be_written(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace("|", "\\|")
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    assert parse_condition(f"bot={escaped}").values == (value,)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("send_*", "send\\_%"), ("a?c", "a_c"), ("50%", "50\\%"), (r"\*\?", "*?"), ("a\\", "a\\\\"), (r"\\n", "\\\\n")],
)
def test_a_pattern_becomes_like(pattern: str, expected: str) -> None:
    assert like(pattern) == expected


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5m", "1.5h", "5 minutes", "9999999999s", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="expected a duration such as 30s"):
        parse_duration_s(text)


def test_labels_are_parted_by_commas() -> None:
    assert parse_labels("bot, host,bot.queue.name") == ("bot", "host", "bot.queue.name")
    assert parse_labels("") == ()
    with pytest.raises(BadRequest, match="parted by commas"):
        parse_labels("bot;host")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"measure": ""}, "a measure of 1 to"),
        ({"measure": "x" * 2_000}, "found 2000"),
        ({"start_s": 100, "end_s": 100}, "ends after it starts"),
        ({"start_s": -10}, "ends after it starts"),
        ({"end_s": 2**32}, "between 0 and 4294967295"),
        ({"end_s": 4_000 * 86_400}, "at most 3650 days"),
        ({"step_s": 15}, "whole ticks of 10 s, found 15 s"),
        ({"step_s": 0}, "whole ticks of 10 s, found 0 s"),
        ({"by": ("bot", "bot")}, "different labels"),
        ({"by": tuple("abcdefghi")}, "at most 8 different labels"),
        ({"where": (Condition("bot", Op.IS, ("x",)),) * 17}, "at most 16 conditions, found 17"),
        ({"by": ("\ud800",)}, "half a surrogate pair"),
    ],
)
def test_a_question_that_cannot_be_is_refused(asked: dict[str, object], told: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Query(**{"measure": "messages.in", "start_s": 0, "end_s": 1_000, **asked})  # type: ignore[arg-type]
    assert told in refused.value.message


def test_a_condition_has_bounds() -> None:
    for values in ((), ("x",) * (limits.MEASURE_CONDITION_VALUES_MAX + 1), ("\udcff",), ("x" * 2_000,)):
        with pytest.raises(BadRequest):
            Condition("bot", Op.IS, values)
