"""Other vocabularies for model calls: what is in them is found under OpenTelemetry's names."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLLMetry
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from botwatch.clock import SystemClock
from botwatch.receive import otlp
from botwatch.receive.app import app as receivers
from botwatch.receive.check import sealed
from botwatch.receive.door import Options
from botwatch.spool import Spool
from botwatch.store.client import Store
from botwatch.store.writer import Writer
from tests.receive.parts import attribute, items_of, post, request, span, terms

QUESTION, ANSWER = "where is my order?", "It ships today."
TALK = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "hi"},
    {"role": "user", "content": QUESTION},
]


def numbered(prefix: str, role: str, content: str, *messages: tuple[str, str]) -> dict[str, str]:
    return {
        f"{prefix}.{number}.{name}": value
        for number, message in enumerate(messages)
        for name, value in zip((role, content), message, strict=True)
    }


OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt",
    "llm.system": "openai",
    "llm.token_count.prompt": "12",
    "llm.token_count.completion": "5",
    **numbered("llm.input_messages", "message.role", "message.content", ("user", "hello"), ("user", QUESTION)),
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.contents.0.message_content.type": "text",
    "llm.output_messages.0.message.contents.0.message_content.text": ANSWER,
}
VERCEL = {
    "ai.operationId": "ai.streamText.doStream",
    "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]),
    "ai.response.text": ANSWER,
    "ai.telemetry.metadata.sessionId": "s1",
    "ai.telemetry.metadata.userId": "u1",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt",
    "ai.usage.promptTokens": "12",
    "ai.usage.completionTokens": "5",
}
OPENLLMETRY = {
    "llm.request.type": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt",
    "gen_ai.usage.prompt_tokens": "12",
    "gen_ai.usage.completion_tokens": "5",
    **numbered("gen_ai.prompt", "role", "content", ("user", "hello"), ("assistant", "hi"), ("user", QUESTION)),
    **numbered("gen_ai.completion", "role", "content", ("assistant", json.dumps([{"type": "text", "text": ANSWER}]))),
    "traceloop.association.properties.session_id": "s1",
    "traceloop.association.properties.user_id": "u1",
}
SAID = [[{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]]
REPLIED = [[{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}]]


def through(values: dict[str, str], *, keep_text: bool = True, kind: int = 1) -> tuple[dict[str, str], Any]:
    one = span(kind=kind, attributes=[attribute(key, value) for key, value in values.items()])
    body = sealed(request(otlp.TRACES, one), terms(keep_text=keep_text))
    (found,) = items_of(otlp.TRACES, otlp.TRACES.request.FromString(body))
    return {pair.key: pair.value.string_value for pair in found.attributes}, found


@pytest.mark.parametrize("values", [OPENINFERENCE, VERCEL, OPENLLMETRY], ids=["openinference", "vercel", "openllmetry"])
def test_a_model_call_is_said_in_opentelemetrys_words_beside_its_own(values: dict[str, str]) -> None:
    found, call = through(values)
    assert values.items() <= found.items()
    assert found["gen_ai.operation.name"] == "chat"
    assert [orjson.loads(found["gen_ai.input.messages"])] == SAID
    assert [orjson.loads(found["gen_ai.output.messages"])] == REPLIED
    assert found["gen_ai.request.model"] == "gpt"
    assert call.kind == 3  # a client's


@pytest.mark.parametrize("values", [OPENINFERENCE, VERCEL, OPENLLMETRY], ids=["openinference", "vercel", "openllmetry"])
def test_without_text_it_stays_that_somebody_spoke(values: dict[str, str]) -> None:
    found, call = through(values, keep_text=False)
    assert orjson.loads(found["gen_ai.input.messages"]) == [{"role": "user"}]
    assert orjson.loads(found["gen_ai.output.messages"]) == [{"role": "assistant"}]
    assert QUESTION.encode() not in call.SerializeToString()
    assert ANSWER.encode() not in call.SerializeToString()


def test_what_is_there_already_is_not_said_again() -> None:
    found, call = through({**OPENINFERENCE, "gen_ai.request.model": "mine"}, kind=5)
    assert found["gen_ai.request.model"] == "mine"
    assert call.kind == 5
    names = [pair.key for pair in call.attributes]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "values",
    [
        {"openinference.span.kind": "AGENT", "llm.model_name": "gpt"},
        {**VERCEL, "ai.operationId": "ai.streamText"},
        {"gen_ai.prompt.0.content": QUESTION, "gen_ai.request.model": "gpt"},
        {"input.value": "openinference.span.kind"},
    ],
)
def test_what_stands_around_a_model_call_is_left_as_it_is(values: dict[str, str]) -> None:
    found, call = through(values)
    assert found == values
    assert call.kind == 1


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[",
        "[1]",
        "{}",
        "[[]]",
        '[{"role": 1}]',
        '[{"content": {"a": 1}}]',
        "[" * 2_000,
        '[{"role":"user","content":[1]}]',
    ],
)
def test_messages_that_are_none_are_no_messages(broken: str) -> None:
    found, _ = through({**VERCEL, "ai.prompt.messages": broken})
    assert "gen_ai.input.messages" not in found
    assert [orjson.loads(found["gen_ai.output.messages"])] == REPLIED


class ModelServer(BaseHTTPRequestHandler):
    """Says the same to everybody, as a server of the OpenAI kind does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
        said = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini", "choices": [choice]}
        answer = json.dumps({**said, "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def model_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
@pytest.mark.parametrize("instrumentor", [OpenInference, OpenLLMetry], ids=["openinference", "openllmetry"])
async def test_a_stock_instrumentation_of_openai_tells_the_conversation(
    instrumentor: Any, model_server: str, store: Store, tmp_path: Path
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "orders"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    instrumentor().instrument(tracer_provider=provider)
    try:
        with (
            using_attributes(session_id="s1", user_id="u1"),
            openai.OpenAI(base_url=model_server, api_key="none", max_retries=0) as model,
        ):
            model.chat.completions.create(model="gpt-4o-mini", messages=TALK)  # type: ignore[arg-type]
    finally:
        instrumentor().uninstrument()
    body = encode_spans(kept.get_finished_spans()).SerializeToString()
    spool = Spool.open(tmp_path / "spool.db", clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)
    options = Options.of_days(traces=14, logs=14, points=14, keep_text=True, clock=SystemClock())
    assert (await post(receivers(spool, None, options), "/v1/traces", body)).status == 200
    writer = Writer(store, spool, SystemClock(), node="n", pause_s_min=0.01)
    writer.start()
    assert writer.stop(60), writer.health
    spool.close()
    assert store.read("SELECT bot, direction, author, text FROM messages ORDER BY at").rows == [
        ("orders", "in", "user", QUESTION),
        ("orders", "out", "bot", ANSWER),
    ]
    assert store.read("SELECT model, provider, tokens_in, tokens_out FROM spans WHERE model != ''").rows == [
        ("gpt-4o-mini", "openai", 12, 5)
    ]
    assert store.read("SELECT name, sum(count) FROM ticks_10s WHERE kind = 'dependency' GROUP BY name").rows == [
        ("openai", 1)
    ]
