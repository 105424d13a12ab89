"""`botwatch doctor` on a bot's machine, against a real server that asks for a key."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from botwatch.cli.examine import Report, examine, text_of
from botwatch.clock import SECOND_NS, Clock, ManualClock, SystemClock
from botwatch.errors import SettingError
from tests.fault.harness import TOKEN, Botwatch, running
from tests.real.parts import free_port
from tests.sdk.sink import until

CLOCK = SystemClock()
AWAY_NS = 500 * SECOND_NS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Botwatch]:
    with running(tmp_path_factory.mktemp("doctor"), BOTWATCH_INGEST_AUTH="true", BOTWATCH_WATCH_HOST="false") as server:
        yield server


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botwatch.cli.examine._WAIT_S", 60)


def web(server: Botwatch) -> str:
    return f"http://127.0.0.1:{server.web}"


def looked(server: Botwatch, token: str = TOKEN, clock: Clock = CLOCK, **environ: str) -> Report:
    return examine(web(server), token, environ, clock)


def levels(report: Report) -> dict[str, str]:
    return {line.about: line.level for line in report.lines}


def only(report: Report, about: str) -> str:
    (line,) = (line for line in report.lines if line.about == about)
    return f"{line.found} → {line.remedy}"


def key(server: Botwatch) -> str:
    answer = httpx.post(
        f"{web(server)}/api/keys", json={"label": "bot"}, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30
    )
    assert answer.is_success, answer.text
    return str(answer.json()["secret"])


def test_a_server_nobody_ever_sent_to(server: Botwatch) -> None:
    report = looked(server)
    assert levels(report)["server"] == levels(report)["clock"] == "fine"
    assert any("No bot has ever sent anything here" in line for line in text_of(report))
    assert any("ingest key here, and there is none" in line for line in text_of(report))
    assert report.failed


def test_the_wrong_ports(server: Botwatch) -> None:
    nobody = looked(server, BOTWATCH_URL=f"http://127.0.0.1:{free_port()}")
    assert "where nobody answers" in only(nobody, "sending")
    assert f"set BOTWATCH_URL to http://127.0.0.1:{server.otlp}" in only(nobody, "sending")
    grpc = looked(server, BOTWATCH_URL=f"http://127.0.0.1:{server.grpc}")
    assert "it may be the port of gRPC" in only(grpc, "sending")


def test_another_program_on_the_port(server: Botwatch) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        report = looked(server, BOTWATCH_URL=f"http://127.0.0.1:{other.server_port}")
        there = examine(f"http://127.0.0.1:{other.server_port}", TOKEN, {}, CLOCK)
        other.shutdown()
    assert "something answers that is not Botwatch" in only(report, "sending")
    assert "not as a Botwatch server" in only(there, "server")


def test_no_key_a_wrong_key_and_the_right_one(server: Botwatch) -> None:
    target = f"http://127.0.0.1:{server.otlp}"
    assert "there is no ingest key in BOTWATCH_KEY" in only(looked(server, BOTWATCH_URL=target), "key")
    wrong = looked(server, BOTWATCH_URL=target, BOTWATCH_KEY="bw_key_wrong")
    assert "not known, or revoked" in only(wrong, "key")
    assert "bw_key_wrong" not in "\n".join(text_of(wrong))
    right = looked(server, BOTWATCH_URL=target, BOTWATCH_KEY=key(server))
    assert "and is let in" in only(right, "sending")

    def told() -> bool:
        """Its answer is kept for a moment."""
        return any("turned away since the start" in line.found for line in looked(server).lines)

    assert until(told), "the server saw them, too"


def test_a_clock_that_is_wrong(server: Botwatch) -> None:
    assert "seconds ahead of the server's" in only(looked(server, clock=ManualClock(time.time_ns() + AWAY_NS)), "clock")
    assert "seconds behind the server's" in only(looked(server, clock=ManualClock(time.time_ns() - AWAY_NS)), "clock")


def test_a_server_that_is_slow_to_answer_has_no_other_clock() -> None:
    clock = ManualClock(1_800_000_000 * SECOND_NS)

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            clock.advance(40)
            self.send_response(200)
            clock.advance(40)
            self.end_headers()
            self.wfile.write(b'{"alive": true}')

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(clock.now_ns() / SECOND_NS, usegmt=True)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Slow) as slow:
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        report = examine(f"http://127.0.0.1:{slow.server_port}", "", {}, clock)
        slow.shutdown()
    assert levels(report)["clock"] == "fine"


def test_without_a_token_it_says_what_it_could_not_look_at(server: Botwatch) -> None:
    assert levels(looked(server, token=""))["diagnosis"] == "not looked"
    assert levels(looked(server, token="bw_api_wrong"))["diagnosis"] == "not looked"


def test_the_web_is_found_beside_where_bots_send_to(server: Botwatch) -> None:
    found = examine("", TOKEN, {"BOTWATCH_URL": web(server)}, CLOCK)
    assert levels(found)["server"] == "fine"


def test_the_port_that_only_takes_what_bots_send(server: Botwatch) -> None:
    there = examine(f"http://127.0.0.1:{server.otlp}", TOKEN, {}, CLOCK)
    assert "name the web port with --url" in only(there, "server")


@pytest.mark.parametrize("url", ["ftp://x", "nowhere", "http://", "http://x:99999"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SettingError, match="--url"):
        examine(url, "", {}, CLOCK)


def test_a_port_that_accepts_and_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def hang_up() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        report = examine(f"http://127.0.0.1:{port}", "", {"BOTWATCH_URL": f"http://127.0.0.1:{port}"}, CLOCK)
    assert levels(report) == {"server": "problem", "sending": "problem"}


def test_the_command_tells_programs_too_and_its_exit_code(server: Botwatch) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("BOTWATCH_", "OTEL_"))}
    ran = subprocess.run(
        [sys.executable, "-m", "botwatch", "doctor", "--url", web(server), "--json"],
        env=environ | {"BOTWATCH_TOKEN": TOKEN, "BOTWATCH_URL": f"http://127.0.0.1:{free_port()}"},
        capture_output=True,
        check=False,
        text=True,
        timeout=110,
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    told = json.loads(ran.stdout)
    assert {line["about"] for line in told["lines"]} >= {"server", "clock", "sending", "no data"}
    assert {topic["topic"] for topic in told["diagnosis"]["topics"]} >= {"no_data", "unknown_users", "high_cpu"}
