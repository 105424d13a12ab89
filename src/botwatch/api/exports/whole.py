"""A list whole, as one file.

The engine writes the lines. A row it cannot write as we would, because something in it is to be masked or decoded,
it hands over as it is, and the line is made here of what the list itself would show.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from botwatch import limits
from botwatch.api.exports.cells import Cell, csv_line, json_line, named, values
from botwatch.api.exports.writers import PARTLY
from botwatch.errors import Refused
from botwatch.reports.tables import Column, Format, Row
from botwatch.store.client import Columns, Params, Store

_LINES: Final = {Format.CSV: csv_line, Format.JSON: json_line}
_ODD: Final = "odd"
_PLACE: Final = 2  # the first columns of a row tell where it stands


@dataclass(frozen=True, slots=True)
class Whole:
    """How a list is read. `raw` are the columns an item is made of, as `r0`, `r1` …, which `order` goes by."""

    columns: tuple[Column, ...]
    raw: tuple[str, ...]
    item: Callable[[Sequence[Any]], BaseModel]
    source: str  # FROM …
    order: str
    pieces: tuple[Params, ...]  # one statement each
    cells: tuple[Cell, ...] = ()  # none: every row is handed over
    odd: str = "1"  # SQL for whether a row is

    def statement(self, format: Format) -> str:
        names = [f"r{number}" for number in range(len(self.raw))]
        if not self.cells:
            raw = ", ".join(f"{sql} AS {name}" for sql, name in zip(self.raw, names, strict=True))
            return f"SELECT {raw} {self.source} ORDER BY {self.order}"
        made, shown = named(self.cells), values(self.cells)
        if format in _LINES:
            made.append(f"{_LINES[format](self.cells)} AS whole")
            shown = ["line"]
            made.append(f"if({_ODD}, '', whole) AS line")
        # Only what is handed over is put in order beside the lines.
        handed = [f"if({_ODD} OR {number < _PLACE}, {_of(sql)}) AS r{number}" for number, sql in enumerate(self.raw)]
        inner = ", ".join((*made, *handed, f"{self.odd} AS {_ODD}"))
        return f"SELECT {', '.join((*shown, _ODD, *names))} FROM (SELECT {inner} {self.source}) ORDER BY {self.order}"


def _of(sql: str) -> str:
    return f"{sql}, defaultValueOfArgumentType({sql})"


async def written(
    store: Store, whole: Whole, format: Format, still_allowed: Callable[[], Awaitable[None]]
) -> AsyncGenerator[bytes]:
    """The file, piece by piece. Before each one is asked whether whoever wants it still may have it."""
    file = _File(whole, format)
    sql = whole.statement(format)
    async with store.reading() as reading:
        for params in whole.pieces:
            async with aclosing(reading.blocks(sql, params, raw=file.raw)) as blocks:
                async for block in blocks:
                    await still_allowed()
                    if out := await asyncio.to_thread(file.take, block):
                        yield out
    yield await asyncio.to_thread(file.end)


class _File:
    """What blocks become."""

    def __init__(self, whole: Whole, format: Format) -> None:
        self._whole = whole
        self._writer = PARTLY[format](whole.columns)
        self._rows = 0
        lines = format in _LINES
        self._shown = 1 if lines else len(whole.cells)
        self.raw = ("line",) if lines and whole.cells else ()

    def take(self, block: Columns) -> bytes:
        self._rows += len(block[0])
        if self._rows > limits.EXPORT_ROWS_MAX:
            raise Refused(f"the export grew beyond {limits.EXPORT_ROWS_MAX} rows")
        if not self._whole.cells:
            return self._writer.rows([self._row(row) for row in zip(*block, strict=True)])
        ready = [list(column) for column in block[: self._shown]]
        odd, handed = block[self._shown], block[self._shown + 1 :]
        ours = {place: self._row([column[place] for column in handed]) for place, is_odd in enumerate(odd) if is_odd}
        return self._writer.ready(ready, ours)

    def end(self) -> bytes:
        return self._writer.end()

    def _row(self, raw: Sequence[Any]) -> Row:
        return self._whole.item(raw).model_dump(mode="json")
