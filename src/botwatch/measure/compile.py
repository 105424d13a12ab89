"""From questions to SQL: pure, no engine, no clock.

A leaf is one number to compute over one window. Leaves that read the same rows, grouped alike, become one
statement with a column for each. Merged states come from the inner query, values from the outer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from botwatch import limits
from botwatch.measure.done import Talking
from botwatch.measure.model import Counted
from botwatch.measure.query import Condition
from botwatch.measure.sources import Binder, Source, Wanted
from botwatch.measure.sources_points import Gauges
from botwatch.measure.window import Window

_AGGREGATE: Final = re.compile(r"\b([A-Za-z]\w*)\[([a-z][\w, ]*?)(?: \| ([^\]]+))?\]")
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one column of one statement answers."""

    counted: Counted
    window: Window
    by: tuple[str, ...]
    where: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """Answers rows of: the start of the bucket, one text for each label of `by`, and what `columns` tells.

    `columns` says for each leaf in which column its value stands, and in which one how many rows it is made of:
    where that is 0 there is no value, whatever stands there.
    """

    sql: str
    params: Mapping[str, Any]
    by: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    columns: tuple[tuple[int, int], ...]


def compile_many(leaves: Iterable[Leaf], talking: Talking | None = None) -> list[Statement]:
    """As few statements as the leaves allow; each leaf is answered by exactly one of them."""
    together: dict[tuple[Any, ...], dict[Leaf, None]] = {}
    for leaf in leaves:
        alike = (_kin(leaf.counted.source), leaf.window, leaf.by, leaf.where)
        together.setdefault(alike, {})[leaf] = None
    pieces = (some for group in together.values() for some in _pieces(tuple(group)))
    return [_statement(some, talking or Talking()) for some in pieces]


def _kin(source: Source) -> Source:
    """What sources that can be read together have in common: readings of several metrics stand in the same rows."""
    return replace(source, metrics=()) if type(source) is Gauges else source


def _pieces(leaves: tuple[Leaf, ...]) -> list[tuple[Leaf, ...]]:
    most = limits.MEASURES_TOGETHER_MAX if type(leaves[0].counted.source) is Gauges else len(leaves)
    return [leaves[start : start + most] for start in range(0, len(leaves), most)]


def _joined(leaves: tuple[Leaf, ...], bind: Binder) -> tuple[Source, list[Counted]]:
    """One source for all leaves, and what each of them counts of it."""
    first = leaves[0].counted.source
    of_each = [leaf.counted.source.metrics for leaf in leaves if type(leaf.counted.source) is Gauges]
    if type(first) is not Gauges or len(set(of_each)) == 1:
        return first, [leaf.counted for leaf in leaves]
    source = replace(first, metrics=tuple(dict.fromkeys(name for metrics in of_each for name in metrics)))
    named = [f"name IN {bind(list(metrics), 'Array(String)')}" for metrics in of_each]
    return source, [
        replace(leaf.counted, only=" AND ".join(f"({part})" for part in (name, leaf.counted.only) if part))
        for leaf, name in zip(leaves, named, strict=True)
    ]


def _statement(leaves: tuple[Leaf, ...], talking: Talking) -> Statement:
    first = leaves[0]
    window, by = first.window, first.by
    bind = Binder()
    source, counted = _joined(leaves, bind)
    only = [one.only for one in counted]
    texts = [text for one in counted for text in (one.only, one.value)]
    labels = (*by, *(label for label in source.joined if label not in by and _mentions(texts, label)))
    narrow = "" if "" in only else " OR ".join(f"({part})" for part in dict.fromkeys(only))
    wanted = Wanted(window, first.where, labels, f"({narrow})" if narrow else "", talking)
    rows = source.rows(wanted, bind)
    keys = [f"toString({source.column(label, labels)}) AS key{i}" for i, label in enumerate(by)]
    names = ["moment", *(f"key{i}" for i in range(len(by)))]
    states = _States()
    values = [_value(one, states) for one in counted]
    told = [states(f"countIf({one.only})" if one.only else "count()") for one in counted]
    counts = list(dict.fromkeys(told))
    inner = ", ".join((f"{_bucket(source.moment, window, bind)} AS moment", *keys, *states.columns))
    sql = (
        f"SELECT {', '.join((*names, *values, *counts))} "
        f"FROM (SELECT {inner} FROM ({rows}) GROUP BY {', '.join(names)}) LIMIT {limits.MEASURE_ROWS_MAX + 1}"
    )
    first_count = len(names) + len(values)
    columns = tuple((len(names) + i, first_count + counts.index(one)) for i, one in enumerate(told))
    return Statement(sql, bind.values, by, leaves, columns)


def _mentions(texts: Sequence[str], word: str) -> bool:
    return any(word in _WORD.findall(text) for text in texts)


class _States:
    """The aggregates of the inner query, each computed once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __call__(self, aggregate: str) -> str:
        return self._names.setdefault(aggregate, f"state{len(self._names)}")

    @property
    def columns(self) -> list[str]:
        return [f"{aggregate} AS {name}" for aggregate, name in self._names.items()]


def _value(counted: Counted, states: _States) -> str:
    """The value over the states. What is no number or not finite is sorted out by who reads it: in SQL every
    function is paid for again each time a statement is planned."""
    only = counted.only

    def merged(found: re.Match[str]) -> str:
        function, columns, also = found.groups()
        condition = " AND ".join(f"({part})" for part in (only, also) if part)
        return states(f"{function}If({columns}, {condition})" if condition else f"{function}({columns})")

    return f"toFloat64({_AGGREGATE.sub(merged, counted.value)})"


def _bucket(moment: str, window: Window, bind: Binder) -> str:
    """SQL for the start of the bucket a moment lies in."""
    grid = window.grid
    if grid.step_s is None:
        return f"toUInt32({grid.starts[0]:d})"
    if grid.calendar:
        return f"roundDown({moment}, {bind(list(grid.starts), 'Array(UInt32)')})"
    return f"intDiv({moment}, {grid.step_s:d}) * {grid.step_s:d}"
