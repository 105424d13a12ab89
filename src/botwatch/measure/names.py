"""What there is to ask about: which values a label has had, and which metrics have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botwatch import limits
from botwatch.errors import BadRequest
from botwatch.measure import catalogue
from botwatch.measure.model import Counted, Measure
from botwatch.measure.query import METRIC, near
from botwatch.measure.sources import NAMED, Binder
from botwatch.measure.sources_points import OWN, Points
from botwatch.nouns import Direction, Outcome
from botwatch.store.client import Store

_FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "level": ("trace", "debug", "info", "warn", "error", "fatal"),
    "direction": tuple(Direction),
}


_NEWEST: Final = "metric, argMax(kind, last_seen), argMax(unit, last_seen), argMax(description, last_seen)"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as its senders describe it, and the labels its series have."""

    name: str
    kind: str
    unit: str
    help: str
    labels: tuple[str, ...] = ()


class Names:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._came: set[str] = set()  # of those the catalogue speaks of

    async def came(self, names: Iterable[str]) -> set[str]:
        """Those of the catalogue's own metrics that have ever come."""
        wanted = set(names)
        if unknown := wanted - self._came:
            sql = "SELECT DISTINCT metric FROM series WHERE metric IN {names:Array(String)}"
            self._came |= {row[0] for row in await self._store.fetch(sql, {"names": sorted(unknown)})}
        return wanted & self._came

    async def metric(self, names: Iterable[str]) -> dict[str, Metric]:
        """Those of the names that have come, by name."""
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return {}
        rows = await self._store.fetch(
            f"SELECT {_NEWEST} FROM series WHERE metric IN {{names:Array(String)}} GROUP BY metric",
            {"names": wanted},
        )
        return {row[0]: Metric(*row) for row in rows}

    async def metrics(self, *, prefix: str = "", bot: str | None = None, limit: int = 100) -> list[Metric]:
        """The metrics that have come, in the order of their names."""
        bind = Binder()
        conditions = [f"startsWith(metric, {bind(prefix)})"]
        conditions += [f"bot = {bind(bot)}"] if bot is not None else []
        rows = await self._store.fetch(
            f"SELECT {_NEWEST}, arraySort(groupUniqArrayArray(mapKeys(labels))) FROM series "
            f"WHERE {' AND '.join(conditions)} GROUP BY metric ORDER BY metric LIMIT {bind(_limited(limit), 'UInt32')}",
            bind.values,
        )
        return [Metric(name, kind, unit, text, tuple(found)) for name, kind, unit, text, found in rows]

    async def label_values(
        self, label: str, *, measure: str = "", bot: str | None = None, prefix: str = "", limit: int = 100
    ) -> list[str]:
        """Values a label has had, the most recent first. With a measure, those of its own labels as well."""
        points = _points(measure, label)
        if label in _FIXED and points is None:
            return [value for value in _FIXED[label] if value.startswith(prefix)][: _limited(limit)]
        bind = Binder()
        sql = points.values(label, bind) if points else _listed(label, bind)
        conditions = ["value != ''", f"startsWith(value, {bind(prefix)})"]
        conditions += [f"owner = {bind(bot)}"] if bot is not None and label != "bot" else []
        rows = await self._store.fetch(
            f"SELECT value FROM ({sql}) WHERE {' AND '.join(conditions)} "
            f"GROUP BY value ORDER BY max(seen) DESC, value LIMIT {bind(_limited(limit), 'UInt32')}",
            bind.values,
        )
        return [row[0] for row in rows]


def _points(name: str, label: str) -> Points | None:
    """The source of points whose attribute the label is."""
    if not name or label in OWN:
        return None
    measure = (
        catalogue.metric(name.removeprefix(METRIC), "gauge", "", "", "")
        if name.startswith(METRIC)
        else catalogue.find(name)
    )
    for counted in _counted(measure):
        if isinstance(counted.source, Points) and (counted.source.open or label in counted.source.labels):
            return counted.source
    return None


def _counted(measure: Measure) -> list[Counted]:
    if isinstance(measure.how, Counted):
        return [measure.how]
    return [found for name in catalogue.parts(measure) for found in _counted(catalogue.part(name))]


def _listed(label: str, bind: Binder) -> str:
    """SQL for the values of a label of the rollup, with their bot and when they were last seen."""
    if label in NAMED:
        return f"SELECT name AS value, bot AS owner, last_seen AS seen FROM names WHERE label = {bind(NAMED[label])}"
    if label == "provider":
        return "SELECT toString(detail) AS value, bot AS owner, tick AS seen FROM ticks_1h WHERE kind = 'model'"
    if label == "version":
        seen = "toDateTime(last_seen, 'UTC') AS seen"
        return f"SELECT version AS value, bot AS owner, {seen} FROM runs WHERE observer = ''"
    if label == "outcome":
        known = bind(list(Outcome), "Array(String)")
        return (
            "SELECT outcome AS value, bot AS owner, toDateTime(last_seen, 'UTC') AS seen FROM sessions UNION ALL "
            f"SELECT arrayJoin({known}) AS value, '' AS owner, toDateTime(0, 'UTC') AS seen"
        )
    known_labels = sorted({*NAMED, *_FIXED, "provider", "version", "outcome"})
    raise BadRequest(
        f"label: there is none called {label!r}{near(label, known_labels)}",
        hint=f"expected one of {', '.join(known_labels)}, or a label of the measure you name",
    )


def _limited(limit: Any) -> int:
    if not 1 <= limit <= limits.LABEL_VALUES_TOLD_MAX:
        raise BadRequest(f"limit: expected 1 to {limits.LABEL_VALUES_TOLD_MAX}, found {limit}")
    return int(limit)
