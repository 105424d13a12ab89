from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from botwatch.nouns import Refusal, Signal
from botwatch.receive import otlp
from botwatch.receive.check import Tally
from botwatch.receive.check_series import Known
from tests.receive.parts import (
    HOUR_AHEAD_NS,
    NOW_NS,
    TOO_FAR_AHEAD_NS,
    TOO_LATE_NS,
    attribute,
    field_bytes,
    metric,
    point,
    request,
    terms,
)

TERMS = terms(Signal.POINTS)


def at(tag: int, number: int) -> bytes:
    return struct.pack("<BQ", tag, number)


def label(key: bytes, value: bytes) -> bytes:
    return field_bytes(7, field_bytes(1, key) + field_bytes(2, value))


START, TIME = at(0x11, NOW_NS - 10**9), at(0x19, NOW_NS)
DOUBLE, WHOLE = b"\x21" + struct.pack("<d", 1.5), at(0x31, 7)
LABEL, OTHER = label(b"queue", b"\x0a\x02in"), label(b"zone", b"\x18\x05")
FLAGS = b"\x40\x01"
ODD = {
    "no start, said": at(0x11, 0),
    "no time, said": at(0x19, 0),
    "too late": at(0x19, TOO_LATE_NS),
    "too far ahead": at(0x19, TOO_FAR_AHEAD_NS),
    "an exemplar": field_bytes(5, at(0x11, NOW_NS)),
    "an unknown field": b"\xf8\x07\x01",
    "a time that is a varint": b"\x18\x05",
    "a group": b"\x3b\x3c",
    "an end of no group": b"\x3c",
    "a label with an unknown field": field_bytes(7, b"\x0a\x01a\xf8\x07\x01"),
    "a value with an unknown field": label(b"a", b"\x0a\x01b\xf8\x07\x01"),
    "a label with two values": label(b"a", b"\x0a\x01b\x18\x05"),
    "a label with two names": field_bytes(7, b"\x0a\x01a\x0a\x01b"),
    "a label that is not text": label(b"\xff", b"\x0a\x01b"),
    "a length of two bytes that needs one": b"\x3a\x83\x00\x0a\x01a",
    "a truth of 5": label(b"a", b"\x10\x05"),
    "flags of none": b"\x40\x00",
    "what is cut off": b"\x3a\x7f\x0a",
    "what is no message": b"\xff\xff",
}
USUAL = (START + TIME + DOUBLE + LABEL, TIME + WHOLE + LABEL + OTHER, TIME + DOUBLE, TIME + DOUBLE + OTHER + FLAGS)


def sent(points: Sequence[bytes], kind: int = 5) -> bytes:
    """A request with one metric; 5 is a gauge, 7 a sum."""
    inside = b"".join(field_bytes(1, each) for each in points)
    return field_bytes(1, field_bytes(2, field_bytes(2, field_bytes(1, b"m") + field_bytes(kind, inside))))


def long_way(body: bytes) -> tuple[Tally, bytes] | None:
    try:
        return otlp._taken_apart(otlp.POINTS, body, TERMS)
    except DecodeError:
        return None


def test_what_exporters_send_goes_the_short_way_from_the_first_request() -> None:
    body = sent(USUAL, 5) + sent(USUAL, 7)
    assert Known().checked(body, TERMS) == long_way(body) == (Tally(items=8), body)


def test_other_kinds_beside_gauges_and_sums_are_looked_at_as_ever() -> None:
    histogram = {"time_unix_nano": NOW_NS, "bucket_counts": [1, 2], "explicit_bounds": [5.0]}
    good = request(otlp.POINTS, metric("gauge", point()), metric("histogram", histogram)).SerializeToString()
    assert Known().checked(good, TERMS) == long_way(good) == (Tally(items=2), good)
    wrong = request(otlp.POINTS, metric("gauge", point()), metric("histogram", histogram | {"bucket_counts": [1]}))
    assert Known().checked(wrong.SerializeToString(), TERMS) is None


def test_a_resource_may_have_what_nobody_knows() -> None:
    body = sent(USUAL)
    assert Known().checked(body + b"\xf8\x07\x01", TERMS) == (Tally(items=4), body)


def test_an_hour_ahead_is_taken_by_both_ways() -> None:
    body = request(
        otlp.POINTS, metric("sum", point(time_unix_nano=HOUR_AHEAD_NS, attributes=[attribute("a")]))
    ).SerializeToString()
    assert Known().checked(body, TERMS) == long_way(body) == (Tally(items=1), body)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", range(4))
def test_what_is_odd_goes_the_long_way(odd: str, place: int) -> None:
    """Before the start, between time and value, after the value, after a label."""
    parts = [START, TIME, DOUBLE, LABEL]
    parts.insert((0, 2, 3, 4)[place], ODD[odd])
    known = Known()
    for body in (sent(USUAL), sent([*USUAL, b"".join(parts)])):
        quick = known.checked(body, TERMS)
        assert quick is None or quick == long_way(body)
    # Times may stand anywhere, and the last one counts: here it is the good one.
    assert quick is None


def test_a_point_that_is_refused_is_counted_and_takes_no_other_with_it() -> None:
    parcel, _ = otlp.parcel_of(otlp.POINTS, sent([*USUAL, TIME + LABEL, b""]), TERMS, as_json=False)
    assert (parcel.items, parcel.rejected) == (4, {Refusal.EMPTY_METRIC: 2})


PIECES = st.sampled_from([START, TIME, DOUBLE, WHOLE, LABEL, OTHER, FLAGS, *ODD.values()]) | st.binary(max_size=6)
POINTS = st.lists(st.sampled_from(USUAL) | st.lists(PIECES, max_size=6).map(b"".join), max_size=5)
KNOWN = Known(bytes_max=350)


@given(first=POINTS, second=POINTS, kind=st.sampled_from([5, 7, 9]))
def test_the_short_way_finds_what_the_long_way_finds_or_nothing(
    first: list[bytes], second: list[bytes], kind: int
) -> None:
    for body in (sent(first), sent(second, kind), sent(first, kind) + sent(second)):
        try:
            quick = KNOWN.checked(body, TERMS)
        except DecodeError:
            assert long_way(body) is None
        else:
            assert quick is None or quick == long_way(body)
    assert len(KNOWN._seen) <= 3
