"""Opening hours: how much time passes while somebody is there, and when so much of it has passed.

A day begins and ends by the clock on the wall, so that a night shift at the change of the clocks is an hour longer or
shorter. All else is arithmetic over stretches of time; nobody asks what time it is.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from botwatch import limits
from botwatch.settings import is_time_zone

US_PER_S: Final = 1_000_000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")
_DAY_MINUTES: Final = 24 * 60


def _days(value: Any) -> Any:
    """`mon-fri`, `sat,sun` or a list of days, as numbers from Monday on."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not words:
        raise ValueError("expected days such as mon-fri or [mon, wed]")
    found: list[int] = []
    for word in words:
        first, _, last = str(word).strip().lower()[:16].partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise ValueError(f"expected days out of {', '.join(_DAYS)}, found {str(word)[:16]!r}")
        low, high = _DAYS.index(first), _DAYS.index(last or first)
        found += [day % 7 for day in range(low, (high if high >= low else high + 7) + 1)]
    return tuple(dict.fromkeys(found))


def _minutes(value: Any) -> Any:
    """`17:30`; YAML reads that as the number of minutes it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or int(found[2]) > 59:
        raise ValueError(f"expected a time of day such as '09:00', found {str(value)[:16]!r}")
    return int(found[1]) * 60 + int(found[2])


Minutes = Annotated[int, BeforeValidator(_minutes), Field(ge=0, le=_DAY_MINUTES)]


class Hours(BaseModel):
    """`to` at or before `from` is on the next day: from 22:00 to 06:00, or around the clock."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    days: Annotated[tuple[int, ...], BeforeValidator(_days)] = (0, 1, 2, 3, 4)
    from_: Minutes = Field(alias="from")
    to: Minutes
    zone: Annotated[str, Field(max_length=limits.NAME_CHARS_MAX)] = ""  # the server's, if it is not said
    closed: Annotated[tuple[dt.date, ...], Field(max_length=limits.CONTRACT_CLOSED_DAYS_MAX)] = ()

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        if zone and not is_time_zone(zone):
            raise ValueError(f"expected a time zone such as Europe/Berlin, found {zone!r}")
        return zone

    def stretches(self, zone: ZoneInfo, first: dt.date, last: dt.date) -> list[tuple[int, int]]:
        """When it is open on the days from `first` to `last`, in microseconds, in order, none touching the next."""
        found: list[tuple[int, int]] = []
        for day in (first + dt.timedelta(days=n) for n in range((last - first).days + 1)):
            if day.weekday() not in self.days or day in self.closed:
                continue
            start = _at(day, self.from_, zone)
            end = _at(day, self.to if self.to > self.from_ else self.to + _DAY_MINUTES, zone)
            if found and start <= found[-1][1]:
                start = found.pop()[0]
            if start < end:
                found.append((start, end))
        return found


def _at(day: dt.date, minutes: int, zone: ZoneInfo) -> int:
    """A time the clock skips is as long after the hour as it would have been; of one it shows twice, the first."""
    wall = dt.datetime.combine(day + dt.timedelta(days=minutes // _DAY_MINUTES), dt.time())
    local = (wall + dt.timedelta(minutes=minutes % _DAY_MINUTES)).replace(tzinfo=zone)
    return (local.astimezone(dt.UTC) - _EPOCH) // dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The stretches of time that count, and how much of such time has passed before each."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, hours: Hours, zone: str, low_us: int, high_us: int) -> Self:
        """Of at least the time from `low_us` to `high_us`."""
        place = ZoneInfo(hours.zone or zone)
        first, last = (dt.datetime.fromtimestamp(us // US_PER_S, place).date() for us in (low_us, high_us))
        found = hours.stretches(place, first - dt.timedelta(days=2), last + dt.timedelta(days=1))
        before, passed = [], 0
        for start, end in found:
            before.append(passed)
            passed += end - start
        return cls(tuple(start for start, _ in found), tuple(end for _, end in found), tuple(before))

    @property
    def reached(self) -> tuple[int, ...]:
        """How much open time has passed by the end of each."""
        return tuple(
            before + end - start for start, end, before in zip(self.starts, self.ends, self.before, strict=True)
        )

    def passed(self, at_us: int) -> int:
        """The open time before a moment."""
        place = bisect_right(self.starts, at_us) - 1
        return 0 if place < 0 else self.before[place] + min(at_us, self.ends[place]) - self.starts[place]

    def when(self, passed_us: int) -> int | None:
        """The first moment by which so much open time has passed; None: not within this calendar."""
        place = bisect_left(self.reached, passed_us)
        if place == len(self.starts):
            return None
        return self.starts[place] + max(0, passed_us - self.before[place])

    def due(self, at_us: int, within_us: int) -> int | None:
        return self.when(self.passed(at_us) + within_us)

    def longest_us(self, within_us: int) -> int:
        """The longest it takes, over all moments of this calendar whose deadline is in it.

        While it is open, what is asked for and its deadline move together; it gets longer only where the deadline
        falls behind a closing time.
        """
        longest, reached = 0, self.reached
        for passed, following in zip(reached[:-1], self.starts[1:], strict=True):
            place = bisect_left(reached, passed - within_us)
            if passed >= within_us:
                asked = self.starts[place] + max(0, passed - within_us - self.before[place])
                longest = max(longest, following - asked)
        return max(longest, within_us)
