from __future__ import annotations

import pytest

from botwatch.detect.durations import duration_s, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        # What the readme of `ms` shows, as far as it is not below zero.
        ("2 days", 172_800),
        ("1d", 86_400),
        ("10h", 36_000),
        ("2.5 hrs", 9_000),
        ("2h", 7_200),
        ("1m", 60),
        ("5s", 5),
        ("1y", 31_557_600),
        ("2 minutes", 120),
        ("10 s", 10),
        ("1 Hour", 3_600),
        ("3 weeks", 1_814_400),
        (".5m", 30),
        ("60000", 60),  # milliseconds, where no unit is said
        ("5000 ms", 5),
        (" 2m ", 120),
        (90, 90),
        (90.0, 90),
        ("0", 0),
    ],
)
def test_durations_are_read_as_botpress_reads_them(text: object, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "m", "2 moons", "-1h", "1h30m", "1e3s", "٣m", "9" * 40, "1" * 13 + "s", "2m\x00"),
        True,
        None,
        -1,
        float("nan"),
        [],
        {},
    ],
)
def test_what_is_no_duration_says_what_one_is(text: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration such as '30s', '2m', '1.5h' or '10 minutes', found"):
        duration_s(text)


@pytest.mark.parametrize("text", ["90", "1.5s", 0.5])
def test_parts_of_a_second_are_not_rounded_away(text: object) -> None:
    with pytest.raises(ValueError, match="expected whole seconds, found"):
        duration_s(text)


@pytest.mark.parametrize("seconds", [0, 1, 59, 60, 90, 3_600, 5_400, 86_400, 90_000, 31 * 86_400])
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert duration_s(written(seconds)) == seconds


def test_the_longest_exact_unit_is_written() -> None:
    assert [written(s) for s in (120, 90, 7_200, 172_800)] == ["2m", "90s", "2h", "2d"]
