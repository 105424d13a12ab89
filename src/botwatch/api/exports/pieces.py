"""A long stretch of time in pieces of about as many rows as are put in order at once, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch import limits
from botwatch.api.asking import Window
from botwatch.api.reads.values import sql_inside, sql_ns
from botwatch.clock import SECOND_NS
from botwatch.store.client import Store

_BIN_NS: Final = 10 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Piece:
    window: Window
    rows: int


async def cut(
    store: Store, table: str, time: str, where: Sequence[str], params: dict[str, Any], window: Window
) -> list[Piece]:
    """What fits is counted first. Only what came in one ten seconds may make a piece much larger than the others."""
    sql = (
        "SELECT min(bin), max(bin), sum(held) FROM ("
        "SELECT bin, held, intDiv(sum(held) OVER (ORDER BY bin DESC) - held, {rows:UInt64}) AS piece FROM ("
        f"SELECT intDiv({sql_ns(time)}, {_BIN_NS}) AS bin, count() AS held FROM {table} "
        f"WHERE {' AND '.join([*where, sql_inside(time)])} GROUP BY bin)) GROUP BY piece ORDER BY piece"
    )
    bounds = {"lower": window.from_ns, "upper": window.to_ns, "rows": limits.EXPORT_PIECE_ROWS_MAX}
    return [
        Piece(Window(max(window.from_ns, first * _BIN_NS), min(window.to_ns, (last + 1) * _BIN_NS)), int(rows))
        for first, last, rows in await store.fetch(sql, {**params, **bounds})
    ]
