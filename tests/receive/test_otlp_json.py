from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch import limits
from botwatch.errors import InvalidBody, TooLarge
from botwatch.receive import otlp
from botwatch.receive.otlp import Otlp
from botwatch.receive.otlp_json import parse
from tests.receive.parts import items_of


def trace(**fields: Any) -> Any:
    tree = {"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}
    (span,) = items_of(otlp.TRACES, parse(otlp.TRACES.request, orjson.dumps(tree)))
    return span


def value_of(**any_value: Any) -> Any:
    return trace(attributes=[{"key": "k", "value": any_value}]).attributes[0].value


def test_ids_are_hex_in_either_case() -> None:
    span = trace(traceId="000102030405060708090A0B0C0D0E0F", spanId="eee19b7ec3c1b174", parentSpanId="")
    assert (span.trace_id, span.span_id.hex(), span.parent_span_id) == (bytes(range(16)), "eee19b7ec3c1b174", b"")


@pytest.mark.parametrize("trace_id", ["AAECAwQFBgcICQoLDA0ODw==", "xyz", "abc", "ab cd", "\uff41\uff42"])
def test_an_id_that_is_not_hex_is_no_id_and_costs_only_its_own_span(trace_id: str) -> None:
    assert trace(traceId=trace_id, name="n").trace_id == b"\x00"


def test_other_bytes_are_base64_of_both_alphabets() -> None:
    assert value_of(bytesValue="+/8=").bytes_value == b"\xfb\xff"
    assert value_of(bytesValue="-_8").bytes_value == b"\xfb\xff"


@pytest.mark.parametrize("kind", [3, "3", "SPAN_KIND_CLIENT"], ids=repr)
def test_enums_are_integers_or_names(kind: Any) -> None:
    assert trace(kind=kind).kind == 3


def test_an_enum_from_the_future_is_kept() -> None:
    assert trace(kind=99).kind == 99


@pytest.mark.parametrize(
    ("written", "number"),
    [("1790000000000000000", 1790000000000000000), (1790000000000000000, 1790000000000000000), (1e18, 10**18)],
    ids=repr,
)
def test_a_64_bit_integer_is_a_number_or_a_string(written: Any, number: int) -> None:
    assert trace(startTimeUnixNano=written).start_time_unix_nano == number


@pytest.mark.parametrize(
    ("written", "number"), [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), ("1.5", 1.5), (3, 3.0)]
)
def test_a_double_is_a_number_or_a_string(written: Any, number: float) -> None:
    found = value_of(doubleValue=written).double_value
    assert found == number or (math.isnan(found) and math.isnan(number))


def test_unknown_fields_and_nulls_are_ignored_at_every_level() -> None:
    span = trace(name="n", future={"a": [1]}, kind=None, status={"code": 2, "why": "x"}, attributes=None)
    assert (span.name, span.kind, span.status.code, len(span.attributes)) == ("n", 0, 2, 0)


def test_the_names_of_the_proto_file_are_taken_too() -> None:
    body = b'{"resource_spans":[{"scope_spans":[{"spans":[{"start_time_unix_nano":"5"}]}]}]}'
    (span,) = items_of(otlp.TRACES, parse(otlp.TRACES.request, body))
    assert span.start_time_unix_nano == 5


def test_an_empty_object_is_a_value_that_is_there() -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{}},{}]}]}]}'
    there, missing = items_of(otlp.LOGS, parse(otlp.LOGS.request, body))
    assert (there.HasField("body"), missing.HasField("body")) == (True, False)


