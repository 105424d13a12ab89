"""The hours of the week: what is usual at each, and which stand out week after week. Pure.

An hour is one of the zone's own clock: where the clock is put back, the hour that comes twice counts as two; where it
is put forward, the hour that is left out is not known that week.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from botwatch.measure.query import DAY_S
from botwatch.measure.window import HOUR_S

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PART_S: Final = 900  # zones differ from UTC by quarters of an hour
_STANDS_OUT: Final = 2  # times what the hours before and after have
_WEEKS_MIN: Final = 2
_COUNT_MIN: Final = 10  # twice of little is no spike
Place = tuple[int, int]  # the day, 0 is Monday, and the hour


@dataclass(frozen=True, slots=True)
class Hour:
    day: int
    hour: int
    mean: float | None
    weeks: int


@dataclass(frozen=True, slots=True)
class Spike:
    """An hour that stood out in `weeks` of the weeks it was known in; `times` what the hours around it have."""

    day: int
    hour: int
    weeks: int
    of: int
    mean: float
    times: float | None

    @property
    def sentence(self) -> str:
        times = f", {self.times:.1f} times what the hours around it have" if self.times is not None else ""
        return f"{DAYS[self.day]} {self.hour:02}:00, in {self.weeks} of {self.of} weeks{times}"


def span_of(now_s: int, weeks: int, zone: ZoneInfo) -> tuple[int, int, int]:
    """From the whole hour that was last in that zone so many weeks back, and the step to ask with."""
    end_s = _hour_start(now_s, zone)
    start_s = _hour_start(end_s - weeks * 7 * DAY_S, zone)
    whole = all(_offset(at_s, zone) % HOUR_S == 0 for at_s in (start_s, (start_s + end_s) // 2, end_s))
    return start_s, end_s, HOUR_S if whole else _PART_S


def hours_of(points: Sequence[tuple[int, float | None]], zone: ZoneInfo, *, adds_up: bool) -> dict[int, float]:
    """The value of each hour of that zone, by its start. Parts of an hour add up, or their mean is taken."""
    parts: dict[int, list[float]] = defaultdict(list)
    for at_s, value in points:
        if value is not None:
            parts[_hour_start(at_s, zone)].append(value)
    return {at_s: sum(values) if adds_up else sum(values) / len(values) for at_s, values in parts.items()}


def week_of(hours: Mapping[int, float], zone: ZoneInfo) -> list[Hour]:
    """All 168 hours of the week, Monday first."""
    held = _by_place(hours, zone)
    return [_hour(day, hour, held.get((day, hour), [])) for day in range(7) for hour in range(24)]


def _hour(day: int, hour: int, starts: Sequence[tuple[int, float]]) -> Hour:
    values = [value for _, value in starts]
    return Hour(day, hour, sum(values) / len(values) if values else None, len(values))


def spikes_of(hours: Mapping[int, float], zone: ZoneInfo, *, adds_up: bool) -> list[Spike]:
    """Hours well above those before and after them in two weeks at least, and in half of those that are known."""
    found = []
    for (day, hour), starts in sorted(_by_place(hours, zone).items()):
        stood = [at_s for at_s, value in starts if _stands_out(hours, at_s, value, adds_up)]
        if len(stood) < _WEEKS_MIN or 2 * len(stood) < len(starts):
            continue
        around = [hours[other] for at_s in stood for other in (at_s - HOUR_S, at_s + HOUR_S)]
        times = sum(hours[at_s] for at_s in stood) * 2 / sum(around) if sum(around) > 0 else None
        mean = sum(value for _, value in starts) / len(starts)
        found.append(Spike(day, hour, len(stood), len(starts), mean, times))
    return found


def _stands_out(hours: Mapping[int, float], at_s: int, value: float, adds_up: bool) -> bool:
    before, after = hours.get(at_s - HOUR_S), hours.get(at_s + HOUR_S)
    if before is None or after is None:
        return False
    return value >= _STANDS_OUT * max(before, after) and value >= (_COUNT_MIN if adds_up else 0) and value > 0


def _by_place(hours: Mapping[int, float], zone: ZoneInfo) -> dict[Place, list[tuple[int, float]]]:
    held: dict[Place, list[tuple[int, float]]] = defaultdict(list)
    for at_s, value in sorted(hours.items()):
        local = dt.datetime.fromtimestamp(at_s, zone)
        held[local.weekday(), local.hour].append((at_s, value))
    return held


def _hour_start(at_s: int, zone: ZoneInfo) -> int:
    offset_s = _offset(at_s, zone)
    return (at_s + offset_s) // HOUR_S * HOUR_S - offset_s


def _offset(at_s: int, zone: ZoneInfo) -> int:
    offset = dt.datetime.fromtimestamp(at_s, zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0
