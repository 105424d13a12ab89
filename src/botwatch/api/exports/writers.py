"""Files of which the engine writes most rows, and we the others in their places.

`rows` takes rows to be written here. `ready` takes what the engine made, one column of lines or one for each column of
the file, and by their places the rows that are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import orjson

from botwatch import limits
from botwatch.reports.tables import Column, CsvWriter, Format, JsonWriter, Kind, ParquetWriter, Row, Writer

Ready = Sequence[list[Any]]


class Partly(Writer, Protocol):
    def ready(self, ready: Ready, ours: Mapping[int, Row]) -> bytes: ...


class Csv(CsvWriter):
    def ready(self, ready: Ready, ours: Mapping[int, Row]) -> bytes:
        head = super().rows(())
        (lines,) = ready
        for place, row in ours.items():
            lines[place] = super().rows((row,))
        return head + b"".join(lines)


class Json(JsonWriter):
    def ready(self, ready: Ready, ours: Mapping[int, Row]) -> bytes:
        (lines,) = ready
        for place, row in ours.items():
            lines[place] = orjson.dumps(row)
        before, self._before = self._before, b",\n"
        return before + b",\n".join(lines)


class Parquet(ParquetWriter):
    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._tables: list[Any] = []

    def ready(self, ready: Ready, ours: Mapping[int, Row]) -> bytes:
        for place, row in ours.items():
            for column, cells in zip(self._columns, ready, strict=True):
                cells[place] = _cell(column, row)
        arrays = [self._pa.array(cells, field.type) for cells, field in zip(ready, self._schema, strict=True)]
        self._tables.append(self._pa.table(arrays, schema=self._schema))
        enough = sum(table.num_rows for table in self._tables) >= limits.EXPORT_GROUP_ROWS_MAX
        return self._group() if enough else b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        return self.ready([[_cell(column, row) for row in rows] for column in self._columns], {})

    def end(self) -> bytes:
        return self._group() + super().end()

    def _group(self) -> bytes:
        if self._tables:
            self._file.write_table(self._pa.concat_tables(self._tables).combine_chunks())
        self._tables = []
        return self._sink.take()


def _cell(column: Column, row: Row) -> Any:
    value = column.of(row)
    return datetime.fromisoformat(value) if column.kind is Kind.TIME and value is not None else value


PARTLY: Final[Mapping[Format, Callable[[Sequence[Column]], Partly]]] = {
    Format.CSV: Csv,
    Format.JSON: Json,
    Format.PARQUET: Parquet,
}
