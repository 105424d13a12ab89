"""How fast the API answers over a full store, while more comes in.

    uv run python bench/query.py [--spans 50000000] [--messages 5000000] [--logs 2000000] [--seconds 10] [--data DIR]

The store is filled by SQL over two weeks, most of it in the last day. Then eight clients ask each
endpoint without a pause while 20,000 spans a second are received, what is asked for the first time is
asked one by one, and all log records are exported. With `--data` the filled folder is kept and used again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import ingest
import numpy as np
from shared import TOKEN, Running, percentile, print_machine, server

if TYPE_CHECKING:
    from botwatch.store.client import Store

CLIENTS = 8
SPANS_A_SECOND = 20_000
CHUNK = 2_000_000
DAY_S = 86_400


def fill(data: str, spans: int, messages: int, logs: int, now_s: int) -> None:
    """Bots, hosts, actions and sessions as a fleet has them; half of everything is of the last day."""
    from botwatch.store.client import Store
    from botwatch.store.migrate import migrate

    store = Store.open("", data=Path(data))
    store.create()
    migrate(store)
    _fill_logs(store, logs, now_s)
    if (store.read("SELECT count() FROM spans").first or (0,))[0] >= spans:
        store.close()
        return
    # Every second session is of the last day, the others of the thirteen before; inside one, things
    # follow each other within minutes.
    sessions = max(1, messages // 20)
    began = f"({now_s - 400} - if(session % 2 = 0, session / {sessions} * {DAY_S}, {DAY_S} * (1 + 13 * session / {sessions})))"
    for start in range(0, messages, CHUNK):
        moment = f"fromUnixTimestamp64Micro(toInt64(({began} + number % 20 * 15) * 1e6), 'UTC')"
        store.command(
            f"""INSERT INTO messages (bot, host, channel, session_id, user_id, at, direction, author, text, message_id, received)
            SELECT concat('bot-', toString(intDiv(number, 20) % 6)), concat('host-', toString(intDiv(number, 20) % 4)),
                ['web', 'whatsapp', 'slack', 'email'][1 + intDiv(number, 20) % 4], concat('s-', toString(intDiv(number, 20))),
                concat('user-', toString(intDiv(number, 20) % 50000)), {moment} AS moment,
                if(intDiv(number, 2) % 2 = 0, 'in', 'out') AS direction, if(direction = 'in', 'user', 'bot'),
                concat('message number ', toString(number), ' about order ', toString(cityHash64(number) % 100000)),
                toString(number), moment
            FROM (SELECT number, intDiv(number, 20) AS session FROM numbers({start}, {min(CHUNK, messages - start)}))"""
        )
    for start in range(0, spans, CHUNK):
        moment = f"fromUnixTimestamp64Nano(toInt64(({began} + number % 100 * 3) * 1e9), 'UTC')"
        store.command(
            f"""INSERT INTO spans (bot, host, start, duration_ns, trace_id, span_id, parent_span_id, name, kind, status,
                session_id, channel, action, dependency, attributes, resource)
            SELECT concat('bot-', toString(session % 6)), concat('host-', toString(session % 4)), {moment},
                toUInt64(exp(10 + (cityHash64(number, 1) % 1000) / 110.0) * 1000),
                reinterpretAsFixedString(sipHash128(intDiv(number, 5))), reinterpretAsFixedString(sipHash64(number)),
                if(number % 5 = 0, toFixedString('', 8), reinterpretAsFixedString(sipHash64(number - number % 5))),
                ['handle_message', 'classify', 'lookup_order', 'model', 'reply'][1 + number % 5] AS name,
                ['consumer', 'internal', 'client', 'client', 'internal'][1 + number % 5], if(cityHash64(number, 2) % 50 = 0, 'error', 'unset'),
                concat('s-', toString(session)), ['web', 'whatsapp', 'slack', 'email'][1 + session % 4],
                if(number % 5 IN (0, 1, 4), concat('action-', toString(session % 3), '-', name), ''),
                if(number % 5 IN (2, 3), ['api.example.com', 'db.example.com'][number % 5 - 1], ''),
                map('http.response.status_code', '200', 'session.id', concat('s-', toString(session)), 'bot.action', name,
                    'user.id', concat('user-', toString(session % 50000))),
                '{{"service.name":"bot","host.name":"host"}}'
            FROM (SELECT number, intDiv(number * {sessions}, {spans}) AS session FROM numbers({start}, {min(CHUNK, spans - start)}))"""
        )
        print(f"\rfilled {start + CHUNK:,} spans", end="", flush=True)
    print()
    store.close()


def _fill_logs(store: Store, logs: int, now_s: int) -> None:
    """Of the last day; one line of a hundred characters and four attributes each."""
    if (store.read("SELECT count() FROM logs").first or (0,))[0] >= logs:
        return
    for start in range(0, logs, CHUNK):
        moment = f"fromUnixTimestamp64Nano(toInt64(({now_s - 400} - number * {DAY_S} / {logs}) * 1e9), 'UTC')"
        store.command(
            f"""INSERT INTO logs (bot, host, instance, at, severity, level, body, scope, trace_id, span_id, session_id,
                user_id, channel, attributes, resource)
            SELECT concat('bot-', toString(number % 6)), concat('host-', toString(number % 4)), '1', {moment},
                if(number % 50 = 0, 17, 9), if(number % 50 = 0, 'error', 'info'),
                concat('order ', toString(cityHash64(number) % 100000), ' was looked up in the warehouse, "express", ',
                    'and was found after ', toString(number % 900), ' ms'), 'shop.orders 1.2',
                reinterpretAsFixedString(sipHash128(intDiv(number, 5))), reinterpretAsFixedString(sipHash64(number)),
                concat('s-', toString(intDiv(number, 20))), concat('user-', toString(intDiv(number, 20) % 50000)), 'web',
                map('http.response.status_code', '200', 'thread', 'worker-3', 'order.id', toString(cityHash64(number) % 100000),
                    'code.function', 'look_up'),
                '{{"service.name":"shop","host.name":"host-1","telemetry.sdk.language":"python"}}'
            FROM numbers({start}, {min(CHUNK, logs - start)})"""
        )


@dataclass
class Asked:
    """`firsts_ms`: each client's first time around, where mostly nobody had asked before."""

    waits_ms: list[float] = field(default_factory=list)
    firsts_ms: list[float] = field(default_factory=list)
    failed: int = 0


