"""Rows of metric points: gauges, what only grows, and the buckets of distributions.

What only grows is counted by its growth. In the rollup each row is a piece of a series. Laid in order, the growth
is what each piece rose and what lies between it and the furthest point before it. A fall is a restart of the
sender: it counts as none, and what was counted since the restart counts if the sender said when that was.
So does what a new series begins with.

A piece that only rose has its lowest value first and its highest last, and how much is their difference. One that
fell rose to its highest, and again from its lowest. Where it fell and then rose beyond what it had been, only
`rise` knows how much, and only where points were merged in their order: it is held to what one fall
explains. Of several restarts within one tick, what lay between them may be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from botwatch.measure.query import Condition
from botwatch.measure.sources import Binder, Ticked, Wanted, holds, union

# How far back the point before a window is looked for.
BEFORE_S: Final = 900
OWN: Final = ("bot", "host")
_WITHIN: Final = (
    "if(low >= first.2 AND high <= last.2, last.2 - first.2, "
    "if(high > last.2, 0, least(0, greatest(rise, last.2 - low) - (high - first.2 + last.2 - low))) "
    "+ high - first.2 + last.2 - low + if(birth_within > first.1 AND birth_within < last.1, low, 0))"
)


@dataclass(frozen=True, slots=True)
class Points(Ticked):
    """What sources of points share: labels are attributes of their series.

    `attributes` declares labels under names of our own, each with the attributes it is read from, the first that
    is present; `inner` those that only a measure's own SQL speaks of. A source that is `open` takes any other label
    for the attribute of that name. Attributes of the resource are read where the point has none.
    """

    metrics: tuple[str, ...]
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    inner: tuple[tuple[str, tuple[str, ...]], ...] = ()
    open: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        return (*OWN, *(label for label, _ in self.attributes))

    @property
    def joined(self) -> tuple[str, ...]:
        return tuple(label for label, _ in (*self.attributes, *self.inner))

    def column(self, label: str, labels: Sequence[str]) -> str:
        return label if label in OWN or label in self.joined else f"label{labels.index(label)}"

    def _attribute(self, label: str, bind: Binder) -> str:
        declared = dict((*self.attributes, *self.inner)).get(label)
        names = [bind(label)] if declared is None else [f"'{name}'" for name in declared]
        found = [f"labels[{name}]" for name in names] + [f"JSONExtractString(resource, {name})" for name in names]
        return f"arrayFirst(v -> v != '', [{', '.join(found)}])"

    def values(self, label: str, bind: Binder) -> str:
        """SQL for the values an attribute has had, with their bot and when they were last seen."""
        found = self._attribute(label, bind)
        return f"SELECT {found} AS value, bot AS owner, last_seen AS seen FROM series WHERE {self._metric(bind)}"

    def _conditions(self, where: Sequence[Condition], bind: Binder) -> list[str]:
        """Conditions on rows; what is asked of attributes is asked of the series."""
        own = [holds(c.label, c, bind) for c in where if c.label in OWN]
        asked = [holds(self._attribute(c.label, bind), c, bind) for c in where if c.label not in OWN]
        if asked:
            own.append(f"series IN (SELECT series FROM series WHERE {' AND '.join((self._metric(bind), *asked))})")
        return own

    def _metric(self, bind: Binder) -> str:
        return f"metric IN {bind(list(self.metrics), 'Array(String)')}"

    def _labelled(self, rows: str, labels: Sequence[str], bind: Binder) -> str:
        """The rows with a column for each wanted attribute."""
        wanted = [label for label in labels if label not in OWN]
        if not wanted:
            return rows
        columns = [f"any({self._attribute(label, bind)}) AS {self.column(label, labels)}" for label in wanted]
        return (
            f"SELECT * FROM ({rows}) AS found LEFT JOIN "
            f"(SELECT series, {', '.join(columns)} FROM series WHERE {self._metric(bind)} GROUP BY series) AS known "
            "USING series"
        )


@dataclass(frozen=True, slots=True)
class Gauges(Points):
    """Readings: each row has the sum, the count, the lowest, the highest and the last of its points."""

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        conditions = ["kind = 'point'", f"name IN {bind(list(self.metrics), 'Array(String)')}", "detail = 'gauge'"]
        conditions += self._conditions(wanted.where, bind)
        columns = (
            "tick, bot, host, name, series, count, total, low, high, last, "
            "map(series, total) AS totals, map(series, count) AS counts"
        )
        return self._labelled(union(wanted.window.segments(), columns, conditions), wanted.labels, bind)


@dataclass(frozen=True, slots=True)
class Counters(Points):
    """Sums, and the counts and sums of distributions: each row has `risen`, what came to it since the row before.

    `parts` are appended to the metrics' names: the rollup keeps the count and the sum of a distribution `x` under
    `x.count` and `x.sum`.
    """

    parts: tuple[str, ...] = ("",)
    kinds: tuple[str, ...] = ("delta", "cumulative")

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        window = wanted.window
        names = [metric + part for metric in self.metrics for part in self.parts]
        conditions = [
            "kind = 'point'",
            f"name IN {bind(names, 'Array(String)')}",
            f"detail IN {bind([*self.kinds, 'birth'], 'Array(String)')}",
            *self._conditions(wanted.where, bind),
        ]
        before_s = max(BEFORE_S, window.grain_s)
        columns = (
            "tick, bot, host, name, detail, series, total, low, high, first, last, finalizeAggregation(rise) AS rise"
        )
        earlier = "PARTITION BY series, name ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
        pieces = (
            "SELECT *, detail = 'birth' AS born, "
            f"max(if(born, (toInt64(0), 0.), last)) OVER ({earlier}) AS before, "
            f"max(if(born, last.1, 0)) OVER ({earlier}) AS birth, "
            "max(if(born, last.1, 0)) OVER (PARTITION BY series, name, tick) AS birth_within, "
            f"{_WITHIN} AS within "
            f"FROM ({union(window.segments(before_s), columns, conditions)})"
        )
        # Series 0 is what was folded together because there was too much of it: its points are no one's steps.
        risen = (
            "SELECT tick, bot, host, name, detail, series, multiIf("
            "endsWith(detail, 'delta'), total, "
            "series = 0, NULL, "
            "before.1 = 0 OR (first.1 > before.1 AND first.2 < before.2), "
            "within + if(birth > before.1 AND birth < first.1, first.2, 0), "
            "first.1 > before.1, within + first.2 - before.2, "
            "last.1 > before.1, greatest(last.2 - before.2, 0), "
            f"0) AS risen FROM ({pieces}) WHERE NOT born AND tick >= {bind.moment(window.start_s)}"
        )
        return self._labelled(risen, wanted.labels, bind)


@dataclass(frozen=True, slots=True)
class Summaries(Points):
    """One quantile as senders computed it: each row has `held`."""

    quantile: float = 0.5
    moment: ClassVar[str] = "toUnixTimestamp(at)"

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        q = bind(self.quantile, "Float64")
        conditions = [self._metric(bind), "kind = 'summary'", *self._conditions(wanted.where, bind)]
        conditions += [f"at >= {bind.moment(wanted.window.start_s)}", f"at < {bind.moment(wanted.window.end_s)}"]
        rows = (
            "SELECT at, bot, host, series, "
            f"arrayFirstIndex(v -> abs(tupleElement(v, 'quantile') - {q}) < 1e-9, quantiles) AS place, "
            "if(place > 0, tupleElement(quantiles[place], 'value'), NULL) AS held "
            f"FROM distributions WHERE {' AND '.join(conditions)}"
        )
        return self._labelled(rows, wanted.labels, bind)
