"""Small worlds made at random, measured by the engine and by a few lines of Python."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botwatch.measure.query import Condition, Op, Query
from tests.measure.facts import T0, Facts

_worlds = count()


@dataclass(frozen=True)
class Done:
    at: int
    ms: int
    host: str
    action: str
    failed: bool


dones = st.lists(
    st.builds(
        Done,
        st.integers(0, 7_500),
        st.integers(0, 5_000),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["greet", "say 'hi'", "per%cent", "under_score", ""]),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)
conditions = st.builds(
    Condition,
    st.sampled_from(["host", "action"]),
    st.sampled_from([Op.IS, Op.IS_NOT]),
    st.lists(st.sampled_from(["a", "b", "greet", "say 'hi'", "per%cent"]), min_size=1, max_size=2).map(tuple),
)


def holds(done: Done, condition: Condition) -> bool:
    return (getattr(done, condition.label) in condition.values) is (condition.op is Op.IS)


VALUES: dict[str, Callable[[Sequence[Done]], float | None]] = {
    "action.count": len,
    "action.errors": lambda rows: sum(row.failed for row in rows),
    "action.error_rate": lambda rows: 100 * sum(row.failed for row in rows) / len(rows) if rows else None,
    "action.latency": lambda rows: sum(row.ms for row in rows) / len(rows) if rows else None,
}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dones,
    st.lists(conditions, max_size=2).map(tuple),
    st.sampled_from([(), ("action",), ("host",), ("host", "action")]),
    st.integers(0, 500),
    st.integers(1, 700),
    st.sampled_from([None, 10, 60, 300, 900, 3_600]),
)
async def test_the_engine_and_python_agree(
    facts: Facts,
    world: list[Done],
    where: tuple[Condition, ...],
    by: tuple[str, ...],
    start_ticks: int,
    length_ticks: int,
    step_s: int | None,
) -> None:
    bot = f"w{next(_worlds)}"
    facts.spans(
        *(
            {"bot": bot, "at": T0 + d.at, "ms": d.ms, "host": d.host, "action": d.action}
            | ({"status": "error", "failure": "error"} if d.failed else {})
            for d in world
        )
    )
    start_s, end_s = T0 + 10 * start_ticks, T0 + 10 * (start_ticks + length_ticks)
    only = (Condition("bot", Op.IS, (bot,)), *where)
    answers = await facts.measures.many([Query(name, start_s, end_s, step_s, by, only) for name in VALUES])
    counted = [d for d in world if d.action and start_s <= T0 + d.at < end_s]
    # A bot is seen where any of its rows are, by host where those of the host are; conditions on actions hide nothing.
    hosts = [c for c in where if c.label == "host"]
    alive = [d for d in counted if all(holds(d, c) for c in hosts)]
    chosen = [d for d in counted if all(holds(d, c) for c in where)]
    for (name, compute), answer in zip(VALUES.items(), answers, strict=True):
        assert isinstance(answer, list), answer
        found = {
            (tuple(series.labels.values()), start): value
            for series in answer
            for start, value in series.points
            if value is not None
        }
        is_count = name in ("action.count", "action.errors")
        assert found == pytest.approx(expected(compute, chosen, alive if is_count else [], by, step_s, start_s)), name


def expected(
    compute: Callable[[Sequence[Done]], float | None],
    chosen: Sequence[Done],
    alive: Sequence[Done],
    by: tuple[str, ...],
    step_s: int | None,
    start_s: int,
) -> dict[tuple[tuple[str, ...], int], float]:
    def bucket(done: Done) -> int:
        return start_s if step_s is None else (T0 + done.at) // step_s * step_s

    def group(done: Done, labels: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(getattr(done, label) for label in labels)

    rows = defaultdict(list)
    for done in chosen:
        rows[group(done, by), bucket(done)].append(done)
    values = {key: value for key, found in rows.items() if (value := compute(found)) is not None}
    told = tuple(label for label in by if label == "host")
    lives = {(group(done, told), bucket(done)) for done in alive}
    groups = {group(done, by) for done in chosen}
    groups |= {group(done, by) for done in alive} if by == told else set()
    for key in groups:
        at = tuple(value for label, value in zip(by, key, strict=True) if label == "host")
        for seen, start in lives:
            if seen == at:
                values.setdefault((key, start), 0)
    return values


growths = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)), min_size=1, max_size=40)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(growths, st.integers(1, 5), st.sampled_from([10, 300, None]), st.randoms(use_true_random=False))
async def test_a_counter_is_the_sum_of_its_steps_however_it_arrives(
    facts: Facts, steps: list[tuple[int, int]], batches: int, step_s: int | None, chance: random.Random
) -> None:
    """Each step is (seconds since the one before, growth); the points come in batches, in any order of them."""
    at, value, points = T0 + 100, 1_000, [(T0 + 100, 1_000)]
    sums: dict[int, float] = defaultdict(float)
    for after, growth in steps:
        at, value = at + after, value + growth
        points.append((at, value))
        sums[T0 if step_s is None else at // step_s * step_s] += growth
    found = await _counted(facts, [(*point, T0 - 90_000) for point in points], batches, step_s, chance)
    assert found == {start: growth for start, growth in sums.items() if growth}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(growths, st.integers(1, 3))
async def test_a_counter_that_starts_again_now_and_then_loses_nothing(
    facts: Facts, steps: list[tuple[int, int]], batches: int
) -> None:
    """Every fifth step is a restart, which takes its sender 20 seconds."""
    at, value, start = T0 + 100, 1_000, T0 - 90_000
    points, sums = [(at, value, start)], defaultdict[int, float](float)
    for i, (after, growth) in enumerate(steps):
        if i % 5 == 4:
            at, value, start = at + 20, 0, at + 19
        at, value = at + after, value + growth
        points.append((at, value, start))
        sums[at // 10 * 10] += growth
    found = await _counted(facts, points, batches, 10, None)
    assert found == {start: growth for start, growth in sums.items() if growth}


async def _counted(
    facts: Facts, points: list[tuple[int, int, int]], batches: int, step_s: int | None, chance: random.Random | None
) -> dict[int, float]:
    bot = f"w{next(_worlds)}"
    common = {"metric": "steps", "kind": "cumulative", "bot": bot}
    rows = [{**common, "at": at, "value": value, "start": start} for at, value, start in points]
    size = -(-len(rows) // batches)
    parcels = [rows[i : i + size] for i in range(0, len(rows), size)]
    if chance:
        chance.shuffle(parcels)
    for parcel in parcels:
        facts.points(*parcel)
    only = (Condition("bot", Op.IS, (bot,)),)
    answer = (await facts.measures.many([Query("metric:steps", T0, T0 + 7_200, step_s, (), only)]))[0]
    assert isinstance(answer, list)
    return {start: value for series in answer for start, value in series.points if value}
