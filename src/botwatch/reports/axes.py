"""Where the marks beside a chart stand: pure."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from botwatch.measure.query import DAY_S
from botwatch.reports.answer import Window

_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_SPANS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, DAY_S)
_TIMES_S: Final = (60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200)
_DAYS: Final = (1, 2, 7, 14, 28, 56, 91, 182, 364)
_ROOM: Final = 1.08  # above the highest value
_MARKS_WANTED: Final = 4
_NEARLY: Final = 0.9  # a round step that gives one mark more
_LEAST, _GREATEST = 1e-290, 1e290  # beyond, powers of ten are no numbers any more
_TIMES_MAX: Final = 9
_HOURS_UP_TO_S: Final = 5 * DAY_S // 2
_IN_SECONDS: Final = {"ms": 1e-3, "seconds": 1.0, "s": 1.0}
_IN_BYTES: Final = {"bytes": 1.0, "By": 1.0, "kib": 1_024.0}


@dataclass(frozen=True, slots=True)
class Scale:
    low: float
    high: float
    marks: tuple[float, ...]


def scale(values: Iterable[float | None], unit: str) -> Scale:
    """From zero, or below it where values are, to a little above the highest; marks at round values of the unit."""
    known = [value for value in values if value is not None and abs(value) < _GREATEST]
    low, high = min([0.0, *known]) * _ROOM, max([0.0, *known]) * _ROOM
    if high - low < _LEAST:
        high = low + 1.0
    step = _step(high - low, unit)
    first = math.ceil(low / step)
    marks = [number * step for number in range(first, math.floor(high / step) + 1)]
    return Scale(low, high, tuple(marks))


def _step(length: float, unit: str) -> float:
    wanted = length / _MARKS_WANTED
    per_s = _IN_SECONDS.get(unit)
    if per_s is not None and wanted * per_s >= 1:
        seconds = next((span for span in _SPANS_S if span >= wanted * per_s), None)
        return (seconds or _rounded(wanted * per_s / DAY_S) * DAY_S) / per_s
    per_byte = _IN_BYTES.get(unit)
    if per_byte is not None and wanted * per_byte >= 1_024:
        power = 1_024.0 ** int(math.log(wanted * per_byte, 1_024))
        rounded = _rounded(wanted * per_byte / power)
        return (rounded if rounded < 1_000 else 1_024) * power / per_byte
    return _rounded(wanted)


def _rounded(wanted: float) -> float:
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in _ROUND if factor * power >= wanted * _NEARLY)


def times(window: Window, zone: zoneinfo.ZoneInfo) -> list[tuple[int, str]]:
    """Hours or days of the time zone, at most as many as there is room for, with what is written there."""
    length_s = window.end_s - window.start_s
    start = dt.datetime.fromtimestamp(window.start_s, zone)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    step_s = next((step for step in _TIMES_S if length_s <= step * _TIMES_MAX), None)
    days = next((days for days in _DAYS if length_s <= days * DAY_S * _TIMES_MAX), _DAYS[-1])
    step = dt.timedelta(days=days) if step_s is None or length_s > _HOURS_UP_TO_S else dt.timedelta(seconds=step_s)
    found, local = [], midnight
    while (at_s := int(local.replace(tzinfo=zone).timestamp())) < window.end_s:
        if at_s >= window.start_s:
            found.append((at_s, f"{local:%m-%d}" if local.time() == dt.time() else f"{local:%H:%M}"))
        local += step
    return found
