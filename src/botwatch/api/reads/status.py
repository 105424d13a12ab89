"""The status of everything in six figures, and how they came about over time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from botwatch import turns
from botwatch.api.asking import Window
from botwatch.api.fresh import Fresh
from botwatch.api.pages import moment
from botwatch.api.reads import machines, services
from botwatch.api.shapes_measures import History, SeriesShape
from botwatch.api.shapes_monitoring import MessageFigures, SessionFigures, Status
from botwatch.clock import SECOND_NS
from botwatch.errors import BotwatchError
from botwatch.measure import catalogue
from botwatch.measure.query import DAY_S, METRIC, Condition, Query
from botwatch.measure.reader import Measures, Series
from botwatch.measure.window import day_starts_s
from botwatch.store.client import Store
from botwatch.watch.services import Services

ON_THE_PAGE: Final = (
    "sessions.active",
    "sessions.peak",
    "sessions.duration",
    "messages.count",
    "messages.in",
    "messages.out",
    "response.time",
    "cpu.usage",
    "mem.usage",
    "gpu.usage",
    "disk.usage",
)
_STEPS_S: Final = (10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, DAY_S, 7 * DAY_S)
_POINTS_WANTED: Final = 300
_QUARTER_S: Final = 900  # in every time zone, days and hours begin with one
_DURATION_TTL_S: Final = 10.0  # an average over the day moves slowly, and costs more than all the rest
_DURATION_GRACE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Day:
    """Where we are in the day of a time zone, in seconds since 1970."""

    start_s: int
    end_s: int
    hour_start_s: int

    @classmethod
    def of(cls, now_ns: int, zone: ZoneInfo) -> Day:
        now = datetime.fromtimestamp(now_ns // SECOND_NS, zone)
        hour = now.replace(minute=0, second=0)
        return cls(
            day_starts_s(now.date(), zone.key),
            day_starts_s(now.date() + timedelta(days=1), zone.key),
            int(hour.astimezone(UTC).timestamp()),
        )


async def status(
    store: Store,
    measures: Measures,
    fresh: Fresh,
    now_ns: int,
    zone: ZoneInfo,
    idle_minutes: int,
    watched: Services | None = None,
) -> Status:
    """Where no bot was heard for a day there are no figures: that is not the same as zero."""
    day = Day.of(now_ns, zone)
    until_s = now_ns // SECOND_NS + 1
    heard, (resources, found), active, peak, duration_s, (messages, response) = await asyncio.gather(
        _heard(store, until_s - DAY_S),
        asyncio.gather(machines.resources(measures, now_ns // SECOND_NS), services.listed(store, watched, now_ns)),
        turns.active_now(store, now_ns, idle_minutes),
        turns.peak(store, day.start_s * SECOND_NS, now_ns, now_ns, idle_minutes),
        fresh.get(
            ("duration", day.start_s),
            _DURATION_TTL_S,
            lambda: measures.value(Query("sessions.duration", day.start_s, until_s)),
            grace_s=_DURATION_GRACE_S,
        ),
        measures.many(
            [
                Query("messages.count", day.start_s, until_s, _QUARTER_S, filled=False),
                Query("response.time", day.start_s, until_s),
            ]
        ),
    )
    none = 0 if heard else None
    quarters = [point for series in _told(messages) for point in series.points]
    answered_ms = [series.points[0][1] for series in _told(response)]
    return Status(
        sessions=SessionFigures(
            active=active or none,
            peak_today=max(peak, active) or none,
            avg_duration_seconds=_rounded([value.value for value in duration_s]),
        ),
        messages=MessageFigures(
            today=round(sum(count or 0 for _, count in quarters)) or none,
            this_hour=round(sum(count or 0 for start_s, count in quarters if start_s >= day.hour_start_s)) or none,
            avg_response_ms=_rounded(answered_ms),
        ),
        resources=resources,
        services={item.name: item.status for item in found.items},
    )


async def history(
    measures: Measures,
    names: Sequence[str],
    window: Window,
    step_s: int | None,
    by: tuple[str, ...],
    where: tuple[Condition, ...],
    aggregation: str = "",
) -> History:
    start_s, end_s = window.from_ns // SECOND_NS, -(-window.to_ns // SECOND_NS)
    step_s = step_s or step_for(end_s - start_s)
    queries = [Query(name, start_s, end_s, step_s, by, where, aggregation) for name in names]
    shown: list[Series] = []
    for answer in await measures.many(queries):
        shown += _told(answer)
    return History(
        start=moment(start_s * SECOND_NS),
        end=moment(end_s * SECOND_NS),
        step_seconds=step_s,
        units={name: catalogue.find(name).unit for name in names if not name.startswith(METRIC)},
        series=[SeriesShape.of(series) for series in shown],
    )


def step_for(window_s: int) -> int:
    """As fine as makes a chart and no finer."""
    return next((step_s for step_s in _STEPS_S if window_s <= step_s * _POINTS_WANTED), _STEPS_S[-1])


async def _heard(store: Store, since_s: int) -> bool:
    """Whether any bot gave a sign of life since then."""
    rows = await store.fetch(
        "SELECT max(last_seen) >= toDateTime({since:UInt32}, 'UTC') FROM names WHERE label = 'bot'", {"since": since_s}
    )
    return bool(rows.first and rows.first[0])


def _told(answer: list[Series] | BotwatchError) -> list[Series]:
    if isinstance(answer, BotwatchError):
        raise answer
    return answer


def _rounded(values: Sequence[float | None]) -> int | None:
    value = values[0] if values else None
    return None if value is None else round(value)
