from __future__ import annotations

from typing import Any

import pytest

from botwatch.nouns import Refusal
from botwatch.receive import otlp
from botwatch.receive.check_traces import check
from tests.receive.parts import (
    HOUR_AHEAD_NS,
    NOW_NS,
    TOO_FAR_AHEAD_NS,
    TOO_LATE_NS,
    WEEK_LATE_NS,
    items_of,
    request,
    span,
    terms,
)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"start_time_unix_nano": WEEK_LATE_NS},
        {"start_time_unix_nano": HOUR_AHEAD_NS, "end_time_unix_nano": HOUR_AHEAD_NS},
        {"end_time_unix_nano": NOW_NS - 10**12},  # ended before it began: odd, and a fact
        {"end_time_unix_nano": 0},
        {"parent_span_id": b"p" * 8},
        {"kind": 99},
    ],
)
def test_a_span_is_kept(fields: dict[str, Any]) -> None:
    message = request(otlp.TRACES, span(**fields))
    tally = check(message, terms())
    assert (tally.items, tally.rejected, tally.dedup) == (1, {}, True)
    assert len(items_of(otlp.TRACES, message)) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, Refusal.BAD_ID),
        ({"trace_id": b"t" * 15}, Refusal.BAD_ID),
        ({"trace_id": b"t" * 32}, Refusal.BAD_ID),
        ({"trace_id": bytes(16)}, Refusal.BAD_ID),
        ({"span_id": b"s" * 16}, Refusal.BAD_ID),
        ({"span_id": bytes(8)}, Refusal.BAD_ID),
        ({"parent_span_id": b"p" * 7}, Refusal.BAD_ID),
        ({"start_time_unix_nano": 0}, Refusal.CLOCK),
        ({"start_time_unix_nano": TOO_LATE_NS}, Refusal.CLOCK),
        ({"start_time_unix_nano": TOO_FAR_AHEAD_NS}, Refusal.CLOCK),
        ({"end_time_unix_nano": TOO_FAR_AHEAD_NS}, Refusal.CLOCK),
        ({"end_time_unix_nano": 2**64 - 1}, Refusal.CLOCK),
    ],
)
def test_a_span_is_refused_and_its_neighbours_are_kept(fields: dict[str, Any], reason: Refusal) -> None:
    message = request(otlp.TRACES, span(name="before"), span(**fields), span(name="after"))
    tally = check(message, terms())
    assert (tally.items, tally.rejected) == (2, {reason: 1})
    assert [kept.name for kept in items_of(otlp.TRACES, message)] == ["before", "after"]


def test_refusals_are_counted_by_their_reason_over_all_scopes() -> None:
    message = request(otlp.TRACES, span(trace_id=b""), span(), span(span_id=b"x"), span(start_time_unix_nano=1))
    message.MergeFrom(request(otlp.TRACES, span(), span(start_time_unix_nano=2)))
    tally = check(message, terms())
    assert (tally.items, tally.rejected) == (2, {Refusal.BAD_ID: 2, Refusal.CLOCK: 2})


def test_a_parent_of_zeros_is_no_parent() -> None:
    message = request(otlp.TRACES, span(parent_span_id=bytes(8)), span(parent_span_id=b"p" * 8))
    tally = check(message, terms())
    assert (tally.items, tally.rejected) == (2, {})
    assert [kept.parent_span_id for kept in items_of(otlp.TRACES, message)] == [b"", b"p" * 8]


def test_an_empty_request_has_no_items() -> None:
    assert check(otlp.TRACES.request(), terms()).items == 0
    assert check(request(otlp.TRACES), terms()).items == 0
