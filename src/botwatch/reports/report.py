"""What a report is: some charts over a length of time; and when, and to whom, it is sent."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from botwatch import limits
from botwatch.measure.query import DAY_S, parse_duration_s
from botwatch.notify.channels.email import Address
from botwatch.notify.silence import TimeOfDay, Weekday
from botwatch.settings import is_time_zone

_JOINERS = str.maketrans("", "", "\u200c\u200d")  # of scripts and pictures: they hide nothing


class Drawn(StrEnum):
    """How a panel shows its measure."""

    LINES = "lines"
    BARS = "bars"
    NUMBER = "number"
    TABLE = "table"

    @property
    def over_time(self) -> bool:
        return self in (Drawn.LINES, Drawn.BARS)


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class FileKind(StrEnum):
    PDF = "pdf"
    CSV = "csv"


def _line(text: str) -> str:
    text = text.strip()
    if not text.translate(_JOINERS).isprintable():
        raise ValueError("expected one line of printable text")
    return text


def _period(text: str) -> str:
    text = text.strip()
    seconds = parse_duration_s(text)
    if not limits.REPORT_PERIOD_S_MIN <= seconds <= limits.REPORT_PERIOD_DAYS_MAX * DAY_S:
        raise ValueError(f"expected {limits.REPORT_PERIOD_S_MIN}s to {limits.REPORT_PERIOD_DAYS_MAX}d")
    return text


def _zone(name: str) -> str:
    if name and not is_time_zone(name):
        raise ValueError("expected an IANA zone such as Europe/Zurich")
    return name


Line = Annotated[str, Field(max_length=limits.REPORT_TITLE_CHARS_MAX), AfterValidator(_line)]
Period = Annotated[str, AfterValidator(_period)]
Word = Annotated[str, Field(max_length=limits.MEASURE_TEXT_CHARS_MAX)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Panel(_Frozen):
    """One measure. Whether the catalogue has it is looked up when a report is saved."""

    title: Line = Field(default="", description="empty: the name of the measure")
    measure: Annotated[Word, Field(min_length=1)]
    by: Annotated[tuple[Word, ...], Field(max_length=limits.MEASURE_BY_MAX)] = ()
    where: Annotated[tuple[Word, ...], Field(max_length=limits.MEASURE_WHERE_MAX)] = Field(
        default=(), description="label=value, label!=value or label~pattern; all must hold"
    )
    aggregation: Word = Field(default="", description="another than its own, as in /api/measures")
    drawn: Drawn = Field(default=Drawn.LINES, description="lines and bars over time; number and table of all the time")
    period: Period | None = Field(default=None, description="null: that of the report")

    @property
    def name(self) -> str:
        return self.title or self.measure


class Schedule(_Frozen):
    """By the clock of a time zone; a month without that day has it on its last."""

    every: Every = Every.DAY
    at: TimeOfDay = dt.time(8)
    weekday: Weekday = Field(default=Weekday.MON, description="of a weekly one")
    day: int = Field(default=1, ge=1, le=31, description="of a monthly one")
    zone: Annotated[str, AfterValidator(_zone)] = Field(default="", description="empty: that of the settings")
    channel: Annotated[str, Field(min_length=1, max_length=limits.LABEL_CHARS_MAX)] = Field(
        description="a channel of the kind email"
    )
    to: Annotated[tuple[Address, ...], Field(max_length=limits.REPORT_RECIPIENTS_MAX)] = Field(
        default=(), description="none: whom the channel reaches"
    )
    files: Annotated[tuple[FileKind, ...], Field(min_length=1, max_length=len(FileKind))] = tuple(FileKind)

    @model_validator(mode="after")
    def _once_each(self) -> Schedule:
        if len(set(self.files)) < len(self.files) or len(set(self.to)) < len(self.to):
            raise ValueError("expected each file and each address once")
        return self

    @property
    def clock(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.zone or "UTC")


class Report(_Frozen):
    name: Annotated[Line, Field(min_length=1)]
    period: Period = "24h"
    panels: Annotated[tuple[Panel, ...], Field(max_length=limits.REPORT_PANELS_MAX)] = ()
    schedule: Schedule | None = None
