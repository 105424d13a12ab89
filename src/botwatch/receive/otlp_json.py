"""OTLP in JSON, as the specification has it ("JSON Protobuf Encoding"), read into the same messages.

protobuf's own JSON reader cannot be used: OTLP writes trace and span ids as hex where protobuf's
mapping says base64. The rules, in our words:

- trace and span ids are hex, other bytes are base64;
- enums are integers (their names are taken too);
- keys are in lowerCamelCase (the names of the proto file are taken too);
- a key that is not known is ignored;
- a 64-bit integer may be a number or a string.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from botwatch import limits
from botwatch.errors import InvalidBody
from botwatch.receive.json_tree import loads

_HEX_FIELDS = frozenset(("trace_id", "span_id", "parent_span_id"))
_NO_ID = b"\x00"  # what cannot be read as an id: its length lets the check refuse the one item
_INT_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
Convert = Callable[[Any], Any]


class _Wrong(Exception):
    """A value that its field cannot hold; says what was expected, never what was found."""


def parse(request: type[Message], body: bytes) -> Message:
    """The request in the body, or `InvalidBody` with the field that is wrong."""
    tree = loads(body)
    if not isinstance(tree, dict):
        raise InvalidBody("The body is JSON, but not an object.", hint=f"send one {request.DESCRIPTOR.name}")
    message = request()
    _fill(message, _shape_of(request.DESCRIPTOR), tree, 0)
    return message


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    repeated: bool
    message: Descriptor | None
    convert: Convert


def _fill(message: Message, shape: dict[str, _Field], tree: dict[str, Any], depth: int) -> None:
    if depth > limits.JSON_NESTING_MAX:
        raise too_deep()
    key = ""
    try:
        for key, value in tree.items():
            field = shape.get(key)
            if field is None or value is None:
                continue
            if field.repeated:
                _extend(getattr(message, field.name), field, value, depth)
            elif field.message is None:
                setattr(message, field.name, field.convert(value))
            elif type(value) is dict:
                child = getattr(message, field.name)
                child.SetInParent()  # an empty object is a field that is there
                _fill(child, _shape_of(field.message), value, depth + 1)
            else:
                raise _Wrong("an object")
    except _Wrong as wrong:
        raise InvalidBody(f"{message.DESCRIPTOR.name}.{key}: expected {wrong}.") from None


def _extend(target: Any, field: _Field, values: Any, depth: int) -> None:
    if type(values) is not list:
        raise _Wrong("an array")
    if field.message is None:
        target.extend(map(field.convert, values))
        return
    shape = _shape_of(field.message)
    for value in values:
        if type(value) is not dict:
            raise _Wrong("an array of objects")
        _fill(target.add(), shape, value, depth + 1)


@cache
def _shape_of(descriptor: Descriptor) -> dict[str, _Field]:
    shape: dict[str, _Field] = {}
    for found in descriptor.fields:
        field = _Field(found.name, found.is_repeated, found.message_type, _converter(found))
        shape[found.name] = shape[found.json_name] = field
    return shape


def _converter(field: FieldDescriptor) -> Convert:
    kind = field.cpp_type
    if kind in _INT_RANGES:
        return _integer(*_INT_RANGES[kind])
    if field.enum_type is not None:
        return _enum(field.enum_type)
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return _double
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return _bool
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _hex if field.name in _HEX_FIELDS else _base64
    return _string


def _integer(least: int, most: int) -> Convert:
    def convert(value: Any) -> int:
        if isinstance(value, str | float) and not isinstance(value, bool):
            try:
                number = int(value)
            except (ValueError, OverflowError):
                raise _Wrong("an integer") from None
            if isinstance(value, float) and number != value:
                raise _Wrong("an integer")
        elif type(value) is int:
            number = value
        else:
            raise _Wrong("an integer")
        if not least <= number <= most:
            raise _Wrong(f"an integer from {least} to {most}")
        return number

    return convert


def _enum(enum: EnumDescriptor) -> Convert:
    integer = _integer(*_INT_RANGES[FieldDescriptor.CPPTYPE_INT32])
    numbers = {name: value.number for name, value in enum.values_by_name.items()}

    def convert(value: Any) -> int:
        number: int = numbers[value] if isinstance(value, str) and value in numbers else integer(value)
        return number

    return convert


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Wrong("a number")
    try:
        return float(value)  # also "NaN", "Infinity" and "-Infinity"
    except (ValueError, OverflowError):
        raise _Wrong("a number") from None


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("true or false")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("a string")
    return value


def _hex(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _Wrong("a string of hex digits")
    try:
        return binascii.unhexlify(value)
    except ValueError:
        return _NO_ID


def _base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _Wrong("a base64 string")
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        raise _Wrong("a base64 string") from None


def too_deep() -> InvalidBody:
    return InvalidBody(
        f"The body is nested deeper than {limits.JSON_NESTING_MAX} levels.", hint="send nested values as JSON text"
    )
