"""What providers say of their limits, in all their dialects, and in none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch_sdk import _limits
from botwatch_sdk._rates import Announced, Known, announced, pairs, retry_after_s

NOW_S = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        (
            {
                "x-ratelimit-limit-requests": "10000",
                "x-ratelimit-remaining-requests": "9999",
                "x-ratelimit-limit-tokens": "200000",
                "x-ratelimit-remaining-tokens": "199000",
                "x-ratelimit-reset-requests": "6ms",
            },
            [Announced("requests", 10_000, 9_999), Announced("tokens", 200_000, 199_000)],
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-limit": "50000",
                "anthropic-ratelimit-input-tokens-remaining": "49000",
                "anthropic-ratelimit-input-tokens-reset": "2027-01-15T08:01:00Z",
            },
            [Announced("input-tokens", 50_000, 49_000)],
        ),
        ({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "58"}, [Announced("", 60, 58)]),
        ({"x-rate-limit-limit": "15", "x-rate-limit-remaining": "0"}, [Announced("", 15, 0)]),
        ({"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "3"}, [Announced("", 100, 3)]),
        ({"RateLimit": "limit=100, remaining=50, reset=5"}, [Announced("", 100, 50)]),
        ({"RateLimit-Policy": '"default";q=100;w=60', "RateLimit": '"default";r=50;t=30'}, [Announced("", 100, 50)]),
        (
            {"RateLimit-Policy": '"burst";q=100;w=60,"daily";q=1000', "RateLimit": '"burst";r=5;t=3'},
            [Announced("burst", 100, 5), Announced("daily", 1_000, None)],
        ),
        ({"x-ratelimit-limit": "unlimited"}, []),
        ({"x-ratelimit-limit": ""}, []),
        ({"x-ratelimit-reset": "17"}, []),
        ({"x-ratelimit-limit": "9" * 400}, []),
        ({"content-type": "text/html", "x-request-id": "limit"}, []),
    ],
    ids=(
        *("several", "named first", "one", "with a dash", "old draft", "draft in one", "new draft", "policies"),
        *("no number", "empty", "reset alone", "huge", "none"),
    ),
)
def test_limits_are_read_in_every_dialect(headers: dict[str, str], limits: list[Announced]) -> None:
    assert announced(pairs(headers)) == limits
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert announced(pairs(raw)) == limits


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        ("9" * 1_000, None),
        ("Fri, 99 Jan 20270 08:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, NOW_S) == seconds


@given(st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=80)), max_size=20))
def test_hostile_headers_are_read_as_far_as_they_go(headers: list[tuple[bytes, bytes]]) -> None:
    told = [(b"x-ratelimit-limit-" + name, value) for name, value in headers]
    for limit in announced(pairs([*headers, *told])):
        assert limit.limit is None or 0 <= limit.limit < 1e16
        assert len(limit.name) <= _limits.ID_CHARS_MAX
    for _, value in headers:
        found = retry_after_s(value.decode("latin-1"), NOW_S)
        assert found is None or found >= 0


@pytest.mark.parametrize("headers", [None, 7, "x", b"y", object()])
def test_what_are_no_headers_are_none(headers: object) -> None:
    assert list(pairs(headers)) == []


def test_many_headers_are_not_all_read() -> None:
    headers = [("x", "y")] * _limits.HEADERS_MAX + [("x-ratelimit-limit", "5")]
    assert announced(pairs(headers)) == []


def test_a_limit_is_changed_when_a_value_comes_that_was_not_there_lately() -> None:
    known = Known()
    told = [known.changed("llm", "", limit, at_s) for at_s, limit in enumerate((500, 500, 200, 500, 200, 900.0))]
    assert told == [None, None, 500, None, None, 200]
    assert known.changed("llm", "", 200, _limits.LIMIT_SEEN_S + 10) == 900, "long ago is not lately"
    assert known.changed("llm", "tokens", 7, 0) is None, "the first of its kind is no change"


def test_dependencies_without_end_are_bounded() -> None:
    known = Known()
    for number in range(2 * _limits.READING_NAMES_MAX):
        known.changed(f"host {number}", "", 1, 0)
    assert len(known._current) == _limits.READING_NAMES_MAX
    for value in range(1_000):
        known.changed("host 0", "", value, value)
    assert len(known._seen_s[("host 0", "")]) <= _limits.LIMIT_VALUES_MAX
    assert len(known._seen_s) == _limits.READING_NAMES_MAX
