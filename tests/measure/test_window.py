"""Which ticks are read: every moment once, the coarsest that still fit, and days where a zone has them."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch.errors import BadRequest
from botwatch.measure.window import TIERS, Kept, Segment, Window, day_starts_s, kept_since, window

DAY_S = 86_400
WHOLE = Kept()
LENGTH = {table: tick_s for tick_s, table in TIERS}


def laid(start_s: int, end_s: int, step_s: int | None = None, zone: str = "UTC", kept: Kept = WHOLE) -> Window:
    return window(start_s, end_s, step_s, kept=kept, zone=zone)


@given(
    st.integers(0, 40 * DAY_S),
    st.integers(1, 3 * DAY_S),
    st.one_of(st.none(), st.integers(60, 9_000).map(lambda n: n * 10)),
    st.integers(0, 5_000),
)
def test_every_moment_is_read_once_and_no_tick_lies_in_two_buckets(
    start_s: int, length_s: int, step_s: int | None, before_s: int
) -> None:
    found = laid(start_s, start_s + length_s, step_s)
    segments = found.segments(before_s)
    assert all(left.end_s == right.start_s for left, right in pairwise(segments))
    assert segments[0].start_s == max(0, found.start_s - before_s) // 10 * 10 or before_s % 10
    assert segments[-1].end_s == found.end_s
    assert (found.start_s, found.end_s) == (start_s // 10 * 10, -(-(start_s + length_s) // 10) * 10)
    edges = set(found.grid.starts[1:])
    for segment in segments:
        tick_s = LENGTH[segment.table]
        if segment.start_s >= found.start_s:
            assert segment.start_s % tick_s == segment.end_s % tick_s == 0
            assert all(edge % tick_s == 0 for edge in edges if segment.start_s < edge < segment.end_s)


def test_the_middle_is_read_from_coarser_ticks_and_the_edges_from_finer_ones() -> None:
    assert laid(7_190, 15_020).segments() == (
        Segment("ticks_10s", 7_190, 7_200),
        Segment("ticks_1h", 7_200, 14_400),
        Segment("ticks_5m", 14_400, 15_000),
        Segment("ticks_10s", 15_000, 15_020),
    )
    assert laid(7_200, 14_400, 300).segments() == (Segment("ticks_5m", 7_200, 14_400),)
    assert laid(7_200, 14_400, 60).segments() == (Segment("ticks_10s", 7_200, 14_400),)


def test_buckets_lie_on_the_grid_and_the_edges_hold_what_is_in_the_window() -> None:
    found = laid(1_000, 1_700, 300)
    assert found.grid.starts == (900, 1_200, 1_500)
    assert [found.seconds(i) for i in range(3)] == [200, 300, 200]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Zurich", dt.date(2025, 3, 30), 23),
        ("Europe/Zurich", dt.date(2025, 10, 26), 25),
        ("America/Sao_Paulo", dt.date(2018, 11, 4), 23),  # midnight itself does not exist
        ("Asia/Kolkata", dt.date(2025, 3, 30), 24),
    ],
)
def test_a_day_begins_where_the_zone_has_it_begin(zone: str, day: dt.date, hours: int) -> None:
    start = day_starts_s(day, zone)
    end = day_starts_s(day + dt.timedelta(days=1), zone)
    assert end - start == hours * 3_600
    found = laid(start - DAY_S, end + DAY_S, DAY_S, zone)
    assert {start, end} <= set(found.grid.starts)
    assert all(dt.datetime.fromtimestamp(s, ZoneInfo(zone)).date().day for s in found.grid.starts)


def test_weeks_begin_on_monday() -> None:
    found = laid(
        day_starts_s(dt.date(2025, 10, 1), "Europe/Zurich"), day_starts_s(dt.date(2025, 10, 20), "Europe/Zurich")
    )
    weeks = laid(found.start_s, found.end_s, 7 * DAY_S, "Europe/Zurich").grid.starts
    days = [dt.datetime.fromtimestamp(s, ZoneInfo("Europe/Zurich")) for s in weeks]
    assert [(day.weekday(), day.hour, day.day) for day in days] == [(0, 0, 29), (0, 0, 6), (0, 0, 13)]


def test_a_zone_off_the_hour_is_read_from_ticks_that_fit_it() -> None:
    tables = {s.table for s in laid(0, 10 * DAY_S, DAY_S, "Asia/Kolkata").segments()}
    assert tables == {"ticks_5m"}
    assert {s.table for s in laid(0, 10 * DAY_S, DAY_S, "UTC").segments()} == {"ticks_1h"}
    old = Kept(ticks_10s_from_s=2**31, ticks_5m_from_s=2**31)
    assert {s.table for s in laid(0, 10 * DAY_S, DAY_S, "Asia/Kolkata", old).segments()} == {"ticks_1h"}


def test_where_finer_ticks_are_gone_the_step_becomes_longer_and_the_edges_move_outward() -> None:
    kept = Kept(ticks_10s_from_s=20 * DAY_S, ticks_5m_from_s=10 * DAY_S)
    assert laid(20 * DAY_S + 70, 20 * DAY_S + 130, 10, kept=kept).grid.step_s == 10
    middle = laid(15 * DAY_S + 70, 15 * DAY_S + 1_000, 10, kept=kept)
    assert (middle.grid.step_s, middle.start_s, middle.end_s) == (300, 15 * DAY_S, 15 * DAY_S + 1_200)
    old = laid(5 * DAY_S + 70, 5 * DAY_S + 1_000, 600, kept=kept)
    assert (old.grid.step_s, old.start_s, old.end_s) == (3_600, 5 * DAY_S, 5 * DAY_S + 3_600)
    assert {s.table for s in old.segments()} == {"ticks_1h"}


def test_what_is_kept_is_told_by_the_earliest_ticks() -> None:
    assert kept_since(0, 0, 0) == Kept()
    # A young store: nothing was dropped, whatever the hour it began at.
    assert kept_since(50 * DAY_S + 70, 50 * DAY_S, 50 * DAY_S) == Kept()
    assert kept_since(50 * DAY_S + 70, 36 * DAY_S, 36 * DAY_S) == Kept(ticks_10s_from_s=50 * DAY_S)
    february_s = int(dt.datetime(2025, 2, 1, tzinfo=dt.UTC).timestamp())
    found = kept_since(february_s + 20 * DAY_S, february_s + 5 * DAY_S, february_s - 9 * DAY_S)
    assert found == Kept(february_s + 20 * DAY_S, february_s)
    assert kept_since(0, 36 * DAY_S, 36 * DAY_S).finest_s(40 * DAY_S) == 300


def test_too_many_steps_are_refused_with_a_step_that_would_do() -> None:
    with pytest.raises(BadRequest, match="259200 steps of 10 s, at most 11000") as refused:
        laid(0, 30 * DAY_S, 10)
    assert refused.value.hint is not None
    enough = int(refused.value.hint.split(" s or more")[0].rsplit(" ", 1)[1])
    assert len(laid(0, 30 * DAY_S, enough).grid.starts) <= 11_000
