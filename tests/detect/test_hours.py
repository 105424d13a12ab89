"""Opening hours: what passes while somebody is there, over nights, weekends and changes of the clock."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from botwatch.detect.hours import Calendar, Hours

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_US = 3_600_000_000


def hours(**said: object) -> Hours:
    return Hours.model_validate({"days": "mon-fri", "from": "09:00", "to": "17:00", "zone": "Europe/Berlin", **said})


def us(text: str, fold: int = 0) -> int:
    """A time on a wall in Berlin."""
    local = dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)
    return round(local.timestamp() * 1_000_000)


def calendar(found: Hours, low: str = "2026-01-01", high: str = "2026-12-31") -> Calendar:
    return Calendar.of(found, "UTC", us(low), us(high))


def due(found: Hours, at: str, within_h: float) -> int | None:
    return calendar(found).due(us(at), round(within_h * HOUR_US))


def test_within_a_day_over_a_night_and_over_a_weekend() -> None:
    week = hours()
    assert due(week, "2026-01-14T10:00", 2) == us("2026-01-14T12:00")
    assert due(week, "2026-01-14T16:00", 2) == us("2026-01-15T10:00")
    assert due(week, "2026-01-16T16:30", 1) == us("2026-01-19T09:30")  # a Friday
    assert due(week, "2026-01-17T12:00", 1) == us("2026-01-19T10:00")


def test_what_is_due_at_closing_time_is_due_then_and_not_the_next_morning() -> None:
    assert due(hours(), "2026-01-14T15:00", 2) == us("2026-01-14T17:00")
    assert due(hours(), "2026-01-14T17:00", 1) == us("2026-01-15T10:00")
    assert due(hours(), "2026-01-14T08:00", 8) == us("2026-01-14T17:00")


def test_a_day_that_is_closed_does_not_count() -> None:
    assert due(hours(closed=["2026-01-15"]), "2026-01-14T16:00", 2) == us("2026-01-16T10:00")


def test_a_night_shift_is_of_the_day_it_begins_on() -> None:
    nights = hours(days=["fri"], **{"from": "22:00", "to": "06:00"})
    assert due(nights, "2026-01-16T23:00", 4) == us("2026-01-17T03:00")
    assert due(nights, "2026-01-17T05:00", 2) == us("2026-01-23T23:00")


def test_a_night_in_which_the_clock_changes_is_an_hour_shorter_or_longer() -> None:
    nights = hours(days="mon-sun", **{"from": "22:00", "to": "06:00"})
    assert due(nights, "2026-03-28T22:00", 7) == us("2026-03-29T06:00")
    assert due(nights, "2026-10-24T22:00", 9) == us("2026-10-25T06:00")
    assert due(nights, "2026-10-24T22:00", 4.5) == us("2026-10-25T02:30")
    assert due(nights, "2026-10-24T22:00", 5.5) == us("2026-10-25T02:30", fold=1)


def test_a_time_the_clock_skips_or_shows_twice() -> None:
    """Half past two does not exist on the one day, and comes twice on the other: the first counts."""
    early = hours(days="mon-sun", **{"from": "02:30", "to": "04:00"})
    spring, autumn = calendar(early, "2026-03-29", "2026-03-29"), calendar(early, "2026-10-25", "2026-10-25")
    assert spring.passed(us("2026-03-29T12:00")) - spring.passed(us("2026-03-29T00:00")) == HOUR_US // 2
    assert autumn.passed(us("2026-10-25T12:00")) - autumn.passed(us("2026-10-25T00:00")) == 5 * HOUR_US // 2


def test_around_the_clock_is_every_moment() -> None:
    always = hours(days="mon-sun", **{"from": "00:00", "to": "24:00"})
    assert due(always, "2026-03-28T12:00", 24) == us("2026-03-29T13:00")
    assert len(calendar(always).starts) == 1
    assert len(calendar(hours(days="mon-sun", **{"from": "08:00", "to": "08:00"})).starts) == 1


def test_beyond_the_calendar_nothing_is_known() -> None:
    assert calendar(hours()).due(us("2026-12-30T10:00"), 40 * HOUR_US) is None


@settings(max_examples=60)
@given(
    at_m=st.integers(0, 500_000),
    within_m=st.integers(1, 6_000),
    begin=st.integers(0, 1_439),
    end=st.integers(0, 1_440),
    days=st.sets(st.integers(0, 6), min_size=1),
)
def test_as_much_open_time_lies_before_a_deadline_as_was_asked_for(
    at_m: int, within_m: int, begin: int, end: int, days: set[int]
) -> None:
    names = [("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day] for day in days]
    found = Hours.model_validate({"days": names, "from": begin, "to": end, "zone": "America/New_York"})
    at_us, within_us = us("2026-01-01") + at_m * 60_000_000, within_m * 60_000_000
    known = Calendar.of(found, "UTC", us("2026-01-01"), us("2028-01-01"))
    deadline = known.due(at_us, within_us)
    if deadline is None:
        return
    assert known.passed(deadline) - known.passed(at_us) == within_us
    assert known.passed(deadline - 1) - known.passed(at_us) == within_us - 1
    assert deadline - at_us <= known.longest_us(within_us)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("days", "moon"),
        ("days", []),
        ("days", 3),
        ("from", "9"),
        ("from", "25:00"),
        ("from", "09:60"),
        ("from", True),
        ("zone", "Mars/Base"),
        ("zone", "../../etc/passwd"),
        ("closed", ["soon"]),
        ("lunch", "12:00"),
    ],
)
def test_what_no_hours_are(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=r"expected|valid|Extra|less"):
        hours(**{field: value})


def test_yaml_reads_a_time_of_day_as_minutes() -> None:
    assert hours(to=1_050) == hours(to="17:30")
    assert hours(days="fri-mon").days == (4, 5, 6, 0)
