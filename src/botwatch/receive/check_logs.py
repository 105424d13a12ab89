"""Log records: a time within what is kept, ids that are ids, a body that is text.

A record without a time of its own is given the time it came, as its observed time; such a request
is no longer known from an equal one sent later, and its parcel says so.
"""

from __future__ import annotations

from itertools import compress
from operator import attrgetter, methodcaller, not_

from google.protobuf.message import Message

from botwatch.nouns import Refusal
from botwatch.receive import structure
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

_TIME = attrgetter("time_unix_nano")
_TRACE_ID = attrgetter("trace_id")
_SPAN_ID = attrgetter("span_id")
_BODY = attrgetter("body")
_BODY_KIND = methodcaller("WhichOneof", "value")
_TRACE_LENGTHS = frozenset((0, TRACE_ID_BYTES))
_SPAN_LENGTHS = frozenset((0, SPAN_ID_BYTES))
_STRUCTURED = frozenset(("array_value", "kvlist_value"))


def check(request: Message, terms: Terms) -> Tally:
    lists = item_lists(request, "resource_logs", "scope_logs", "log_records")
    records = flat(lists)
    tally = Tally(items=len(records))
    if not records:
        return tally
    times = list(map(_TIME, records))
    if not all(times):
        tally.dedup = _set_missing_times(records, times, terms)
        times = list(map(_effective_time, records))
    if not _ids_clean(records):
        _clear_bad_ids(records)
        tally.notes.append("trace and span ids that are not 16 and 8 bytes were cleared")
    if not _STRUCTURED.isdisjoint(map(_BODY_KIND, map(_BODY, records))):
        structure.bodies_to_text(records)
    if not in_window(times, terms):
        tally.rejected = sift(lists, lambda record: _fault(record, terms))
        tally.items -= tally.rejected.total()
    return tally


def _effective_time(record: Item) -> int:
    """OpenTelemetry's logs data model: without a time, the time it was observed stands for it."""
    time_ns: int = record.time_unix_nano or record.observed_time_unix_nano
    return time_ns


def _set_missing_times(records: list[Item], times: list[int], terms: Terms) -> bool:
    """Whether every record had a time of its sender."""
    all_told = True
    for record in compress(records, map(not_, times)):
        if not record.observed_time_unix_nano:
            record.observed_time_unix_nano = terms.now_ns
            all_told = False
    return all_told


def _ids_clean(records: list[Item]) -> bool:
    trace_ids = list(map(_TRACE_ID, records))
    span_ids = list(map(_SPAN_ID, records))
    return (
        set(map(len, trace_ids)) <= _TRACE_LENGTHS
        and set(map(len, span_ids)) <= _SPAN_LENGTHS
        and NO_TRACE_ID not in trace_ids
        and NO_SPAN_ID not in span_ids
    )


def _clear_bad_ids(records: list[Item]) -> None:
    for record in records:
        if len(record.trace_id) != TRACE_ID_BYTES or record.trace_id == NO_TRACE_ID:
            record.trace_id = b""
        if len(record.span_id) != SPAN_ID_BYTES or record.span_id == NO_SPAN_ID:
            record.span_id = b""


def _fault(record: Item, terms: Terms) -> Refusal | None:
    return None if terms.oldest_ns <= _effective_time(record) <= terms.newest_ns else Refusal.CLOCK
