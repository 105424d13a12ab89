"""The machines: what their agents last told of them, and the four figures of the status."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from botwatch.api.pages import moment
from botwatch.api.shapes_hosts import HostItem, HostLimit, HostProcess
from botwatch.api.shapes_monitoring import ResourceFigures
from botwatch.clock import SECOND_NS
from botwatch.errors import BotwatchError
from botwatch.measure.query import TICK_S, Query
from botwatch.measure.reader import Measures, Series
from botwatch.store.client import Store

# How old a reading may be to tell how things are now: three looks of an agent and what it takes to come.
LATELY_S: Final = 60
_RESOURCES: Final = ("cpu.usage", "mem.usage", "gpu.usage", "disk.usage")
_SHOWN: Final = 1_000  # bots of one host
_LEAKS_S: Final = 900  # leaks are judged every few minutes
_LEAKS: Final = ("process.memory.growth", "process.memory.time_left")
_LOADS: Final = tuple(f"system.cpu.load_average.{over}" for over in ("1m", "5m", "15m"))
_TOLD: Final = (
    "botwatch.limit.utilization",
    "botwatch.processes",
    "botwatch.unknown",
    "process.cpu.utilization",
    "process.memory.left",
    "process.memory.usage",
    "process.open_connections",
    "process.thread.count",
    "process.unix.file_descriptor.count",
    "process.uptime",
    "system.cpu.logical.count",
    "system.memory.limit",
    "system.memory.usage",
    "system.network.connection.count",
    "system.open_files",
    "system.uptime",
    *_LOADS,
    *_LEAKS,
)
Labels = Mapping[str, str]
PerHost = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Point:
    """The newest value of one series."""

    bot: str
    instance: str
    metric: str
    labels: Labels
    value: float
    at_ns: int


async def resources(measures: Measures, now_s: int) -> ResourceFigures:
    """Over all machines: the average of what each told last, and the fullest of the disks."""
    return figures(await _latest(measures, now_s))


def figures(told: PerHost, host: str | None = None) -> ResourceFigures:
    def one(measure: str) -> int | None:
        values = [value for name, value in told[measure].items() if host in (None, name)]
        if not values:
            return None
        return round(max(values) if measure == "disk.usage" else fmean(values))

    cpu, memory, gpu, disk = map(one, _RESOURCES)
    return ResourceFigures(cpu_percent=cpu, memory_percent=memory, gpu_percent=gpu, disk_percent=disk)


async def hosts(store: Store, measures: Measures, now_s: int) -> list[HostItem]:
    """Every host that was heard of, by name."""
    seen, told, points = await asyncio.gather(_seen(store), _latest(measures, now_s), _points(store, now_s))
    return [
        _host(name, first_s, last_s, bots, figures(told, name), points.get(name, ()))
        for name, first_s, last_s, bots in seen
    ]


async def _seen(store: Store) -> list[tuple[str, int, int, list[str]]]:
    rows = await store.fetch(
        "SELECT name, toUnixTimestamp(min(first_seen)), toUnixTimestamp(max(last_seen)), "
        f"arraySort(groupUniqArrayIf({_SHOWN})(toString(bot), bot != '')) FROM names WHERE label = 'host' "
        "GROUP BY name ORDER BY name"
    )
    return [(name, first_s, last_s, bots) for name, first_s, last_s, bots in rows]


async def _latest(measures: Measures, now_s: int) -> PerHost:
    """The newest value of each resource of each host."""
    end_s = now_s // TICK_S * TICK_S + TICK_S
    queries = [Query(name, end_s - LATELY_S - TICK_S, end_s, TICK_S, ("host",)) for name in _RESOURCES]
    answers = await measures.many(queries)
    return {name: dict(_newest(answer)) for name, answer in zip(_RESOURCES, map(_told, answers), strict=True)}


def _newest(answer: Iterable[Series]) -> Iterable[tuple[str, float]]:
    for series in answer:
        values = [value for _, value in series.points if value is not None]
        if values:
            yield series.labels["host"], values[-1]


def _told(answer: list[Series] | BotwatchError) -> list[Series]:
    if isinstance(answer, BotwatchError):
        raise answer
    return answer


async def _points(store: Store, now_s: int) -> dict[str, list[Point]]:
    rows = await store.fetch(
        "SELECT host, bot, instance, metric, labels, newest.2, newest.1 FROM ("
        "SELECT host, bot, name AS metric, series, max(last) AS newest FROM ticks_10s "
        "WHERE kind = 'point' AND detail = 'gauge' AND name IN {names:Array(String)} AND host != '' "
        "AND tick >= toDateTime({oldest:UInt32}, 'UTC') "
        "AND (tick >= toDateTime({since:UInt32}, 'UTC') OR name IN {leaks:Array(String)}) "
        "GROUP BY host, bot, name, series) AS found INNER JOIN ("
        "SELECT series, any(labels) AS labels, any(JSONExtractString(resource, 'service.instance.id')) AS instance "
        "FROM series WHERE metric IN {names:Array(String)} GROUP BY series) AS known USING series "
        "ORDER BY host, bot, instance, metric",
        {"names": list(_TOLD), "leaks": list(_LEAKS), "oldest": now_s - _LEAKS_S, "since": now_s - LATELY_S},
    )
    found: dict[str, list[Point]] = defaultdict(list)
    for host, bot, instance, metric, labels, value, at_ns in rows:
        found[host].append(Point(bot, instance, metric, labels, value, at_ns))
    return found


def _host(
    name: str, first_s: int, last_s: int, bots: list[str], shares: ResourceFigures, points: Iterable[Point]
) -> HostItem:
    own = [point for point in points if not point.bot]
    values = {point.metric: point.value for point in own if not point.labels}
    memory = {state: value for labels, value in _of(own, "system.memory.usage") for state in labels.values()}
    opened = [
        value for labels, value in _of(own, "system.network.connection.count") if "established" in labels.values()
    ]
    heard = max((point.at_ns for point in own), default=None)
    return HostItem(
        name=name,
        first_seen=moment(first_s * SECOND_NS),
        last_seen=moment(last_s * SECOND_NS),
        measured=moment(heard),
        bots=bots,
        resources=shares,
        cpus=_whole(values.get("system.cpu.logical.count")),
        load=[values[metric] for metric in _LOADS if metric in values],
        memory_total_bytes=values.get("system.memory.limit"),
        memory_free_bytes=memory.get("free"),
        connections=_whole(opened[0] if opened else None),
        open_files=_whole(values.get("system.open_files")),
        uptime_seconds=values.get("system.uptime"),
        limits=[
            HostLimit(name=labels.get("limit", ""), percent=round(100 * share, 2))
            for labels, share in _of(own, "botwatch.limit.utilization")
        ],
        processes=_processes([point for point in points if point.bot]),
        watched={labels.get("process", ""): int(count) for labels, count in _of(own, "botwatch.processes")},
        unknown={labels.get("part", ""): labels.get("reason", "") for labels, _ in _of(own, "botwatch.unknown")},
    )


def _of(points: Iterable[Point], metric: str) -> list[tuple[Labels, float]]:
    return [(point.labels, point.value) for point in points if point.metric == metric]


def _processes(points: Iterable[Point]) -> list[HostProcess]:
    """One that told nothing lately but its leak has ended meanwhile."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for point in points:
        if not point.labels:
            found[point.bot, point.instance][point.metric] = point.value
    return [_process(bot, instance, told) for (bot, instance), told in found.items() if told.keys() - set(_LEAKS)]


def _process(bot: str, instance: str, told: Mapping[str, float]) -> HostProcess:
    cpu = told.get("process.cpu.utilization")
    return HostProcess(
        bot=bot,
        instance=instance,
        cpu_percent=None if cpu is None else round(100 * cpu, 2),
        memory_bytes=told.get("process.memory.usage"),
        memory_left_bytes=told.get("process.memory.left"),
        memory_growth_bytes_per_hour=told.get("process.memory.growth"),
        memory_time_left_seconds=told.get("process.memory.time_left"),
        threads=_whole(told.get("process.thread.count")),
        open_files=_whole(told.get("process.unix.file_descriptor.count")),
        connections=_whole(told.get("process.open_connections")),
        uptime_seconds=told.get("process.uptime"),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
