"""What the server is sent before a browser looks: 247 conversations, one of them hostile, and traces."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.store.otlp import attributes

SESSIONS = 247
SECOND_NS = 10**9
SPREAD_S = 100  # over so many seconds before now
STEP_S = 300  # what is counted by the clock begins anew with one of these
CHANNELS = ("WhatsApp", "Web", "Email")
BOTS = ("support", "orders")

EVIL_SESSION = "e/v?i#l&%2F<i>id</i>"
EVIL_TEXT = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
EVIL_ESCAPES = "\x1b[2J\x1b[31mred\x07 and txt.\u202eexe\u2066"
EVIL_USER = '"><svg onload=alert(1)>'
TRACE = "0af7651916cd43dd8448eb211c80319c"
FAULT = "carrier.Unavailable<b>"


def send(port: int) -> None:
    now_ns = _in_one_step(time.time_ns())
    for path, body in (("/v1/logs", _conversations(now_ns)), ("/v1/traces", _trace(now_ns))):
        answer = httpx.post(
            f"http://127.0.0.1:{port}{path}",
            content=body,
            headers={"content-type": "application/x-protobuf"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text


def _in_one_step(now_ns: int) -> int:
    """Now, or a little earlier: no step of a chart begins within what is sent. Else what is shown of it would depend on
    when one began, for a step that is not over is left out where there are others."""
    into_ns = now_ns % (STEP_S * SECOND_NS)
    return now_ns if into_ns > (SPREAD_S + 2) * SECOND_NS else now_ns - into_ns


def _conversations(now_ns: int) -> bytes:
    request = ExportLogsServiceRequest()
    scopes = {}
    for bot in BOTS:
        resource = request.resource_logs.add()
        resource.resource.attributes.extend(attributes({"bot.name": bot, "host.name": "host-1"}))
        scopes[bot] = resource.scope_logs.add()

    def say(bot: str, at_ns: int, text: str, values: Mapping[str, str], *, trace: str = "") -> None:
        scopes[bot].log_records.add(
            time_unix_nano=at_ns,
            event_name="bot.message",
            severity_number=9,  # info
            trace_id=bytes.fromhex(trace),
            attributes=attributes({"bot.message.text": text, **values}),
        )

    def talk(number: int, session: str, user: str, asked: str, answered: str, trace: str = "") -> None:
        bot = BOTS[number % len(BOTS)]
        about = {"session.id": session, "user.id": user, "bot.channel": CHANNELS[number % len(CHANNELS)]}
        at_ns = now_ns - (number % SPREAD_S + 2) * SECOND_NS
        said = {"bot.message.direction": "in", "bot.message.id": f"q{number}"}
        say(bot, at_ns, asked, about | said, trace=trace)
        said = {"bot.message.direction": "out", "bot.message.id": f"a{number}", "bot.message.reply_to": f"q{number}"}
        say(bot, at_ns + SECOND_NS, answered, about | said, trace=trace)

    talk(0, EVIL_SESSION, EVIL_USER, EVIL_TEXT, EVIL_ESCAPES, TRACE)
    for number in range(1, SESSIONS):
        talk(number, f"s-{number:04}", f"+55119998{number:05}", "Hello", "Hello! How can I help you today?")
    scopes["support"].log_records.add(
        time_unix_nano=now_ns - SECOND_NS, severity_number=17, attributes=attributes({"order": "ORD-1"})
    ).body.string_value = "the carrier did not answer"
    return request.SerializeToString()


def _trace(now_ns: int) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(attributes({"bot.name": "support", "host.name": "host-1"}))
    spans = resource.scope_spans.add().spans
    start_ns = now_ns - 2 * SECOND_NS

    def span(name: str, parent: bytes, from_ms: int, to_ms: int, **more: object) -> bytes:
        span_id = os.urandom(8)
        values = {"session.id": EVIL_SESSION} | {key: str(value) for key, value in more.items() if key != "kind"}
        spans.add(
            trace_id=bytes.fromhex(TRACE),
            span_id=span_id,
            parent_span_id=parent,
            name=name,
            kind=Span.SPAN_KIND_CLIENT if "kind" in more else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start_ns + from_ms * 10**6,
            end_time_unix_nano=start_ns + to_ms * 10**6,
            status=Status(code=Status.STATUS_CODE_ERROR) if "kind" in more else None,
            attributes=attributes({key.replace("_", "."): value for key, value in values.items()}),
        )
        return span_id

    root = span("answer <b>bold</b>", b"", 0, 900)
    span("look up", root, 100, 300)
    span("GET /parcels", root, 300, 850, kind="client", peer_service="carrier-api", error_type="timeout")
    stack = f"at parcels:1\n{EVIL_ESCAPES}"
    said = {"exception.type": FAULT, "exception.message": EVIL_TEXT, "exception.stacktrace": stack}
    spans[-1].events.add(name="exception", time_unix_nano=start_ns, attributes=attributes(said))
    span("chat", root, 20, 90, kind="client", peer_service="openai")
    spans[-1].ClearField("status")
    spans[-1].attributes.extend(attributes({"gen_ai.request.model": "gpt-4o"}))
    spans[-1].attributes.extend(attributes({"gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": 100}))
    return request.SerializeToString()
