"""A row as a line of CSV or of JSON, in SQL.

It is the line `tables` writes, so that a row the engine leaves to us can stand between its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from botwatch.reports.tables import Column, Kind

# As in `tables`: what a spreadsheet takes for the beginning of a formula, what it does not show, what needs quotes.
_FORMULA: Final = r"'^ *[=+\\-@\\t\\r\\n\\x{FF1D}\\x{FF0B}\\x{FF0D}\\x{FF20}]'"
_UNSEEN: Final = r"'[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x{9F}]'"
_QUOTED: Final = r"""'[",\\r\\n]'"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One column. `sql` is a text, a number, or for a time its microseconds."""

    name: str
    sql: str
    kind: Kind = Kind.TEXT
    blank: bool = False  # an empty text stands for what is not known
    json: bool = False  # the text is JSON
    plain: bool = False  # of letters and figures

    @property
    def column(self) -> Column:
        return Column(self.name, self.kind, (self.name,))


def named(cells: Sequence[Cell]) -> list[str]:
    """Each as a column `c0`, `c1` …, which the lines are made of."""
    return [f"{cell.sql} AS c{number}" for number, cell in enumerate(cells)]


def csv_line(cells: Sequence[Cell]) -> str:
    joined = ", ',', ".join(_csv(cell, f"c{number}") for number, cell in enumerate(cells))
    return rf"replaceRegexpAll(concat({joined}, '\r\n'), {_UNSEEN}, '\xEF\xBF\xBD')"


def json_line(cells: Sequence[Cell]) -> str:
    parts = ", ',', ".join(f"""'"{cell.name}":', {_json(cell, f"c{number}")}""" for number, cell in enumerate(cells))
    return f"concat('{{', {parts}, '}}')"


def values(cells: Sequence[Cell]) -> list[str]:
    """Each as it is, null where it is not known."""
    return [f"nullIf(c{number}, '')" if cell.blank else f"c{number}" for number, cell in enumerate(cells)]


def _csv(cell: Cell, name: str) -> str:
    match cell.kind:
        case Kind.TEXT if cell.plain:
            return name
        case Kind.TEXT:
            safe = f"if(match({name}, {_FORMULA}), concat('\\'', {name}), {name})"
            return f"""if(match({safe}, {_QUOTED}), concat('"', replaceAll({safe}, '"', '""'), '"'), {safe})"""
        case Kind.TIME:
            return _iso(name)
        case _:
            return f"toString({name})"


def _json(cell: Cell, name: str) -> str:
    match cell.kind:
        case Kind.TEXT if cell.json:
            return name
        case Kind.TEXT if cell.blank:
            return f"if({name} = '', 'null', toJSONString({name}))"
        case Kind.TEXT:
            return f"toJSONString({name})"
        case Kind.TIME:
            return f"""'"', {_iso(name)}, '"'"""
        case _:
            return f"toString({name})"


def _iso(micros: str) -> str:
    """As the API tells a time: a fraction only where there is one."""
    whole = f"formatDateTime(fromUnixTimestamp64Micro({micros}, 'UTC'), '%Y-%m-%dT%H:%i:%S')"
    fraction = f"concat('.', leftPad(toString({micros} % 1000000), 6, '0'))"
    return f"{whole}, if({micros} % 1000000 = 0, '', {fraction}), 'Z'"
