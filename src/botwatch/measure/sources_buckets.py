"""Rows of a distribution's buckets, for its quantiles: histograms of both kinds.

A row has `edges`, and in `held` how many samples lie below each edge and above the one before it. A cumulative
point counts with what came since the point before it: its buckets are taken whole and those of that point
taken back. Where the sender started again, which a new start or a lower count tells, nothing is taken back.
An exponential histogram becomes coarser as it grows; what is taken back is made as coarse first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from botwatch.measure.sources import Binder, Wanted
from botwatch.measure.sources_points import BEFORE_S, Points

KINDS: Final = ("histogram_delta", "histogram_cumulative", "exponential_delta", "exponential_cumulative")
_BUCKETS: Final = (
    *("bounds", "buckets", "scale", "zero_count", "zero_threshold"),
    *("positive_offset", "positive", "negative_offset", "negative"),
)
_TINY: Final = 1e-300  # so that the bucket of zero has a beginning of its own
_NONE: Final = ("CAST([], 'Array(Float64)')", "CAST([], 'Array(Int64)')")


def _explicit(suffix: str, sign: str) -> tuple[str, str]:
    """The first bucket begins at 0 where it ends above it, as Prometheus has it; the last has no end."""
    edges = f"arrayConcat([least(0., bounds{suffix}[1])], bounds{suffix}, [inf])"
    return edges, f"arrayConcat([toInt64(0)], arrayMap(n -> {sign}toInt64(n), buckets{suffix}))"


def _exponential(suffix: str, sign: str, coarser: str) -> tuple[str, str]:
    """Bucket i lies above 2^(i / 2^scale) and ends at 2^((i + 1) / 2^scale), mirrored for what is negative."""

    def places(side: str, after: int) -> str:
        place = f"floor(({side}_offset{suffix} + i - 1) / exp2({coarser})) + {after}"
        return f"arrayMap(i -> exp2(({place}) / exp2(scale)), arrayEnumerate({side}{suffix}))"

    def counts(side: str) -> str:
        return f"arrayMap(n -> {sign}toInt64(n), {side}{suffix})"

    def nothing(side: str) -> str:
        return f"arrayMap(n -> toInt64(0), {side}{suffix})"

    edges = (
        f"arrayConcat([-greatest(zero_threshold{suffix}, {_TINY}), zero_threshold{suffix}], "
        f"{places('positive', 0)}, {places('positive', 1)}, "
        f"arrayMap(e -> -e, {places('negative', 1)}), arrayMap(e -> -e, {places('negative', 0)}))"
    )
    held = (
        f"arrayConcat([toInt64(0), {sign}toInt64(zero_count{suffix})], {nothing('positive')}, {counts('positive')}, "
        f"{nothing('negative')}, {counts('negative')})"
    )
    return edges, held


def _cells(suffix: str, sign: str, coarser: str) -> tuple[str, str]:
    kinds = zip(_exponential(suffix, sign, coarser), _NONE, _explicit(suffix, sign), strict=True)
    edges, held = (
        f"multiIf(startsWith(kind, 'exponential'), {exponential}, empty(bounds{suffix}), {none}, {explicit})"
        for exponential, none, explicit in kinds
    )
    return edges, held


@dataclass(frozen=True, slots=True)
class Buckets(Points):
    moment: ClassVar[str] = "toUnixTimestamp(at)"

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        window = wanted.window
        since = bind.moment(max(0, window.start_s - BEFORE_S))
        conditions = [
            self._metric(bind),
            f"kind IN {bind(list(KINDS), 'Array(String)')}",
            *self._conditions(wanted.where, bind),
            f"at >= {since}",
            f"at < {bind.moment(window.end_s)}",
        ]
        columns = (*_BUCKETS, "count", "at", "start")
        before = ", ".join(f"lagInFrame({name}) OVER earlier AS {name}_before" for name in columns)
        points = (
            f"SELECT bot, host, series, kind, {', '.join(columns)}, {before} FROM distributions "
            f"WHERE {' AND '.join(conditions)} WINDOW earlier AS "
            "(PARTITION BY series ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
        )
        edges, held = _cells("", "", "0")
        edges_before, held_before = _cells("_before", "-", "scale_before - scale")
        # A first point counts only where its start says that nothing was counted before we looked.
        rows = (
            "SELECT at, bot, host, series, "
            "endsWith(kind, '_delta') AS alone, toUnixTimestamp(at_before) != 0 AS follows, "
            "NOT alone AND follows AND start = start_before AND count >= count_before AND bounds = bounds_before "
            "AND scale <= scale_before AS continues, "
            f"arrayConcat({edges}, if(continues, {edges_before}, {_NONE[0]})) AS edges, "
            f"arrayConcat({held}, if(continues, {held_before}, {_NONE[1]})) AS held, "
            "arrayMap(e -> 1, edges) AS lines "
            f"FROM ({points}) WHERE at >= {bind.moment(window.start_s)} "
            f"AND (alone OR follows OR start >= {since} AND start < at)"
        )
        return self._labelled(rows, wanted.labels, bind)


def bucket_quantile(q: float) -> str:
    """The quantile, straight within its bucket; the last edge where the bucket has no end."""
    # Without `lines` an edge that nothing lies below would be left out, and the bucket above it lose its beginning.
    edges, held = "sumMap[edges, held, lines].1", "sumMap[edges, held, lines].2"
    summed, wanted = f"arrayCumSum({held})", f"{q} * arraySum({held})"
    i = f"arrayFirstIndex((c, n) -> n > 0 AND c >= {wanted}, {summed}, {held})"
    below = f"{edges}[{i} - 1]"
    within = f"({wanted} - {summed}[{i}] + {held}[{i}]) / {held}[{i}]"
    return (
        f"multiIf(arraySum({held}) <= 0, NULL, {edges}[{i}] = inf, {below}, {i} = 1, {edges}[1], "
        f"{below} + ({edges}[{i}] - {below}) * {within})"
    )
