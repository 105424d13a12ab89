"""Marks beside a chart stand at round values, and never break."""

from __future__ import annotations

import zoneinfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from botwatch.measure import amounts
from botwatch.reports import axes
from botwatch.reports.answer import Window
from tests.reports.conftest import NOW_S

ZURICH = zoneinfo.ZoneInfo("Europe/Zurich")


@pytest.mark.parametrize(
    ("high", "unit", "marks"),
    [
        (93, "percent", ["0 %", "25 %", "50 %", "75 %", "100 %"]),
        (1_230, "count", ["0", "500", "1,000"]),
        (340, "seconds", ["0", "2 min", "4 min", "6 min"]),
        (1_800, "ms", ["0", "500 ms", "1 s", "1.5 s"]),
        (0.8, "ms", ["0", "0.2 ms", "0.4 ms", "0.6 ms", "0.8 ms"]),
        (3 * 2**30, "bytes", ["0 B", "1 GiB", "2 GiB", "3 GiB"]),
        (0, "count", ["0", "0.25", "0.5", "0.75", "1"]),
    ],
)
def test_marks_are_round_in_their_unit(high: float, unit: str, marks: list[str]) -> None:
    write = amounts.axis_writer(unit)
    assert [write(mark) for mark in axes.scale([high, None], unit).marks] == marks


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.floats()), st.sampled_from(["count", "ms", "seconds", "bytes", "kib", "usd", "percent"]))
@example([1.8e305], "kib")
def test_no_value_breaks_a_scale(values: list[float | None], unit: str) -> None:
    found = axes.scale(values, unit)
    assert found.low <= 0 <= found.high
    assert found.low < found.high
    assert len(found.marks) <= 20
    assert all(isinstance(amounts.writer(unit)(value), str) for value in (*found.marks, *values))
    assert all(isinstance(amounts.axis_writer(unit)(mark), str) for mark in found.marks)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4_000_000_000), st.integers(60, 400 * 86_400))
def test_no_window_has_more_times_than_there_is_room_for(start_s: int, length_s: int) -> None:
    found = axes.times(Window(start_s, start_s + length_s), ZURICH)
    assert len(found) <= 11
    assert all(start_s <= at_s < start_s + length_s for at_s, _ in found)
    assert sorted(at_s for at_s, _ in found) == [at_s for at_s, _ in found]


def test_times_are_those_of_the_time_zone() -> None:
    assert [told for _, told in axes.times(Window(NOW_S - 86_400, NOW_S), ZURICH)] == [
        "09:00", "12:00", "15:00", "18:00", "21:00", "01-15", "03:00", "06:00",
    ]  # fmt: skip
    days = axes.times(Window(NOW_S - 7 * 86_400, NOW_S), ZURICH)
    assert [told for _, told in days] == [f"01-{day:02}" for day in range(9, 16)]
