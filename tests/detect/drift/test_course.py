"""How surely a share is known: from stretches that could be compared, and not from documents."""

from __future__ import annotations

import pytest

from botwatch.detect.drift.course import SCALES_S, Course


def course(hours: list[int], count: float = 0, of: float = 100) -> Course:
    """Documents in these hours."""
    found = Course()
    for before, hour in zip([hours[0], *hours], hours, strict=False):
        for scale_s, blocks in zip(SCALES_S, (found.quarters, found.days), strict=True):
            if hour * 3_600 // scale_s != before * 3_600 // scale_s:
                blocks.close()
        found.add(count, of)
    return found


@pytest.mark.parametrize("hours", [list(range(30)), [0, 1, 2], [*range(3), *range(200, 203)]])
def test_a_day_or_a_few_bursts_prove_nothing_of_how_far_it_wanders(hours: list[int]) -> None:
    assert course(hours).sure(1e6) == 0


def test_the_longer_it_is_known_the_more_a_surprise_is_worth() -> None:
    worth = [course(list(range(24 * days + 1))).sure(60) for days in (1, 2, 3, 10)]
    assert worth == sorted(worth)
    assert worth[0] == 0
    assert worth[1] > 35


def test_what_was_said_to_be_right_is_known_from_the_start() -> None:
    assert Course(said=True).sure(100) > 35
    assert Course().sure(100) == 0


def test_a_burst_of_a_source_that_wanders_proves_less_the_longer_it_is() -> None:
    """A sender of many documents who always does what others seldom do is one witness."""
    steady = course(list(range(100)), 10, 100)
    alike = Course()
    for hour in range(100):
        alike.add(100 if hour % 10 == 0 else 0, 100)
    assert steady.wandering(1_000, 3_600) == steady.wandering(100, 3_600)
    assert alike.wandering(1_000, 3_600) > 5 * alike.wandering(100, 3_600)
