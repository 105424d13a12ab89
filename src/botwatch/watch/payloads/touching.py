"""Whom documents belong to: their bots, conversations and traces, and what those bots did for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.detect.drift.shape import at
from botwatch.store.client import Store
from botwatch.watch.payloads.reading import Document

_AROUND_NS: Final = 3_600 * SECOND_NS
_ACTIONS: Final = (
    "SELECT toValidUTF8(toString(action)) AS name FROM spans WHERE action != '' "
    "AND start >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND start < fromUnixTimestamp64Nano({to:Int64}, 'UTC') "
    "AND (trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)) "
    "OR session_id IN {sessions:Array(String)}) GROUP BY name ORDER BY count() DESC, name LIMIT {most:UInt32}"
)


def touched_by(store: Store, documents: Sequence[Document], session_at: str) -> dict[str, Any]:
    """`session_at`: the place of a document that names its conversation, where who sent it did not."""
    sessions = _distinct(name for document in documents for name in _sessions(document, session_at))
    traces = _distinct(document.trace for document in documents)
    return {
        "sessions": sessions,
        "traces": traces,
        "bots": _distinct(document.bot for document in documents),
        "actions": _actions(store, documents, sessions, traces),
        "at_ns": [document.at_ns for document in documents],
    }


def _sessions(document: Document, session_at: str) -> Iterator[str]:
    if document.session:
        yield document.session
    elif session_at:
        for found in at(document.content, session_at):
            if isinstance(found, str | int) and not isinstance(found, bool):
                name = str(found)
                if len(name) <= limits.DRIFT_VALUE_CHARS_MAX:  # of a long document the beginning of one is kept
                    yield name


def _actions(store: Store, documents: Sequence[Document], sessions: list[str], traces: list[str]) -> list[str]:
    if not sessions and not traces:
        return []
    moments = [document.at_ns for document in documents]
    params = {
        "from": min(moments) - _AROUND_NS,
        "to": max(moments) + _AROUND_NS,
        "sessions": sessions,
        "traces": traces,
        "most": limits.DRIFT_EXAMPLES_MAX,
    }
    return [str(row[0]) for row in store.read(_ACTIONS, params)]


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))[: limits.DRIFT_EXAMPLES_MAX]
