"""Durations as Botpress writes them: what its library `ms` reads, in whole seconds."""

from __future__ import annotations

import re
from typing import Final

_TEXT: Final = re.compile(r"(\d{1,12}(?:\.\d{1,12})?|\.\d{1,12}) *([a-z]*)", re.IGNORECASE | re.ASCII)
_DAY_MS: Final = 86_400_000
_UNITS_MS: Final = {
    1: ("", "ms", "msec", "msecs", "millisecond", "milliseconds"),
    1_000: ("s", "sec", "secs", "second", "seconds"),
    60_000: ("m", "min", "mins", "minute", "minutes"),
    3_600_000: ("h", "hr", "hrs", "hour", "hours"),
    _DAY_MS: ("d", "day", "days"),
    7 * _DAY_MS: ("w", "week", "weeks"),
    31_557_600_000: ("y", "yr", "yrs", "year", "years"),
}
_MS_OF: Final = {name: length for length, names in _UNITS_MS.items() for name in names}
_WRITTEN: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))
EXPECTED: Final = "expected a duration such as '30s', '2m', '1.5h' or '10 minutes'"


def duration_s(value: object) -> int:
    """`2m` is 120. A text without a unit counts milliseconds, as in Botpress; a number counts seconds."""
    found_s = _seconds(value)
    if found_s is None:
        raise ValueError(f"{EXPECTED}, found {str(value)[:40]!r}")
    if found_s != int(found_s):
        raise ValueError(f"expected whole seconds, found {found_s:g} s; a text without a unit counts milliseconds")
    return int(found_s)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if 0 <= value < 1e12 else None
    found = _TEXT.fullmatch(value.strip()) if isinstance(value, str) else None
    length_ms = _MS_OF.get(found[2].lower()) if found else None
    return float(found[1]) * length_ms / 1_000 if found and length_ms else None


def written(seconds: int) -> str:
    """In the longest unit that says it exactly."""
    for length_s, unit in _WRITTEN:
        if seconds and seconds % length_s == 0:
            return f"{seconds // length_s}{unit}"
    return f"{seconds}s"
