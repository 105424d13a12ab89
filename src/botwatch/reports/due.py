"""When a report is due: pure. Days, weeks and months are those of the schedule's own time zone."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from typing import Final

from botwatch.notify.silence import Weekday, in_ns, moment
from botwatch.reports.report import Every, Schedule

_REACH: Final = range(-2, 3)  # days, weeks or months around now: enough on both sides in every zone


def last_ns(schedule: Schedule, now_ns: int) -> int:
    """The latest time it was due."""
    return max(at_ns for at_ns in _times(schedule, now_ns) if at_ns <= now_ns)


def next_ns(schedule: Schedule, now_ns: int) -> int:
    """The first time after now that it is due."""
    return min(at_ns for at_ns in _times(schedule, now_ns) if at_ns > now_ns)


def _times(schedule: Schedule, now_ns: int) -> Iterator[int]:
    today = moment(now_ns).astimezone(schedule.clock).date()
    for step in _REACH:
        # An hour that a clock skips is the one after it; of one that comes twice, it is the first.
        local = dt.datetime.combine(_day(schedule, today, step), schedule.at, tzinfo=schedule.clock)
        yield in_ns(local.astimezone(dt.UTC))


def _day(schedule: Schedule, today: dt.date, step: int) -> dt.date:
    if schedule.every is Every.DAY:
        return today + dt.timedelta(days=step)
    if schedule.every is Every.WEEK:
        wanted = list(Weekday).index(schedule.weekday)
        return today + dt.timedelta(days=7 * step + wanted - today.weekday())
    months = today.year * 12 + today.month - 1 + step
    year, month = months // 12, months % 12 + 1
    return dt.date(year, month, min(schedule.day, calendar.monthrange(year, month)[1]))
