"""Any metric by its name: gauges, sums and distributions, grouped by whatever labels they have."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from botwatch.errors import BadRequest
from tests.measure.facts import T0, Asked, Facts, where

COUNTER = {"metric": "orders", "kind": "cumulative"}


def counter(values: Sequence[float], start_s: int = T0, every_s: int = 10, **rest: object) -> list[dict[str, object]]:
    return [{**COUNTER, "at": start_s + every_s * i + 1, "value": value, **rest} for i, value in enumerate(values)]


async def test_a_gauge_is_averaged_unless_told_otherwise(facts: Facts) -> None:
    facts.points(
        *(
            {"metric": "room.temperature", "at": T0 + 10 * i, "value": value, "labels": {"room": room}}
            for room, values in {"hall": (20, 22, 27), "lab": (5, 7, 9)}.items()
            for i, value in enumerate(values)
        )
    )
    name = "metric:room.temperature"
    assert await facts.one(name) == 15
    assert await facts.value(name, by=("room",)) == {("hall",): 23, ("lab",): 7}
    hall = where(room="hall")
    told = {how: await facts.one(name, where=hall, aggregation=how) for how in ("avg", "last", "min", "max", "count")}
    assert told == {"avg": 23, "last": 27, "min": 20, "max": 27, "count": 3}
    assert await facts.one(name, aggregation="sum") == 30
    facts.points({"metric": "room.temperature", "at": T0 + 5, "value": 0, "labels": {"room": "cellar"}})
    assert await facts.one(name, aggregation="sum") == 30
    assert await facts.value(name, by=("room",), aggregation="last") == {("cellar",): 0, ("hall",): 27, ("lab",): 9}
    assert await facts.line(name, T0, T0 + 40, 10, where=hall) == [20, 22, 27, None]


async def test_deltas_are_added(facts: Facts) -> None:
    facts.points(
        *({"metric": "mails", "kind": "delta", "at": T0 + 10 * i, "value": v} for i, v in enumerate((3, 0, 4)))
    )
    assert await facts.one("metric:mails") == 7
    assert await facts.line("metric:mails", T0, T0 + 30, 10) == [3, 0, 4]
    assert await facts.one("metric:mails", T0, T0 + 20, aggregation="rate") == pytest.approx(3 / 20)


async def test_what_only_grows_is_counted_by_its_growth(facts: Facts) -> None:
    facts.points(*counter([100, 103, 103, 110], bot="grows"))
    asked: Asked = {"where": where(bot="grows")}
    assert await facts.one("metric:orders", **asked) == 10
    assert await facts.line("metric:orders", T0, T0 + 40, 10, **asked) == [0, 3, 0, 7]
    assert await facts.one("metric:orders", T0 + 30, T0 + 40, aggregation="rate", **asked) == pytest.approx(0.7)


async def test_what_came_before_the_window_is_where_growth_begins(facts: Facts) -> None:
    facts.points(*counter([50, 60], bot="before"))
    assert await facts.one("metric:orders", T0 + 10, T0 + 20, where=where(bot="before")) == 10


async def test_a_restart_of_the_sender_is_not_a_fall(facts: Facts) -> None:
    facts.points(*counter([10, 20, 4, 9], bot="restarts"))
    assert await facts.line("metric:orders", T0, T0 + 40, 10, where=where(bot="restarts")) == [0, 10, 0, 5]


async def test_what_was_counted_since_a_restart_counts_when_its_time_is_known(facts: Facts) -> None:
    lives = counter([10, 20], bot="tells", start=T0 - 10_000) + counter([4, 9], T0 + 20, bot="tells", start=T0 + 15)
    facts.points(*lives)
    assert await facts.line("metric:orders", T0, T0 + 40, 10, where=where(bot="tells")) == [0, 10, 4, 5]


async def test_the_first_count_of_a_new_series_is_not_lost(facts: Facts) -> None:
    facts.points(*counter([2, 5], bot="new", start=T0 - 30))
    assert await facts.line("metric:orders", T0, T0 + 20, 10, where=where(bot="new")) == [2, 3]
    # A series that began long before we heard of it begins at what it says.
    facts.points(*counter([9_000, 9_001], bot="old", start=T0 - 5_000))
    assert await facts.line("metric:orders", T0, T0 + 20, 10, where=where(bot="old")) == [0, 1]
    # A start at the time of the first point says that the start is not known.
    facts.points(*counter([700, 703], bot="scraped", start=T0 + 1))
    assert await facts.line("metric:orders", T0, T0 + 20, 10, where=where(bot="scraped")) == [0, 3]


@pytest.mark.parametrize("step_s", [10, 300, 3_600])
async def test_a_restart_within_one_tick_loses_nothing(facts: Facts, step_s: int) -> None:
    bot = f"quick {step_s}"
    before = counter([10, 20], every_s=3, bot=bot, start=T0 - 10_000)
    facts.points(*before, *counter([4, 6], T0 + 6, every_s=1, bot=bot, start=T0 + 5))
    (found,) = await facts.series("metric:orders", T0, T0 + 3_600, step_s, where=where(bot=bot))
    assert found.points[0] == (T0, 16)


async def test_what_was_folded_together_is_not_taken_for_one_series(facts: Facts) -> None:
    folded: Asked = {"bot": "crowd", "series": 0}
    facts.points(*counter([5, 900, 7, 950], **folded))
    facts.points(*counter([5, 6], metric="crowded.mails", kind="delta", **folded))
    assert await facts.one("metric:orders", where=where(bot="crowd")) is None
    assert await facts.one("metric:crowded.mails", where=where(bot="crowd")) == 11


async def test_points_that_come_late_and_twice_are_counted_once(facts: Facts) -> None:
    points = counter([1, 2, 4, 8, 16, 32, 64], bot="late")
    facts.points(*points[:2])
    facts.points(*points[5:])
    facts.points(*points[2:5])
    facts.points(points[3])
    assert await facts.one("metric:orders", where=where(bot="late")) == 63
    assert await facts.one("metric:orders", T0, T0 + 3_600, where=where(bot="late")) == 63


async def test_series_of_one_metric_are_grouped_by_any_label(facts: Facts) -> None:
    for kind, step in (("book", 2), ("pen", 5)):
        facts.points(
            *counter([0, step], bot="sorts", labels={"kind": kind, "odd name/§": "x"}, resource={"zone": "eu"})
        )
    asked: Asked = {"where": where(bot="sorts")}
    assert await facts.value("metric:orders", by=("kind",), **asked) == {("book",): 2, ("pen",): 5}
    assert await facts.value("metric:orders", by=("odd name/§", "bot"), **asked) == {("x", "sorts"): 7}
    assert await facts.value("metric:orders", by=("zone",), **asked) == {("eu",): 7}
    assert await facts.value("metric:orders", by=("nothing",), **asked) == {("",): 7}
    assert await facts.one("metric:orders", where=where(bot="sorts", kind="pen")) == 5
    assert await facts.one("metric:orders", where=where(bot="sorts", zone="us")) is None


async def test_a_metric_that_never_came_has_no_series(facts: Facts) -> None:
    assert await facts.series("metric:never", T0, T0 + 60, 10) == []


async def test_an_aggregation_a_metric_does_not_have_is_refused_and_told(facts: Facts) -> None:
    facts.points({"metric": "level", "at": T0, "value": 1})
    with pytest.raises(BadRequest, match="expected one of avg, last, min, max, count, sum for a gauge, found 'totl'"):
        await facts.one("metric:level", aggregation="totl")


# --- distributions

BOUNDS = [10.0, 20.0, 50.0, 100.0]


def explicit(at: float, buckets: list[int], total: float, **rest: object) -> dict[str, object]:
    point = {"metric": "wait", "kind": "histogram_delta", "bounds": BOUNDS, "buckets": buckets, "sum": total}
    return {"at": at, "count": sum(buckets), **point, **rest}


async def test_a_histogram_has_a_count_a_sum_an_average_and_quantiles(facts: Facts) -> None:
    facts.distributions(explicit(T0, [2, 4, 2, 0, 0], 130), explicit(T0 + 10, [0, 0, 0, 1, 1], 370))
    name = "metric:wait"
    told = {how: await facts.one(name, aggregation=how) for how in ("", "avg", "count", "sum")}
    assert told == {"": 50, "avg": 50, "count": 10, "sum": 500}
    # The 5th of ten lies three quarters into (10, 20], which holds the 3rd to the 6th.
    assert await facts.one(name, aggregation="p50") == pytest.approx(10 + 10 * 3 / 4)
    assert await facts.one(name, aggregation="p90") == pytest.approx(100)
    assert await facts.one(name, aggregation="p99") == 100  # beyond the last edge nothing is known
    assert await facts.one(name, T0, T0 + 10, aggregation="p10") == pytest.approx(4)
    assert await facts.line(name, T0, T0 + 20, 10, aggregation="p50") == [pytest.approx(15), pytest.approx(100)]


async def test_a_cumulative_histogram_counts_what_came_since_the_point_before(facts: Facts) -> None:
    running = {"metric": "held", "kind": "histogram_cumulative", "start": T0 - 5_000}
    facts.distributions(
        explicit(T0 + 1, [100, 0, 0, 0, 0], 500, **running),
        explicit(T0 + 11, [100, 4, 0, 0, 0], 560, **running),
        explicit(T0 + 21, [100, 4, 0, 2, 0], 710, **running),
        # The sender starts again.
        explicit(T0 + 31, [0, 0, 8, 0, 0], 280, **running | {"start": T0 + 25}),
        # And again, without saying so.
        explicit(T0 + 41, [2, 0, 0, 0, 0], 10, **running | {"start": T0 + 25}),
    )
    name = "metric:held"
    assert await facts.one(name, T0 + 40, T0 + 50, aggregation="p50") == 5
    assert await facts.line(name, T0, T0 + 40, 10, aggregation="count") == [0, 4, 2, 8]
    assert await facts.line(name, T0, T0 + 40, 10) == [None, 15, 75, 35]
    assert await facts.line(name, T0, T0 + 40, 10, aggregation="p50") == [None, 15, 75, 35]
    assert await facts.one(name, T0 + 10, T0 + 30, aggregation="p50") == pytest.approx(10 + 10 * 3 / 4)


def exponential(samples: Sequence[float], scale: int) -> dict[str, object]:
    """What an OpenTelemetry SDK makes of samples."""
    place = [math.ceil(math.log2(abs(s)) * 2**scale) - 1 for s in samples if s]

    def side(sign: int) -> tuple[int, list[int]]:
        indexes = [math.ceil(math.log2(abs(s)) * 2**scale) - 1 for s in samples if s * sign > 0]
        if not indexes:
            return 0, []
        low = min(indexes)
        return low, [indexes.count(i) for i in range(low, max(indexes) + 1)]

    assert len(place) <= len(samples)
    (positive_offset, positive), (negative_offset, negative) = side(1), side(-1)
    return {
        "kind": "exponential_delta",
        "scale": scale,
        "count": len(samples),
        "sum": sum(samples),
        "zero_count": samples.count(0),
        "positive_offset": positive_offset,
        "positive": positive,
        "negative_offset": negative_offset,
        "negative": negative,
    }


async def test_quantiles_of_exponential_histograms_are_within_a_bucket(facts: Facts) -> None:
    chance = random.Random(7)
    early = [chance.lognormvariate(3, 1) for _ in range(400)]
    late = [chance.lognormvariate(4, 0.5) for _ in range(400)] + [-2.0] * 50 + [0.0] * 50
    facts.distributions(
        {"metric": "expo", "at": T0, **exponential(early, 5)},
        {"metric": "expo", "at": T0 + 10, "labels": {"coarse": "yes"}, **exponential(late, 3)},
    )
    both = sorted(early + late)
    for q in (1, 10, 50, 90, 99):
        expected = both[math.ceil(q / 100 * len(both)) - 1]
        found = await facts.one("metric:expo", aggregation=f"p{q}")
        assert found == pytest.approx(expected, rel=2 ** (1 / 8) - 1), q


async def test_a_cumulative_exponential_histogram_may_become_coarser(facts: Facts) -> None:
    first, second = [1.5] * 10 + [3.0] * 10, [100.0] * 5
    running = {"metric": "coarser", "start": T0 - 5_000}
    cumulative = {"kind": "exponential_cumulative"}
    facts.distributions(
        {**running, "at": T0 + 1, **exponential(first, 4), **cumulative},
        {**running, "at": T0 + 11, **exponential(first + second, 1), **cumulative},
    )
    assert await facts.one("metric:coarser", T0 + 10, T0 + 20, aggregation="count") == 5
    # All that came in this tick lies in the bucket of 100 at scale 1, (90.5, 128].
    assert await facts.one("metric:coarser", T0 + 10, T0 + 20, aggregation="p50") == pytest.approx(
        90.5 + 37.5 / 2, rel=0.01
    )


async def test_a_summary_tells_the_quantiles_it_was_sent(facts: Facts) -> None:
    sent = {"metric": "brief", "kind": "summary", "start": T0 - 5_000}
    for i, (count, total, p50) in enumerate(((10, 100, 8), (30, 500, 12))):
        quantiles = [{"quantile": 0.5, "value": p50}, {"quantile": 0.99, "value": 90}]
        facts.distributions({**sent, "at": T0 + 10 * i, "count": count, "sum": total, "quantiles": quantiles})
    assert await facts.one("metric:brief", aggregation="p50") == 10
    assert await facts.one("metric:brief", aggregation="p99") == 90
    assert await facts.one("metric:brief", aggregation="p75") is None
    assert await facts.one("metric:brief", aggregation="count") == 20
    assert await facts.one("metric:brief") == 20


async def test_distributions_are_grouped_and_filtered_by_label(facts: Facts) -> None:
    for route, bucket in (("/a", 0), ("/b", 3)):
        buckets = [4 * (i == bucket) for i in range(5)]
        facts.distributions(explicit(T0, buckets, 10, metric="by.route", labels={"route": route}))
    assert await facts.value("metric:by.route", by=("route",), aggregation="p50") == {("/a",): 5, ("/b",): 75}
    assert await facts.one("metric:by.route", where=where(route="/b"), aggregation="count") == 4
