"""Documents out of the store: a bounded sample, in the order they came, as shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson

from botwatch import limits
from botwatch.detect.drift.shape import Seen, shape
from botwatch.store.client import Store

COLUMNS: Final = "source, toUnixTimestamp64Nano(at), document, session_id, bot, lower(hex(trace_id)), version"
_WHOLE: Final = "NOT partial AND NOT invalid AND source != ''"
_FITS: Final = f"{_WHOLE} AND length(document) <= {{longest:UInt32}}"
RECEIVED: Final = (
    "received > fromUnixTimestamp64Milli({after:Int64}, 'UTC') "
    "AND received <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')"
)
_EACH: Final = "LIMIT {each:UInt32} BY source, toStartOfInterval(at, INTERVAL 300 SECOND) LIMIT {most:UInt32}"
_NEW: Final = (
    f"SELECT {COLUMNS} FROM payloads WHERE {RECEIVED} AND {_FITS} "
    f"AND source NOT IN {{large:Array(String)}} ORDER BY at {_EACH}"
)
# Which sources send long documents: of those fewer are looked at, long and short ones alike.
_LARGE: Final = (
    f"SELECT source, avg(length(document)) FROM payloads WHERE {RECEIVED} AND {_WHOLE} "
    "GROUP BY source HAVING max(length(document)) > {longest:UInt32} ORDER BY count() DESC LIMIT {most:UInt32}"
)
_NEW_LARGE: Final = (
    f"SELECT {COLUMNS} FROM payloads WHERE {RECEIVED} AND {_WHOLE} AND source = {{source:String}} "
    "ORDER BY at LIMIT {each:UInt32}"
)
# Of each hour a few documents from all over it: their order by hash is as good as by lot.
_HISTORY: Final = (
    f"SELECT {COLUMNS} FROM payloads WHERE source = {{source:String}} "
    f"AND at >= fromUnixTimestamp64Nano({{from:Int64}}, 'UTC') AND at < fromUnixTimestamp64Nano({{to:Int64}}, 'UTC') "
    f"AND {_FITS} ORDER BY toStartOfHour(at), cityHash64(at, document) "
    "LIMIT {each:UInt32} BY toStartOfHour(at) LIMIT {most:UInt32}"
)
_AROUND: Final = (
    f"SELECT {COLUMNS} FROM payloads WHERE source = {{source:String}} "
    f"AND at >= fromUnixTimestamp64Nano({{from:Int64}}, 'UTC') AND at < fromUnixTimestamp64Nano({{to:Int64}}, 'UTC') "
    f"AND {_FITS} ORDER BY at DESC LIMIT {{most:UInt32}}"
)
_SIZES: Final = (
    "SELECT max(length(document)), avg(length(document)), uniq(toStartOfHour(at)) "
    f"FROM payloads WHERE source = {{source:String}} AND {_WHOLE} "
    "AND at >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND at < fromUnixTimestamp64Nano({to:Int64}, 'UTC')"
)
_SOURCES: Final = (
    "SELECT source FROM payloads WHERE at >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND source != '' "
    "GROUP BY source ORDER BY count() DESC LIMIT {most:UInt32}"
)


@dataclass(frozen=True, slots=True)
class Document:
    """One document that was looked at, and where it was seen."""

    source: str
    at_ns: int
    content: Any
    session: str
    bot: str
    trace: str
    version: str = ""  # of the bot

    @property
    def shape(self) -> Sequence[Seen]:
        return shape(self.content)


class Unreadable(ValueError):
    """No JSON, or too deep to be looked at. It is counted where it came in."""


def content_of(text: str) -> Any:
    """Numbers beyond 64 bits and half surrogates are JSON all the same; of the latter, none gets any further."""
    try:
        found = orjson.loads(text)
    except ValueError:
        found = _loads(text)
    return _trimmed(found, 0) if len(text) > limits.DRIFT_DOCUMENT_BYTES_MAX // 8 else found


def _loads(text: str) -> Any:
    try:
        found = json.loads(text, parse_int=_number)
        if "\\u" in text:
            whole = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
            found = json.loads(whole, parse_int=_number)
    except (ValueError, RecursionError):
        raise Unreadable from None
    return found


def _number(digits: str) -> float:
    return int(digits) if len(digits) < 19 else float(digits)


def _trimmed(value: Any, depth: int) -> Any:
    """As much of a long document as its shape is made of."""
    if isinstance(value, str):
        return value[: limits.DRIFT_VALUE_CHARS_MAX + 1]
    if depth > limits.DRIFT_DEPTH_MAX:
        return value if not isinstance(value, dict | list) else type(value)()
    if isinstance(value, dict):
        inside = islice(value.items(), limits.DRIFT_KEYS_PER_OBJECT_MAX + 1)
        return {key[: limits.DRIFT_KEY_CHARS_MAX + 1]: _trimmed(child, depth + 1) for key, child in inside}
    if isinstance(value, list):
        return [_trimmed(child, depth + 1) for child in value[: limits.DRIFT_ELEMENTS_PER_ARRAY_MAX]]
    return value


def new(store: Store, after_ms: int, until_ms: int) -> list[Document]:
    """What was received in between, in the order it came."""
    window = {"after": after_ms, "until": until_ms, "longest": limits.DRIFT_DOCUMENT_BYTES_MAX}
    rows = store.read(_LARGE, window | {"most": limits.DRIFT_LARGE_SOURCES_MAX})
    long = {str(name): max(1.0, float(mean)) for name, mean in rows}
    each, most = limits.DRIFT_DOCUMENTS_PER_TICK_MAX, limits.DRIFT_DOCUMENTS_PER_STEP_MAX
    found = list(documents(store.read(_NEW, window | {"large": list(long), "each": each, "most": most})))
    for name, mean in long.items():
        few = max(1, min(each, int(limits.DRIFT_LARGE_SOURCE_BYTES_MAX // mean)))
        found += documents(store.read(_NEW_LARGE, window | {"source": name, "each": few}))
    return found


def history(store: Store, source: str, from_ns: int, to_ns: int) -> list[Document]:
    """In the order they came."""
    window = {"source": source, "from": from_ns, "to": to_ns}
    longest, few, hours = _sizes(store, window)
    each = max(1, min(limits.DRIFT_DOCUMENTS_PER_PAST_HOUR_MAX, few // hours))
    params = window | {"longest": longest, "each": each, "most": limits.STORE_QUERY_ROWS_MAX}
    return sorted(documents(store.read(_HISTORY, params)), key=lambda document: document.at_ns)


def around(store: Store, source: str, from_ns: int, to_ns: int) -> list[Document]:
    """The last documents of a window, in the order they came."""
    window = {"source": source, "from": from_ns, "to": to_ns}
    longest, few, _ = _sizes(store, window)
    params = window | {"longest": longest, "most": min(limits.DRIFT_DOCUMENTS_KEPT_MAX, max(20, few))}
    return list(documents(store.read(_AROUND, params)))[::-1]


def _sizes(store: Store, window: Mapping[str, Any]) -> tuple[int, int, int]:
    """The longest document of a window, how many may be read at once, and in how many hours they came."""
    row = store.read(_SIZES, window).first
    if row is None or not row[0]:
        return 1, 1, 1
    return int(row[0]), int(4 * limits.DRIFT_LARGE_SOURCE_BYTES_MAX // max(1.0, float(row[1]))), max(1, int(row[2]))


def sources(store: Store, from_ns: int) -> list[str]:
    """Those that were heard of since then, the busiest first."""
    return [str(row[0]) for row in store.read(_SOURCES, {"from": from_ns, "most": limits.DRIFT_SOURCES_MAX})]


def documents(rows: Iterator[tuple[Any, ...]] | Any) -> Iterator[Document]:
    for source, at_ns, text, session, bot, trace, version in rows:
        try:
            known = trace if trace.strip("0") else ""
            yield Document(source, int(at_ns), content_of(text), session, bot, known, version)
        except Unreadable:
            continue
