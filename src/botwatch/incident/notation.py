"""Series in few characters, for tests of rules: `50x2m _x3 90..100x6 0`.

Parts stand one after the other, parted by spaces, and a part is one value for one tick of 10 seconds. `VALUExN` is
the value for N ticks, `VALUExDURATION` for that long, `FROM..TOxN` goes evenly from one value to the other, and `_`
is a tick without a value.
"""

from __future__ import annotations

import re
from typing import Final

from botwatch import limits
from botwatch.detect.durations import duration_s
from botwatch.detect.rule import TICK_S

NOTHING: Final = "_"
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_PART: Final = re.compile(rf"(_|{_NUMBER})(?:\.\.({_NUMBER}))?(?:x(\d+)([a-z]*))?", re.IGNORECASE)


def values_of(text: str) -> list[float | None]:
    """One value for each tick. A `ValueError` says which part cannot be read."""
    found: list[float | None] = []
    for part in text.split():
        found += _values(part, limits.RULE_TEST_TICKS_MAX - len(found))
    return found


def _values(part: str, room: int) -> list[float | None]:
    match = _PART.fullmatch(part)
    if match is None or (match[1] == NOTHING and match[2]):
        raise ValueError(f"expected values such as 50x2m, _x3 or 90..100x6, found {part[:40]!r}")
    first, last, number, unit = match.groups()
    ticks = _ticks(int(number), unit, part) if number else 1
    if ticks > room:
        raise ValueError(f"expected at most {limits.RULE_TEST_TICKS_MAX} ticks, found more at {part[:40]!r}")
    if first == NOTHING:
        return [None] * ticks
    if last is None:
        return [float(first)] * ticks
    low, step = float(first), (float(last) - float(first)) / max(1, ticks - 1)
    return [low + step * place for place in range(ticks)]


def _ticks(number: int, unit: str, part: str) -> int:
    if not unit:
        return number
    try:
        seconds = duration_s(f"{number}{unit}")
    except ValueError:
        raise ValueError(f"expected a number of ticks or a duration after x, found {part[:40]!r}") from None
    if seconds % TICK_S:
        raise ValueError(f"expected whole ticks of {TICK_S} s, found {part[:40]!r}")
    return seconds // TICK_S
