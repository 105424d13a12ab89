from __future__ import annotations

import math
from typing import Any

import pytest

from botwatch.nouns import Refusal, Signal
from botwatch.receive import otlp
from botwatch.receive.check_points import check
from tests.receive.parts import NOW_NS, TOO_FAR_AHEAD_NS, TOO_LATE_NS, items_of, metric, point, request, terms

TERMS = terms(Signal.POINTS)
BARE = {"time_unix_nano": NOW_NS}
KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


def a_point(kind: str, **fields: Any) -> dict[str, Any]:
    return point(**fields) if kind in ("gauge", "sum") else BARE | fields


def points_in(message: Any) -> list[Any]:
    metrics = items_of(otlp.POINTS, message)
    return [found for one in metrics for found in getattr(one, one.WhichOneof("data")).data_points]


def test_all_five_kinds_are_kept() -> None:
    message = request(otlp.POINTS, *(metric(kind, a_point(kind), a_point(kind)) for kind in KINDS))
    tally = check(message, TERMS)
    assert (tally.items, tally.rejected, tally.dedup) == (10, {}, True)
    assert len(points_in(message)) == 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("time_ns", [TOO_LATE_NS, TOO_FAR_AHEAD_NS])
def test_a_point_of_another_time_is_refused_in_every_kind(kind: str, time_ns: int) -> None:
    message = request(
        otlp.POINTS,
        metric("gauge", point()),
        metric(kind, a_point(kind), a_point(kind, time_unix_nano=time_ns), a_point(kind)),
    )
    tally = check(message, TERMS)
    assert (tally.items, tally.rejected) == (3, {Refusal.CLOCK: 1})
    assert len(points_in(message)) == 3


def test_a_point_without_a_time_gets_the_time_it_came() -> None:
    message = request(otlp.POINTS, metric("sum", point(), point(time_unix_nano=0)))
    tally = check(message, TERMS)
    assert (tally.items, tally.rejected, tally.dedup) == (2, {}, False)
    assert [found.time_unix_nano for found in points_in(message)] == [NOW_NS, NOW_NS]


@pytest.mark.parametrize("kind", ["gauge", "sum"])
def test_a_point_without_a_value_is_refused_unless_it_says_so(kind: str) -> None:
    message = request(otlp.POINTS, metric(kind, dict(BARE), BARE | {"flags": 1}, BARE | {"as_int": 0}))
    tally = check(message, TERMS)
    assert (tally.items, tally.rejected) == (2, {Refusal.EMPTY_METRIC: 1})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0])
def test_odd_numbers_are_numbers(value: float) -> None:
    tally = check(request(otlp.POINTS, metric("gauge", point(as_double=value))), TERMS)
    assert (tally.items, tally.rejected) == (1, {})


@pytest.mark.parametrize(
    ("buckets", "bounds", "kept"),
    [(3, 2, True), (1, 0, True), (0, 0, True), (2, 2, False), (0, 1, False), (1, 1, False), (4, 2, False)],
)
def test_a_histogram_has_one_bucket_more_than_bounds_or_neither(buckets: int, bounds: int, *, kept: bool) -> None:
    odd = BARE | {"bucket_counts": [1] * buckets, "explicit_bounds": range(bounds)}
    even = BARE | {"bucket_counts": [1, 1], "explicit_bounds": [5.0]}
    tally = check(request(otlp.POINTS, metric("histogram", even, odd)), TERMS)
    assert (tally.items, tally.rejected) == ((2, {}) if kept else (1, {Refusal.INVALID: 1}))


def test_a_metric_without_points_has_nothing_to_keep_or_refuse() -> None:
    message = request(otlp.POINTS, {"name": "no.data"}, metric("gauge"), metric("gauge", point()))
    tally = check(message, TERMS)
    assert (tally.items, tally.rejected) == (1, {})
