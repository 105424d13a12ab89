"""Judging: how long a tick takes for 1,000 and 10,000 rules over 100 hosts, beside ingest; Prometheus beside ours.

    python -m bench.alerts                 # a minute for each size
    python -m bench.alerts --rounds 3      # a look

Every host reports every measure the rules need in every tick. The rules spread over those measures, their aggregations,
time frames and limits. A round is what the server does every ten seconds: read, judge, write. The same rules, as
PromQL over the same number of series, are given to a Prometheus if one is installed, which tells its own time.
"""

from __future__ import annotations

import argparse
import asyncio
import http.server
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.shared import free_port, percentile, print_machine
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.rule import Rule
from botwatch.incident.backtest import Backtester
from botwatch.incident.desk import Desk
from botwatch.incident.loop import Judge
from botwatch.measure.reader import Measures
from botwatch.settings import Settings
from botwatch.state import open_database
from botwatch.state.lease import Lease
from botwatch.store.client import Store
from botwatch.store.migrate import migrate

HOSTS = 100
START_S = 1_760_000_400
HISTORY_TICKS = 120
METRICS = [f"app.metric.{n}" for n in range(20)]
ACTIONS = ["action.count", "action.errors", "action.error_rate", "action.latency", "action.latency.p95"]
AGGREGATIONS = ["avg", "sum", "min", "max", "last", "count"]
FRAMES_S = [10, 30, 60, 120, 300, 600]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12, help="ticks judged for each size")
    parser.add_argument("--ingest", type=int, default=20_000, help="rows a second written meanwhile; 0: none")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000], help="how many rules")
    parser.add_argument("--no-prometheus", action="store_true")
    args = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        asyncio.run(ours(Path(folder), args))
    if not args.no_prometheus:
        for size in args.sizes:
            its(size, args.rounds)


# --- ours


class Book:
    def __init__(self, rules: Sequence[Rule]) -> None:
        self.changes = 1
        self.entries = {rule.name: rule for rule in rules}

    def rules(self) -> tuple[Rule, ...]:
        return tuple(self.entries.values())


class Stored:
    def stored_through_ns(self, now_ns: int) -> int:
        return now_ns

    def hurry(self) -> None:
        pass


def rules(size: int) -> list[Rule]:
    """Most of them are quiet, as rules are: about one in a hundred subjects has an incident."""
    chance = random.Random(size)
    found = []
    for number in range(size):
        measure = chance.choice([*(f"metric:{name}" for name in METRICS), *ACTIONS])
        given = {
            "name": f"rule {number}", "field": measure, "by": "host", "aggregation": chance.choice(AGGREGATIONS),
            "value": 10**9 if chance.random() < 0.99 else 1, "timeframe": chance.choice(FRAMES_S),
            "for": chance.choice([0, 0, 0, 60]), "severity": "warning",
        }  # fmt: skip
        found.append(Rule.model_validate(given))
    return found


def fill(store: Store, first: int, ticks: int) -> None:
    """Every host tells every metric, and does an action twice, in every tick."""
    who = f"concat('bot', toString(number % {HOSTS})), concat('host', toString(number % {HOSTS}))"
    names = ", ".join(f"'{name}'" for name in METRICS)
    at = f"toDateTime64({START_S} + 10 * ({first} + intDiv(number, {HOSTS})) + 5, 9, 'UTC')"
    store.command(
        "INSERT INTO number_points (bot, host, metric, kind, series, at, start, value) SELECT "
        f"{who}, metric, 'gauge', cityHash64(number % {HOSTS}, metric), {at}, {at}, rand() % 100 "
        f"FROM numbers({HOSTS * ticks}) ARRAY JOIN [{names}] AS metric"
    )
    store.command(
        f"INSERT INTO spans (bot, host, start, name, action, duration_ns) SELECT {who}, {at}, 'work', 'work', "
        f"1000000 * (rand() % 50) FROM numbers({HOSTS * ticks}) ARRAY JOIN [1, 2] AS again"
    )


