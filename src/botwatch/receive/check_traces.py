"""Spans: ids of the right length, times within what is kept.

Ids of links, and the times of a span's events, are left as they came: the span they belong to is
the fact that is kept or refused.
"""

from __future__ import annotations

from operator import attrgetter

from google.protobuf.message import Message

from botwatch.nouns import Refusal
from botwatch.receive.check import (
    NO_SPAN_ID,
    NO_TRACE_ID,
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    Item,
    Tally,
    flat,
    in_window,
    item_lists,
    sift,
)
from botwatch.receive.door import Terms

_START = attrgetter("start_time_unix_nano")
_END = attrgetter("end_time_unix_nano")
_TRACE_ID = attrgetter("trace_id")
_SPAN_ID = attrgetter("span_id")
_PARENT_ID = attrgetter("parent_span_id")
_PARENT_LENGTHS = frozenset((0, SPAN_ID_BYTES))


def check(request: Message, terms: Terms) -> Tally:
    lists = item_lists(request, "resource_spans", "scope_spans", "spans")
    spans = flat(lists)
    tally = Tally(items=len(spans))
    if spans and not _clean(spans, terms):
        tally.rejected = sift(lists, lambda span: _fault(span, terms))
        tally.items -= tally.rejected.total()
        for items in lists:
            for span in items:
                if span.parent_span_id == NO_SPAN_ID:
                    span.parent_span_id = b""  # some senders write a root span's missing parent as zeros
    return tally


def _clean(spans: list[Item], terms: Terms) -> bool:
    trace_ids = list(map(_TRACE_ID, spans))
    span_ids = list(map(_SPAN_ID, spans))
    parent_ids = list(map(_PARENT_ID, spans))
    return (
        in_window(list(map(_START, spans)), terms)
        and max(map(_END, spans)) <= terms.newest_ns
        and set(map(len, trace_ids)) == {TRACE_ID_BYTES}
        and set(map(len, span_ids)) == {SPAN_ID_BYTES}
        and set(map(len, parent_ids)) <= _PARENT_LENGTHS
        and NO_TRACE_ID not in trace_ids
        and NO_SPAN_ID not in span_ids
        and NO_SPAN_ID not in parent_ids
    )


def _fault(span: Item, terms: Terms) -> Refusal | None:
    if (
        len(span.trace_id) != TRACE_ID_BYTES
        or len(span.span_id) != SPAN_ID_BYTES
        or len(span.parent_span_id) not in _PARENT_LENGTHS
        or span.trace_id == NO_TRACE_ID
        or span.span_id == NO_SPAN_ID
    ):
        return Refusal.BAD_ID
    if not terms.oldest_ns <= span.start_time_unix_nano <= terms.newest_ns:
        return Refusal.CLOCK
    if span.end_time_unix_nano > terms.newest_ns:
        return Refusal.CLOCK
    return None
