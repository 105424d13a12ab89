"""What it costs to ask 500 services every 10 s, and what one that hangs does to the others.

    uv run python bench/probes.py [--probes 500] [--seconds 60] [--every 10]

Half of them are HTTP with rules on their JSON, three tenths Redis, a tenth NATS and a tenth TCP, answered by a process
of their own; with redis-server installed it is a real Redis. What is found is written as OpenTelemetry, as the server
does; where PostgreSQL's driver and `--postgres URL` are there, twenty of them ask that.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from shared import free_port, percentile, print_machine

from botwatch.clock import SystemClock
from botwatch.process import event_loop
from botwatch.watch import wire
from botwatch.watch.given import made
from botwatch.watch.probes.model import Service, Status
from botwatch.watch.reading import Attributes, Happening, Reading
from botwatch.watch.services import Services

HTTP_BODY = b'{"status":"ok","version":"1.0","sessions":{"active":12}}'
HTTP_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(HTTP_BODY),
    HTTP_BODY,
)
INFO = b"redis_version:7.2.4\r\nused_memory:1000000\r\nconnected_clients:10\r\nmaxclients:10000\r\n" * 30


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP, Redis, or NATS, whichever is spoken."""
    try:
        while data := await reader.read(4_096):
            if data.startswith(b"GET"):
                writer.write(HTTP_ANSWER)
            elif data.startswith(b"CONNECT"):
                writer.write(b"PONG\r\n")
            else:
                writer.write(b"$%d\r\n%s\r\n" % (len(INFO), INFO))
    except OSError:
        pass
    finally:
        writer.close()


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'INFO {"server_id":"x","version":"2.10.1","jetstream":true,"max_payload":1048576}\r\n')
    await answer(reader, writer)


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4_096):
        pass
    writer.close()


def endpoints(pipe: Connection) -> None:
    async def serve() -> None:
        servers = [await asyncio.start_server(handler, "127.0.0.1", 0) for handler in (answer, greet, hang)]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def running() -> Iterator[list[int]]:
    """The ports of what answers, what greets, and what hangs."""
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=endpoints, args=(there,), daemon=True)
    child.start()
    yield here.recv()
    child.terminate()
    child.join()


@contextmanager
def redis() -> Iterator[int | None]:
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
    )
    time.sleep(0.5)
    yield port
    process.terminate()
    process.wait()


class Counting:
    """Writes what it is told, as the server does, and counts it."""

    def __init__(self) -> None:
        self.points = self.events = self.bytes = 0

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        report = wire.encode("bench", resource, readings, happenings, time.time_ns())
        self.points, self.events = self.points + len(readings), self.events + len(happenings)
        self.bytes += report.size


def services(count: int, every_s: float, ports: list[int], redis_port: int | None, postgres: str) -> list[Service]:
    answers, greets, _ = ports
    rules = {"expect_json": ["status == ok"], "figures": {"sessions": "sessions.active"}}
    found = []
    for place in range(count):
        share = place % 10
        if postgres and place < 20:
            table: dict[str, object] = {"url": postgres}
        elif share < 5:
            table = {"url": f"http://127.0.0.1:{answers}/health", "kind": "http", **rules}
        elif share < 8:
            table = {"url": f"redis://127.0.0.1:{redis_port or answers}"}
        else:
            table = {"url": f"nats://127.0.0.1:{greets}" if share < 9 else f"tcp://127.0.0.1:{greets}"}
        found.append(made(f"s{place}", {**table, "interval_seconds": every_s}))
    return found


async def measured(found: list[Service], seconds: float, every_s: float) -> None:
    counting = Counting()
    watch = Services(counting, SystemClock(), "bench")
    watch.configure(found)
    stop = asyncio.Event()
    task = asyncio.create_task(watch.run(stop))
    await asyncio.sleep(min(5.0, every_s))  # until each has been asked for the first time
    late_ms: list[float] = []
    points, events = counting.points, counting.events
    began_s, cpu_s = time.monotonic(), time.process_time()
    while time.monotonic() - began_s < seconds:
        at_s = time.monotonic()
        await asyncio.sleep(0.05)
        late_ms.append(1_000 * (time.monotonic() - at_s - 0.05))
    took_s, spent_s = time.monotonic() - began_s, time.process_time() - cpu_s
    views = watch.views()
    asked = counting.points - points
    well = [view for view in views if view.status is Status.RUNNING]
    latencies = [1_000 * view.latency_s for view in well if view.latency_s is not None]
    overdue_s = [
        max(0.0, (time.time_ns() - (view.checked_ns or 0)) / 1e9 - every_s)
        for view in views
        if view.status is Status.RUNNING
    ]
    stop.set()
    await task
    print(f"  {len(views)} services every {every_s:g} s, {len(well)} run, {len(views) - len(well)} hang")
    print(f"  cpu       {100 * spent_s / took_s:.1f} % of one core")
    print(f"  reported  {asked / took_s:.0f} points/s, {(counting.events - events) / took_s:.1f} events/s")
    print(f"  latency   p50 {percentile(latencies, 0.5):.1f} ms, p99 {percentile(latencies, 0.99):.1f} ms")
    print(f"  loop      late p99 {percentile(late_ms, 0.99):.1f} ms, worst {max(late_ms):.1f} ms")
    print(f"  overdue   worst of those that run {max(overdue_s, default=0):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=10)
    parser.add_argument("--postgres", default="", help="URL of a PostgreSQL that twenty of them ask")
    given = parser.parse_args()
    print_machine()
    with running() as ports, redis() as redis_port:
        print("all answer")
        found = services(given.probes, given.every, ports, redis_port, given.postgres)
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(measured(found, given.seconds, given.every))
            hanging = [
                made(f"h{place}", {"url": f"redis://127.0.0.1:{ports[2]}", "interval_seconds": given.every})
                for place in range(50)
            ]
            print("50 more that take the connection and never answer")
            runner.run(measured([*found, *hanging], given.seconds, given.every))


if __name__ == "__main__":
    main()
