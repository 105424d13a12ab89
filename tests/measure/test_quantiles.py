"""Quantiles of durations are within 1 % of the samples they are told of."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch.measure.entries.expressions import BUCKET_GROWTH
from tests.measure.facts import T0, Facts, where

SHAPES: dict[str, Callable[[random.Random], float]] = {
    "lognormal": lambda chance: chance.lognormvariate(5, 1.2),
    "uniform": lambda chance: chance.uniform(1, 2_000),
    "two humps": lambda chance: chance.gauss(20, 2) if chance.random() < 0.7 else chance.gauss(900, 50),
    "tiny": lambda chance: chance.uniform(0.001, 0.01),
    "hours": lambda chance: chance.expovariate(1 / 7_200_000),
}


def nearest(samples: list[float], q: float) -> float:
    return sorted(samples)[math.floor(q * (len(samples) - 1) + 0.5)]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_quantile_is_within_one_percent_of_the_sample(facts: Facts, shape: str) -> None:
    chance = random.Random(shape)
    # The table keeps whole nanoseconds: those are the samples.
    samples = [round(abs(SHAPES[shape](chance)) * 1e6) / 1e6 for _ in range(3_001)]
    facts.spans(*({"at": T0 + i, "ms": ms, "action": shape} for i, ms in enumerate(samples)))
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        found = await facts.one(f"action.latency.{name}", where=where(action=shape))
        assert found == pytest.approx(nearest(samples, q), rel=0.01), name


async def test_one_sample_is_every_quantile(facts: Facts) -> None:
    facts.spans({"at": T0, "ms": 137, "action": "once"})
    for name in ("p50", "p95", "p99"):
        assert await facts.one(f"action.latency.{name}", where=where(action="once")) == pytest.approx(137, rel=0.01)


async def test_what_took_no_time_took_zero(facts: Facts) -> None:
    facts.spans(*({"at": T0, "ms": 0, "action": "idle"} for _ in range(3)), {"at": T0, "ms": 50, "action": "idle"})
    assert await facts.one("action.latency.p50", where=where(action="idle")) == 0
    assert await facts.one("action.latency.p99", where=where(action="idle")) == pytest.approx(50, rel=0.01)


@given(st.floats(1e-6, 1e12))
def test_the_middle_of_a_bucket_is_within_one_percent_of_all_it_holds(ms: float) -> None:
    bucket = math.floor(math.log(ms) / math.log(BUCKET_GROWTH))
    middle = 2 * BUCKET_GROWTH / (1 + BUCKET_GROWTH) * BUCKET_GROWTH**bucket
    assert middle == pytest.approx(ms, rel=0.01)
