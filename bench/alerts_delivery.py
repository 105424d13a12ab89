"""How fast people are told: deliveries a second to a local sink, and from the breaching tick to the receiver's socket.

    uv run python bench/alerts_delivery.py [--deliveries 5000] [--hosts 60] [--quick]

The first figure is the notifier alone, from untold changes in the state database to receipts written, one message an
incident. The second is a whole server: hosts send a metric over OTLP, one by one go over a rule's limit, and the
sink notes when the message about each arrives; the time counts from the end of the tick that was too high.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import secrets
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import uvloop
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from sqlalchemy.orm import Session

from bench.shared import TOKEN, percentile, print_machine, server
from botwatch.clock import SystemClock
from botwatch.detect.rule import Rule
from botwatch.incident.rows import ChangeRow, IncidentRow
from botwatch.notify import book, deliver
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.settings import Settings
from botwatch.state import Database, open_database

METRIC = "bench.load"
TICK_S = 10


def sink(pipe: Connection) -> None:
    """A receiver in a process of its own: counts, and notes when each host was told of first."""

    async def main() -> None:
        seen: dict[str, float] = {}
        count = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    at = time.time()
                    body = await reader.readexactly(length)
                    count += 1
                    if head.startswith(b"POST /timed"):
                        for each in json.loads(body)["incidents"]:
                            seen.setdefault(each["hostName"], at)
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        made = await asyncio.start_server(serve, "127.0.0.1", 0)
        pipe.send(made.sockets[0].getsockname()[1])
        while True:
            await asyncio.sleep(0.05)
            while pipe.poll():
                if pipe.recv() == "stop":
                    return
                pipe.send((count, dict(seen)))

    uvloop.run(main())


class Sink:
    def __init__(self) -> None:
        self.pipe, there = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=sink, args=(there,))
        self.process.start()
        self.url = f"http://127.0.0.1:{self.pipe.recv()}"

    def ask(self) -> tuple[int, dict[str, float]]:
        self.pipe.send("ask")
        found: tuple[int, dict[str, float]] = self.pipe.recv()
        return found

    def close(self) -> None:
        self.pipe.send("stop")
        self.process.join()


def fill(session: Session, count: int, now_ns: int) -> None:
    rule = Rule.model_validate({"name": "Bench", "field": "cpu.usage", "value": 85, "severity": "critical"})
    snapshot = rule.model_dump(mode="json", by_alias=True)
    rows = [
        IncidentRow(
            id=secrets.token_hex(16), rule="Bench", subject=f"host=h{n}", labels={"host": f"h{n}"}, severity="critical",
            status="open", reason="breached", summary=f"cpu.usage of host h{n} is 93", trigger_value=93.0, peak_value=93.0,
            last_value=93.0, began_ns=now_ns, started_ns=now_ns, snapshot=snapshot, evidence={},
        )
        for n in range(count)
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    session.add_all(
        ChangeRow(incident_id=row.id, at_ns=now_ns, what="opened", who="rule", why=row.summary) for row in rows
    )


async def deliveries(folder: Path, url: str, count: int) -> float:
    """How many a second."""
    settings, clock = Settings(data=folder, notify_networks="127.0.0.0/8"), SystemClock()
    database = open_database(settings)
    notifier = Notifier(database, clock, settings, Frame("https://bots.example.com"))
    given = ("ops", "webhook", {"url": f"{url}/counted", "secret": "bench"}, True)
    await database.write(lambda s: book.put_channel(s, clock.now_ns(), "bench", notifier.base, given))
    routes = [{"channels": ["ops"], "group_by": ["host"], "settle": 0}]
    await database.write(lambda s: book.put_routes(s, clock.now_ns(), "bench", notifier.base, routes))
    await database.write(lambda s: fill(s, count, clock.now_ns()))
    stop, began_s = asyncio.Event(), time.perf_counter()
    task = asyncio.create_task(notifier.run(stop))
    await asyncio.sleep(0.1)
    while await database.read(lambda s: deliver.channels_waiting(s) or notifier_ahead(s, clock.now_ns())):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    took_s = time.perf_counter() - began_s
    stop.set()
    await task
    _close(database)
    return count / took_s


def notifier_ahead(session: Session, now_ns: int) -> list[str]:
    from botwatch.notify.notifier import _ahead

    return ["more"] if _ahead(session, now_ns)[0] else []


def _close(database: Database) -> None:
    database.close()


def reach(url: str, hosts: int, sink_: Sink) -> list[float]:
    """Seconds from the end of the tick that was too high to the receiver's socket, of each host."""
    allowed = {"BOTWATCH_NOTIFY_NETWORKS": "127.0.0.0/8"}
    headers = {"authorization": f"Bearer {TOKEN}"}
    with server(environ=allowed) as running, httpx.Client(trust_env=False, headers=headers, timeout=30) as http:
        api = f"http://127.0.0.1:{running.web}/api"
        channel = {"kind": "webhook", "options": {"url": f"{url}/timed"}}
        http.put(f"{api}/channels/ops", json=channel).raise_for_status()
        routes = {"routes": [{"channels": ["ops"], "group_by": ["host"]}]}
        http.put(f"{api}/routes", json=routes).raise_for_status()
        rule = {
            "name": "Bench", "field": f"metric:{METRIC}", "aggregation": "last", "operand": "equalOrMoreThan", "value": 90,
            "timeframe": "10s", "by": ["host"], "severity": "critical",
        }  # fmt: skip
        http.post(f"{api}/rules", json=rule).raise_for_status()
        running.wait_idle(60)
        return _measure(http, f"http://127.0.0.1:{running.otlp}/v1/metrics", hosts, sink_)


