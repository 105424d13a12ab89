"""What bots consist of, over one window: their actions, what they call, the models they use.

All numbers are measures of the catalogue, asked for together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botwatch.api.asking import Window
from botwatch.api.pages import moment
from botwatch.api.shapes_measures import ActionItem, DependencyItem, Latency, ModelItem
from botwatch.clock import SECOND_NS
from botwatch.errors import BotwatchError
from botwatch.measure.query import TICK_S, Condition, Op, Query
from botwatch.measure.reader import Measures
from botwatch.store.client import Store

Key = tuple[str, ...]
_LATENCIES: Final = ("latency", "latency.p50", "latency.p95", "latency.p99")


@dataclass(frozen=True, slots=True)
class Wanted:
    window: Window
    bot: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The measures of one kind by group; `value` is None where there is nothing to compute it from."""

    kind: str
    by: Key
    found: Mapping[str, Mapping[Key, float | None]]
    seen: Mapping[tuple[str, str], datetime]

    def ranked(self) -> list[Key]:
        """Those that were counted in the window, the most frequent first."""
        counts = {key: count for key, count in self.found["count"].items() if count}
        return sorted(counts, key=lambda key: (-counts[key], key))

    def value(self, suffix: str, key: Key) -> float | None:
        return self.found[suffix].get(key)

    def count(self, suffix: str, key: Key) -> int:
        return round(self.value(suffix, key) or 0)

    def latency(self, key: Key) -> Latency:
        avg, p50, p95, p99 = (self.value(suffix, key) for suffix in _LATENCIES)
        return Latency(avg=avg, p50=p50, p95=p95, p99=p99)

    def last_seen(self, key: Key) -> datetime | None:
        return self.seen.get((key[0], key[1]))


async def actions(store: Store, measures: Measures, wanted: Wanted) -> list[ActionItem]:
    figures = await _figures(store, measures, wanted, "action", ("bot", "action"), ("success_rate",))
    return [
        ActionItem(
            bot=key[0],
            name=key[1],
            count=figures.count("count", key),
            errors=figures.count("errors", key),
            success_rate=figures.value("success_rate", key),
            latency_ms=figures.latency(key),
            last_seen=figures.last_seen(key),
        )
        for key in figures.ranked()
    ]


async def dependencies(store: Store, measures: Measures, wanted: Wanted) -> list[DependencyItem]:
    more = ("error_rate", "timeouts", "rate_limited")
    figures = await _figures(store, measures, wanted, "dependency", ("bot", "dependency"), more)
    return [
        DependencyItem(
            bot=key[0],
            name=key[1],
            count=figures.count("count", key),
            errors=figures.count("errors", key),
            error_rate=figures.value("error_rate", key),
            timeouts=figures.count("timeouts", key),
            rate_limited=figures.count("rate_limited", key),
            latency_ms=figures.latency(key),
            last_seen=figures.last_seen(key),
        )
        for key in figures.ranked()
    ]


async def models(store: Store, measures: Measures, wanted: Wanted) -> list[ModelItem]:
    more = ("error_rate", "tokens.in", "tokens.out", "cost")
    figures = await _figures(store, measures, wanted, "model", ("bot", "model", "provider"), more)
    return [
        ModelItem(
            bot=key[0],
            name=key[1],
            provider=key[2],
            count=figures.count("count", key),
            errors=figures.count("errors", key),
            error_rate=figures.value("error_rate", key),
            tokens_in=figures.count("tokens.in", key),
            tokens_out=figures.count("tokens.out", key),
            cost_usd=figures.value("cost", key),
            latency_ms=figures.latency(key),
            last_seen=figures.last_seen(key),
        )
        for key in figures.ranked()
    ]


async def _figures(
    store: Store, measures: Measures, wanted: Wanted, kind: str, by: Key, more: Sequence[str]
) -> Figures:
    suffixes = ("count", "errors", *_LATENCIES, *more)
    where = [Condition("bot", Op.IS, (wanted.bot,))] if wanted.bot is not None else []
    where += [Condition(kind, Op.IS, (wanted.name,))] if wanted.name is not None else []
    start_s, end_s = wanted.window.from_ns // SECOND_NS, -(-wanted.window.to_ns // SECOND_NS)
    queries = [
        Query(f"{kind}.{suffix}", start_s, end_s, by=by, where=tuple(where), filled=False) for suffix in suffixes
    ]
    found = {}
    for suffix, answer in zip(suffixes, await measures.many(queries), strict=True):
        if isinstance(answer, BotwatchError):
            raise answer
        found[suffix] = {tuple(series.labels[label] for label in by): series.points[0][1] for series in answer}
    return Figures(kind, by, found, await _last_seen(store, kind))


async def _last_seen(store: Store, kind: str) -> dict[tuple[str, str], datetime]:
    """To the tick."""
    rows = await store.fetch(
        "SELECT bot, name, toUnixTimestamp(max(last_seen)) FROM names WHERE label = {kind:String} GROUP BY bot, name",
        {"kind": kind},
    )
    return {(bot, name): moment((tick_s + TICK_S) * SECOND_NS) for bot, name, tick_s in rows}
