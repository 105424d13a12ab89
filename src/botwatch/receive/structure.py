"""Structured values that people search as text: rewritten as JSON, here, where it is rare.

The engine's view of a nested value is cut to a fixed depth. Messages of a conversation and log
bodies must not be cut, so that those, and only those, become JSON strings.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import orjson
from google.protobuf.message import Message

# The messages are dynamic: their fields have no static types.
Item = Any

MESSAGE_KEYS = frozenset(("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"))
_STRUCTURED = ("array_value", "kvlist_value")
_SCALARS = ("string_value", "bool_value", "int_value", "double_value")


def spans_of(request: Message) -> Iterator[Item]:
    for resource in getattr(request, "resource_spans", ()):
        for scope in resource.scope_spans:
            yield from scope.spans


def records_of(request: Message) -> Iterator[Item]:
    for resource in getattr(request, "resource_logs", ()):
        for scope in resource.scope_logs:
            yield from scope.log_records


def messages_to_text(request: Message) -> None:
    """Attributes that hold a conversation, on spans, their events, and log records."""
    owners: Iterator[Item] = chain(spans_of(request), records_of(request))
    for owner in owners:
        for attribute in chain(owner.attributes, *map(attrgetter("attributes"), getattr(owner, "events", ()))):
            if attribute.key in MESSAGE_KEYS:
                to_text(attribute.value)


def bodies_to_text(records: Iterable[Item]) -> None:
    for record in records:
        if record.HasField("body"):
            to_text(record.body)


def to_text(value: Item) -> None:
    """An array or a map becomes its JSON; anything else stays as it is."""
    if value.WhichOneof("value") in _STRUCTURED:
        value.string_value = orjson.dumps(_plain(value)).decode()


@dataclass(frozen=True)
class Said:
    """One message of a conversation with a model: who spoke, and its text, empty if it has none."""

    role: str
    text: str
    wordless: bool = False  # nothing but who spoke is told


def newest_message(value: Item) -> Said | None:
    """The last of the messages in an attribute, whether they came as JSON text or as a structure."""
    to_text(value)
    messages = from_json(value.string_value)
    newest = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(newest, dict) or not isinstance(newest.get("role"), str):
        return None
    text = text_in(newest.get("content")) or text_in(newest.get("parts"))
    return Said(newest["role"], text, newest.keys() == {"role"})


def from_json(text: str) -> Any:
    """What a text says as JSON; None if it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def text_in(content: object) -> str:
    """A message's content: text, or the text among its parts."""
    if isinstance(content, str):
        return content
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = (part.get("text", part.get("content")) for part in parts if part.get("type", "text") == "text")
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def _plain(value: Item) -> Any:
    """An AnyValue as what JSON has. The parser bounds the depth: 100 messages, 50 of these."""
    kind = value.WhichOneof("value")
    if kind in _SCALARS:
        return getattr(value, kind)
    if kind == "array_value":
        return [_plain(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return None