async def _client(port: int, paths: list[str], until_s: float, asked: Asked) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while time.perf_counter() < until_s:
        path = paths[number % len(paths)]
        number += 1
        began_s = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n\r\n".encode())
        status = int((await reader.readline()).split()[1])
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        await reader.readexactly(length)
        asked.waits_ms.append((time.perf_counter() - began_s) * 1e3)
        if number <= len(paths):
            asked.firsts_ms.append(asked.waits_ms[-1])
        asked.failed += status != 200
    writer.close()


def _ask(port: int, paths: list[str], seconds: float, pipe: multiprocessing.connection.Connection) -> None:
    asked = Asked()

    async def everyone() -> None:
        until_s = time.perf_counter() + seconds
        await asyncio.gather(*(_client(port, paths[n:] + paths[:n], until_s, asked) for n in range(CLIENTS)))

    asyncio.run(everyone())
    pipe.send(asked)


def _trickle(port: int, stop: multiprocessing.synchronize.Event) -> None:
    """Spans at a steady rate, from one connection."""
    random = np.random.default_rng()
    template = ingest.Template(bytearray(ingest.traces(1).SerializeToString()))

    async def send() -> None:
        connection = await ingest.Connection.open(port, "/v1/traces")
        began_s, sent = time.perf_counter(), 0
        while not stop.is_set():
            await connection.post(template.fresh(random))
            sent += ingest.ITEMS
            await asyncio.sleep(max(0.0, sent / SPANS_A_SECOND - (time.perf_counter() - began_s)))

    asyncio.run(send())


