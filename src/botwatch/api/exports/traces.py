"""Traces whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botwatch.api.exports.pieces import Piece, cut
from botwatch.api.exports.whole import Whole
from botwatch.api.masking import Eyes
from botwatch.api.reads import traces
from botwatch.api.reads.values import sql_ns, sql_time
from botwatch.api.shapes_telemetry import TraceItem
from botwatch.reports.tables import columns_of
from botwatch.store.client import Store


async def whole(store: Store, wanted: traces.Filter, eyes: Eyes) -> Whole:
    """Each at the time of its first span that fits, as in the list."""
    where, params = traces.conditions(wanted)
    pieces = await cut(store, "spans", "start", where, params, wanted.window)
    fits = " AND ".join(where) or "1"
    around = f"start >= {sql_time('back')} AND start < {sql_time('ahead')}"
    some = f"trace_id IN (SELECT trace_id FROM spans WHERE {around} AND {fits}) AND " if where else ""
    first = f"minIf({sql_ns('start')}, {fits})"
    width = len(traces.EACH)

    def item(row: Sequence[Any]) -> TraceItem:
        return traces.item(row[:width], eyes)

    def of(piece: Piece) -> dict[str, Any]:
        from_ns, to_ns = piece.window.from_ns, piece.window.to_ns
        reach = {"back": max(0, from_ns - traces.SPREAD_NS), "ahead": to_ns + traces.SPREAD_NS}
        return {**params, **reach, "lower": from_ns, "upper": to_ns}

    return Whole(
        columns=columns_of(TraceItem),
        raw=(*traces.EACH, first),
        item=item,
        source=f"FROM spans WHERE {some}{around} GROUP BY trace_id "
        f"HAVING countIf({fits}) > 0 AND {first} >= {{lower:Int64}} AND {first} < {{upper:Int64}}",
        order=f"r{width} DESC, trace_id DESC",
        pieces=tuple(map(of, pieces)),
    )
