"""Time cut into pieces: each moment once, the newest first."""

from __future__ import annotations

import pytest

from botwatch.api.asking import Window
from botwatch.api.reads.slices import slices
from botwatch.clock import SECOND_NS

NOW_NS = 1_800_000_000 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize(
    ("window", "through_ns"),
    [
        (Window(0, NOW_NS + 400 * DAY_NS), None),
        (Window(0, NOW_NS + DAY_NS), NOW_NS - 12_345),
        (Window(NOW_NS - 3 * DAY_NS, NOW_NS), None),
        (Window(NOW_NS - 3 * DAY_NS, NOW_NS - 2 * DAY_NS), None),
        (Window(NOW_NS - 3 * DAY_NS, NOW_NS), NOW_NS - 3 * DAY_NS),
        (Window(NOW_NS + DAY_NS, NOW_NS + 2 * DAY_NS), None),
        (Window(NOW_NS, NOW_NS + 1), None),
        (Window(5, 5), None),
        (Window(NOW_NS, NOW_NS + 9), NOW_NS - 5),
    ],
)
def test_the_pieces_are_the_window(window: Window, through_ns: int | None, few: bool) -> None:
    upper_ns = window.to_ns if through_ns is None else min(window.to_ns, through_ns + 1)
    pieces = list(slices(window, NOW_NS, through_ns, few=few))
    assert len(pieces) < 12
    for piece in pieces:
        assert piece.from_ns < piece.to_ns == upper_ns
        upper_ns = piece.from_ns
    assert upper_ns == window.from_ns if pieces else upper_ns <= window.from_ns


def test_the_newest_piece_is_short_and_reaches_ahead_of_now() -> None:
    first, second = list(slices(Window(0, NOW_NS + DAY_NS), NOW_NS))[:2]
    assert first == Window(NOW_NS - 10 * SECOND_NS, NOW_NS + DAY_NS)
    assert second == Window(NOW_NS - 70 * SECOND_NS, NOW_NS - 10 * SECOND_NS)
