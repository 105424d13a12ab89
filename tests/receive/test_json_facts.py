from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch.receive.json_facts import level_of, time_ns_of

SECOND = 1_700_000_000
BASE = SECOND * 10**9


@pytest.mark.parametrize(
    ("written", "time_ns"),
    [
        ("2023-11-14T22:13:20Z", BASE),
        ("2023-11-14T22:13:20z", BASE),
        ("2023-11-14T22:13:20", BASE),
        ("2023-11-14 22:13:20", BASE),
        ("2023-11-14 22:13:20 UTC", BASE),
        ("2023-11-14T23:13:20+01:00", BASE),
        ("2023-11-14T17:43:20 -0430", BASE),
        ("20231114T221320Z", BASE),
        ("2023-11-14T22:13:20.5Z", BASE + 500_000_000),
        ("2023-11-14 22:13:20,123", BASE + 123_000_000),
        ("2023-11-14T22:13:20.123456Z", BASE + 123_456_000),
        ("2023-11-14T22:13:20.123456789Z", BASE + 123_456_789),
        ("2023-11-14T22:13:20.1234567+00:00", BASE + 123_456_700),
        ("2023-11-14T22:13:20.123456789012Z", BASE + 123_456_789),
        (SECOND, BASE),
        (SECOND + 0.25, BASE + 250_000_000),
        (SECOND * 1_000, BASE),
        (SECOND * 1_000 + 0.5, BASE + 500_000),
        (SECOND * 10**6, BASE),
        (BASE, BASE),
        (str(SECOND), BASE),
        (f"{SECOND}.25", BASE + 250_000_000),
        (str(BASE), BASE),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
    ids=repr,
)
def test_a_time_is_read(written: Any, time_ns: int) -> None:
    assert time_ns_of(written) == time_ns


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        "12:00:01",
        "2023-13-01",
        "2023-11-14T25:00:00Z",
        "\u0662\u0660\u0662\u0663-01-01",
        "1.5",
        True,
        None,
        [],
        {},
        "9" * 5_000,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_time_is_none(written: Any) -> None:
    assert time_ns_of(written) is None


@given(
    st.text(max_size=40) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.datetimes().map(str)
)
def test_anything_is_a_time_or_none(written: Any) -> None:
    assert isinstance(time_ns_of(written), int | None)


@pytest.mark.parametrize(
    ("written", "name", "severity"),
    [
        ("TRACE", "trace", 1),
        ("debug", "debug", 5),
        (" Info ", "info", 9),
        ("notice", "info", 9),
        ("WARNING", "warn", 13),
        ("err", "error", 17),
        ("CRITICAL", "fatal", 21),
        (10, "trace", 1),
        (20, "debug", 5),
        (30, "info", 9),
        (35, "info", 9),
        (40, "warn", 13),
        (50, "error", 17),
        (60, "fatal", 21),
        ("30", "info", 9),
    ],
    ids=repr,
)
def test_a_level_is_read(written: Any, name: str, severity: int) -> None:
    assert level_of(written) == (name, severity)


@pytest.mark.parametrize(
    "written", ["", "loud", None, True, 3, -1, [], "1" * 10_000, "1.5"], ids=lambda value: repr(value)[:20]
)
def test_what_is_no_level_is_none(written: Any) -> None:
    assert level_of(written) is None
