"""Rows as files: CSV, JSON and Parquet, written piece by piece. Columns follow from the shapes of the API."""

from __future__ import annotations

import csv
import io
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

from botwatch import limits

Row = Mapping[str, Any]
# What makes a spreadsheet take text for a formula; also after spaces, and in their wide forms.
_FORMULA: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_UNSEEN: Final = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if code not in (9, 10, 13)}


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class Kind(StrEnum):
    TEXT = "text"  # what is neither text nor one of the others is written as JSON
    WHOLE = "whole"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    path: tuple[str, ...]

    def of(self, row: Row) -> Any:
        value: Any = row
        for part in self.path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and self.kind is Kind.TEXT and not isinstance(value, str):
            return orjson.dumps(value).decode()
        return value


_KINDS: Final[Mapping[object, Kind]] = {int: Kind.WHOLE, float: Kind.NUMBER, bool: Kind.FLAG, datetime: Kind.TIME}


def columns_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """One for each field; what lies inside another has a name with dots."""
    found: list[Column] = []
    for name, field in model.model_fields.items():
        inner, here = _inner(field.annotation), (*path, field.serialization_alias or name)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += columns_of(inner, here)
        else:
            found.append(Column(".".join(here), _KINDS.get(inner, Kind.TEXT), here))
    return tuple(found)


def _inner(annotation: Any) -> Any:
    """Without the `None` beside it."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return rest[0] if len(rest) == 1 else None
    return annotation


class Writer(Protocol):
    """Each call answers what is ready to be sent; in all, one file."""

    def rows(self, rows: Sequence[Row]) -> bytes: ...

    def end(self) -> bytes: ...


class CsvWriter:
    """Safe to open in a spreadsheet: no text is a formula, and no character is hidden."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._head = self._lines([[safe(column.name) for column in columns]])

    def rows(self, rows: Sequence[Row]) -> bytes:
        head, self._head = self._head, b""
        return head + self._lines([_cell(column.of(row)) for column in self._columns] for row in rows)

    def end(self) -> bytes:
        return self.rows(())

    def _lines(self, cells: Iterable[Sequence[Any]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(cells)
        return text.getvalue().encode("utf-8", errors="replace")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe(value) if isinstance(value, str) else value


def safe(text: str) -> str:
    """As it is, but with an apostrophe before what would be a formula."""
    shown = text.translate(_UNSEEN)
    return f"'{shown}" if shown.lstrip(" ")[:1] in _FORMULA else shown


class JsonWriter:
    """One array, one row a line, with everything as the API gives it."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._before = b"[\n"

    def rows(self, rows: Sequence[Row]) -> bytes:
        out = b""
        if rows:
            out = self._before + b",\n".join(orjson.dumps(row) for row in rows)
            self._before = b",\n"
        return out

    def end(self) -> bytes:
        return (self._before if self._before == b"[\n" else b"\n") + b"]\n"


class ParquetWriter:
    """A row group for some pages; the list of them comes at the end."""

    def __init__(self, columns: Sequence[Column]) -> None:
        import pyarrow as pa  # noqa: PLC0415  a tenth of a second that only this needs
        import pyarrow.parquet as pq  # noqa: PLC0415

        kinds = {
            Kind.TEXT: pa.string(),
            Kind.WHOLE: pa.int64(),
            Kind.NUMBER: pa.float64(),
            Kind.FLAG: pa.bool_(),
            Kind.TIME: pa.timestamp("us", tz="UTC"),
        }
        self._pa = pa
        self._columns = columns
        self._schema = pa.schema([(column.name, kinds[column.kind]) for column in columns])
        self._sink = _Sink()
        self._file = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._waiting: list[Row] = []
        self._pages = 0

    def rows(self, rows: Sequence[Row]) -> bytes:
        self._waiting += rows
        self._pages += 1
        return self._written() if self._pages >= limits.EXPORT_PAGES_PER_GROUP_MAX else b""

    def end(self) -> bytes:
        out = self._written()
        self._file.close()
        return out + self._sink.take()

    def _written(self) -> bytes:
        if self._waiting:
            arrays = [
                self._pa.array([_arrow(column, column.of(row)) for row in self._waiting], field.type)
                for column, field in zip(self._columns, self._schema, strict=True)
            ]
            self._file.write_table(self._pa.table(arrays, schema=self._schema))
        self._waiting, self._pages = [], 0
        return self._sink.take()


class _Sink(io.RawIOBase):
    """A file that is only written to, and holds no more than what was not taken yet."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def take(self) -> bytes:
        out, self._pieces = b"".join(self._pieces), []
        return out


def _arrow(column: Column, value: Any) -> Any:
    if column.kind is Kind.TIME and value is not None:
        return datetime.fromisoformat(value)
    return value


WRITERS: Final[Mapping[Format, Callable[[Sequence[Column]], Writer]]] = {
    Format.CSV: CsvWriter,
    Format.JSON: JsonWriter,
    Format.PARQUET: ParquetWriter,
}
MEDIA: Final[Mapping[Format, str]] = {
    Format.CSV: "text/csv",
    Format.JSON: "application/json",
    Format.PARQUET: "application/vnd.apache.parquet",
}
