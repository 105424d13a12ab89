"""Model calls told in another vocabulary, said in OpenTelemetry's words as well.

OpenInference, the Vercel AI SDK before its seventh version and OpenLLMetry before it took over the common names have
words of their own. A span that is a model call in one of them gets the OpenTelemetry attributes beside what it came
with, so that from there on one vocabulary is enough. Only requests in which the mark of a dialect stands are looked at:
a call of a model is rare beside all else that a bot does, and takes a thousand times as long as this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from google.protobuf.message import Message

from botwatch.receive.structure import Said, from_json, spans_of, text_in

# The messages are dynamic: their fields have no static types.
Item = Any
Values = Mapping[str, str]

_CLIENT: Final = 3
_CALLER_UNSAID: Final = (0, 1)  # unspecified, internal


@dataclass(frozen=True)
class Dialect:
    """One vocabulary: how to know a model call in it, and where it has what OpenTelemetry has a name for."""

    mark: bytes  # stands in every request that holds a span of it
    operation: Callable[[Values], str]  # `gen_ai.operation.name`; empty if it is no model call
    names: Mapping[str, tuple[str, ...]]  # OpenTelemetry's, and those that say the same: the first that is there
    asked: Callable[[Values], Said | None]  # the newest message that went in
    answered: Callable[[Values], Said | None]
    names_models: bool = True  # a span of it has something of `gen_ai.` too


def in_order(prefix: str, role: str, *texts: str) -> Callable[[Values], Said | None]:
    """The last of messages that stand one by one under a number: `prefix.3.role`, `prefix.3.content`."""
    place = re.compile(re.escape(prefix) + r"\.(\d{1,6})\.(.+)", re.DOTALL)
    wanted = re.compile("|".join(texts), re.DOTALL)

    def newest(values: Values) -> Said | None:
        found = [(int(match[1]), match[2], value) for key, value in values.items() if (match := place.fullmatch(key))]
        last = max((number for number, _, _ in found), default=None)
        here = {rest: value for number, rest, value in found if number == last}
        parts = [_plain_text(value) for rest, value in here.items() if wanted.fullmatch(rest)]
        return Said(here.get(role, ""), "\n".join(filter(None, parts))) if here else None

    return newest


def _openinference(values: Values) -> str:
    return {"LLM": "chat", "EMBEDDING": "embeddings"}.get(values["openinference.span.kind"], "")


def _vercel(values: Values) -> str:
    operation = values["ai.operationId"]
    if operation.endswith((".doGenerate", ".doStream")):
        return "chat"
    return "embeddings" if operation.endswith(".doEmbed") else ""


def _numbered(values: Values) -> str:
    return "chat" if values.get("gen_ai.prompt.0.role") or values.get("gen_ai.completion.0.role") else ""


def _vercel_asked(values: Values) -> Said | None:
    messages = from_json(values.get("ai.prompt.messages", ""))
    newest = messages[-1] if isinstance(messages, list) and messages else None
    return Said(str(newest.get("role")), text_in(newest.get("content"))) if isinstance(newest, dict) else None


def _vercel_answered(values: Values) -> Said | None:
    return Said("assistant", values["ai.response.text"]) if "ai.response.text" in values else None


DIALECTS: Final = (
    Dialect(
        b"openinference.span.kind",
        _openinference,
        {
            "gen_ai.request.model": ("llm.model_name", "embedding.model_name"),
            "gen_ai.provider.name": ("llm.provider", "llm.system"),
            "gen_ai.usage.input_tokens": ("llm.token_count.prompt",),
            "gen_ai.usage.output_tokens": ("llm.token_count.completion",),
        },
        in_order(
            "llm.input_messages", "message.role", r"message\.content", r"message\.contents\.\d+\.message_content\.text"
        ),
        in_order(
            "llm.output_messages", "message.role", r"message\.content", r"message\.contents\.\d+\.message_content\.text"
        ),
        names_models=False,
    ),
    Dialect(
        b"ai.operationId",
        _vercel,
        {
            "gen_ai.request.model": ("ai.model.id",),
            "gen_ai.provider.name": ("ai.model.provider",),
            "gen_ai.usage.input_tokens": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
            "gen_ai.usage.output_tokens": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
            "session.id": ("ai.telemetry.metadata.sessionId",),
            "user.id": ("ai.telemetry.metadata.userId",),
        },
        _vercel_asked,
        _vercel_answered,
    ),
    Dialect(
        b"gen_ai.prompt.0.",
        _numbered,
        {
            "session.id": ("traceloop.association.properties.session_id",),
            "user.id": ("traceloop.association.properties.user_id",),
        },
        in_order("gen_ai.prompt", "role", "content"),
        in_order("gen_ai.completion", "role", "content"),
    ),
)


def spoken(body: bytes, *, names_models: bool) -> list[Dialect]:
    """The dialects that may stand in a request; one pass in C for each, and for most only where a model is named."""
    return [dialect for dialect in DIALECTS if (names_models or not dialect.names_models) and dialect.mark in body]


def translate(request: Message, dialects: list[Dialect]) -> None:
    for span in spans_of(request):
        values = {pair.key: _scalar(pair.value) for pair in span.attributes}
        for dialect in dialects:
            mark = dialect.mark.decode()
            if mark in values or (mark.endswith(".") and any(key.startswith(mark) for key in values)):
                _say(span, values, dialect)
                break


def _say(span: Item, values: Values, dialect: Dialect) -> None:
    operation = dialect.operation(values)
    if not operation:
        return
    said = {"gen_ai.operation.name": operation}
    for name, others in dialect.names.items():
        said[name] = next((values[other] for other in others if values.get(other)), "")
    said["gen_ai.input.messages"] = _as_messages(dialect.asked(values))
    said["gen_ai.output.messages"] = _as_messages(dialect.answered(values))
    for name, value in said.items():
        if value and not values.get(name):
            span.attributes.add(key=name).value.string_value = value
    if span.kind in _CALLER_UNSAID:
        span.kind = _CLIENT


def _as_messages(said: Said | None) -> str:
    if said is None or not said.text:
        return ""
    return orjson.dumps([{"role": said.role, "parts": [{"type": "text", "content": said.text}]}]).decode()


def _scalar(value: Item) -> str:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    return str(value.int_value) if kind == "int_value" else ""


def _plain_text(value: str) -> str:
    """A content that is a list of parts written as JSON, or text as it stands."""
    return (text_in(from_json(value)) or value) if value.startswith("[{") else value
