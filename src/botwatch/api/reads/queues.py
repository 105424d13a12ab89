"""Queues as they were last told of, by their brokers or by bots themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from botwatch.api.pages import moment
from botwatch.api.shapes_queues import BrokerItem, PartitionItem, QueueItem, Trend
from botwatch.clock import SECOND_NS
from botwatch.limits import MEASURE_ROWS_MAX, QUEUE_FRESH_S
from botwatch.store.client import Store

_WATCHED: Final = "queue.watched"
_DEPTHS: Final = ("queue.depth", "bot.queue.depth", "bot.queue.age")  # each look tells at least one
_PARTS: Final = ("queue.partition.depth", "queue.partition.age")
_FIGURES: Final = (
    *("pending", "consumers", "age", "age_exact", "in_rate", "out_rate", "rates_exact"),
    *("growth", "time_to_drain", "growing", "stalled", "unattended"),
)
_NAMES: Final = (_WATCHED, *_DEPTHS, *_PARTS, *(f"queue.{name}" for name in _FIGURES))
_BEATS: Final = 3  # that may be missed
_GRACE_S: Final = 30  # what it takes to come
_BOT_EVERY_S: Final = 60  # how often a bot tells of itself at the least
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Point:
    bot: str
    host: str
    metric: str
    labels: Labels
    value: float
    at_ns: int

    def label(self, *names: str) -> str:
        return next((self.labels[name] for name in names if self.labels.get(name)), "")

    @property
    def broker(self) -> str:
        return self.label("queue.broker")

    @property
    def key(self) -> tuple[str, ...]:
        queue = self.label("messaging.destination.name", "bot.queue.name")
        return self.broker, queue, self.label("messaging.consumer.group.name"), self.bot, self.host


@dataclass(frozen=True, slots=True)
class Queues:
    items: list[QueueItem]
    brokers: list[BrokerItem]


async def queues(store: Store, now_ns: int) -> Queues:
    """The deepest first; brokers by name."""
    points = await _points(store, now_ns // SECOND_NS)
    brokers = _brokers(points)
    told: dict[tuple[str, ...], list[_Point]] = defaultdict(list)
    for point in points:
        if point.metric != _WATCHED:
            told[point.key].append(point)
    items = [item for found in told.values() if (item := _queue(found, brokers, now_ns))]
    items.sort(key=lambda item: (-(item.depth or 0), item.queue, item.broker or "", item.group or "", item.bot or ""))
    return Queues(items, [_broker(point, now_ns) for _, point in sorted(brokers.items())])


async def _points(store: Store, now_s: int) -> list[_Point]:
    """The newest of each series."""
    rows = await store.fetch(
        "SELECT bot, host, metric, labels, newest.2, newest.1 FROM ("
        "SELECT bot, host, name AS metric, series, max(last) AS newest FROM ticks_10s "
        "WHERE kind = 'point' AND detail = 'gauge' AND name IN {names:Array(String)} AND series != 0 "
        "AND tick >= toDateTime({since:UInt32}, 'UTC') GROUP BY bot, host, name, series) AS found INNER JOIN ("
        "SELECT series, any(labels) AS labels FROM series WHERE metric IN {names:Array(String)} GROUP BY series"
        ") AS known USING series LIMIT {most:UInt64}",
        {"names": list(_NAMES), "since": max(0, now_s - QUEUE_FRESH_S), "most": MEASURE_ROWS_MAX},
    )
    return [_Point(*row) for row in rows]


def _brokers(points: Iterable[_Point]) -> dict[str, _Point]:
    found: dict[str, _Point] = {}
    for point in points:
        if point.metric == _WATCHED and (point.broker not in found or found[point.broker].at_ns < point.at_ns):
            found[point.broker] = point
    return found


def _broker(point: _Point, now_ns: int) -> BrokerItem:
    return BrokerItem(
        name=point.broker,
        system=point.label("messaging.system"),
        asked=moment(point.at_ns),
        answers=point.value == 1,
        reason=point.label("queue.reason") or None,
        queues_left_out=int(point.label("queue.left_out") or 0),
        current=_lately(point, now_ns),
    )


def _lately(point: _Point, now_ns: int) -> bool:
    """Whether no more than a few beats have passed; each broker has its own."""
    every = point.label("queue.every_s")
    every_s = float(every) if every.replace(".", "", 1).isdigit() else _BOT_EVERY_S
    return now_ns - point.at_ns <= (_BEATS * every_s + _GRACE_S) * SECOND_NS


def _queue(points: Iterable[_Point], brokers: Mapping[str, _Point], now_ns: int) -> QueueItem | None:
    """The figures of one look: those of the looks before may no longer be."""
    newest = max((point for point in points if point.metric in _DEPTHS), key=lambda point: point.at_ns, default=None)
    if newest is None:
        return None
    own = [point for point in points if point.at_ns == newest.at_ns or not newest.broker]
    told = {point.metric.removeprefix("bot.").removeprefix("queue."): point.value for point in own}
    broker, queue, group, bot, host = newest.key
    asked = brokers.get(broker, newest)
    current = _lately(asked, now_ns) and asked.at_ns <= newest.at_ns
    return QueueItem(
        queue=queue,
        broker=broker or None,
        system=newest.label("messaging.system") or None,
        group=group or None,
        bot=bot or None,
        host=host or None,
        seen=moment(newest.at_ns),
        current=current,
        trend=_trend(told) if current else Trend.UNKNOWN,
        depth=_whole(told.get("depth")),
        pending=_whole(told.get("pending")),
        age_seconds=told.get("age"),
        age_exact=_yes(told.get("age_exact")),
        consumers=_whole(told.get("consumers")),
        unattended=_whole(told.get("unattended")),
        in_per_second=told.get("in_rate"),
        out_per_second=told.get("out_rate"),
        rates_exact=_yes(told.get("rates_exact")),
        growth_per_second=told.get("growth"),
        time_to_drain_seconds=told.get("time_to_drain"),
        growing_seconds=told.get("growing"),
        stalled_seconds=told.get("stalled"),
        partitions=_partitions(own),
    )


def _partitions(points: Iterable[_Point]) -> list[PartitionItem]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for point in points:
        if point.metric in _PARTS:
            found[point.label("messaging.destination.partition.id")][point.metric] = point.value
    return [
        PartitionItem(partition=name, depth=_whole(told.get(_PARTS[0])), age_seconds=told.get(_PARTS[1]))
        for name, told in sorted(found.items(), key=lambda item: (len(item[0]), item[0]))
    ]


def _trend(told: Mapping[str, float]) -> Trend:
    if told.get("depth") == 0 and not told.get("pending"):
        return Trend.EMPTY
    growth = told.get("growth")
    if growth is None:
        return Trend.UNKNOWN
    return Trend.GROWING if growth > 0 else Trend.DRAINING if growth < 0 else Trend.STEADY


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _yes(value: float | None) -> bool | None:
    return None if value is None else value == 1
