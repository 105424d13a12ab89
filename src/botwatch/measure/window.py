"""Which ticks answer a question about a time: the coarsest that still answer it exactly.

A window is cut into segments. Its middle is read from 5-minute or hourly ticks, its edges from finer
ones, as far as the step allows; each tick is read once. Windows begin and end on ticks: their edges
are moved outward to the finest ticks that are kept for their time, and a step that is finer than
those becomes as coarse as they are.

Steps lie on the grid of seconds since 1970. A step of whole days lies on the days of the time zone,
one of seven days on its weeks, which begin on Monday. Where only hourly ticks are left, a day that
begins inside an hour begins with the next one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from botwatch import limits
from botwatch.errors import BadRequest
from botwatch.measure.query import DAY_S, TICK_S, TIME_S_MAX

HOUR_S: Final = 3_600
TIERS: Final = ((HOUR_S, "ticks_1h"), (300, "ticks_5m"), (TICK_S, "ticks_10s"))
_EPOCH: Final = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on the finer ticks are whole; 0 where nothing is missing."""

    ticks_10s_from_s: int = 0
    ticks_5m_from_s: int = 0

    def finest_s(self, start_s: int) -> int:
        """The length of the finest ticks there are since then."""
        if start_s >= self.ticks_10s_from_s:
            return TICK_S
        return 300 if start_s >= self.ticks_5m_from_s else HOUR_S


def kept_since(fine_s: int, middle_s: int, coarse_s: int) -> Kept:
    """From the earliest 10-second, 5-minute and hourly ticks there are, 0 where there are none.

    Finer ticks are dropped first, by whole days and months. Where coarser ones do not go back further, nothing was.
    """
    day_s = fine_s // DAY_S * DAY_S if fine_s else TIME_S_MAX
    first = dt.datetime.fromtimestamp(middle_s, dt.UTC).replace(day=1, hour=0, minute=0, second=0)
    month_s = int(first.timestamp()) if middle_s else TIME_S_MAX
    return Kept(day_s if 0 < middle_s < day_s else 0, month_s if 0 < coarse_s < month_s else 0)


@dataclass(frozen=True, slots=True)
class Segment:
    table: str
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The buckets of a series by their starts. `step_s` is None for one bucket, the window."""

    step_s: int | None
    starts: tuple[int, ...]
    calendar: bool = False

    def allows(self, tick_s: int) -> bool:
        """Whether no tick of this length lies in two buckets."""
        if self.step_s is None:
            return True
        return all(start % tick_s == 0 for start in self.starts) if self.calendar else self.step_s % tick_s == 0


@dataclass(frozen=True, slots=True)
class Window:
    start_s: int
    end_s: int
    grid: Grid
    grain_s: int  # its edges lie on ticks of this length, and no finer ones are read

    def segments(self, before_s: int = 0) -> tuple[Segment, ...]:
        """What to read; `before_s` asks for as much of the time before the window as well."""
        tiers = tuple(
            (tick_s, table)
            for tick_s, table in TIERS
            if tick_s == self.grain_s or (tick_s > self.grain_s and self.grid.allows(tick_s))
        )
        found: list[Segment] = []
        for start_s, end_s in ((max(0, self.start_s - before_s), self.start_s), (self.start_s, self.end_s)):
            for segment in _cut(start_s, end_s, tiers):
                if found and found[-1].table == segment.table:
                    segment = Segment(segment.table, found.pop().start_s, segment.end_s)  # noqa: PLW2901
                found.append(segment)
        return tuple(found)

    def seconds(self, index: int) -> int:
        """How much of the window lies in a bucket."""
        starts = self.grid.starts
        end_s = starts[index + 1] if index + 1 < len(starts) else self.end_s
        return end_s - max(starts[index], self.start_s)


def _cut(start_s: int, end_s: int, tiers: tuple[tuple[int, str], ...]) -> Iterator[Segment]:
    if start_s >= end_s:
        return
    (tick_s, table), finer = tiers[0], tiers[1:]
    first, last = -(-start_s // tick_s) * tick_s, end_s // tick_s * tick_s
    if not finer:
        yield Segment(table, start_s, end_s)
    elif first >= last:
        yield from _cut(start_s, end_s, finer)
    else:
        yield from _cut(start_s, first, finer)
        yield Segment(table, first, last)
        yield from _cut(last, end_s, finer)


def window(start_s: int, end_s: int, step_s: int | None, *, kept: Kept, zone: str, grain_s: int = TICK_S) -> Window:
    """Lay a question on the ticks. `grain_s` is the finest its source has."""
    grain_s = max(grain_s, kept.finest_s(start_s))
    start_s = start_s // grain_s * grain_s
    end_s = -(-end_s // grain_s) * grain_s
    if step_s is None:
        return Window(start_s, end_s, Grid(None, (start_s,)), grain_s)
    step_s = -(-step_s // grain_s) * grain_s
    points = (end_s - start_s) // step_s
    if points > limits.MEASURE_POINTS_MAX:
        enough = -(-(end_s - start_s) // (limits.MEASURE_POINTS_MAX * grain_s)) * grain_s
        raise BadRequest(
            f"step: this window has {points} steps of {step_s} s, at most {limits.MEASURE_POINTS_MAX} are answered",
            hint=f"ask for a step of {enough} s or more, or for a shorter window",
        )
    if step_s % DAY_S == 0:
        return Window(start_s, end_s, Grid(step_s, tuple(_days(start_s, end_s, step_s // DAY_S, zone)), True), grain_s)
    return Window(start_s, end_s, Grid(step_s, tuple(range(start_s // step_s * step_s, end_s, step_s))), grain_s)


def _days(start_s: int, end_s: int, days: int, zone: str) -> Iterator[int]:
    """Where each run of days begins in that zone; weeks begin on Monday."""
    tz = _zone(zone)
    day = dt.datetime.fromtimestamp(start_s, tz).date()
    day -= dt.timedelta(days=(day.toordinal() - 1) % days)
    while (begins_s := day_starts_s(day, zone)) < end_s:
        yield max(begins_s, 0)
        day += dt.timedelta(days=days)


def day_starts_s(day: dt.date, zone: str) -> int:
    """The second a day begins in a time zone."""
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=_zone(zone)).timestamp())


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
