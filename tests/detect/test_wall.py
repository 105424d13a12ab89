"""The same hour is the one that the clocks on the wall show, also where they are put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from botwatch.detect.wall import earlier

HOUR_S = 3_600


def shown(zone: str, at: datetime, hours: int, back: int) -> list[str]:
    """What the clocks show at the hours that are the same ones as these, that long ago."""
    start_s = int(at.timestamp()) - 50 * 24 * HOUR_S
    (found,) = earlier(zone, start_s, (50 * 24, hours), (back,))
    return [f"{datetime.fromtimestamp(start_s + hour * HOUR_S, ZoneInfo(zone)):%d %H:%M}" for hour in found.tolist()]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_where_no_clock_is_changed_it_is_as_long_ago(zone: str) -> None:
    (found,) = earlier(zone, 1_800_000_000, (700, 5), (168,))
    assert found.tolist() == [532, 533, 534, 535, 536]


def test_after_the_clocks_were_put_forward_nine_is_still_nine() -> None:
    monday = datetime(2027, 3, 29, 6, tzinfo=UTC)  # eight in Zurich; on the 28th two became three
    assert shown("Europe/Zurich", monday, 3, 7 * 24) == ["22 08:00", "22 09:00", "22 10:00"]
    assert shown("Europe/Zurich", monday, 1, 3 * 7 * 24) == ["08 08:00"]


def test_after_they_were_put_back_too() -> None:
    monday = datetime(2027, 11, 1, 8, tzinfo=UTC)  # nine in Zurich; on the 31st three became two
    assert shown("Europe/Zurich", monday, 2, 7 * 24) == ["25 09:00", "25 10:00"]
    assert shown("Europe/Zurich", monday, 1, 24) == ["31 09:00"]


def test_on_the_day_itself_each_hour_has_one_before() -> None:
    forward, back = datetime(2027, 3, 28, 0, tzinfo=UTC), datetime(2027, 10, 30, 23, tzinfo=UTC)
    assert shown("Europe/Zurich", forward, 3, 7 * 24) == ["21 01:00", "21 03:00", "21 04:00"]
    assert shown("Europe/Zurich", back, 4, 7 * 24) == ["24 01:00", "24 02:00", "24 02:00", "24 03:00"]


def test_what_lies_before_the_beginning_is_told_so() -> None:
    (found,) = earlier("Europe/Zurich", 0, (99, 3), (100,))
    assert found.tolist() == [-1, 0, 1]
