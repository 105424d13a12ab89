"""Numbers, times and labels as people read them: the same words as on the pages."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from collections.abc import Callable, Mapping
from typing import Final

from botwatch.measure.catalogue import RATE
from botwatch.reports.answer import Answer, Window
from botwatch.reports.report import Panel

NONE: Final = "–"
Written = Callable[[float | None], str]
_SCALES: Final = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
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


def label_of(labels: Mapping[str, str]) -> str:
    return " · ".join(value or "(none)" for value in labels.values())


def about(panel: Panel) -> str:
    """What is asked, in a line."""
    parts = [panel.measure] if panel.title else []
    parts += [f"by {', '.join(panel.by)}"] if panel.by else []
    parts += ["by the second" if panel.aggregation == RATE else panel.aggregation] if panel.aggregation else []
    return " · ".join([*parts, *panel.where])


def bounds(answer: Answer) -> str:
    if answer.bounds is None:
        return ""
    write, side = writer(answer.unit), "below" if answer.worse == "low" else "above"
    return f"warning {side} {write(answer.bounds.warning)}, critical {side} {write(answer.bounds.critical)}"


def moment(at_s: float, zone: zoneinfo.ZoneInfo, *, named: bool = True) -> str:
    at = dt.datetime.fromtimestamp(at_s, zone)
    return f"{at:%Y-%m-%d %H:%M}" + (f" {at.tzname()}" if named else "")


def window(of: Window, zone: zoneinfo.ZoneInfo) -> str:
    return f"{moment(of.start_s, zone, named=False)} – {moment(of.end_s, zone)}"


def length(period: str) -> str:
    """`7d` as `7 days`."""
    words = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
    count, unit = (period[:-1], words[period[-1]]) if period[-1] in words else (period, "second")
    return f"{int(count)} {unit}{'' if int(count) == 1 else 's'}"


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
            return f"{whole // size} {word} {whole % size // lesser} {less}"
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
    "kib": lambda value: _bytes(value * 1_024),
    "usd": _dollars,
}
