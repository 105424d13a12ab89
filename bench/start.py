"""What it costs to have it: time from the command to the first answer, idle memory, bytes on disk a span.

    uv run python bench/start.py [--runs 5]

The traffic is a day of the demo's fleet: conversations with spans, logs, messages and points.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from shared import TOKEN, free_port, percentile, print_machine, server


def first_answer_s(data: Path) -> tuple[float, float]:
    """Seconds until the server answers at all, and until it is ready."""
    port = free_port()
    began_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "botwatch", "serve", "--data", str(data), "--port", str(port)]
        + ["--otlp-port", str(free_port()), "--grpc-port", str(free_port())],
        env={**os.environ, "BOTWATCH_ADMIN_TOKEN": TOKEN},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    answers = []
    for path in ("/healthz", "/readyz"):
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
        answers.append(time.perf_counter() - began_s)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    return answers[0], answers[1]


def write_day(data: str) -> None:
    from botwatch.demo.history import history
    from botwatch.settings import Settings
    from botwatch.store.client import Store
    from botwatch.store.migrate import migrate

    store = Store.open("", data=Path(data))
    store.create()
    migrate(store)
    history(store, time.time_ns(), Settings(data=Path(data)), days=1, seed=1)
    for table in ("spans", "logs", "messages", "points", "ticks_10s"):
        store.command(f"OPTIMIZE TABLE {table} FINAL")
    rows = store.read(
        "SELECT table, sum(rows) AS n, sum(bytes_on_disk) AS size FROM system.parts "
        "WHERE active AND database = 'botwatch' GROUP BY table ORDER BY size DESC"
    )
    total = sum(int(size) for _, _, size in rows)
    spans = next(int(n) for table, n, _ in rows if table == "spans")
    for table, n, size in rows:
        if int(size) * 100 > total:
            print(f"{table:14} {n:>10,} rows  {int(size) / int(n):7.1f} bytes a row")
    print(
        f"all            {total / spans:.0f} bytes on disk for each span of realistic traffic, rollups and logs included"
    )
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="botwatch-bench-") as folder:
        times = [first_answer_s(Path(folder)) for _ in range(arguments.runs + 1)][1:]
    for what, values in (("first answer", [t[0] for t in times]), ("ready", [t[1] for t in times])):
        print(
            f"{what:14} {percentile(values, 0.5):.2f} s (min {min(values):.2f}, max {max(values):.2f}, {len(values)} runs, warm)"
        )
    with server() as running:
        time.sleep(10)
        memory = running.memory()
        print(f"idle memory    {memory.anonymous_mib:.0f} MiB anonymous, {memory.resident_mib:.0f} MiB resident")
    with tempfile.TemporaryDirectory(prefix="botwatch-bench-") as folder:
        child = multiprocessing.get_context("spawn").Process(target=write_day, args=(folder,))
        child.start()
        child.join()


if __name__ == "__main__":
    main()
