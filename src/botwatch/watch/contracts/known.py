"""Whether what a contract speaks of has ever been seen: else it can be neither kept nor breached.

A name nobody sent is told with those that come near, and so is a field that no row of its kind has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from botwatch import limits
from botwatch.detect.contract import ANY, Contract, Pattern, What
from botwatch.detect.problems import unknown
from botwatch.measure.sources import Binder
from botwatch.store.client import Store
from botwatch.watch.contracts import places

# Which names each thing can have: those the rollup has counted under this label.
_COUNTED: Final = {What.EVENT: "log", What.ACTION: "action", What.PAYLOAD: "payload"}
_NOUNS: Final = {
    What.EVENT: "event",
    What.ACTION: "action",
    What.PAYLOAD: "source of documents",
    What.PUT: "queue that something was put into",
    What.DONE: "queue that something was taken from",
    What.EXPECTED: "expectation",
    What.MET: "expectation that was met",
}
# Names of conventions: known, though nobody may have sent them yet.
_CONVENTIONS: Final = frozenset(
    {"bot.message", "bot.turn.failed", "bot.handoff", "bot.session.end", "bot.feedback", "bot.expected", "bot.payload"}
    | {"bot.dependency.limit_changed", "bot.breaker", "bot.payload.invalid"}
)
_DEPTH_MAX: Final = 8


async def unknowns(store: Store, contract: Contract, from_us: int, to_us: int) -> list[str]:
    """What of it was never seen, in words; empty: it can be judged. May raise `StoreAway`."""
    found: list[str] = []
    for pattern in (contract.when, *contract.then):
        if (problem := await _name(store, pattern, from_us, to_us)) is not None:
            found.append(problem)
        else:
            found += await _fields(store, pattern, from_us, to_us)
    return list(dict.fromkeys(found))


async def _name(store: Store, pattern: Pattern, from_us: int, to_us: int) -> str | None:
    if pattern.name == ANY or pattern.what is What.MESSAGE or pattern.name in _CONVENTIONS:
        return None
    label = _COUNTED.get(pattern.what)
    rows: Iterable[tuple[Any, ...]]
    if label is not None:
        rows = await store.fetch(
            "SELECT DISTINCT toValidUTF8(name) FROM names WHERE label = {label:String} LIMIT {most:UInt32}",
            {"label": label, "most": limits.CONTRACT_NAMES_READ_MAX},
        )
    else:
        any_name = pattern.model_copy(update={"name": ANY, "where": {}})
        rows = await _rows(store, any_name, "", from_us, to_us, distinct=True)
    names = [str(row[0]) for row in rows]
    if pattern.name in names or len(names) >= limits.CONTRACT_NAMES_READ_MAX:
        return None
    return unknown(_NOUNS[pattern.what], pattern.name, names)


async def _fields(store: Store, pattern: Pattern, from_us: int, to_us: int) -> list[str]:
    """Those of `where` that no row has; where there are no rows, nothing is known of them."""
    if not pattern.where:
        return []
    whole = pattern.model_copy(update={"where": {}})
    documents = pattern.what is What.PAYLOAD
    rows = await _rows(store, whole, "document" if documents else "mapKeys(attributes)", from_us, to_us)
    if not rows:
        return []
    known = {path for row in rows for path in (_paths(row[0]) if documents else map(str, row[0]))}
    what = f"{pattern.what} {pattern.name}"
    return [f"{what}: {unknown('field', path, sorted(known))}" for path in pattern.where if path not in known]


async def _rows(
    store: Store, pattern: Pattern, wanted: str, from_us: int, to_us: int, *, distinct: bool = False
) -> list[tuple[Any, ...]]:
    bind = Binder()
    found = places.place(pattern, bind, ends=False)
    column = f"{found.table}.{found.moment}"
    conditions = (
        *found.conditions,
        f"{column} >= fromUnixTimestamp64Micro({bind(from_us, 'Int64')}, 'UTC')",
        f"{column} < fromUnixTimestamp64Micro({bind(to_us, 'Int64')}, 'UTC')",
    )
    what = f"DISTINCT toValidUTF8({found.about})" if distinct else wanted
    most = limits.CONTRACT_NAMES_READ_MAX if distinct else limits.CONTRACT_ROWS_LOOKED_AT_MAX
    sql = f"SELECT {what} FROM {found.table} WHERE {' AND '.join(conditions)} LIMIT {most}"
    return list(await store.fetch(sql, bind.values))


def _paths(document: str) -> Iterator[str]:
    try:
        yield from _inside(orjson.loads(document), "", 0)
    except orjson.JSONDecodeError:
        return


def _inside(value: object, path: str, depth: int) -> Iterator[str]:
    if not isinstance(value, Mapping) or depth >= _DEPTH_MAX:
        return
    for key, child in value.items():
        below = f"{path}.{key}" if path else str(key)
        yield below
        yield from _inside(child, below, depth + 1)
