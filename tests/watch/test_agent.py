"""The agent as its users run it: a process of its own, beside a server that comes and goes."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.clock import SystemClock
from botwatch.settings import Settings
from botwatch.watch.agent import Agent
from botwatch.watch.host.host import Host
from botwatch.watch.reading import Attributes, Happening, Reading
from tests.fault.harness import Botwatch
from tests.real.parts import START_S, Process, free_port

HEAVY = (
    "chdb",
    "pandas",
    "numpy",
    "fastapi",
    "starlette",
    "sqlalchemy",
    "clickhouse_connect",
    "grpc",
    "uvicorn",
    "httpx",
)


def agent(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", "botwatch", "agent", *arguments]


class Heard:
    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.looks = 0
        self.enough = threading.Event()

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        if any(reading.name == "system.uptime" for reading in readings):
            self.looks += 1
        if self.looks == 5:
            self.enough.set()
        if self.looks <= self.fails:
            raise RuntimeError("no")


def test_it_looks_again_and_again_whatever_happens(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AGENT_STOP_S_MAX", 60)  # a look on a busy machine may take longer than an end does
    heard = Heard(fails=2)
    clock = SystemClock()
    looking = Agent(Host.of(Settings(), clock), heard, clock, every_s=0.05)
    looking.start()
    assert looking.looked.wait(60)
    assert heard.enough.wait(60)
    looking.stop()
    looks = heard.looks
    assert len([message for message in caplog.messages if "could not be looked at" in message]) == 2
    assert not looking._thread.is_alive()
    assert heard.looks == looks


def test_once_prints_what_it_sees_and_why_it_does_not() -> None:
    done = subprocess.run(
        agent("--once", "--host-name", "web-1", "--watch-processes", "shop=/no/such/bot.py"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("web-1:\n")
    for name in ("system.cpu.utilization", "system.memory.usage", "system.filesystem.utilization", "process=shop"):
        assert name in done.stdout
    assert "hw.gpu.utilization" in done.stdout or "gpu is unknown: " in done.stdout
    assert "No process of a bot is watched" in done.stdout


def test_a_setting_that_is_wrong_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        agent("--url", "bots.example.com", "--data", tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("botwatch: url: expected the address of a server")
    assert done.stderr.count("\n") == 1


def test_it_is_light(tmp_path: Path) -> None:
    """Nothing of the server's is loaded, by the command line included."""
    script = (
        "import sys\nfrom botwatch.cli.agent import process, run\n"
        "process.notify = lambda state: sys.exit(f'loaded: {sorted(set(sys.modules) & set(sys.argv[1:]))}')\n"
        "from botwatch.settings import load\nrun(load({'data': sys.argv[1]}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), *HEAVY],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "loaded: []\n" in done.stderr


def test_its_supervisor_is_told_and_sigterm_ends_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(60)
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "BOTWATCH_KEY": "bwk-secret"}
        url = f"http://127.0.0.1:{free_port()}"
        with Process(agent("--url", url, "--data", tmp_path), tmp_path / "agent.log", env=env) as process:
            assert supervisor.recv(100) == b"READY=1"
            assert process.stop() == 0
            assert supervisor.recv(100) == b"STOPPING=1"
            assert "bwk-secret" not in process.output()


def test_two_agents_on_one_folder_are_refused(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Process(agent("--url", url, "--data", tmp_path), tmp_path / "first.log") as first:
        first.wait_for_line("watching this machine")
        done = subprocess.run(
            agent("--url", url, "--data", tmp_path), capture_output=True, text=True, check=False, timeout=100
        )
    assert done.returncode == 1
    assert "another agent has it open" in done.stderr


def wait_for_a_look_after(server: Botwatch, at_s: float) -> None:
    """The oldest is sent first: whoever has taken this one has taken all before it."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        (host,) = server.get("/api/hosts")["items"]
        if datetime.fromisoformat(host["last_seen"]).timestamp() > at_s:
            return
        time.sleep(0.1)
    raise AssertionError(host)


@pytest.mark.timeout(400)
def test_readings_come_once_through_deaths_of_the_server_and_of_the_agent(tmp_path: Path) -> None:
    server = Botwatch(tmp_path)
    start = agent("--url", f"http://127.0.0.1:{server.web}", "--data", tmp_path / "agent", "--host-name", "web-1")
    with Process(start, tmp_path / "agent-1.log") as first:  # before there is a server
        first.wait_for_line("cannot be reached")
        first.kill()
    with Process(start, tmp_path / "agent-2.log") as second:
        second.wait_for_line("cannot be reached")
        try:
            server.start()
            second.wait_for_line("takes what is sent again")
            server.wait_drained()
            assert server.process is not None
            server.process.kill()
            second.wait_for_line(r"cannot be reached(?s:.*)cannot be reached")
            server.start()
            second.wait_for_line(r"takes what is sent again(?s:.*)takes what is sent again")
            wait_for_a_look_after(server, time.time())  # and so what waited: at its end it has little time
            assert second.stop() == 0
            counts = server.wait_drained()
            server.stop()
        finally:
            if server.process is not None and server.process.alive:
                server.process.kill()
    assert '"waiting": 0' in second.output().splitlines()[-1]
    ((looks, times),), ((points, different),), bots = server.ask(
        "SELECT count(), uniqExact(at) FROM points WHERE metric = 'system.uptime' AND host = 'web-1'",
        "SELECT count(), uniqExact(series, at) FROM points WHERE host = 'web-1'",
        "SELECT DISTINCT bot FROM points WHERE host = 'web-1'",
    )
    assert looks == times >= 3, "one from each agent, and one from while the server was dead"
    assert points == different, "nothing twice"
    assert bots == [("",)]
    assert counts["points"]["received"] == counts["points"]["stored"] + counts["points"]["duplicate"]
