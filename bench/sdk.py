"""What recording costs a bot: one action and one turn of botwatch-sdk beside a bare OpenTelemetry span.

    python bench/sdk.py

Each is measured in a fresh process against an OTLP sink that this script starts on loopback: the wall time a call
takes from the bot, and the CPU time of the whole process per call, encoding and sending included. Everything that
was recorded must have arrived, else the figure is void.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

BURST = 500  # fewer than a batch, so that no export begins in the middle of a measured burst
BURST_OF_TURNS = 250  # a turn with a reply is two log records
BURSTS = 60
WARM_BURSTS = 4
REPEATS = 5
TARGET_RATIO = 1.3
NAMES = {
    "bare": "OpenTelemetry span",
    "action": "action",
    "action_in_session": "action in a session",
    "turn": "turn with one reply",
}
PACKAGES = ("botwatch-sdk", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "protobuf", "requests")


@dataclass(frozen=True)
class Figure:
    """Microseconds a call."""

    wall_us: float
    cpu_us: float


# --- the sink, in a process of its own


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received: ClassVar = {"spans": 0, "logs": 0}

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/traces":
            traces = ExportTraceServiceRequest.FromString(body)
            self.received["spans"] += sum(len(s.spans) for r in traces.resource_spans for s in r.scope_spans)
        elif self.path == "/v1/logs":
            logs = ExportLogsServiceRequest.FromString(body)
            self.received["logs"] += sum(len(s.log_records) for r in logs.resource_logs for s in r.scope_logs)
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(json.dumps(self.received).encode())
        self.received.update(spans=0, logs=0)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_port, flush=True)
    server.serve_forever()


# --- one subject, in a process of its own


def subject_bare(url: str) -> tuple[Callable[[], None], Callable[[], None]]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    tracer = provider.get_tracer("bench")

    def call() -> None:
        with tracer.start_as_current_span("send_confirmation"):
            pass

    return call, lambda: _must(provider.force_flush())


def subject_action(url: str) -> tuple[Callable[[], None], Callable[[], None]]:
    import botwatch_sdk as bot

    bot.init("bench", url=url)

    @bot.action
    def send_confirmation() -> None:
        pass

    return send_confirmation, _flush


def subject_action_in_session(url: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """Three attributes more: session, user and channel."""
    import botwatch_sdk as bot

    call, flush = subject_action(url)
    bot.session("4711", user="7", channel="web").__enter__()
    return call, flush


def subject_turn(url: str) -> tuple[Callable[[], None], Callable[[], None]]:
    import botwatch_sdk as bot

    bot.init("bench", url=url)

    def call() -> None:
        with bot.turn("where is my parcel?", session="4711", user="7", channel="web") as turn:
            turn.reply("it arrives today")

    return call, _flush


def _flush() -> None:
    from botwatch_sdk import _live

    runtime = _live.runtime
    _must(runtime is not None and runtime.spans.flush(10) and runtime.logs.flush(10))


def _must(taken: bool) -> None:
    if not taken:
        raise SystemExit("the sink did not take all of it: the figure would be void")


MAKERS = {
    "bare": subject_bare,
    "action": subject_action,
    "action_in_session": subject_action_in_session,
    "turn": subject_turn,
}


def measure(subject: str, url: str) -> Figure:
    call, flush = MAKERS[subject](url)
    calls = burst_of(subject)
    for _ in range(WARM_BURSTS):
        _burst(call, calls)
        flush()
    cpu_s = time.process_time()
    walls = []
    for _ in range(BURSTS):
        walls.append(_burst(call, calls))
        flush()
    cpu_s = time.process_time() - cpu_s
    return Figure(statistics.median(walls) / calls * 1e6, cpu_s / (BURSTS * calls) * 1e6)


def burst_of(subject: str) -> int:
    return BURST_OF_TURNS if subject == "turn" else BURST


def _burst(call: Callable[[], None], calls: int) -> float:
    began_s = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - began_s


# --- the whole


def run() -> int:
    sink = subprocess.Popen([sys.executable, __file__, "--sink"], stdout=subprocess.PIPE, text=True)
    try:
        assert sink.stdout is not None
        url = f"http://127.0.0.1:{int(sink.stdout.readline())}"
        # Interleaved, so that a slower minute of the machine falls on all of them.
        runs = [{subject: _apart(subject, url) for subject in NAMES} for _ in range(REPEATS)]
    finally:
        sink.terminate()
        sink.wait()
    best = {
        subject: Figure(
            statistics.median(run[subject].wall_us for run in runs),
            statistics.median(run[subject].cpu_us for run in runs),
        )
        for subject in NAMES
    }
    return report(best)


def _apart(subject: str, url: str) -> Figure:
    import httpx

    ran = subprocess.run(
        [sys.executable, __file__, "--measure", subject, "--url", url], capture_output=True, text=True, check=True
    )
    arrived = httpx.get(url).json()
    calls = (BURSTS + WARM_BURSTS) * burst_of(subject)
    expected = {"spans": calls, "logs": 2 * calls if subject == "turn" else 0}
    if arrived != expected:
        raise SystemExit(f"{subject}: expected {expected} to arrive, found {arrived}: the figure is void")
    return Figure(**json.loads(ran.stdout))


def report(found: dict[str, Figure]) -> int:
    bare = found["bare"]
    print(f"{'':24}{'call µs':>10}{'ratio':>8}{'CPU µs':>10}{'ratio':>8}")
    for subject, figure in found.items():
        print(
            f"{NAMES[subject]:24}{figure.wall_us:10.1f}{figure.wall_us / bare.wall_us:8.2f}"
            f"{figure.cpu_us:10.1f}{figure.cpu_us / bare.cpu_us:8.2f}"
        )
    print("\nCPU includes encoding and sending.")
    print(f"Medians of {REPEATS} processes of {BURSTS} bursts of {BURST} calls ({BURST_OF_TURNS} turns).")
    print(
        f"{_machine()}; Python {platform.python_version()}; {', '.join(f'{name} {version(name)}' for name in PACKAGES)}"
    )
    worst = max(found["action"].wall_us / bare.wall_us, found["action"].cpu_us / bare.cpu_us)
    held = worst <= TARGET_RATIO
    print(f"An action at most {TARGET_RATIO} × the bare span: {'held' if held else 'MISSED'} ({worst:.2f})")
    return 0 if held else 1


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sink", action="store_true", help=argparse.SUPPRESS)
    arguments.add_argument("--measure", choices=tuple(NAMES), help=argparse.SUPPRESS)
    arguments.add_argument("--url", default="", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.sink:
        serve()
        return 0
    if given.measure:
        print(json.dumps(asdict(measure(given.measure, given.url))))
        return 0
    return run()


if __name__ == "__main__":
    sys.exit(main())
