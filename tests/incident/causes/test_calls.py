"""A dependency that got worse: since which minute, and when that is only noise."""

from __future__ import annotations

import random

from botwatch.incident.causes.calls import Minute, worse


def minutes(*runs: tuple[int, int, int, float]) -> list[Minute]:
    """Of each run: how many minutes, calls, errors, and the mean in milliseconds."""
    found: list[Minute] = []
    for length, count, errors, mean_ms in runs:
        found += [Minute(60 * (len(found) + n), count, errors, mean_ms * count) for n in range(length)]
    return found


def test_errors_that_begin_are_dated_to_their_minute() -> None:
    turn = worse(minutes((60, 20, 0, 50.0), (10, 20, 5, 50.0)), 0)
    assert turn is not None
    assert (turn.at_s, turn.words) == (60 * 60, "fails in 25 %, it was 0 %")


def test_slower_calls_are_dated_too() -> None:
    turn = worse(minutes((60, 20, 0, 50.0), (10, 20, 0, 400.0)), 0)
    assert turn is not None
    assert (turn.at_s, turn.words) == (60 * 60, "takes 400 ms, it was 50 ms")


def test_what_changed_before_the_time_that_is_looked_at_is_not_told() -> None:
    assert worse(minutes((20, 20, 0, 50.0), (50, 20, 5, 50.0)), 40 * 60) is None


def test_getting_better_and_too_few_calls_are_nothing() -> None:
    assert worse(minutes((60, 20, 5, 400.0), (10, 20, 0, 50.0)), 0) is None
    assert worse(minutes((60, 1, 0, 50.0), (3, 1, 1, 50.0)), 0) is None


def test_noise_is_nothing() -> None:
    r = random.Random(7)
    found = 0
    for _ in range(100):
        noisy = []
        for n in range(95):
            count = r.randint(5, 30)
            errors = sum(r.random() < 0.03 for _ in range(count))
            noisy.append(Minute(60 * n, count, errors, sum(r.lognormvariate(4, 0.5) for _ in range(count))))
        found += worse(noisy, 60 * 60) is not None
    assert found <= 2
