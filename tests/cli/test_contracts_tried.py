"""`botwatch rules check --period`: contracts of a file, tried by a running server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command

FILE = """
- {name: Busy, field: cpu.usage, value: 60}
- {name: SLA, kind: contract, options: {when: handoff, then: message human, within: 5m}}
"""
BREACH = {
    "at": "2026-01-01T10:00:00Z",
    "due": "2026-01-01T10:05:00Z",
    "followed": None,
    "bot": "shop",
    "channel": "web",
}
ANSWER: dict[str, Any] = {"kept": 3, "breached": 1, "late": 0, "open": 2, "rate": 75.0}


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, Any, str | None]] = []
        self.answer: tuple[int, Any] = (200, {**ANSWER, "examples": [{**BREACH, "session": "\x1b[31ms1", "id": "s1"}]})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, body, self.headers["authorization"]))
        status, told = self.server.answer
        out = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, format: str, *args: object) -> None:
        """The test looks at what was asked."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("BOTWATCH_TOKEN", "a token")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(command: Command, tmp_path: Path, server: Server) -> Any:
    (tmp_path / "ours.yaml").write_text(FILE)
    port = server.server_address[1]
    return command("rules", "check", "--period", "7d", "--url", f"http://127.0.0.1:{port}", tmp_path / "ours.yaml")


def test_it_tells_what_each_contract_would_have_counted(command: Command, tmp_path: Path, server: Server) -> None:
    done = check(command, tmp_path, server)
    assert done.code == 0, done.err
    assert "SLA: 75.0 % kept; over 7d 3 kept, 1 breached (of them 0 followed late), 2 not due yet." in done.err
    row = next(line for line in done.out.splitlines() if "2026-01-01T10:05:00Z" in line)
    assert "not" in row.split()
    assert "\x1b" not in done.out
    ((path, body, token),) = server.asked  # the other rule is no contract
    assert (path, body["rule"]["name"], body["period"], token) == (
        "/api/contracts/check",
        "SLA",
        "7d",
        "Bearer a token",
    )


def test_where_nothing_had_to_be_followed_no_rate_is_made_up(command: Command, tmp_path: Path, server: Server) -> None:
    server.answer = (200, {"kept": 0, "breached": 0, "late": 0, "open": 0, "rate": None, "examples": []})
    assert "SLA: nothing had to be followed; over 7d 0 kept" in check(command, tmp_path, server).err


def test_what_the_server_refuses_is_told(command: Command, tmp_path: Path, server: Server) -> None:
    server.answer = (422, {"error": {"message": "period: expected at most 31 days", "hint": None}})
    done = check(command, tmp_path, server)
    assert (done.code != 0, "expected at most 31 days" in done.err) == (True, True)
