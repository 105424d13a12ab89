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
    """Answers rows of: the start of the bucket, one text for each label of `by`, one value for each leaf."""

    sql: str
    params: Mapping[str, Any]
    by: tuple[str, ...]
    leaves: tuple[Leaf, ...]


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
    inner = ", ".join((f"{_bucket(source.moment, window, bind)} AS moment", *keys, *states.columns))
    sql = (
        f"SELECT {', '.join((*names, *values))} "
        f"FROM (SELECT {inner} FROM ({rows}) GROUP BY {', '.join(names)}) "
        f"LIMIT {bind(limits.MEASURE_ROWS_MAX + 1, 'UInt64')}"
    )
    return Statement(sql, bind.values, by, leaves)


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
    """The value over the states; null where no row counted, and where it is not a finite number."""
    only = counted.only

    def merged(found: re.Match[str]) -> str:
        function, columns, also = found.groups()
        condition = " AND ".join(f"({part})" for part in (only, also) if part)
        return states(f"{function}If({columns}, {condition})" if condition else f"{function}({columns})")

    value = _AGGREGATE.sub(merged, counted.value)
    rows = states(f"countIf({only})" if only else "count()")
    number = f"toFloat64({value})"
    return f"if({rows} > 0 AND isFinite({number}), {number}, NULL)"


def _bucket(moment: str, window: Window, bind: Binder) -> str:
    """SQL for the start of the bucket a moment lies in."""
    grid = window.grid
    if grid.step_s is None:
        return bind(grid.starts[0], "UInt32")
    if grid.calendar:
        return f"roundDown({moment}, {bind(list(grid.starts), 'Array(UInt32)')})"
    step = bind(grid.step_s, "UInt32")
    return f"intDiv({moment}, {step}) * {step}"
