"""Looks for processes that leak, in what bots and agents have told of their memory, and tells it as readings.

It knows nothing but what is stored: a restart forgets nothing, and a bot without an agent is judged too. The engine
finds the floors; `growth` judges them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.errors import BotwatchError
from botwatch.store.client import Store
from botwatch.watch.growth import HORIZONS, STRETCHES, Horizon, Judgement, Verdict, first_leak, judge
from botwatch.watch.reading import Happening, Reading, Reporter

log = logging.getLogger(__name__)

GROWTH: Final = "process.memory.growth"
TIME_LEFT: Final = "process.memory.time_left"
_HOUR_S: Final = 3_600
_BEFORE_S: Final = 8 * 86_400
_LATELY_S: Final = 90
_FLOORS_10S: Final = (
    "SELECT series, any(owner), any(place), groupArray((stretch, floor)) FROM ("
    "SELECT series, any(bot) AS owner, any(host) AS place, "
    "intDiv(toUnixTimestamp(tick) - {start:UInt32}, {stretch:UInt32}) AS stretch, min(low) AS floor FROM ticks_10s "
    "WHERE kind = 'point' AND name = 'process.memory.usage' AND detail = 'gauge' AND bot != '' AND series != 0 "
    "AND tick >= toDateTime({start:UInt32}, 'UTC') AND tick < toDateTime({end:UInt32}, 'UTC') "
    "GROUP BY series, stretch) GROUP BY series ORDER BY series LIMIT {most:UInt32}"
)
# Ticks as long as fit a stretch at least twice.
_FLOORS: Final = {10: _FLOORS_10S, 300: _FLOORS_10S.replace("ticks_10s", "ticks_5m")}
# Only ticks that ended before the window began.
_PEAKS: Final = (
    "SELECT series, max(high) FROM ("
    "SELECT series, high FROM ticks_1h WHERE kind = 'point' AND name = 'process.memory.usage' AND detail = 'gauge' "
    "AND tick >= toDateTime({oldest:UInt32}, 'UTC') AND tick <= toDateTime({start:UInt32} - 3600, 'UTC') "
    "UNION ALL "
    "SELECT series, high FROM ticks_5m WHERE kind = 'point' AND name = 'process.memory.usage' AND detail = 'gauge' "
    "AND tick >= toDateTime({start:UInt32} - 7200, 'UTC') AND tick <= toDateTime({start:UInt32} - 300, 'UTC')) "
    "WHERE series != 0 GROUP BY series"
)
_INSTANCES: Final = (
    "SELECT series, any(JSONExtractString(resource, 'service.instance.id')) FROM series "
    "WHERE metric = 'process.memory.usage' AND series IN ("
    "SELECT series FROM ticks_10s WHERE kind = 'point' AND name = 'process.memory.usage' AND detail = 'gauge' "
    "AND tick >= toDateTime({since:UInt32}, 'UTC')) GROUP BY series"
)
_LEFT: Final = (
    "SELECT bot, host, any(JSONExtractString(known.resource, 'service.instance.id')) AS instance, max(last).2 "
    "FROM (SELECT bot, host, series, max(last) AS last FROM ticks_10s "
    "WHERE kind = 'point' AND name IN ('process.memory.left', 'system.memory.available') AND detail = 'gauge' "
    "AND tick >= toDateTime({since:UInt32}, 'UTC') GROUP BY bot, host, series) AS found "
    "INNER JOIN (SELECT series, any(resource) AS resource FROM series "
    "WHERE metric IN ('process.memory.left', 'system.memory.available') GROUP BY series) AS known USING series "
    "GROUP BY bot, host, series"
)


class Process(NamedTuple):
    bot: str
    host: str
    instance: str


@dataclass(frozen=True, slots=True)
class Found:
    process: Process
    leak: Judgement | None


class Leaks:
    """`run` looks once a minute until it is told to stop."""

    def __init__(self, store: Store, reporter: Reporter, clock: Clock) -> None:
        self._store = store
        self._reporter = reporter
        self._clock = clock
        self._named: set[Process] = set()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.look()
            except BotwatchError as error:
                log.debug("leaks are looked for later", extra={"reason": error.message})
            except Exception:
                log.exception("leaks could not be looked for; it is tried again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), limits.LEAKS_EVERY_S)

    async def look(self) -> list[Found]:
        now_s = self._clock.now_ns() // SECOND_NS
        instances = await self._fetch(_INSTANCES, since=now_s - _LATELY_S)
        left = await self._left(now_s)
        judged: dict[Process, list[Judgement]] = defaultdict(list)
        for horizon in HORIZONS:
            for process, judgement in await self._judged(horizon, now_s, instances, left):
                judged[process].append(judgement)
        found = [
            Found(process, first_leak(judgements))
            for process, judgements in judged.items()
            if any(one.verdict not in (Verdict.ENDED, Verdict.TOO_YOUNG) for one in judgements)
        ]
        for one in found:
            self._tell(one)
        self._named = {one.process for one in found if one.leak}
        return found

    async def _judged(
        self, horizon: Horizon, now_s: int, instances: Mapping[int, Any], left: Mapping[Process, float]
    ) -> list[tuple[Process, Judgement]]:
        tick_s = max(tick_s for tick_s in _FLOORS if tick_s * 2 <= horizon.stretch_s)
        end_s = now_s // tick_s * tick_s + tick_s
        start_s = end_s - horizon.length_s
        rows = await self._store.fetch(
            _FLOORS[tick_s],
            {"start": start_s, "end": end_s, "stretch": horizon.stretch_s, "most": limits.LEAK_SERIES_MAX},
        )
        peaks = await self._fetch(_PEAKS, start=start_s, oldest=start_s - _BEFORE_S)
        judged = []
        for series, bot, host, floors in rows:
            if series not in instances:
                continue  # ended
            process = Process(bot, host, instances[series])
            left_bytes = left.get(process, left.get(Process("", host, "")))
            judged.append(
                (process, judge(_laid_out(floors), horizon, peak_before=peaks.get(series), left_bytes=left_bytes))
            )
        return judged

    async def _left(self, now_s: int) -> dict[Process, float]:
        """By process, and that of a whole machine under no bot: what an agent told."""
        rows = await self._store.fetch(_LEFT, {"since": now_s - _LATELY_S})
        return {Process(bot, host, instance if bot else ""): value for bot, host, instance, value in rows}

    async def _fetch(self, sql: str, **params: int) -> dict[int, Any]:
        return dict(row for row in await self._store.fetch(sql, params))

    def _tell(self, found: Found) -> None:
        process, leak = found.process, found.leak
        resource = {"bot.name": process.bot, "host.name": process.host, "service.instance.id": process.instance}
        readings = [Reading(GROWTH, leak.pace * _HOUR_S if leak else 0.0, "By/h")]
        if leak and leak.left_s is not None:
            readings.append(Reading(TIME_LEFT, leak.left_s, "s"))
        happenings = []
        if leak and process not in self._named:
            happenings.append(Happening("process.leak", _said(leak), warning=True))
        elif not leak and process in self._named:
            happenings.append(Happening("process.leak.ended", "its memory no longer grows"))
        self._reporter.report(resource, readings, happenings)


def _laid_out(floors: Sequence[tuple[int, float]]) -> list[float | None]:
    known = {int(stretch): float(floor) for stretch, floor in floors}
    return [known.get(stretch) for stretch in range(STRETCHES)]


def _said(leak: Judgement) -> str:
    pace = f"its memory grows by {leak.pace * _HOUR_S / limits.MIB:,.0f} MiB an hour and does not shrink again"
    if leak.left_s is None:
        return pace
    minutes = int(leak.left_s // 60)
    return f"{pace}; at this pace none is left in {minutes // 60} h {minutes % 60} min"
