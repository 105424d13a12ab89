from __future__ import annotations

from typing import Any

import orjson
import pytest

from botwatch.receive import otlp
from botwatch.receive.check import sealed
from botwatch.receive.otlp import Otlp
from tests.receive.parts import attribute, items_of, record, request, span, structured, terms

MESSAGE_KEYS = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"]


def after(signal: Otlp, item: dict[str, Any]) -> Any:
    message = request(signal, item)
    (found,) = items_of(signal, signal.request.FromString(sealed(message, terms())))
    return found


@pytest.mark.parametrize("key", MESSAGE_KEYS)
@pytest.mark.parametrize(("signal", "item"), [(otlp.TRACES, span), (otlp.LOGS, record)])
def test_a_conversation_becomes_json_text(signal: Otlp, item: Any, key: str) -> None:
    found = after(signal, item(attributes=[attribute("a"), structured(key)]))
    assert [pair.key for pair in found.attributes] == ["a", key]
    assert orjson.loads(found.attributes[1].value.string_value) == [{"role": "user"}]


def test_a_conversation_on_an_event_of_a_span_becomes_json_text() -> None:
    event = {"name": "e", "attributes": [structured(MESSAGE_KEYS[0])]}
    (found,) = after(otlp.TRACES, span(events=[event])).events
    assert orjson.loads(found.attributes[0].value.string_value) == [{"role": "user"}]


def test_a_long_conversation_is_found_too() -> None:
    many = {"key": MESSAGE_KEYS[0], "value": {"array_value": {"values": [{"string_value": "x" * 300}] * 100}}}
    found = after(otlp.TRACES, span(attributes=[many]))
    assert orjson.loads(found.attributes[0].value.string_value) == ["x" * 300] * 100


def test_a_conversation_that_is_text_already_stays_as_it_is() -> None:
    found = after(otlp.TRACES, span(attributes=[attribute(MESSAGE_KEYS[0], '[{"role":  "user"}]')]))
    assert found.attributes[0].value.string_value == '[{"role":  "user"}]'


@pytest.mark.parametrize("key", ["gen_ai.tools", "tags", "x.gen_ai.input.messages.y"])
def test_other_nested_values_stay_nested(key: str) -> None:
    found = after(otlp.TRACES, span(attributes=[structured(key), attribute("gen_ai.input.messages")]))
    assert found.attributes[0].value.WhichOneof("value") == "array_value"


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"string_value": "deep"}
    for _ in range(depth):
        value = {"array_value": {"values": [value]}}
    return {"key": MESSAGE_KEYS[0], "value": value}


def test_the_deepest_conversation_the_parser_lets_in_becomes_text() -> None:
    depth = 45  # two messages each, under the parser's hundred
    found = after(otlp.TRACES, span(attributes=[nested(depth)]))
    assert found.attributes[0].value.string_value == "[" * depth + '"deep"' + "]" * depth
