"""Stock OpenTelemetry SDK exporters against the real listeners."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcPoints
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpPoints
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from botwatch.receive import otlp, otlp_grpc
from botwatch.receive.app import app as receivers
from tests.receive.parts import MemoryIntake, OneKey, items_of, options
from tests.receive.serving import listening

KEY = {"authorization": "Bearer secret"}
SLOW_S = 60  # what is not answered within its time is lost, and a busy machine may need more than the usual ten


def send_span(exporter: Any) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("t").start_as_current_span("send_confirmation") as span:
        span.set_attribute("bot.name", "support")
        span.record_exception(ValueError("no seats left"))
    provider.shutdown()


def send_log(exporter: Any) -> None:
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    body = {"text": "hello"}
    provider.get_logger("t").emit(
        LogRecord(timestamp=time.time_ns(), severity_number=SeverityNumber.WARN, body=body, event_name="bot.message")
    )
    provider.shutdown()


def send_points(exporter: Any) -> None:
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)])
    meter = provider.get_meter("t")
    meter.create_counter("turns").add(2)
    meter.create_histogram("latency").record(0.25)
    meter.create_gauge("depth").set(7)
    provider.shutdown()


def new_intake() -> tuple[MemoryIntake, Any]:
    return MemoryIntake(), options(now_ns=time.time_ns())


def check_spans(intake: MemoryIntake) -> None:
    (span,) = items_of(otlp.TRACES, intake.messages(otlp.TRACES))
    assert (span.name, span.attributes[0].value.string_value) == ("send_confirmation", "support")
    assert [event.name for event in span.events] == ["exception"]


def check_logs(intake: MemoryIntake) -> None:
    (record,) = items_of(otlp.LOGS, intake.messages(otlp.LOGS))
    assert (record.event_name, record.body.string_value) == ("bot.message", '{"text":"hello"}')


def check_points(intake: MemoryIntake) -> None:
    metrics = items_of(otlp.POINTS, intake.messages(otlp.POINTS))
    assert {metric.name: metric.WhichOneof("data") for metric in metrics} == {
        "turns": "sum",
        "latency": "histogram",
        "depth": "gauge",
    }


HTTP = [
    pytest.param("traces", HttpSpans, send_span, check_spans, id="spans"),
    pytest.param("logs", HttpLogs, send_log, check_logs, id="logs"),
    pytest.param("metrics", HttpPoints, send_points, check_points, id="points"),
]
GRPC = [
    pytest.param(GrpcSpans, send_span, check_spans, id="spans"),
    pytest.param(GrpcLogs, send_log, check_logs, id="logs"),
    pytest.param(GrpcPoints, send_points, check_points, id="points"),
]


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize(("path", "exporter", "send", "check"), HTTP)
async def test_the_http_exporters(
    path: str,
    exporter: Callable[..., Any],
    send: Callable[[Any], None],
    check: Callable[[MemoryIntake], None],
    compression: Compression,
) -> None:
    intake, now = new_intake()
    async with listening(receivers(intake, OneKey("secret"), now)) as port:
        url = f"http://127.0.0.1:{port}/v1/{path}"
        made = exporter(endpoint=url, headers=KEY, compression=compression, timeout=SLOW_S)
        await asyncio.to_thread(send, made)
    check(intake)
    assert intake.refused == {}


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
@pytest.mark.parametrize(("exporter", "send", "check"), GRPC)
async def test_the_grpc_exporters(
    exporter: Callable[..., Any],
    send: Callable[[Any], None],
    check: Callable[[MemoryIntake], None],
    compression: grpc.Compression,
) -> None:
    intake, now = new_intake()
    server = await otlp_grpc.serve(intake, OneKey("secret"), now, host="127.0.0.1", port=0)
    address = f"http://127.0.0.1:{server.port}"
    headers = tuple(KEY.items())
    made = exporter(endpoint=address, insecure=True, headers=headers, compression=compression, timeout=SLOW_S)
    await asyncio.to_thread(send, made)
    await server.stop(0)
    check(intake)
    assert intake.refused == {}
