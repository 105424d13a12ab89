"""A stock OpenTelemetry SDK, our own SDK and a shell: what they send is seen through the API."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from tests.fault.harness import TOKEN, Botwatch, running
from tests.real.parts import zone_at_noon

BOT = """
import botwatch_sdk as bot
bot.init("five-lines", url="http://127.0.0.1:{port}", heartbeat_s=1)
with bot.turn("where is my order?", session="s-1", user="someone@example.com", channel="web") as turn:
    with bot.action("lookup_order"):
        pass
    turn.reply("It arrives tomorrow.")
bot.message("hello?", direction="in", id="unheard")
bot.shutdown(60)
"""
SLOW_S = 60  # what is not answered within its time is lost, and a busy machine may need more than the usual ten


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Botwatch]:
    settings = {"BOTWATCH_TURN_DEADLINE_SECONDS": "2", "BOTWATCH_TIME_ZONE": zone_at_noon()}
    with running(tmp_path_factory.mktemp("server"), **settings) as server:
        yield server


def eventually(ask: Callable[[], Any], seconds: float = 60) -> Any:
    """The first answer that is not empty; what is sent is queryable within seconds."""
    until_s = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < until_s, "it never came"
        time.sleep(0.1)
    return answer


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_trace_of_the_stock_sdk_is_seen(server: Botwatch, protocol: str) -> None:
    exporter: SpanExporter = (
        HttpSpans(endpoint=f"http://127.0.0.1:{server.otlp}/v1/traces", timeout=SLOW_S)
        if protocol == "http"
        else GrpcSpans(endpoint=f"127.0.0.1:{server.grpc}", insecure=True, timeout=SLOW_S)
    )
    provider = TracerProvider(resource=Resource({"service.name": f"stock-{protocol}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("handle") as root:
        root.set_attribute("bot.action", "handle_ticket")
        root.set_attribute("tags", ["a", "b"])
        with (
            tracer.start_as_current_span("query"),
            pytest.raises(ValueError, match="broken"),
            tracer.start_as_current_span("model"),
        ):
            raise ValueError("broken")
    provider.shutdown()
    trace_id = f"{root.get_span_context().trace_id:032x}"

    def find() -> Any:
        answer = httpx.get(
            f"http://127.0.0.1:{server.web}/api/traces/{trace_id}",
            headers={"authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )
        found = answer.json() if answer.status_code == 200 else None
        return found if found and len(found["spans"]) >= 3 else None

    trace = eventually(find)
    spans = {span["name"]: span for span in trace["spans"]}
    assert set(spans) == {"handle", "query", "model"}
    assert spans["model"]["status"] == "error"
    assert spans["handle"]["attributes"]["tags"] == ["a", "b"]


def test_five_lines_with_our_sdk_are_a_conversation_with_its_turn(server: Botwatch, tmp_path: Path) -> None:
    script = tmp_path / "bot.py"
    script.write_text(BOT.format(port=server.otlp), encoding="utf-8")
    environ = {**os.environ, "OTEL_EXPORTER_OTLP_TIMEOUT": str(SLOW_S)}
    subprocess.run([sys.executable, str(script)], env=environ, check=True, timeout=100)

    def settled() -> Any:
        answer = httpx.get(
            f"http://127.0.0.1:{server.web}/api/monitoring/sessions/s-1",
            headers={"authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )
        body = answer.json() if answer.status_code == 200 else {"turns": [], "traces": []}
        # A reply that came late finds its turn settled as unanswered, which it then corrects.
        answered = [turn["outcome"] for turn in body["turns"]] == ["answered"]
        return body if answered and body["traces"] else None

    session = eventually(settled)
    said = [(message["direction"], message["author"], message["text"]) for message in session["transcript"]]
    assert said == [("in", "user", "where is my order?"), ("out", "bot", "It arrives tomorrow.")]
    assert eventually(lambda: server.get("/api/monitoring/status")["sessions"]["active"] >= 1)
    assert eventually(lambda: server.get("/api/monitoring/status")["messages"]["today"] >= 2)


def test_json_lines_from_a_shell_are_searchable(server: Botwatch) -> None:
    line = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "level": "error",
        "service": "bot-worker",
        "event": "api_call_failed",
        "endpoint": "/v2/messages",
        "status_code": 429,
        "retry_after_ms": 5000,
        "correlation_id": "abc-123",
    }
    answer = httpx.post(f"http://127.0.0.1:{server.web}/v1/logs/json", json=line, timeout=60)
    assert answer.json()["accepted"] == 1
    found = eventually(lambda: server.get("/api/logs?correlation=abc-123")["items"])
    assert found[0]["bot"] == "bot-worker"
    assert found[0]["attributes"]["status_code"] in ("429", 429)
    assert found[0]["attributes"]["retry_after_ms"] in ("5000", 5000)
    assert server.get("/api/logs?event=api_call_failed&level=error&attr.status_code=429")["items"]
