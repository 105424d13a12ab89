"""Memory over time, generated: what leaks is named, what only looks like it is not."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from botwatch.limits import MIB
from botwatch.watch.growth import HORIZONS, STRETCHES, Horizon, Judgement, Verdict, first_leak, judge

HOUR = 3_600
SHORT, MIDDLE, LONG = HORIZONS
Memory = Callable[[float], float]
noise = random.Random(7)


def floors(memory: Memory, horizon: Horizon, now_s: float, born_s: float = -1e9) -> list[float | None]:
    """The lowest reading of each stretch, read every ten seconds."""
    found: list[float | None] = []
    for n in range(STRETCHES):
        begin = now_s - horizon.length_s + n * horizon.stretch_s
        read = [memory(t) for t in (begin + 10 * i for i in range(horizon.stretch_s // 10)) if t >= born_s]
        found.append(min(read) if read else None)
    return found


def told(memory: Memory, now_s: float, left_bytes: float | None = 4_096 * MIB, born_s: float = 0) -> list[Judgement]:
    """What is told of a process that began at 0, over each horizon."""
    judged = []
    for horizon in HORIZONS:
        start = now_s - horizon.length_s
        before = [memory(t) for t in range(int(born_s), int(start), 60)]
        judged.append(
            judge(
                floors(memory, horizon, now_s, born_s),
                horizon,
                peak_before=max(before, default=None),
                left_bytes=left_bytes,
            )
        )
    return judged


def leaks(memory: Memory, now_s: float, left_bytes: float | None = 4_096 * MIB) -> Judgement | None:
    return first_leak(told(memory, now_s, left_bytes))


def leak(mib_an_hour: float, teeth_mib: float = 0, period_s: float = 600) -> Memory:
    def memory(t: float) -> float:
        tooth = teeth_mib * (t % period_s) / period_s
        return (300 + mib_an_hour * t / HOUR + tooth + noise.gauss(0, 0.5)) * MIB

    return memory


def test_a_fast_leak_is_named_within_minutes_with_its_slope_and_the_time_left() -> None:
    found = leaks(leak(6_000), 0.3 * HOUR, left_bytes=2_000 * MIB)
    assert found is not None
    assert found.pace * HOUR == pytest.approx(6_000 * MIB, rel=0.1)
    assert found.left_s == pytest.approx(HOUR / 3, rel=0.1)


def test_a_slow_leak_is_named_when_it_has_been_watched_for_long() -> None:
    assert leaks(leak(20), 2 * HOUR) is None
    found = leaks(leak(20), 14 * HOUR)
    assert found is not None
    assert found.pace * HOUR == pytest.approx(20 * MIB, rel=0.1)
    assert found.left_s == pytest.approx(4_096 / 20 * HOUR, rel=0.1)


@pytest.mark.parametrize("period_s", [70, 400, 1_500, 5_000])
def test_a_leak_under_a_saw_tooth_is_named(period_s: float) -> None:
    found = leaks(leak(60, teeth_mib=200, period_s=period_s), 16 * HOUR)
    assert found is not None
    assert found.pace * HOUR == pytest.approx(60 * MIB, rel=0.25)


@pytest.mark.parametrize("period_s", [50, 300, 900, 1_100, 3_000, 6_900, 7_300, 20_000, 40_000, 43_000, 86_400])
def test_a_saw_tooth_is_no_leak(period_s: float) -> None:
    """However long its teeth are, once it has been seen to come down."""
    memory = leak(0, teeth_mib=900, period_s=period_s)
    began_s = max(period_s * 1.2, HOUR)
    for n in range(40):
        assert leaks(memory, began_s + n * max(period_s, 4_000) / 11) is None, n


@pytest.mark.parametrize("at_h", [1.0, 6.0, 11.9])
def test_a_step_is_no_leak(at_h: float) -> None:
    def memory(t: float) -> float:
        return ((300 if t < at_h * HOUR else 1_500) + noise.gauss(0, 0.5)) * MIB

    for n in range(60):
        assert leaks(memory, at_h * HOUR + n * 900) is None, n


@pytest.mark.parametrize("settles_s", [30, 120, 300])
def test_warming_up_is_no_leak(settles_s: float) -> None:
    def memory(t: float) -> float:
        return (200 + 1_500 * (1 - math.exp(-t / settles_s)) + noise.gauss(0, 0.5)) * MIB

    for n in range(1, 120):
        assert leaks(memory, n * 60.0) is None, n


def test_a_cache_that_fills_for_hours_is_far_from_the_end_and_settles() -> None:
    def memory(t: float) -> float:
        return (200 + 600 * (1 - math.exp(-t / (2 * HOUR)))) * MIB

    for n in range(1, 100):
        assert leaks(memory, n * 900.0) is None, n


def test_noise_is_no_leak() -> None:
    def memory(t: float) -> float:
        return (500 + noise.gauss(0, 40)) * MIB

    for n in range(20):
        assert leaks(memory, 13 * HOUR + n * 600) is None


def test_without_a_known_limit_only_a_long_look_names_a_leak() -> None:
    assert leaks(leak(6_000), 0.3 * HOUR, left_bytes=None) is None
    found = leaks(leak(600), 13 * HOUR, left_bytes=None)
    assert found is not None
    assert found.left_s is None


@pytest.mark.parametrize(
    ("floors_mib", "verdict"),
    [
        ([None] * 8, Verdict.ENDED),
        ([100, 120, 140, 160, 180, 200, 220, None], Verdict.ENDED),
        ([None, None, None, None, 100, 120, 140, 160], Verdict.TOO_YOUNG),
        ([None, None, 900, 100, 120, 140, 160, 180], Verdict.LEAKS),  # the first stretch of a life is not judged
        ([100] * 8, Verdict.STEADY),
        ([100, 101, 102, 103, 104, 105, 106, 107], Verdict.STEADY),  # too little to matter
        ([9_000, 9_020, 9_040, 9_060, 9_080, 9_100, 9_120, 9_140], Verdict.STEADY),
        ([100, 120, 140, 90, 180, 200, 220, 240], Verdict.FALLS),
        ([100, 100, 100, 300, 300, 300, 301, 301], Verdict.STEP),
        ([100, 180, 240, 280, 300, 310, 312, 313], Verdict.SETTLES),
        ([100, 120, 140, 160, 180, 200, 220, 240], Verdict.LEAKS),
    ],
)
def test_the_reason_has_a_name(floors_mib: list[int | None], verdict: Verdict) -> None:
    given = [None if floor is None else float(floor * MIB) for floor in floors_mib]
    assert judge(given, LONG).verdict is verdict


def test_what_was_as_high_before_or_has_long_to_go_is_not_told() -> None:
    rising = [float(n * 20 * MIB) for n in range(5, 13)]
    assert judge(rising, SHORT, peak_before=rising[-1], left_bytes=1.0).verdict is Verdict.SEEN_BEFORE
    assert judge(rising, SHORT, left_bytes=1e13).verdict is Verdict.FAR
    assert judge(rising, SHORT, left_bytes=0.0).left_s == 0
