"""Documents out of the store: a bounded sample, in the order they came, as shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from botwatch import limits
from botwatch.detect.drift.shape import Seen, shape
from botwatch.store.client import Store

_COLUMNS: Final = "source, toUnixTimestamp64Nano(at), document, session_id, bot, lower(hex(trace_id))"
_FITS: Final = "NOT partial AND length(document) <= {longest:UInt32} AND source != ''"
_NEW: Final = (
    f"SELECT {_COLUMNS} FROM payloads WHERE received > fromUnixTimestamp64Milli({{after:Int64}}, 'UTC') "
    f"AND received <= fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') AND {_FITS} "
    "ORDER BY at LIMIT {each:UInt32} BY source, toStartOfInterval(at, INTERVAL 300 SECOND) LIMIT {most:UInt32}"
)
# Of each hour a few documents from all over it: their order by hash is as good as by lot.
_HISTORY: Final = (
    f"SELECT {_COLUMNS} FROM payloads WHERE source = {{source:String}} "
    f"AND at >= fromUnixTimestamp64Nano({{from:Int64}}, 'UTC') AND at < fromUnixTimestamp64Nano({{to:Int64}}, 'UTC') "
    f"AND {_FITS} ORDER BY toStartOfHour(at), cityHash64(at, document) "
    "LIMIT {each:UInt32} BY toStartOfHour(at) LIMIT {most:UInt32}"
)
_AROUND: Final = (
    f"SELECT {_COLUMNS} FROM payloads WHERE source = {{source:String}} "
    f"AND at >= fromUnixTimestamp64Nano({{from:Int64}}, 'UTC') AND at < fromUnixTimestamp64Nano({{to:Int64}}, 'UTC') "
    f"AND {_FITS} ORDER BY at DESC LIMIT {{most:UInt32}}"
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

    @property
    def shape(self) -> Sequence[Seen]:
        return shape(self.content)


class Unreadable(ValueError):
    """No JSON, or too deep to be looked at. It is counted where it came in."""


def content_of(text: str) -> Any:
    """Numbers beyond 64 bits and half surrogates are JSON all the same."""
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable from None


def new(store: Store, after_ms: int, until_ms: int) -> list[Document]:
    params = {
        "after": after_ms,
        "until": until_ms,
        "longest": limits.DRIFT_DOCUMENT_BYTES_MAX,
        "each": limits.DRIFT_DOCUMENTS_PER_TICK_MAX,
        "most": limits.DRIFT_DOCUMENTS_PER_STEP_MAX,
    }
    return list(_documents(store.read(_NEW, params)))


def history(store: Store, source: str, from_ns: int, to_ns: int) -> list[Document]:
    """In the order they came."""
    params = {
        "source": source,
        "from": from_ns,
        "to": to_ns,
        "longest": limits.DRIFT_DOCUMENT_BYTES_MAX,
        "each": limits.DRIFT_DOCUMENTS_PER_PAST_HOUR_MAX,
        "most": limits.STORE_QUERY_ROWS_MAX,
    }
    return sorted(_documents(store.read(_HISTORY, params)), key=lambda document: document.at_ns)


def around(store: Store, source: str, from_ns: int, to_ns: int) -> list[Document]:
    """The last documents of a window, in the order they came."""
    params = {
        "source": source,
        "from": from_ns,
        "to": to_ns,
        "longest": limits.DRIFT_DOCUMENT_BYTES_MAX,
        "most": limits.DRIFT_DOCUMENTS_KEPT_MAX,
    }
    return list(_documents(store.read(_AROUND, params)))[::-1]


def sources(store: Store, from_ns: int) -> list[str]:
    """Those that were heard of since then, the busiest first."""
    return [str(row[0]) for row in store.read(_SOURCES, {"from": from_ns, "most": limits.DRIFT_SOURCES_MAX})]


def _documents(rows: Iterator[tuple[Any, ...]] | Any) -> Iterator[Document]:
    for source, at_ns, text, session, bot, trace in rows:
        try:
            yield Document(source, int(at_ns), content_of(text), session, bot, trace if trace.strip("0") else "")
        except Unreadable:
            continue
