"""Values as people read them: the same words in a sentence, a message, a report and on the pages."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Final

NONE: Final = "–"
SHARE: Final = "share"  # of one: a ratio of two counts
Written = Callable[[float | None], str]
_SCALES: Final = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
_MOST: Final = sys.float_info.max
_BYTES: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_BRIEF: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))
_SPANS: Final = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "sec"))


def writer(unit: str) -> Written:
    """How a value of that unit is written."""
    return lambda value: NONE if value is None or not math.isfinite(value) else _FORMATS.get(unit, _plain)(value)


def axis_writer(unit: str) -> Written:
    """The same beside an axis, where there is little room: of a length of time one unit."""
    per_s = {"ms": 1e-3, "seconds": 1.0, "s": 1.0}.get(unit)
    return writer(unit) if per_s is None else lambda value: NONE if value is None else _brief(value * per_s)


def told(value: float | None, unit: str) -> str:
    """In a sentence, where there is room: of a count every figure, of what is small two that say something."""
    if value is None or not math.isfinite(value):
        return "unknown"
    if unit in _FORMATS:
        return _FORMATS[unit](value)
    if value == int(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 1 else _trimmed(value, 2 if abs(value) < 10 else 1)


def _plain(value: float) -> str:
    return _trimmed(value, 2 if abs(value) < 10 else 1) if abs(value) < 1_000 else _count(value)


def _count(value: float) -> str:
    """12 400 as 12.4K; below ten thousand every unit counts."""
    rounded = round(value)
    if abs(rounded) < 10_000:
        return f"{rounded:,}"
    scale, letter = next((pair for pair in _SCALES if abs(rounded) >= pair[0] * 0.9995), (1.0, ""))
    return f"{_trimmed(rounded / scale, 1)}{letter}"


def _percent(value: float) -> str:
    """Never 100 % where one failed: 99.995 is 99.99."""
    shown = math.floor(value * 100) / 100 if 99 < value < 100 else value
    return f"{_trimmed(shown, 2 if shown < 10 or shown > 90 else 1)} %"


def _milliseconds(value: float) -> str:
    if value < 1:
        return f"{_trimmed(value, 2)} ms"
    if value < 999.5:
        return f"{round(value)} ms"
    return f"{_trimmed(value / 1_000, 1)} s" if value < 59_950 else _seconds(value / 1_000)


def _seconds(value: float) -> str:
    """154 as 2 min 34 sec, the two greatest parts."""
    whole = round(value)
    for size, word, lesser, less in _SPANS:
        if whole >= size:
            rest = whole % size // lesser
            return f"{whole // size} {word}" + (f" {rest} {less}" if rest else "")
    return f"{whole} sec"


def _brief(seconds: float) -> str:
    size, word = next((pair for pair in _BRIEF if abs(seconds) >= pair[0]), (1e-3, "ms"))
    return f"{_trimmed(seconds / size, 1)} {word}" if seconds else "0"


def _bytes(value: float) -> str:
    power = 0 if value < 1 else min(len(_BYTES) - 1, int(math.log2(value) / 10))
    return f"{_trimmed(value / 1_024**power, 1)} {_BYTES[power]}"


def _dollars(value: float) -> str:
    return f"${value:,.0f}" if value >= 100 else f"${_trimmed(value, 4 if value < 1 else 2)}"


def _trimmed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


_FORMATS: Final[Mapping[str, Callable[[float], str]]] = {
    "percent": _percent,
    "ms": _milliseconds,
    "seconds": _seconds,
    "s": _seconds,
    "bytes": _bytes,
    "By": _bytes,
    "kib": lambda value: _bytes(max(-_MOST, min(value * 1_024, _MOST))),
    "usd": _dollars,
    "share": lambda value: _percent(value * 100),
    "per_second": lambda value: f"{_plain(value)}/s",
}
