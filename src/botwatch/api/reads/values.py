"""From the engine's columns to what the API shows.

Texts are repaired to valid UTF-8 by the engine. An attribute that is an array, a map or bytes is
kept as its protobuf bytes behind a zero byte and the number of the field (5, 6, 7); it travels in
base64 and is decoded here. What only looks like one is shown as the text it is.
"""

from __future__ import annotations

import binascii
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Final

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList
from pydantic import JsonValue

NO_TRACE: Final = "0" * 32
NO_SPAN: Final = "0" * 16


def sql_text(column: str) -> str:
    """A text column that may hold anything, as it is read."""
    return (
        f"if(startsWith({column}, '\\0'), concat('\\0', base64Encode(substring({column}, 2))), toValidUTF8({column}))"
    )


def sql_texts(column: str) -> str:
    """A map from text to text, as it is read."""
    return f"mapApply((k, v) -> (toValidUTF8(k), {sql_text('v')}), {column})"


def sql_ns(column: str) -> str:
    return f"toUnixTimestamp64Nano({column})"


def sql_hex(column: str) -> str:
    return f"lower(hex({column}))"


def sql_time(parameter: str) -> str:
    """A parameter in nanoseconds as the time it means."""
    return f"fromUnixTimestamp64Nano({{{parameter}:Int64}}, 'UTC')"


def sql_inside(column: str) -> str:
    """From the parameter `lower` to before `upper`."""
    return f"{column} >= {sql_time('lower')} AND {column} < {sql_time('upper')}"


def sql_resource(column: str) -> str:
    """A resource is JSON text whose strings may hold protobuf bytes."""
    return f"if(isValidUTF8({column}), {column}, concat('\\0', base64Encode({column})))"


def value_of(read: str) -> JsonValue:
    raw = _raw(read)
    return read if raw is None else _decoded(raw)


def text_of(read: str) -> str:
    value = value_of(read)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def attributes_of(read: Mapping[str, str]) -> dict[str, JsonValue]:
    return {name: value_of(value) for name, value in read.items()}


def resource_of(read: str) -> dict[str, JsonValue]:
    raw = _raw(read) or read.encode()
    try:
        found = json.loads(raw.decode("utf-8", errors="surrogateescape")) if raw else {}
    except ValueError:
        return {}
    return {_repaired(name): _of_resource(value) for name, value in found.items()} if isinstance(found, dict) else {}


def resource_reader() -> Callable[[str], dict[str, JsonValue]]:
    """For one answer: the same few resources stand beside many spans."""
    seen: dict[str, dict[str, JsonValue]] = {}

    def read(text: str) -> dict[str, JsonValue]:
        if text not in seen:
            seen[text] = resource_of(text)
        return seen[text]

    return read


def known(text: str) -> str | None:
    """Empty columns stand for what is not known."""
    return text or None


def known_trace(trace_id: str) -> str | None:
    return None if trace_id == NO_TRACE else trace_id


def known_span(span_id: str) -> str | None:
    return None if span_id == NO_SPAN else span_id


def _raw(read: str) -> bytes | None:
    if not read.startswith("\0"):
        return None
    try:
        return b64decode(read[1:], validate=True)
    except (binascii.Error, ValueError):
        return None


def _decoded(raw: bytes) -> JsonValue:
    try:
        match raw[:1]:
            case b"5":
                return [_any(item) for item in ArrayValue.FromString(raw[1:]).values]
            case b"6":
                return {pair.key: _any(pair.value) for pair in KeyValueList.FromString(raw[1:]).values}
            case b"7":
                return b64encode(raw[1:]).decode()
    except (DecodeError, RecursionError):
        pass
    return "\0" + raw.decode("utf-8", errors="replace")


def _of_resource(value: object) -> JsonValue:
    text = str(value)
    if text.startswith("\0"):
        return _decoded(text[1:].encode("utf-8", errors="surrogateescape"))
    return _repaired(text)


def _repaired(text: str) -> str:
    return text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def _any(value: AnyValue) -> JsonValue:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else str(value.double_value)
        case "array_value":
            return [_any(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _any(pair.value) for pair in value.kvlist_value.values}
        case "bytes_value":
            return b64encode(value.bytes_value).decode()
    return None
