"""Values as people read them: what web/src/lib/format.test.ts asks of the pages."""

from __future__ import annotations

import math

import pytest

from botwatch.measure.amounts import axis_writer, told, writer


@pytest.mark.parametrize(
    ("unit", "values", "written"),
    [
        ("count", [0, 890, 9_999, 12_400, 999_960, 1_200_000, None], ["0", "890", "9,999", "12.4K", "1M", "1.2M", "–"]),
        ("ms", [0.25, 782, 999.6, 1_200, 61_000], ["0.25 ms", "782 ms", "1 s", "1.2 s", "1 min 1 sec"]),
        ("seconds", [34, 154, 300, 7_320, 90_000], ["34 sec", "2 min 34 sec", "5 min", "2 h 2 min", "1 d 1 h"]),
        ("percent", [100, 99.9999, 99.5, 70.26, 0.05], ["100 %", "99.99 %", "99.5 %", "70.3 %", "0.05 %"]),
        ("share", [1, 0.0704225, 0.98978], ["100 %", "7.04 %", "98.98 %"]),
        ("per_second", [0.5, 12.34], ["0.5/s", "12.3/s"]),
        ("usd", [0.00123, 5.5, 1_536], ["$0.0012", "$5.5", "$1,536"]),
        ("kib", [1_536], ["1.5 MiB"]),
    ],
)
def test_a_unit_has_its_form(unit: str, values: list[float | None], written: list[str]) -> None:
    assert [writer(unit)(value) for value in values] == written


def test_beside_an_axis_a_time_has_one_unit() -> None:
    assert [axis_writer("ms")(value) for value in (0, 250, 7_200_000)] == ["0", "250 ms", "2 h"]


def test_in_a_sentence_a_count_has_every_figure_and_what_is_not_known_says_so() -> None:
    assert [told(value, "count") for value in (0, 23_412, 23_412.4, 2.346, 0.0312)] == [
        "0",
        "23,412",
        "23,412",
        "2.35",
        "0.031",
    ]
    assert [told(value, "ms") for value in (None, math.nan, math.inf)] == ["unknown"] * 3
