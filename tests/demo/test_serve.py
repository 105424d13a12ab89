"""The demo as people start it: a process with a server, a past and bots, until Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from botwatch.demo.backends import VERSIONS
from botwatch.demo.machines import MACHINES
from botwatch.demo.serve import _url, _welcome
from botwatch.demo.stories import stories
from botwatch.settings import Settings
from tests.demo.conftest import NOW_NS, SETTINGS
from tests.real.parts import zone_at_noon

_PROGRAM = """
import sys
from pathlib import Path
from botwatch import demo
from botwatch.settings import Settings
settings = Settings(data=Path(sys.argv[1]), port=0, otlp_port=0, grpc_port=0, time_zone=sys.argv[2])
sys.exit(demo.run(settings, rate=120))
"""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tmp_path / "data"), zone_at_noon()],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        process.kill()


def welcome(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            return "".join(lines)
    pytest.fail(f"the demo ended: {lines}")


def rises(ask: Callable[[], int], above: int, within_s: float = 90.0) -> bool:
    until_s = time.monotonic() + within_s
    while ask() <= above:
        if time.monotonic() > until_s:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.timeout(400)
def test_it_answers_with_numbers_that_move_and_ends_clean(demo: subprocess.Popen[str]) -> None:
    told = welcome(demo)
    found = re.search(r"curl -H 'Authorization: (Bearer \S+)' (http://127\.0\.0\.1:\d+)(/\S+)", told)
    assert found, told
    with httpx.Client(base_url=found[2], headers={"authorization": found[1]}, timeout=60.0, trust_env=False) as client:
        status = client.get(found[3])
        assert status.status_code == 200, status.text
        assert status.json()["messages"]["avg_response_ms"] > 0

        def measured() -> int:
            """Lately: what is told of the day before is too old for it where writing that took a minute."""
            hosts = {host["name"] for host in client.get("/api/hosts").json()["items"] if host["measured"]}
            return len(hosts & {machine.host for machine in MACHINES})

        assert rises(measured, len(MACHINES) - 1), "not every machine is told of"
        assert "" not in {bot["name"] for bot in client.get("/api/bots").json()["items"]}

        def received() -> int:
            return int(client.get("/api/intake").json()["logs"]["received"])

        assert rises(received, received()), "nobody talks"

        def running() -> int:
            return int(client.get("/api/services").json()["running"])

        assert rises(running, len(VERSIONS)), "not every service, and this server, was asked and found running"
        assert client.get("/sign-in", params={"code": re.findall(r"code=(\S+)", told)[0]}).status_code < 400
    family = psutil.Process(demo.pid).children(recursive=True)
    assert len(family) == 8
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("::1", "http://[::1]:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("bots.example.com", "http://bots.example.com:1"),
    ],
)
def test_the_bots_find_the_server(host: str, expected: str) -> None:
    assert _url(host, 1) == expected


def test_the_welcome_says_when_what_happened_in_local_time() -> None:
    settings = Settings(time_zone="Europe/Zurich", data=Path("botwatch-demo"))
    told = _welcome(settings, "http://127.0.0.1:8600", "http://127.0.0.1:8600/sign-in?code=x", stories(NOW_NS, "UTC"))
    assert "Wed 16:53  orders: for an hour carrier-api was twenty times slower" in told
    assert "It is kept in botwatch-demo. Ctrl-C ends it." in told


def test_without_a_past_the_welcome_names_none() -> None:
    assert "What there is to find" not in _welcome(SETTINGS, "http://127.0.0.1:8600", "", ())
