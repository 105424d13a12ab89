from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch.nouns import Signal
from botwatch.receive import otlp
from botwatch.receive.check import sealed
from botwatch.receive.json_logs import canonical
from botwatch.receive.lines import Document
from botwatch.receive.otlp import Otlp
from tests.receive.parts import attribute, items_of, record, request, span, structured, terms

SECRET = "my pin is 1234"
TEXT_KEYS = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call",
    "gen_ai",
    "bot.message",
    "gen_ai.tool.call.result",
    "bot.message.text",
    "bot.feedback.text",
    "input.value",
    "llm.input_messages.0.message.content",
    "retrieval.documents.3.document.content",
    "ai.prompt.messages",
    "ai.response.text",
    "ai.toolCall.args",
    "traceloop.entity.output",
    "pydantic_ai.all_messages",
    "tool_arguments",
]
FACT_KEYS = ["gen_ai.request.model", "gen_ai.usage.input_tokens", "bot.message.direction", "bot.feedback.score"]


def after(signal: Otlp, item: dict[str, Any], *, keep_text: bool = False) -> tuple[Any, bytes]:
    body = sealed(request(signal, item), terms(keep_text=keep_text))
    (found,) = items_of(signal, signal.request.FromString(body))
    return found, body


@pytest.mark.parametrize("key", TEXT_KEYS)
@pytest.mark.parametrize(("signal", "item"), [(otlp.TRACES, span), (otlp.LOGS, record)])
def test_text_attributes_are_dropped_and_facts_kept(signal: Otlp, item: Any, key: str) -> None:
    facts = [attribute(fact) for fact in FACT_KEYS]
    found, body = after(signal, item(attributes=[*facts, attribute(key, SECRET)]))
    assert [pair.key for pair in found.attributes] == FACT_KEYS
    assert SECRET.encode() not in body


def test_structured_text_is_dropped_too() -> None:
    found, _ = after(otlp.TRACES, span(attributes=[structured("gen_ai.system_instructions"), structured("tags")]))
    assert [pair.key for pair in found.attributes] == ["tags"]


@pytest.mark.parametrize(
    ("came", "left"),
    [
        ([{"role": "user", "parts": [{"type": "text", "content": SECRET}]}], [{"role": "user"}]),
        ([{"role": "user", "content": SECRET}, {"role": "assistant", "content": SECRET}], [{"role": "assistant"}]),
        ([{"role": "user", "parts": [{"type": "tool_call_response", "response": SECRET}]}], None),
        ([{"role": SECRET, "content": "hello"}], None),
        ([{"role": "user"}], [{"role": "user"}]),
        ([SECRET], None),
        ({"role": "user", "content": SECRET}, None),
    ],
)
def test_of_a_models_messages_it_stays_who_spoke_last(came: object, left: object) -> None:
    messages = attribute("gen_ai.input.messages", orjson.dumps(came).decode())
    found, body = after(otlp.TRACES, span(attributes=[messages]))
    assert [orjson.loads(pair.value.string_value) for pair in found.attributes] == ([left] if left else [])
    assert SECRET.encode() not in body


@pytest.mark.parametrize(
    "name", ["gen_ai.user.message", "gen_ai.system.message", "gen_ai.choice", "gen_ai.content.prompt"]
)
def test_what_a_model_event_says_is_dropped_and_that_it_was_is_kept(name: str) -> None:
    event = {"name": name, "attributes": [attribute("content", SECRET)]}
    other = {"name": "exception", "attributes": [attribute("exception.type"), attribute("gen_ai.prompt", SECRET)]}
    found, body = after(otlp.TRACES, span(events=[event, other]))
    assert [(one.name, len(one.attributes)) for one in found.events] == [(name, 0), ("exception", 1)]
    assert SECRET.encode() not in body
    log, body = after(otlp.LOGS, record(event_name=name, body={"string_value": SECRET}, **event_attributes()))
    assert (log.event_name, log.HasField("body"), len(log.attributes)) == (name, False, 0)
    assert SECRET.encode() not in body


def event_attributes() -> dict[str, Any]:
    return {"attributes": [attribute("content", SECRET)]}


@pytest.mark.parametrize("name", ["bot.message", "bot.feedback"])
@pytest.mark.parametrize("as_attribute", [True, False])
def test_the_body_of_our_own_text_events_is_dropped(name: str, *, as_attribute: bool) -> None:
    named = {"attributes": [attribute("event.name", name)]} if as_attribute else {"event_name": name}
    found, body = after(otlp.LOGS, record(body={"string_value": SECRET}, **named))
    assert not found.HasField("body")
    assert SECRET.encode() not in body


def test_two_names_for_one_event_hide_nothing() -> None:
    names = [attribute("event.name", "other"), attribute("event.name", "bot.message")]
    _, body = after(otlp.LOGS, record(body={"string_value": SECRET}, attributes=names))
    assert SECRET.encode() not in body


def test_other_logs_keep_their_body() -> None:
    found, _ = after(otlp.LOGS, record(event_name="bot.handoff", attributes=[attribute("about", "bot.message")]))
    assert (found.body.string_value, len(found.attributes)) == ("hello", 1)


def test_text_is_kept_where_it_is_wanted() -> None:
    _, body = after(otlp.TRACES, span(attributes=[attribute("gen_ai.prompt", SECRET)]), keep_text=True)
    assert SECRET.encode() in body


@pytest.mark.parametrize(
    "line",
    [
        {"event": "bot.message", "message": SECRET},
        {"event": "bot.message", "body": SECRET, "msg": SECRET},
        {"event.name": "bot.message", "text": SECRET},
        {"event": "bot.message", "bot.message.text": SECRET},
        {"event": "bot.message", "bot": {"message": {"text": SECRET}}},
        {"event": "bot.feedback", "bot.feedback.text": SECRET, "message": [SECRET]},
        {"event": "bot.message", "text": {"part": SECRET}},
        {"event": "bot.message", "bot.message": {"text": {"part": SECRET}}},
        {"event": "bot.message", "bot.message": {"text": SECRET} | dict.fromkeys(map(str, range(2_000)), 1)},
        {"gen_ai": {"input": {"messages": [{"content": SECRET}]}}},
        {"gen_ai": {"prompt": SECRET} | dict.fromkeys(map(str, range(2_000)), 1)},
    ],
)
def test_text_of_json_lines_is_dropped_and_their_facts_kept(line: dict[str, Any]) -> None:
    document = Document(1, line | {"session_id": "s1", "bot.message.direction": "in"}, b"")
    found = canonical(document, terms(Signal.LOGS, keep_text=False))
    text = getattr(found, "text", b"")
    assert SECRET.encode() not in text
    assert orjson.loads(text)["session"] == "s1"
    assert orjson.loads(text)["attributes"]["bot.message.direction"] == "in"


@given(st.lists(st.tuples(st.sampled_from([*TEXT_KEYS, *FACT_KEYS]), st.just(SECRET)), max_size=6))
def test_no_mix_of_attributes_lets_text_through(pairs: list[tuple[str, str]]) -> None:
    found, _ = after(otlp.TRACES, span(attributes=[attribute(key, text) for key, text in pairs]))
    assert [pair.key for pair in found.attributes] == [key for key, _ in pairs if key in FACT_KEYS]
