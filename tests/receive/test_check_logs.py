from __future__ import annotations

from typing import Any

import orjson
import pytest

from botwatch.nouns import Refusal, Signal
from botwatch.receive import otlp
from botwatch.receive.check_logs import check
from tests.receive.parts import (
    NOW_NS,
    TOO_FAR_AHEAD_NS,
    TOO_LATE_NS,
    WEEK_LATE_NS,
    attribute,
    items_of,
    record,
    request,
    terms,
)

TERMS = terms(Signal.LOGS)


def kept(*records: dict[str, Any]) -> list[Any]:
    message = request(otlp.LOGS, *records)
    check(message, TERMS)
    return items_of(otlp.LOGS, message)


def test_the_observed_time_stands_for_a_missing_time() -> None:
    (found,) = kept(record(time_unix_nano=0, observed_time_unix_nano=WEEK_LATE_NS))
    assert (found.time_unix_nano, found.observed_time_unix_nano) == (0, WEEK_LATE_NS)


def test_a_record_without_any_time_gets_the_time_it_came_and_ends_deduplication() -> None:
    message = request(otlp.LOGS, record(), record(time_unix_nano=0))
    tally = check(message, TERMS)
    assert (tally.items, tally.dedup) == (2, False)
    assert [found.observed_time_unix_nano for found in items_of(otlp.LOGS, message)] == [0, NOW_NS]


@pytest.mark.parametrize(
    "fields",
    [
        {"time_unix_nano": TOO_LATE_NS},
        {"time_unix_nano": TOO_FAR_AHEAD_NS},
        {"time_unix_nano": 0, "observed_time_unix_nano": TOO_LATE_NS},
    ],
)
def test_a_record_of_another_time_is_refused(fields: dict[str, Any]) -> None:
    message = request(otlp.LOGS, record(), record(**fields))
    tally = check(message, TERMS)
    assert (tally.items, tally.rejected, tally.dedup) == (1, {Refusal.CLOCK: 1}, True)


@pytest.mark.parametrize("trace_id", [b"", b"t" * 16])
@pytest.mark.parametrize("span_id", [b"", b"s" * 8])
def test_good_ids_are_left_alone(trace_id: bytes, span_id: bytes) -> None:
    message = request(otlp.LOGS, record(trace_id=trace_id, span_id=span_id))
    assert check(message, TERMS).notes == []
    (found,) = items_of(otlp.LOGS, message)
    assert (found.trace_id, found.span_id) == (trace_id, span_id)


@pytest.mark.parametrize(
    "bad", [{"trace_id": b"x"}, {"span_id": b"x" * 9}, {"trace_id": bytes(16)}, {"span_id": bytes(8)}]
)
def test_a_bad_id_is_cleared_and_told_and_the_record_kept(bad: dict[str, bytes]) -> None:
    good = {"trace_id": b"t" * 16, "span_id": b"s" * 8}
    message = request(otlp.LOGS, record(**good), record(**(good | bad)))
    tally = check(message, TERMS)
    assert (tally.items, tally.rejected, len(tally.notes)) == (2, {}, 1)
    first, second = items_of(otlp.LOGS, message)
    assert (first.trace_id, first.span_id) == (b"t" * 16, b"s" * 8)
    assert {name: getattr(second, name) for name in good} == good | dict.fromkeys(bad, b"")


def test_a_structured_body_becomes_json_text() -> None:
    nested = {"kvlist_value": {"values": [attribute("text", "häi"), {"key": "n", "value": {"int_value": 2**62}}]}}
    values = [nested, {"bool_value": False}, {"double_value": 0.5}, {"bytes_value": b"\xff"}, {}]
    plain, mixed = kept(record(), record(body={"array_value": {"values": values}}))
    assert plain.body.string_value == "hello"
    assert orjson.loads(mixed.body.string_value) == [{"text": "häi", "n": 2**62}, False, 0.5, "/w==", None]


def test_scalar_bodies_and_no_body_stay_as_they_are() -> None:
    bodies = [{"int_value": 7}, {"bytes_value": b"raw"}, {"string_value": ""}]
    found = kept(*(record(body=body) for body in bodies), {"time_unix_nano": NOW_NS})
    assert [one.body.WhichOneof("value") for one in found] == ["int_value", "bytes_value", "string_value", None]
    assert not found[-1].HasField("body")
