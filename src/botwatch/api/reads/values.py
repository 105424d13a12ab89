"""From the engine's columns to what the API shows.

What may hold anything travels in base64: texts, and maps as JSON. Here they become valid Unicode. An
attribute that is an array, a map or bytes is kept as its protobuf bytes behind a zero byte and the
number of the field (5, 6, 7) and is decoded; what only looks like one is shown as the text it is.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList
from pydantic import JsonValue

NO_TRACE: Final = "0" * 32
NO_SPAN: Final = "0" * 16


def sql_text(column: str) -> str:
    """A text as `text_of` reads it, or JSON text as `attributes_of` does."""
    return f"base64Encode({column})"


def sql_map(column: str) -> str:
    """A map from text to text, as `attributes_of` reads it."""
    return f"base64Encode(toJSONString({column}))"


def sql_ns(column: str) -> str:
    return f"toUnixTimestamp64Nano({column})"


def sql_us(column: str) -> str:
    return f"toUnixTimestamp64Micro({column})"


def sql_hex(column: str) -> str:
    return f"lower(hex({column}))"


def sql_time(parameter: str) -> str:
    """A parameter in nanoseconds as the time it means."""
    return f"fromUnixTimestamp64Nano({{{parameter}:Int64}}, 'UTC')"


def sql_traces(trace_ids: Iterable[str]) -> str:
    """Those of these traces, as literals: a list the engine must take apart first costs it twice as much."""
    literals = (f"x'{bytes.fromhex(trace).hex()}'" for trace in trace_ids)
    return f"trace_id IN ({', '.join(literals)})"


def sql_inside(column: str) -> str:
    """From the parameter `lower` to before `upper`."""
    return f"{column} >= {sql_time('lower')} AND {column} < {sql_time('upper')}"


def sql_between(column: str, from_ns: int, to_ns: int) -> str:
    """From that time to before the other. Numbers in the statement cost the engine less than parameters do."""
    from_, to = (f"fromUnixTimestamp64Nano({ns:d}, 'UTC')" for ns in (from_ns, to_ns))
    return f"{column} >= {from_} AND {column} < {to}"


def text_of(read: str) -> str:
    value = _value(b64decode(read))
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def attributes_of(read: str) -> dict[str, JsonValue]:
    found = _json(read)
    return _attributes(found) if isinstance(found, dict) else {}


def list_of_attributes(read: str) -> list[dict[str, JsonValue]]:
    found = _json(read)
    return [_attributes(item) for item in found] if isinstance(found, list) else []


def attributes_reader() -> Callable[[str], dict[str, JsonValue]]:
    """For one answer: the same few resources stand beside many spans."""
    seen: dict[str, dict[str, JsonValue]] = {}

    def read(text: str) -> dict[str, JsonValue]:
        if text not in seen:
            seen[text] = attributes_of(text)
        return seen[text]

    return read


def known(text: str) -> str | None:
    """Empty columns stand for what is not known."""
    return text or None


def known_trace(trace_id: str) -> str | None:
    return None if trace_id == NO_TRACE else trace_id


def known_span(span_id: str) -> str | None:
    return None if span_id == NO_SPAN else span_id


def _json(read: str) -> Any:
    """The engine writes strings into JSON as they are, whether they are Unicode or not."""
    raw = b64decode(read)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(raw.decode("utf-8", errors="surrogateescape"))
    except ValueError:
        return None


def _attributes(found: dict[str, Any]) -> dict[str, JsonValue]:
    return {_bytes(name).decode("utf-8", errors="replace"): _value(_bytes(value)) for name, value in found.items()}


def _bytes(text: object) -> bytes:
    return str(text).encode("utf-8", errors="surrogateescape")


def _value(raw: bytes) -> JsonValue:
    try:
        match raw[:2]:
            case b"\x005":
                return [_any(item) for item in ArrayValue.FromString(raw[2:]).values]
            case b"\x006":
                return {pair.key: _any(pair.value) for pair in KeyValueList.FromString(raw[2:]).values}
            case b"\x007":
                return b64encode(raw[2:]).decode()
    except (DecodeError, RecursionError):
        pass
    return raw.decode("utf-8", errors="replace")


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
