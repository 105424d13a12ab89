"""A planned quiet, once or again and again in a time zone: pure, with `now` passed in."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.notify.match import Where, fits
from botwatch.settings import is_time_zone

_DAY: Final = dt.timedelta(days=1)


class Weekday(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def _zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("expected an IANA zone such as Europe/Zurich")
    return name


def _time(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return dt.time.fromisoformat(value.strip()).replace(tzinfo=None)
        except ValueError:
            raise ValueError("expected a time of day such as 22:30") from None
    return value


TimeOfDay = Annotated[dt.time, BeforeValidator(_time)]


class Window(BaseModel):
    """The hours of some days. One that ends before it begins goes over midnight and belongs to the day it begins on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    begin: TimeOfDay = Field(alias="from")
    until: TimeOfDay
    days: tuple[Weekday, ...] = tuple(Weekday)
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    def holds(self, now: dt.datetime) -> bool:
        local = now.astimezone(zoneinfo.ZoneInfo(self.zone))
        at = local.time()
        today, before = self._on(local), self._on(local - _DAY)
        if self.begin < self.until:
            return today and self.begin <= at < self.until
        return (today and at >= self.begin) or (before and at < self.until)

    def _on(self, day: dt.datetime) -> bool:
        return list(Weekday)[day.weekday()] in self.days


class Silence(BaseModel):
    """Incidents whose labels fit `where` (also `rule` and `severity`) are not told while it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Annotated[Where, Field(min_length=1)]
    starts: AwareDatetime
    ends: AwareDatetime | None = None
    window: Window | None = Field(default=None, description="only in these hours: a maintenance window")
    comment: Annotated[str, Field(max_length=limits.RULE_TEXT_CHARS_MAX)] = ""

    @model_validator(mode="after")
    def _ends(self) -> Silence:
        if self.ends is None and self.window is None:
            raise ValueError("a silence ends: set ends, or a window in which it recurs")
        if self.ends is not None and not self.starts < self.ends:
            raise ValueError("ends: expected a time after starts")
        if self.window is None and self.ends and self.ends - self.starts > limits.SILENCE_DAYS_MAX * _DAY:
            raise ValueError(f"ends: expected at most {limits.SILENCE_DAYS_MAX} days after starts")
        return self

    def holds(self, now_ns: int) -> bool:
        now = moment(now_ns)
        if now < self.starts or (self.ends is not None and now >= self.ends):
            return False
        return self.window is None or self.window.holds(now)

    def mutes(self, labels: Mapping[str, str], now_ns: int) -> bool:
        return self.holds(now_ns) and fits(self.where, labels)


def moment(at_ns: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at_ns // 1_000)


def in_ns(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * (SECOND_NS // 1_000_000)
