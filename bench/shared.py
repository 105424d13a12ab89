"""What every bench needs: the machine in words, a server of its own, and percentiles."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKEN = "bench-" + "0123456789abcdef" * 3


def print_machine() -> None:
    """The first lines of every bench."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = model[1] if model else platform.machine()
    print(f"machine   {name}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}")
    names = ("chdb-core", "clickhouse-connect", "protobuf", "grpcio", "uvicorn", "uvloop")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    print(
        f"versions  Python {platform.python_version()}, botwatch {importlib.metadata.version('botwatch')}, {versions}"
    )


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] if ordered else float("nan")


@dataclass
class Memory:
    anonymous_mib: float
    resident_mib: float


@dataclass
class Running:
    """A `botwatch serve` of this bench."""

    process: subprocess.Popen[bytes]
    web: int
    otlp: int
    grpc: int
    data: Path

    def get(self, path: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web}{path}", headers={"authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def memory(self) -> Memory:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = {name: int(kib) / 1024 for name, kib in re.findall(r"(RssAnon|VmRSS):\s+(\d+) kB", status)}
        return Memory(found["RssAnon"], found["VmRSS"])

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_idle(self, timeout_s: float = 240) -> None:
        """Until it has caught up with what it found: less than a third of a core over three seconds."""
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            before_s = self.cpu_s()
            time.sleep(3)
            if self.cpu_s() - before_s < 1:
                return

    def stop(self) -> float:
        """End it as an operator would; the seconds it took."""
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)
        return time.monotonic() - began_s


@contextlib.contextmanager
def server(data: Path | None = None, environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start the product as a process and wait until it is ready."""
    with tempfile.TemporaryDirectory(prefix="botwatch-bench-") as folder:
        home = data or Path(folder)
        web, otlp, grpc = free_port(), free_port(), free_port()
        with (Path(folder) / "server.log").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "botwatch", "serve", "--data", str(home)]
                + ["--port", str(web), "--otlp-port", str(otlp), "--grpc-port", str(grpc)],
                env={**os.environ, "BOTWATCH_ADMIN_TOKEN": TOKEN, **(environ or {})},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            running = Running(process, web, otlp, grpc, home)
            try:
                wait_ready(running)
                yield running
            finally:
                if process.poll() is None:
                    running.stop()


def wait_ready(running: Running, timeout_s: float = 120) -> None:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if running.process.poll() is not None:
            raise SystemExit(f"the server ended with {running.process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{running.web}/readyz", timeout=5)
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"the server was not ready within {timeout_s:.0f} s")
