"""Long tables read from the newest row back: a short slice of time first, ever longer ones while the
page is not full. No row is looked at twice, and a page of what is newest costs the same however much
is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from botwatch.api.asking import Window
from botwatch.clock import SECOND_NS

_FIRST_S: Final = 10
_FIRST_OF_FEW_S: Final = 86_400
_GROWTH: Final = 6
_LAST_S: Final = 40 * 86_400


def slices(window: Window, now_ns: int, through_ns: int | None = None, *, few: bool = False) -> Iterator[Window]:
    """The window in pieces, newest first, from `through_ns` on. What is ahead of now is in the first.
    Where few rows are expected, the pieces are long from the start."""
    upper_ns = window.to_ns if through_ns is None else min(window.to_ns, through_ns + 1)
    lower_ns = min(upper_ns, max(now_ns, window.from_ns))
    length_s = _FIRST_OF_FEW_S if few else _FIRST_S
    while upper_ns > window.from_ns:
        oldest = length_s > _LAST_S
        lower_ns = window.from_ns if oldest else max(window.from_ns, lower_ns - length_s * SECOND_NS)
        yield Window(lower_ns, upper_ns)
        upper_ns = lower_ns
        length_s *= _GROWTH