def test_zero_false_and_empty_are_told_from_nothing() -> None:
    kinds = [
        value_of(**value).WhichOneof("value")
        for value in ({"intValue": "0"}, {"boolValue": False}, {"stringValue": ""}, {})
    ]
    assert kinds == ["int_value", "bool_value", "string_value", None]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "SPAN_KIND_WRONG"}, "Span.kind: expected an integer"),
        ({"kind": 2**31}, "Span.kind: expected an integer from"),
        ({"kind": 1.5}, "Span.kind: expected an integer"),
        ({"kind": True}, "Span.kind: expected an integer"),
        ({"startTimeUnixNano": "-1"}, "Span.startTimeUnixNano: expected an integer from 0"),
        ({"startTimeUnixNano": "1" * 5_000}, "Span.startTimeUnixNano: expected an integer"),
        ({"startTimeUnixNano": 1e300}, "Span.startTimeUnixNano: expected an integer from"),
        ({"name": 5}, "Span.name: expected a string"),
        ({"traceId": 5}, "Span.traceId: expected a string of hex"),
        ({"attributes": {}}, "Span.attributes: expected an array"),
        ({"attributes": [5]}, "Span.attributes: expected an array of objects"),
        ({"status": []}, "Span.status: expected an object"),
        ({"attributes": [{"value": {"boolValue": 1}}]}, "AnyValue.boolValue: expected true or false"),
        ({"attributes": [{"value": {"doubleValue": "x"}}]}, "AnyValue.doubleValue: expected a number"),
        ({"attributes": [{"value": {"bytesValue": "*"}}]}, "AnyValue.bytesValue: expected a base64 string"),
    ],
)
def test_a_wrong_value_is_told_by_its_field_and_never_repeated(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidBody) as caught:
        trace(**fields)
    assert told in caught.value.message
    assert "SPAN_KIND_WRONG" not in caught.value.message


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"5", b"{", b'{"a":NaN}', b'{"a":"\\ud800"}', b"\xff", b"[" * 5_000]
)
def test_what_is_not_an_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBody):
        parse(otlp.TRACES.request, body)


def nested(depth: int) -> bytes:
    value = b'{"arrayValue":{"values":[' * depth + b'{"stringValue":"deep"}' + b"]}}" * depth
    attribute = b'{"key":"k","value":%s}' % value
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[%s]}]}]}]}' % attribute


def test_nesting_is_bounded() -> None:
    assert parse(otlp.TRACES.request, nested(25)).SerializeToString()
    with pytest.raises(InvalidBody, match=f"{limits.JSON_NESTING_MAX} levels"):
        parse(otlp.TRACES.request, nested(40))


@pytest.mark.parametrize("filler", [b"[],", b"{},", b'{"a":0},'])
def test_what_a_body_may_build_is_bounded(monkeypatch: pytest.MonkeyPatch, filler: bytes) -> None:
    monkeypatch.setattr(limits, "JSON_VALUES_MAX", 1_000)
    assert parse(otlp.TRACES.request, b'{"x":[' + filler * 200 + b"0]}") == otlp.TRACES.request()
    with pytest.raises(TooLarge, match="read in one request"):
        parse(otlp.TRACES.request, b'{"x":[' + filler * 600 + b"0]}")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**65) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["values", "key", "value", "arrayValue"]), inner)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["traceId", "spanId", "kind", "startTimeUnixNano", "attributes", "events", "status", "links", "flags"]
)


@given(st.sampled_from(otlp.SIGNALS), st.dictionaries(NAMES, JSON_VALUES, max_size=4))
def test_any_value_in_any_place_is_taken_or_refused(signal: Otlp, item: dict[str, Any]) -> None:
    names = {"traces": ("resourceSpans", "scopeSpans", "spans"), "logs": ("resourceLogs", "scopeLogs", "logRecords")}
    outer, middle, inner = names.get(signal.inbox.signal, ("resourceMetrics", "scopeMetrics", "metrics"))
    try:
        message = parse(signal.request, _dumps({outer: [{middle: [{inner: [item]}]}]}))
    except InvalidBody:
        return
    assert signal.request.FromString(message.SerializeToString()) == message


def _dumps(tree: Any) -> bytes:
    import json

    return json.dumps(tree).encode()
