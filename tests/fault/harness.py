"""A server in a process of its own that can be killed, a client that never gives up, and the count."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.real.parts import Process, free_port
from tests.store.otlp import attributes

TOKEN = "fault-" + "0123456789abcdef" * 3
ON_ANY_DISK = {"BOTWATCH_DISK_PERCENT_MAX": "99"}  # what a test has stored is not dropped because others fill it
SPANS, RECORDS = 40, 20
# Reading the certificates of all authorities for each question would cost twenty times the question.
NO_AUTHORITY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Botwatch:
    """`botwatch serve` on ports that stay the same over restarts."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.web, self.otlp, self.grpc = free_port(), free_port(), free_port()
        self.process: Process | None = None
        self.starts = 0

    def start(self, *, wait: bool = True) -> Process:
        self.starts += 1
        command = [sys.executable, "-m", "botwatch", "serve", "--data", str(self.folder / "data"), *self.arguments]
        ports = ["--port", str(self.web), "--otlp-port", str(self.otlp), "--grpc-port", str(self.grpc)]
        self.process = Process(
            command + ports,
            self.folder / f"server-{self.starts}.log",
            env={"BOTWATCH_ADMIN_TOKEN": TOKEN, "BOTWATCH_WATCH_HOST": "false", **ON_ANY_DISK, **self.extra},
        )
        if wait:
            self.wait_ready()
        return self.process

    def wait_ready(self, timeout_s: float = 150) -> None:
        assert self.process is not None
        self.process.wait_for_line('"event": "serving"')  # before that it does not hear every signal
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            assert self.process.alive, self.process.output()
            try:
                url = f"http://127.0.0.1:{self.web}/readyz"
                if httpx.get(url, timeout=5, verify=NO_AUTHORITY).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"not ready: {self.process.output()}")

    def get(self, path: str) -> Any:
        answer = httpx.get(
            f"http://127.0.0.1:{self.web}{path}",
            headers={"authorization": f"Bearer {TOKEN}"},
            timeout=60,
            verify=NO_AUTHORITY,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_drained(self, timeout_s: float = 150) -> dict[str, Any]:
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            counts: dict[str, Any] = self.get("/api/intake")
            if not any(signal["spooled"] for signal in counts.values()):
                return counts
            time.sleep(0.05)
        raise AssertionError(f"still in the spool: {counts}")

    def stop(self) -> None:
        if self.process is not None:
            assert self.process.stop() == 0, self.process.output()

    def ask(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """Query the stopped server's store from a process of its own: one path belongs to one process."""
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        child = context.Process(target=_query, args=(str(self.folder / "data" / "store"), queries, there))
        child.start()
        answers: list[list[tuple[Any, ...]]] = here.recv()
        child.join()
        return answers


def _query(path: str, queries: tuple[str, ...], pipe: Connection) -> None:
    import clickhouse_connect

    client = clickhouse_connect.get_client(dsn=f"chdb://{path}", database="botwatch")
    pipe.send([[tuple(row) for row in client.query(query).result_rows] for query in queries])


@contextmanager
def running(folder: Path, **extra: str) -> Iterator[Botwatch]:
    server = Botwatch(folder, extra)
    server.start()
    try:
        yield server
    finally:
        if server.process is not None and server.process.alive:
            server.process.kill()


@dataclass
class Client:
    """Sends numbered items over some connections and repeats each request until it is acknowledged."""

    port: int
    connections: int = 6
    acknowledged: list[tuple[str, int]] = field(default_factory=list)
    refusals: dict[int, int] = field(default_factory=dict)
    attempts: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    async def run(self, until: asyncio.Event) -> None:
        limits = httpx.Limits(max_connections=self.connections)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=10, limits=limits) as http:
            await asyncio.gather(*(self._one(http, until) for _ in range(self.connections)))

    async def _one(self, http: httpx.AsyncClient, until: asyncio.Event) -> None:
        while not until.is_set():
            number = next(self._numbers)
            path, body = ("/v1/logs", records(number)) if number % 3 == 0 else ("/v1/traces", spans(number))
            await self._until_taken(http, path, body)
            self.acknowledged.append((path, number))

    async def _until_taken(self, http: httpx.AsyncClient, path: str, body: bytes) -> None:
        while True:
            self.attempts += 1
            try:
                answer = await http.post(path, content=body, headers={"content-type": "application/x-protobuf"})
            except httpx.HTTPError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200:
                return
            self.refusals[answer.status_code] = self.refusals.get(answer.status_code, 0) + 1
            assert answer.status_code in (429, 503), answer.text
            assert int(answer.headers["retry-after"]) >= 1
            await asyncio.sleep(0.1)


def spans(number: int) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(attributes({"service.name": "b", "host.name": "h"}))
    found = resource.scope_spans.add().spans
    for place in range(SPANS):
        found.add(
            trace_id=os.urandom(16),
            span_id=struct.pack(">II", number, place + 1),
            name="work",
            start_time_unix_nano=time.time_ns(),
            end_time_unix_nano=time.time_ns() + 10**6,
            attributes=attributes({"session.id": f"s{number}"}),
        )
    return request.SerializeToString()


def records(number: int) -> bytes:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.extend(attributes({"service.name": "b", "host.name": "h"}))
    found = resource.scope_logs.add().log_records
    for place in range(RECORDS):
        said = {"session.id": f"m{number}", "bot.message.direction": "in", "bot.message.id": f"{number}-{place}"}
        found.add(
            time_unix_nano=time.time_ns(),
            span_id=struct.pack(">II", number, place + 1),
            event_name="bot.message",
            attributes=attributes(said),
        )
    return request.SerializeToString()


def check(server: Botwatch, client: Client) -> None:
    """Every acknowledged item is in the raw tables and in each rollup, once."""
    sent_spans = {f"{n:08X}" for path, n in client.acknowledged if path == "/v1/traces"}
    sent_records = {f"{n:08X}" for path, n in client.acknowledged if path == "/v1/logs"}
    found_spans, found_records, totals = server.ask(
        "SELECT hex(substring(span_id, 1, 4)) AS n, count(), uniqExact(span_id) FROM spans GROUP BY n",
        "SELECT hex(substring(span_id, 1, 4)) AS n, count(), uniqExact(span_id) FROM logs GROUP BY n",
        "SELECT (SELECT count() FROM spans), (SELECT count() FROM logs), (SELECT count() FROM messages), "
        + ", ".join(
            f"(SELECT sum(count) FROM ticks_{step} WHERE kind = '{kind}')"
            for step in ("10s", "5m", "1h")
            for kind in ("action", "log", "message")
        )
        + ", (SELECT sum(spans) FROM session_hours), (SELECT sum(messages_in) FROM session_hours)"
        + ", (SELECT sum(spans) FROM sessions), (SELECT sum(messages_in) FROM sessions)",
    )
    assert sent_spans <= {row[0] for row in found_spans}, "acknowledged spans are missing"
    assert sent_records <= {row[0] for row in found_records}, "acknowledged records are missing"
    assert {row[1:] for row in found_spans} <= {(SPANS, SPANS)}, "spans are there twice, or in part"
    assert {row[1:] for row in found_records} <= {(RECORDS, RECORDS)}, "records are there twice, or in part"
    spans_, logs_, messages_, *rollups = totals[0]
    assert messages_ == logs_
    assert rollups == [spans_, logs_, messages_] * 3 + [spans_, messages_] * 2, "a rollup disagrees with the raw rows"