def _measure(http: httpx.Client, otlp: str, hosts: int, sink_: Sink) -> list[float]:
    """With each tick some hosts go over the limit, all of the tick, and stay there."""
    names = [f"bench-{n}" for n in range(hosts)]
    per_tick = max(1, hosts // 10)
    high: dict[str, float] = {}
    waiting = list(names)
    start = (time.time() // TICK_S + 2) * TICK_S
    end_s = start + TICK_S * (len(waiting) // per_tick + 3)
    plan = {name: start + TICK_S * (place // per_tick) for place, name in enumerate(names)}
    while time.time() < end_s:
        now = time.time()
        for name in names:
            if name not in high and now >= plan[name]:
                high[name] = (now // TICK_S + 1) * TICK_S
        http.post(
            otlp, content=points(names, high), headers={"content-type": "application/x-protobuf"}
        ).raise_for_status()
        time.sleep(1)
    seen = sink_.ask()[1]
    missing = [name for name in names if name not in seen]
    if missing:
        raise SystemExit(f"never told: {len(missing)} of {hosts}")
    return [seen[name] - high[name] for name in names]


def points(names: list[str], high: dict[str, float]) -> bytes:
    request = ExportMetricsServiceRequest()
    now_ns = time.time_ns()
    for name in names:
        resource = request.resource_metrics.add()
        for key, value in (("service.name", "bench"), ("host.name", name)):
            resource.resource.attributes.add(key=key).value.string_value = value
        metric = resource.scope_metrics.add().metrics.add(name=METRIC)
        metric.gauge.data_points.add(time_unix_nano=now_ns, as_double=95.0 if name in high else 10.0)
    return request.SerializeToString()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--hosts", type=int, default=60)
    parser.add_argument("--quick", action="store_true", help="only to see that it runs")
    given = parser.parse_args()
    count, hosts = (500, 3) if given.quick else (given.deliveries, given.hosts)
    print_machine()
    made = Sink()
    try:
        with tempfile.TemporaryDirectory(prefix="botwatch-bench-") as folder:
            rate = uvloop.run(deliveries(Path(folder), made.url, count))
        print(
            f"deliveries  {rate:,.0f} a second to a local sink, {count:,} of them, each with its receipt (goal 1,000)"
        )
        found = reach(made.url, hosts, made)
        print(
            f"reach       p50 {percentile(found, 0.5):.2f} s, p99 {percentile(found, 0.99):.2f} s from the end of the "
            f"breaching tick to the receiver's socket, {hosts} hosts (goal p99 < 2 s)"
        )
    finally:
        made.close()


if __name__ == "__main__":
    main()
