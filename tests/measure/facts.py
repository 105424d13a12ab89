"""Writes facts through the raw tables, as the receivers' views do, and asks measures about them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.clock import ManualClock
from botwatch.measure.query import Condition, Op, Query
from botwatch.measure.reader import Measures, Series
from botwatch.settings import Settings
from botwatch.store.client import Store

# A Thursday at midnight in UTC.
T0: Final = 1_759_968_000
MS: Final = 1_000_000
Asked = dict[str, Any]
Labelled = dict[tuple[str, ...], float | None]


def measures_of(store: Store, zone: str = "UTC") -> Measures:
    return Measures(store, Settings(time_zone=zone), ManualClock(T0 * 10**9))


def when(at_s: float, digits: int = 9) -> str:
    """A time as the engine reads it; to the microsecond, which is enough for a test."""
    micro = round(at_s * 1_000_000)
    text = dt.datetime.fromtimestamp(micro // 1_000_000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{micro % 1_000_000:06d}{'0' * (digits - 6)}"


def where(**conditions: str) -> tuple[Condition, ...]:
    return tuple(Condition(label, Op.IS, (value,)) for label, value in conditions.items())


@dataclass(frozen=True)
class Facts:
    store: Store
    measures: Measures

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        lines = "\n".join(map(json.dumps, rows))
        if lines:
            self.store.insert(table, lines.encode(), fmt="JSONEachRow", settings={})

    def spans(self, *spans: Mapping[str, Any]) -> None:
        """`at`, `ms` and whatever column of the table is not its default."""
        self.insert("spans", map(_span, spans))

    def logs(self, *logs: Mapping[str, Any]) -> None:
        self.insert("logs", (_at({"bot": "shop", "host": "a", "severity": 9, "level": "info", **log}) for log in logs))

    def messages(self, *messages: Mapping[str, Any]) -> None:
        told = (
            {"bot": "shop", "host": "a", "channel": "web", "direction": "in", "author": "user", **m} for m in messages
        )
        self.insert("messages", (_at(m, 6) for m in told))

    def events(self, *events: Mapping[str, Any]) -> None:
        self.insert("events", (_at({"bot": "shop", "host": "a", "channel": "web", **event}, 6) for event in events))

    def turns(self, *turns: Mapping[str, Any]) -> None:
        self.insert("inbox_turns", map(_turn, turns))

    def contracts(self, *outcomes: Mapping[str, Any]) -> None:
        """`at`, `due`, `followed` and `outcome`; `sign` takes one back."""
        told = (
            {"bot": "shop", "channel": "web", "contract": "sla", "session_id": "s", "id": "s", "sign": 1, **o}
            for o in outcomes
        )
        times = ("at", "due", "followed")
        self.insert("inbox_contracts", ({**row, **{t: when(row[t], 6) for t in times if t in row}} for row in told))

    def payloads(self, *payloads: Mapping[str, Any]) -> None:
        self.insert("payloads", (_at({"bot": "shop", "source": "orders", **p}, 6) for p in payloads))

    def points(self, *points: Mapping[str, Any]) -> None:
        """`at`, `value`, `metric`, `kind`; `labels` and `resource` make the series."""
        self.insert("number_points", map(_point, points))

    def distributions(self, *points: Mapping[str, Any]) -> None:
        self.insert("distributions", ({k: v for k, v in _point(p).items() if k != "value"} for p in points))

    def concurrency(self, *rows: tuple[int, str, str, int, int]) -> None:
        names = ("minute", "bot", "channel", "active", "peak")
        self.insert("concurrency", (dict(zip(names, row, strict=True)) | {"settled": when(row[0], 6)} for row in rows))

    async def value(self, measure: str, start_s: int = T0, end_s: int = T0 + 3600, **asked: Any) -> Labelled:
        """One value for each group; groups by the values of their labels, in the order asked for."""
        values = await self.measures.value(Query(measure, start_s, end_s, **asked))
        return {tuple(value.labels.values()): value.value for value in values}

    async def one(self, measure: str, start_s: int = T0, end_s: int = T0 + 3600, **asked: Any) -> float | None:
        """The value of the only group; None where there is none."""
        values = await self.value(measure, start_s, end_s, **asked)
        assert len(values) <= 1
        return next(iter(values.values()), None)

    async def series(self, measure: str, start_s: int, end_s: int, step_s: int, **asked: Any) -> list[Series]:
        return await self.measures.series(Query(measure, start_s, end_s, step_s, **asked))

    async def line(self, measure: str, start_s: int, end_s: int, step_s: int, **asked: Any) -> list[float | None]:
        """The values of the only series."""
        (found,) = await self.series(measure, start_s, end_s, step_s, **asked)
        return [value for _, value in found.points]


def _at(row: Mapping[str, Any], digits: int = 9) -> dict[str, Any]:
    return {**row, "at": when(row["at"], digits)}


def _span(span: Mapping[str, Any]) -> dict[str, Any]:
    row = {"bot": "shop", "host": "a", "status": "ok", **span}
    row["start"], row["duration_ns"] = when(row.pop("at")), round(row.pop("ms", 0) * MS)
    return row


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    """`at` and `outcome`; `ms` is when it was answered, `sign` takes a turn back."""
    row = {"bot": "shop", "host": "a", "channel": "web", "session_id": "s", "message_id": "m", "sign": 1, **turn}
    at, ms = row.pop("at"), row.pop("ms", None)
    answered = None if ms is None else when(at + ms / 1000, 6)
    author = row.pop("author", "bot" if ms is not None else "")
    return row | {"asked": when(at, 6), "answered": answered, "answered_by": author, "settled": when(at + 60, 6)}


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    row = {"bot": "shop", "host": "a", "kind": "gauge", "unit": "1", "description": "", **point}
    labels, resource = row.pop("labels", {}), row.pop("resource", {})
    row["label_names"], row["label_values"] = list(labels), list(labels.values())
    row["resource"] = json.dumps(resource)
    row.setdefault("series", series_of(row["metric"], row["bot"], row["host"], labels, resource))
    row["start"] = when(row.get("start", row["at"]))
    return _at(row)


def series_of(*parts: object) -> int:
    """A number that is the same for the same parts, in every run."""
    text = json.dumps(parts, sort_keys=True).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def cumulated(values: Sequence[float]) -> list[float]:
    sums, total = [], 0.0
    for value in values:
        total += value
        sums.append(total)
    return sums