class Ingest:
    """Spans of other bots, written as fast as was asked for."""

    def __init__(self, store: Store, rows_a_second: int) -> None:
        self._store, self._rows = store, rows_a_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.written = 0

    def __enter__(self) -> Ingest:
        if self._rows:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._rows:
            self._thread.join()

    def _run(self) -> None:
        began_s, number = time.monotonic(), 0
        while not self._stop.is_set():
            lines = "\n".join(
                json.dumps({"start": f"2025-10-09 08:{number // 60 % 60:02d}:{number % 60:02d}.0", "name": "work",
                            "action": "work", "bot": "other", "host": f"other{n % 50}", "duration_ns": 10**6})
                for n in range(self._rows // 2)
            )  # fmt: skip
            self._store.insert("spans", lines.encode(), fmt="JSONEachRow", settings={})
            number += 1
            self.written += self._rows // 2
            self._stop.wait(max(0.0, began_s + number * 0.5 - time.monotonic()))


async def ours(folder: Path, args: argparse.Namespace) -> None:
    settings = Settings(data=folder)
    store = Store.open("", data=folder)
    store.create()
    migrate(store)
    fill(store, 0, HISTORY_TICKS)
    tick = HISTORY_TICKS
    database = open_database(settings)
    for size in args.sizes:
        clock = ManualClock((START_S + tick * 10) * SECOND_NS)
        measures = Measures(store, settings, clock)
        desk = Desk(measures, lambda: store.fetch("SELECT 1"))
        judge = Judge(database, desk, Book(rules(size)), Stored(), Lease(database, f"{size}", "n", clock), clock)
        statements = count_statements(store)
        await judge.run_once(clock.now_ns())
        took_s: list[float] = []
        with Ingest(store, args.ingest) as ingest:
            for _ in range(args.rounds + 2):
                await asyncio.to_thread(fill, store, tick, 1)
                tick += 1
                clock.advance(10.6 - clock.now_ns() / SECOND_NS % 10)
                before, began_s = len(statements), time.perf_counter()
                report = await judge.run_once(clock.now_ns())
                took_s.append(time.perf_counter() - began_s)
                assert report.ticks == 1, report
                asked = len(statements) - before
        assert not judge.health.troubles, judge.health.troubles
        took_ms = [1_000 * one for one in took_s[2:]]  # the first two read histories and open what is bad
        print(
            f"ours      {size:>6,} rules x {HOSTS} hosts: median {statistics.median(took_ms):.0f} ms a tick, "
            f"p99 {percentile(took_ms, 0.99):.0f} ms, {asked} statements, {ingest.written:,} rows written meanwhile"
        )
    await backtest(store, settings, tick)
    database.close()
    store.close()


def count_statements(store: Store) -> list[str]:
    """Every statement the store is asked from now on."""
    seen: list[str] = []
    read = store.read

    def counted(sql: str, params: Any = None) -> Any:
        seen.append(sql)
        return read(sql, params)

    store.read = counted  # type: ignore[method-assign]
    return seen


async def backtest(store: Store, settings: Settings, tick: int) -> None:
    """Dragging a threshold over what there is, stretched to a day's number of ticks by its cells."""
    end_s = START_S + tick * 10
    clock = ManualClock(end_s * SECOND_NS)
    tester = Backtester(Measures(store, settings, clock), clock)
    rule = {"name": "R", "field": "action.latency", "by": "host", "value": 30, "timeframe": "2m"}
    took_ms = []
    for value in (30, 31, 32, 33):
        began_s = time.perf_counter()
        await tester.run(Rule.model_validate({**rule, "value": value}), {}, end_s - 86_400, end_s)
        took_ms.append(1_000 * (time.perf_counter() - began_s))
    print(f"backtest  a day x {HOSTS} hosts: first {took_ms[0]:.0f} ms, then {statistics.median(took_ms[1:]):.0f} ms")


# --- Prometheus


class Exporter(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        chance = random.Random(int(time.time()))
        lines = [
            f'{name.replace(".", "_")}{{host="host{host}"}} {chance.random() * 100:.3f}'
            for name in (*METRICS, *ACTIONS)
            for host in range(HOSTS)
        ]
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def promql(rule: Rule) -> str:
    name = rule.field.removeprefix("metric:").replace(".", "_")
    return f"{rule.aggregation}_over_time({name}[{max(rule.timeframe, 10)}s]) >= {rule.value:g}"


def its(size: int, rounds: int) -> None:
    """The same rules, evaluated every ten seconds; it tells how long a group took."""
    program = shutil.which("prometheus")
    if program is None:
        print("prometheus is not installed; install the package prometheus")
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        alerts = [
            {"alert": f"r{number}", "expr": promql(rule), "for": f"{rule.hold}s"}
            for number, rule in enumerate(rules(size))
        ]
        (folder / "rules.yml").write_text(
            json.dumps({"groups": [{"name": "bench", "interval": "10s", "rules": alerts}]})
        )
        target = f"127.0.0.1:{server.server_port}"
        jobs = [{"job_name": "bench", "scrape_interval": "10s", "static_configs": [{"targets": [target]}]}]
        (folder / "prometheus.yml").write_text(json.dumps({"rule_files": ["rules.yml"], "scrape_configs": jobs}))
        process = subprocess.Popen(
            [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "GOMAXPROCS": str(os.cpu_count())},
        )  # fmt: skip
        try:
            took_ms = [1_000 * one for one in watched(port, rounds)]
        finally:
            process.terminate()
            process.wait(30)
            server.shutdown()
    print(
        f"prometheus {size:>5,} rules x {HOSTS} hosts: median {statistics.median(took_ms):.0f} ms a tick, "
        f"p99 {percentile(took_ms, 0.99):.0f} ms, nothing else running in it"
    )


def watched(port: int, rounds: int) -> list[float]:
    """What each evaluation took, once the series have been scraped for a while."""
    found: dict[str, float] = {}
    until_s = time.monotonic() + 60 + 12 * rounds
    while len(found) < rounds + 2 and time.monotonic() < until_s:
        time.sleep(1)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/rules", timeout=10) as answer:
                groups = json.load(answer)["data"]["groups"]
        except (OSError, ValueError):
            continue
        for group in groups:
            if group["evaluationTime"]:
                found[group["lastEvaluation"]] = group["evaluationTime"]
    return list(found.values())[2:] or [float("nan")]


if __name__ == "__main__":
    main()
