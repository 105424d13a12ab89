"""Critical places, counted by the engine over every document, and the documents in which something was wrong.

Of each document and place there is one state: missing, null, empty, or the type of what stands there; where the place
comes several times in a document, the worst. The engine's own reader decides what a document holds; one that it cannot
read, for a half surrogate pair or a number of hundreds of digits, is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from botwatch import limits
from botwatch.detect.drift.critical import EMPTY, MISSING, NULL, Place, States
from botwatch.detect.drift.kinds import ONLY, REST, Kinds
from botwatch.detect.drift.profile import Share, Stat
from botwatch.detect.drift.shape import Type
from botwatch.store.client import Store
from botwatch.watch.payloads.declared import parts
from botwatch.watch.payloads.reading import COLUMNS, RECEIVED, Document, documents

_STATES: Final = (MISSING, NULL, EMPTY, Type.OBJECT, Type.ARRAY, Type.BOOL, Type.NUMBER, Type.STRING)  # the worst first
_RANK: Final = (
    "multiIf(raw = '', 1, raw = 'null', 2, raw IN ('[]', '{}') OR match(raw, '^\"(\\\\s|\\\\\\\\[nrt])*\"$'), 3, "
    "startsWith(raw, '{'), 4, startsWith(raw, '['), 5, raw IN ('true', 'false'), 6, startsWith(raw, '\"'), 8, 7)"
)
_LOOKED_AT: Final = "NOT partial AND NOT invalid AND source = {source:String} AND isValidJSON(document)"
_VALUE_CHARS: Final = limits.DRIFT_VALUE_CHARS_MAX

Counted = list[tuple[int, Place, States]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which places of a source are counted, and how its kinds of documents are told apart."""

    source: str
    paths: tuple[str, ...]
    kinds: Kinds

    @property
    def kinds_said(self) -> str:
        """Stands for the kinds in what is kept: counts of other kinds say nothing of these."""
        return orjson.dumps([self.kinds.fields, self.kinds.carried]).decode()


class _Binder:
    """Parameters of one statement."""

    def __init__(self, **given: Any) -> None:
        self.values: dict[str, Any] = given

    def __call__(self, text: str) -> str:
        name = f"k{len(self.values)}"
        self.values[name] = text
        return f"{{{name}:String}}"


def count(store: Store, asked: Asked, after_ms: int, until_ms: int) -> Counted:
    """Of all documents that were received in between, in ticks of their own time."""
    bind = _Binder(source=asked.source, after=after_ms, until=until_ms)
    columns = ", ".join(
        f"sumMap(map({_worst(path, bind)}, toUInt64(1))) AS place{number}" for number, path in enumerate(asked.paths)
    )
    sql = (
        f"SELECT {_variant(asked.kinds, bind)} AS variant, "
        f"toUnixTimestamp(toStartOfInterval(at, INTERVAL 300 SECOND)) AS tick, {columns} "
        f"FROM payloads WHERE {RECEIVED} AND {_LOOKED_AT} GROUP BY variant, tick ORDER BY count() DESC "
        "LIMIT {most:UInt32}"
    )
    bind.values["most"] = limits.STORE_QUERY_ROWS_MAX
    told: set[str] = set()
    counted: Counted = []
    for said, tick, *places in store.read(sql, bind.values):
        room = said in told or len(told) < limits.DRIFT_VARIANTS_PER_SOURCE_MAX
        variant = str(said) if room else REST
        told.add(variant)
        for path, ranks in zip(asked.paths, places, strict=True):
            states = {str(_STATES[int(rank) - 1]): int(number) for rank, number in ranks.items() if int(rank)}
            if states:
                counted.append((int(tick), (variant, path), states))
    return counted


def examples(
    store: Store, asked: Asked, variant: str, share: Share, from_ns: int, to_ns: int, *, faulty: bool, newest: bool
) -> Sequence[Document]:
    """Some documents that show the fault, or some that do not, in the order they came."""
    bind = _Binder(source=asked.source, most=limits.DRIFT_EXAMPLES_MAX, variant=variant)
    bind.values |= {"from": from_ns, "to": to_ns}
    rank, wanted = _worst(share.path, bind), _rank_of(share)
    told = "" if variant == REST else f"AND {_variant(asked.kinds, bind)} = {{variant:String}} "
    sql = (
        f"SELECT {COLUMNS} FROM payloads WHERE {_LOOKED_AT} "
        "AND at >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND at < fromUnixTimestamp64Nano({to:Int64}, 'UTC') "
        f"{told}AND {rank} {'=' if faulty else '> 3 AND ' + rank + ' !='} {wanted} "
        f"ORDER BY at {'DESC' if newest else 'ASC'} LIMIT {{most:UInt32}}"
    )
    return sorted(documents(store.read(sql, bind.values)), key=lambda document: document.at_ns)


def _rank_of(share: Share) -> int:
    named = {Stat.PRESENT: MISSING, Stat.NULL: NULL, Stat.EMPTY: EMPTY}
    return _STATES.index(named.get(share.stat, share.value)) + 1


def _worst(path: str, bind: _Binder) -> str:
    """SQL for the rank of the worst that stands at a path; 0 where no array on the way has an element."""
    *arrays, last = parts(path)
    found = "[document]"
    for steps in arrays:
        keys = "".join(f", {bind(step)}" for step in steps)
        found = f"arrayFlatten(arrayMap(inner -> JSONExtractArrayRaw(inner{keys}), {found}))"
    keys = "".join(f", {bind(step)}" for step in last)
    return f"toUInt8(arrayMin(arrayMap(raw -> {_RANK}, arrayMap(inner -> JSONExtractRaw(inner{keys}), {found}))))"


def _variant(kinds: Kinds, bind: _Binder) -> str:
    """SQL for what `Kinds.of` says of a document."""
    said = [_said(path, bind) for path in kinds.fields]
    if kinds.carried:
        there = ", ".join(f"if(JSONHas(document, {bind(path)}), {bind(path)}, '')" for path in kinds.carried)
        said.append(f"arrayStringConcat(arrayFilter(name -> name != '', [{there}]), '+')")
    if not said:
        return bind(ONLY)
    return "arrayStringConcat([" + ", ".join(f"if({one} = '', '-', {one})" for one in said) + "], ' ')"


def _said(path: str, bind: _Binder) -> str:
    keys = ", 1".join("".join(f", {bind(step)}" for step in steps) for steps in parts(path))  # 1: the first element
    raw, text = f"JSONExtractRaw(document{keys})", f"JSONExtractString(document{keys})"
    fits = f"lengthUTF8({text}) <= {_VALUE_CHARS}"
    return (
        f"multiIf(startsWith({raw}, '\"'), if({fits}, {text}, ''), "
        f"{raw} IN ('true', 'false') OR match({raw}, '^-?[0-9]{{1,3}}$'), {raw}, '')"
    )