def measure(running: Running, seconds: float) -> None:
    page = running.get("/api/monitoring/sessions?limit=50")  # the newest are of what comes in meanwhile
    long = [item["id"] for item in page["items"]]
    talks = [f"s-{2 * number}" for number in range(50)]
    day = "/api/monitoring/history?period=24h"
    for name, paths in {
        "status": ["/api/monitoring/status"],
        "history, 24 h": [day],
        "one measure by action, 24 h": [day + "&measure=action.success_rate&by=action"],
        "sessions page": ["/api/monitoring/sessions?limit=10"],
        "sessions search": ["/api/monitoring/sessions?limit=10&channel=slack&state=active"],
        "session detail": [f"/api/monitoring/sessions/{id_}" for id_ in talks],
        "session detail, long": [f"/api/monitoring/sessions/{id_}" for id_ in long],
        "logs page": ["/api/logs?limit=50"],
        "actions": ["/api/actions"],
    }.items():
        here, there = multiprocessing.Pipe()
        child = multiprocessing.Process(target=_ask, args=(running.web, paths, seconds, there))
        child.start()
        asked: Asked = here.recv()
        child.join()
        waits = asked.waits_ms
        firsts = f"   {len(asked.firsts_ms)} first ones p50 {percentile(asked.firsts_ms, 0.5):.1f} ms" * (
            len(paths) > 1
        )
        print(
            f"{name:28} p50 {percentile(waits, 0.5):7.1f} ms   p99 {percentile(waits, 0.99):7.1f} ms   "
            f"{len(waits) / seconds:7.0f}/s   failed {asked.failed}{firsts}"
        )


def measure_first(running: Running) -> None:
    """What nobody asked before, one after the other: no answer is kept for it."""
    now = datetime.now(UTC).replace(microsecond=0)
    ends = [quote((now - timedelta(minutes=minute)).isoformat()) for minute in range(1, 21)]
    for name, paths in {
        "history, 24 h, first time": [f"/api/monitoring/history?period=24h&to={end}" for end in ends],
        "actions, first time": [f"/api/actions?period=24h&limit=12&to={end}" for end in ends],
        "session detail, first time": [f"/api/monitoring/sessions/s-{2 * number}" for number in range(1_000, 1_020)],
    }.items():
        waits, before_s = [], running.cpu_s()
        for path in paths:
            began_s = time.perf_counter()
            running.get(path)
            waits.append((time.perf_counter() - began_s) * 1e3)
        cpu_ms = (running.cpu_s() - before_s) / len(paths) * 1e3
        print(
            f"{name:28} p50 {percentile(waits, 0.5):7.1f} ms   max {max(waits):7.1f} ms   {cpu_ms:.0f} ms of CPU, all included"
        )


def measure_export(running: Running) -> None:
    """All log records as a file, thrown away as it comes."""
    for format in ("csv", "json", "parquet"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{running.web}/api/export/logs?format={format}",
            headers={"authorization": f"Bearer {TOKEN}"},
        )
        began_s, before_s, size = time.perf_counter(), running.cpu_s(), 0
        with urllib.request.urlopen(request, timeout=60) as answer:
            rows = int(answer.headers["x-rows"])
            while piece := answer.read(1 << 20):
                size += len(piece)
        took_s = time.perf_counter() - began_s
        cpu_us = (running.cpu_s() - before_s) / rows * 1e6
        print(
            f"export logs, {format:15} {rows / took_s:10,.0f} rows/s   {size / took_s / 1e6:5.0f} MB/s   "
            f"{rows:,} rows, {cpu_us:.1f} µs of CPU each, {running.memory().anonymous_mib:.0f} MiB anonymous"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--spans", type=int, default=50_000_000)
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--logs", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="botwatch-bench-") as folder:
        data = arguments.data or Path(folder)
        data.mkdir(parents=True, exist_ok=True)
        began_s = time.perf_counter()
        filling = multiprocessing.get_context("spawn").Process(
            target=fill, args=(str(data), arguments.spans, arguments.messages, arguments.logs, int(time.time()))
        )
        filling.start()
        filling.join()
        if filling.exitcode:
            raise SystemExit("the store could not be filled")
        print(
            f"filled with {arguments.spans:,} spans and {arguments.messages:,} messages in {time.perf_counter() - began_s:.0f} s"
        )
        with server(data) as running:
            running.wait_idle()
            stop = multiprocessing.Event()
            trickle = multiprocessing.Process(target=_trickle, args=(running.otlp, stop))
            trickle.start()
            try:
                measure(running, arguments.seconds)
            finally:
                stop.set()
                trickle.join()
            running.wait_idle()
            measure_first(running)
            measure_export(running)
            print(json.dumps({"status": running.get("/api/monitoring/status")}))


if __name__ == "__main__":
    main()
