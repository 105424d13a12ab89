"""Since when something has been wrong, where a rule sums up and divides."""

from __future__ import annotations

import pytest

from botwatch.detect.rule import Rule
from botwatch.incident.judging import began_s

AT_S = 1_800_000_900
RULE = Rule.model_validate(
    {
        "name": "Unanswered", "field": "turns.unanswered", "per": "turns.count", "aggregation": "sum", "value": 0.2,
        "timeframe": "10m", "source": "test",
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "ticks_ago"),
    [
        ([0] * 80 + [1] * 10, 10),  # from nothing
        ([1, 0, 0, 0, 0, 0, 0, 0] * 10 + [3] * 10, 10),  # from a few all the time
        ([0] * 85 + [0, 0, 2, 0, 0], 3),  # once
        ([2] * 5, 5),  # from the first that is known of it
        ([None] * 30 + [0] * 40 + [None, 1, None, 1, 1], 4),
    ],
)
def test_it_began_where_the_rate_rose(counts: list[float | None], ticks_ago: int) -> None:
    first_s = AT_S - 10 * len(counts)
    points = tuple((first_s + 10 * place, value) for place, value in enumerate(counts))
    assert began_s(RULE, points, AT_S, quiet=False) == AT_S - 10 * ticks_ago
