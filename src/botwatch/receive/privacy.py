"""Dropping what users and bots wrote, before anything is handed on.

With `keep_text` off only the fact of a message stays: its time, direction, author, session, so that a model's
conversation still has its turns. This is the one place that knows which fields hold text.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from google.protobuf.message import Message

from botwatch.receive.structure import newest_message, records_of, spans_of

# The messages are dynamic: their fields have no static types.
Item = Any

_MARKS = (
    *(b"bot.message", b"gen_ai", b"bot.feedback"),
    *(b"openinference", b"put.value", b"llm.", b"ai.", b"_messages", b"final_result", b"tool", b"traceloop.entity"),
)
_TEXT_EVENTS = frozenset(("bot.message", "bot.feedback"))
_TEXT_KEY = re.compile(
    r"bot\.(?:message|feedback)(?:\.text(?:\..*)?)?"
    r"|gen_ai(?:\.(?:input|output|tool|tool\.call))?"  # the parent of what follows, as one value
    r"|(?:"
    r"gen_ai\.(?:(?:input|output)\.messages|system_instructions|prompt|completion|content"
    r"|tool\.(?:definitions|call\.(?:arguments|result)))"
    # What other vocabularies call the same.
    r"|(?:input|output)\.(?:value|images|documents)|message\.contents?|tool\.parameters|retrieval\.documents"
    r"|llm\.(?:(?:input|output)_messages|prompts|choices|prompt_template|function_call|invocation_parameters)"
    r"|reranker\.(?:query|(?:input|output)_documents)|embedding\.(?:text|embeddings|vector)"
    r"|ai\.(?:prompt|values?|response\.(?:text|object|reasoning|toolCalls|files)|toolCall\.(?:args|result))"
    r"|traceloop\.entity\.(?:input|output)|pydantic_ai\.all_messages|all_messages_events|final_result"
    r"|tool_(?:arguments|response)"
    r")(?:\..*)?",
    re.DOTALL,
)
_MESSAGES = frozenset(("gen_ai.input.messages", "gen_ai.output.messages"))
_ROLES = frozenset(("user", "assistant", "model"))
# gen_ai.user.message, gen_ai.choice, gen_ai.content.prompt, …: what they say is all they are for.
_MODEL_EVENT = re.compile(r"gen_ai\.(?:.*\.message|choice|content\..*)", re.DOTALL)


def may_hold_text(body: bytes) -> bool:
    """Whether it is worth looking closer; one pass in C for each mark."""
    return any(mark in body for mark in _MARKS)


def holds_text(key: str) -> bool:
    """Whether an attribute of this name is text that somebody wrote."""
    return _TEXT_KEY.fullmatch(key) is not None


def is_text_event(name: str) -> bool:
    """Whether the body of an event of this name is text that somebody wrote."""
    return name in _TEXT_EVENTS or _MODEL_EVENT.fullmatch(name) is not None


def scrub(request: Message) -> None:
    """Take the text out of a request of spans or log records."""
    for span in spans_of(request):
        _drop_text(span.attributes)
        for event in span.events:
            if _MODEL_EVENT.fullmatch(event.name):
                del event.attributes[:]
            else:
                _drop_text(event.attributes)
    for record in records_of(request):
        names = (record.event_name, *_event_attributes(record.attributes))
        if any(map(is_text_event, names)):
            record.ClearField("body")
        if any(map(_MODEL_EVENT.fullmatch, names)):
            del record.attributes[:]
        else:
            _drop_text(record.attributes)


def _event_attributes(attributes: Item) -> list[str]:
    """All of them, should there be several: whichever is read later, its text is gone."""
    return [pair.value.string_value for pair in attributes if pair.key == "event.name"]


def _drop_text(attributes: Item) -> None:
    kept = [pair for pair in attributes if not holds_text(pair.key) or _only_told(pair)]
    if len(kept) < len(attributes):
        del attributes[:]
        attributes.extend(kept)


def _only_told(pair: Item) -> bool:
    """Of a model's messages the newest stays as a fact: who spoke, and nothing of what was said."""
    if pair.key not in _MESSAGES:
        return False
    newest = newest_message(pair.value)
    if newest is None or newest.role not in _ROLES or not (newest.text or newest.wordless):
        return False
    pair.value.string_value = orjson.dumps([{"role": newest.role}]).decode()
    return True
