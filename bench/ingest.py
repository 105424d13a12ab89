"""How much comes in: OTLP spans, log records and metric points a second, acknowledged and queryable.

    uv run python bench/ingest.py [traces logs points json grpc] [--seconds 20]

32 connections send requests of 512 items with 8 attributes, ids all different, from one process on
the same cores. `accepted` is what was acknowledged in the window; `queryable` divides the same items
by the time until the engine had the last of them. Afterwards the ids in the engine are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Self

import grpc.aio
import numpy as np
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from shared import Running, percentile, print_machine, server

Make = Callable[[], bytes]

CONNECTIONS = 32
ITEMS = 512
ACTIONS = ("lookup_order", "classify", "send_confirmation", "handle_message")
MARK = bytes(range(1, 17))  # stands where an id goes, and is replaced in every request
TIME_MARK = 0x1122334455667788


def attribute(owner: object, key: str, value: str | int | float | bool) -> None:
    item = owner.attributes.add()  # type: ignore[attr-defined]
    item.key = key
    kind = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}[type(value)]
    setattr(item.value, kind, value)


def identity(resource: object, connection: int) -> None:
    attribute(resource, "service.name", f"bot-{connection % 4}")
    attribute(resource, "host.name", f"host-{connection % 8}")
    attribute(resource, "service.instance.id", f"instance-{connection}")


def traces(connection: int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    identity(resource_spans.resource, connection)
    spans = resource_spans.scope_spans.add().spans
    for i in range(ITEMS):
        span = spans.add(trace_id=MARK, span_id=MARK[:8], name=ACTIONS[i % 4], kind=(1, 2, 3, 5)[i % 4])
        span.start_time_unix_nano = TIME_MARK
        span.end_time_unix_nano = TIME_MARK
        if i % 4:
            span.parent_span_id = os.urandom(8)
        if i % 50 == 0:
            span.status.code = 2
        attribute(span, "session.id", f"session-{connection}-{i // 8}")
        attribute(span, "user.id", f"user-{i // 8}")
        attribute(span, "bot.channel", ("web", "whatsapp", "slack")[i % 3])
        attribute(span, "bot.action", ACTIONS[i % 4])
        attribute(span, "http.response.status_code", 200)
        attribute(span, "server.address", "api.example.com")
        attribute(span, "duration.share", 0.5)
        attribute(span, "cached", True)
    return request


def logs(connection: int) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    identity(resource_logs.resource, connection)
    records = resource_logs.scope_logs.add().log_records
    for i in range(ITEMS):
        record = records.add(
            time_unix_nano=TIME_MARK, severity_number=(9, 9, 9, 13, 17)[i % 5], trace_id=MARK, span_id=MARK[:8]
        )
        record.body.string_value = f"call to /v2/messages answered with {200 + i % 5}"
        attribute(record, "event.name", ("api_call", "message_handled", "cache_read")[i % 3])
        attribute(record, "session.id", f"session-{connection}-{i // 8}")
        attribute(record, "user.id", f"user-{i // 8}")
        attribute(record, "correlation_id", f"corr-{i}")
        attribute(record, "endpoint", "/v2/messages")
        attribute(record, "status_code", 200)
        attribute(record, "retry_after_ms", 5000)
        attribute(record, "cached", False)
    return request


def points(connection: int) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    began_ns = time.time_ns() - 3600 * 10**9  # a process that has run for an hour
    resource_metrics = request.resource_metrics.add()
    identity(resource_metrics.resource, connection)
    metrics = resource_metrics.scope_metrics.add().metrics
    for m in range(8):
        metric = metrics.add(name=f"bot.metric_{m}", unit="1")
        if m % 2:
            metric.sum.aggregation_temporality = 2
            metric.sum.is_monotonic = True
        data_points = metric.sum.data_points if m % 2 else metric.gauge.data_points
        for i in range(ITEMS // 8):
            point = data_points.add(time_unix_nano=TIME_MARK, start_time_unix_nano=began_ns, as_double=i * 1.5)
            for name in ("action", "channel", "region", "zone", "shard", "tenant", "version", "kind"):
                attribute(point, name, f"{name}-{i if name == 'action' else 0}")
    return request


@dataclass
class Template:
    """A serialised request whose ids and times are written over, without parsing, for each sending."""

    body: bytearray
    ids: np.ndarray = field(init=False)
    times: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.ids = self._places(MARK[:8])
        self.times = self._places(TIME_MARK.to_bytes(8, "little"))

    def _places(self, mark: bytes) -> np.ndarray:
        found, start = [], self.body.find(mark)
        while start >= 0:
            found.append(start)
            start = self.body.find(mark, start + 8)
        return np.array(found, dtype=np.int64)[:, None] + np.arange(8)

    def fresh(self, random: np.random.Generator) -> bytes:
        view = np.frombuffer(self.body, dtype=np.uint8)
        if len(self.ids):
            view[self.ids] = random.integers(1, 256, size=self.ids.shape, dtype=np.uint8)
        # A few thousand nanoseconds apart: two requests never hold the same points.
        now = np.int64(time.time_ns()) + np.arange(len(self.times), dtype=np.int64)
        view[self.times] = now[:, None].view(np.uint8)
        return bytes(self.body)


@dataclass
class Sent:
    requests: int = 0
    refused: int = 0
    seconds: float = 0.0
    waits_ms: list[float] = field(default_factory=list)


class Connection:
    """One HTTP/1.1 connection that posts bodies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, kind: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n".encode()

    @classmethod
    async def open(cls, port: int, path: str, kind: str = "application/x-protobuf") -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port), path, kind)

    async def post(self, body: bytes) -> int:
        """The status of the answer."""
        self._writer.write(self._head + b"content-length: %d\r\n\r\n" % len(body) + body)
        status = int((await self._reader.readline()).split()[1])
        length = 0
        while (line := await self._reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        await self._reader.readexactly(length)
        return status

    def close(self) -> None:
        self._writer.close()


async def _http(port: int, path: str, kind: str, make: Make, until_s: float, sent: Sent) -> None:
    connection = await Connection.open(port, path, kind)
    while time.perf_counter() < until_s:
        body = make()
        began_s = time.perf_counter()
        if await connection.post(body) == 200:
            sent.requests += 1
            sent.waits_ms.append((time.perf_counter() - began_s) * 1e3)
        else:
            sent.refused += 1
            await asyncio.sleep(0.2)
    connection.close()


async def _grpc(port: int, make: Make, until_s: float, sent: Sent) -> None:
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        while time.perf_counter() < until_s:
            body = make()
            began_s = time.perf_counter()
            try:
                await call(body)
            except grpc.aio.AioRpcError:
                sent.refused += 1
                await asyncio.sleep(0.2)
            else:
                sent.requests += 1
                sent.waits_ms.append((time.perf_counter() - began_s) * 1e3)


def _load(what: str, running: tuple[int, int], seconds: float, pipe: Pipe) -> None:
    """The load generator's process."""
    random = np.random.default_rng()
    make = {"traces": traces, "json": traces, "grpc": traces, "logs": logs, "points": points}[what]
    path = "/v1/" + {"logs": "logs", "points": "metrics"}.get(what, "traces")
    otlp, grpc_port = running
    sent = Sent()

    async def all_connections() -> None:
        began_s = time.perf_counter()
        tasks = []
        for connection in range(CONNECTIONS):
            template = Template(bytearray(make(connection).SerializeToString()))
            if what == "json":
                tasks.append(
                    _http(otlp, path, "application/json", _json_maker(template, random), began_s + seconds, sent)
                )
            elif what == "grpc":
                tasks.append(_grpc(grpc_port, lambda t=template: t.fresh(random), began_s + seconds, sent))
            else:
                tasks.append(
                    _http(
                        otlp,
                        path,
                        "application/x-protobuf",
                        lambda t=template: t.fresh(random),
                        began_s + seconds,
                        sent,
                    )
                )
        await asyncio.gather(*tasks)
        sent.seconds = time.perf_counter() - began_s

    asyncio.run(all_connections())
    pipe.send(sent)


def _json_maker(template: Template, random: np.random.Generator) -> Make:
    """OTLP/JSON bodies are made ahead: turning one into text costs more than taking it in."""
    import base64

    import orjson

    def as_json() -> bytes:
        plain = MessageToDict(ExportTraceServiceRequest.FromString(template.fresh(random)))
        for span in plain["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            for name in ("traceId", "spanId", "parentSpanId"):
                if name in span:
                    span[name] = base64.b64decode(span[name]).hex()
            span["kind"] = 1
        return orjson.dumps(plain)

    ready = [as_json() for _ in range(20)]
    turn = iter(range(10**9))

    def make() -> bytes:
        number = next(turn)
        # The first id is made different, so that no body is taken for a retry of another.
        return (
            ready[number % len(ready)]
            .replace(b'"traceId":"', b'"traceId":"%016x' % number, 1)
            .replace(
                b'"traceId":"%016x' % number + ready[number % len(ready)].split(b'"traceId":"', 1)[1][:16],
                b'"traceId":"%016x' % number,
                1,
            )
        )

    return make


def measure(what: str, seconds: float) -> None:
    signal_name = {"json": "traces", "grpc": "traces"}.get(what, what)
    with server() as running:
        idle = running.memory()
        cpu_s = running.cpu_s()
        here, there = multiprocessing.Pipe()
        generator = multiprocessing.Process(target=_load, args=(what, (running.otlp, running.grpc), seconds, there))
        began_s = time.perf_counter()
        generator.start()
        peak = idle
        while not here.poll(0.2):
            now = running.memory()
            peak = now if now.anonymous_mib > peak.anonymous_mib else peak
        sent: Sent = here.recv()
        generator.join()
        lead_s = time.perf_counter() - began_s - sent.seconds
        counts = _drained(running, signal_name)
        queryable_s = time.perf_counter() - began_s - lead_s
        cpu_s = running.cpu_s() - cpu_s
        items = sent.requests * ITEMS
        unaccounted = (
            counts["received"]
            - counts["stored"]
            - counts["spooled"]
            - counts["duplicate"]
            - sum(counts["rejected"].values())
        )
        stop_s = running.stop()
        rows, distinct = _in_engine(running, signal_name)
    print(
        f"{what:8} accepted {items / sent.seconds:>9,.0f}/s   queryable {items / queryable_s:>9,.0f}/s   "
        f"ack p50 {percentile(sent.waits_ms, 0.5):.0f} ms, p99 {percentile(sent.waits_ms, 0.99):.0f} ms   "
        f"refused {sent.refused}   CPU {cpu_s * 1e6 / items:.1f} µs an item"
    )
    print(
        f"{'':8} sent {items:,}, in the engine {rows:,} ({distinct:,} different ids), unaccounted {unaccounted}   "
        f"anonymous memory idle {idle.anonymous_mib:.0f} MiB, peak {peak.anonymous_mib:.0f} MiB   "
        f"stopped in {stop_s:.1f} s"
    )


def _drained(running: Running, signal_name: str) -> dict[str, object]:
    while True:
        counts = running.get("/api/intake")[signal_name]
        if counts["spooled"] == 0 and counts["stored"] + counts["duplicate"] >= counts["received"] - sum(
            counts["rejected"].values()
        ):
            return counts
        time.sleep(0.1)


def _in_engine(running: Running, signal_name: str) -> tuple[int, int]:
    """Count in the files the server left, from a process of its own: one path belongs to one process."""
    query = {
        "traces": "SELECT count(), uniqExact(span_id) FROM botwatch.spans",
        "logs": "SELECT count(), uniqExact(span_id) FROM botwatch.logs",
        "points": "SELECT count(), uniqExact(series, at) FROM botwatch.points",
    }[signal_name]
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(
        target=_count, args=(str(running.data / "store"), query, there)
    )
    child.start()
    answer: tuple[int, int] = here.recv()
    child.join()
    return answer


def _count(path: str, query: str, pipe: Pipe) -> None:
    import clickhouse_connect

    client = clickhouse_connect.get_client(dsn=f"chdb://{path}")
    pipe.send(tuple(client.query(query).result_rows[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="*", default=["traces", "logs", "points", "json", "grpc"])
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    print_machine()
    for what in arguments.what:
        measure(what, arguments.seconds)


if __name__ == "__main__":
    main()
