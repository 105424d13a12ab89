"""The agent's way to the server: what is kept while it is away, what is sent again, and what never is."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.clock import SystemClock
from botwatch.errors import SettingError, SpoolError
from botwatch.watch.buffer import Buffer
from botwatch.watch.post import HttpPost, Verdict
from botwatch.watch.reading import Happening, Reading
from botwatch.watch.ship import RemoteReporter
from tests.real.parts import free_port
from tests.watch.answering import Answering, Reply, partly

HOST = {"host.name": "web-1"}
KEY = "bwk-a-key-nobody-may-read"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once, and gives a busy machine the time to answer: else it would send what was taken again."""
    monkeypatch.setattr(limits, "AGENT_SEND_S_MAX", 60)
    monkeypatch.setattr(limits, "AGENT_RETRY_S_MIN", 0.02)
    monkeypatch.setattr(limits, "AGENT_RETRY_S_MAX", 0.05)


@contextmanager
def reporting(url: str, folder: Path) -> Iterator[RemoteReporter]:
    reporter = RemoteReporter(HttpPost(url, KEY), folder / "agent.db", "web-1", SystemClock())
    try:
        yield reporter
    finally:
        reporter.close()


def tell(reporter: RemoteReporter, n: float) -> None:
    reporter.report(HOST, [Reading("n", n, "1")])


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end_s = time.monotonic() + seconds
    while not holds() and time.monotonic() < end_s:
        time.sleep(0.005)
    assert holds()


def values(server: Answering) -> list[float]:
    return [value for request in server.requests if request.path == "/v1/metrics" for value in request.values()]


def test_readings_and_happenings_come_with_the_key_and_compressed(tmp_path: Path) -> None:
    with Answering() as server, reporting(server.url, tmp_path) as reporter:
        reporter.report(HOST, [Reading("n", 1, "1")], [Happening("e", "text")])
        until(lambda: len(server.requests) == 2 and reporter.backlog == 0)
    assert sorted(request.path for request in server.requests) == ["/v1/logs", "/v1/metrics"]
    for request in server.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.headers["content-encoding"] == "gzip"
        assert b"web-1" in request.body


def test_while_the_server_is_away_everything_is_kept_and_comes_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AGENT_STOP_S_MAX", 60)
    away = f"http://127.0.0.1:{free_port()}"
    with reporting(away, tmp_path) as reporter:
        for n in range(3):
            tell(reporter, n)
            until(lambda n=n: reporter.backlog == n + 1)  # type: ignore[misc]
    with Answering() as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 3)
        until(lambda: values(server) == [0, 1, 2, 3] and reporter.backlog == 0)
    assert reporter.dropped == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, headers={"retry-after": "0"}),
        Reply(429),
        Reply(502),
        Reply(500),
        Reply(hangs_up=True),
        Reply(302, headers={"location": "http://127.0.0.1:1/"}),
        Reply(429, headers={"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}),
    ],
)
def test_what_was_not_taken_is_sent_again_with_the_same_bytes(tmp_path: Path, reply: Reply) -> None:
    with Answering(reply, reply) as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 1)
        until(lambda: len(server.requests) == 3 and reporter.backlog == 0)
    assert len({request.body for request in server.requests}) == 1
    assert reporter.dropped == 0


def test_a_server_that_asks_for_peace_gets_it(tmp_path: Path) -> None:
    with (
        Answering(Reply(503, headers={"retry-after": "1"})) as server,
        reporting(server.url, tmp_path) as reporter,
    ):
        tell(reporter, 1)
        until(lambda: len(server.requests) == 1)
        tell(reporter, 2)
        until(lambda: len(server.requests) == 3)
        assert server.requests[1].at_s - server.requests[0].at_s > 0.99
        assert values(server) == [1, 1, 2]


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_loses_nothing_and_is_told_without_the_key(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Answering(*[Reply(status, KEY.encode())] * 99) as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 1)
        until(lambda: "does not know the ingest key" in caplog.text)
        assert reporter.backlog == 1
    assert "BOTWATCH_KEY_FILE" in caplog.text
    assert KEY not in caplog.text


def test_what_answers_but_is_not_botwatch_takes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    portal = Reply(200, b"<html>sign in</html>", {"content-type": "text/html"})
    with Answering(*[portal] * 99) as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 1)
        until(lambda: "is not Botwatch" in caplog.text)
        assert reporter.backlog == 1


@pytest.mark.parametrize("status", [400, 413, 415])
def test_what_is_refused_for_good_is_dropped_counted_and_told(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Answering(Reply(status)) as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 1)
        until(lambda: reporter.dropped == 1)
        tell(reporter, 2)
        until(lambda: values(server) == [1, 2] and reporter.backlog == 0)
    assert f"refused a request ({status})" in caplog.text


def test_what_was_taken_in_part_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Answering(partly(1, "their time")) as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 1)
        until(lambda: "taken without 1 items: their time" in caplog.text)
    assert reporter.dropped == 0


def test_a_trouble_is_told_once_and_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "botwatch")
    with Answering(*[Reply(503)] * 4) as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 1)
        until(lambda: reporter.backlog == 0 and len(server.requests) == 5)
        until(lambda: len(caplog.messages) == 2)
    assert caplog.messages == [f"{server.url} answered 503; it is tried again", "the server takes what is sent again"]


def test_the_buffer_is_bounded_and_the_oldest_go(tmp_path: Path) -> None:
    buffer = Buffer.open(tmp_path / "agent.db", bytes_max=30)
    assert [buffer.add("metrics", b"%010d" % n) for n in range(5)] == [0, 0, 0, 1, 1]
    assert (buffer.parcels, buffer.size) == (3, 30)
    oldest = buffer.oldest()
    assert oldest is not None
    assert oldest.body == b"0000000002"
    buffer.done(oldest)
    buffer.close()
    again = Buffer.open(tmp_path / "agent.db", bytes_max=30)
    assert (again.parcels, again.size) == (2, 20)
    again.close()


def test_a_damaged_buffer_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "agent.db"
    file.write_bytes(b"this is no database" * 1_000)
    buffer = Buffer.open(file)
    assert "agent.db.corrupt" in buffer.warning
    buffer.add("metrics", b"x")
    buffer.close()
    assert (tmp_path / "agent.db.corrupt").exists()


def test_two_agents_do_not_share_a_buffer(tmp_path: Path) -> None:
    first = Buffer.open(tmp_path / "agent.db")
    first.add("metrics", b"x")
    with pytest.raises(SpoolError, match="another agent has it open") as refused:
        Buffer.open(tmp_path / "agent.db")
    assert "--data" in str(refused.value.hint)
    first.close()


def test_a_disk_that_takes_nothing_leaves_reports_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = [True]
    add = Buffer.add

    def refusing(self: Buffer, signal: str, body: bytes) -> int:
        if full[0]:
            error = sqlite3.OperationalError("full")
            error.sqlite_errorname, error.sqlite_errorcode = "SQLITE_FULL", sqlite3.SQLITE_FULL
            raise error
        return add(self, signal, body)

    monkeypatch.setattr(Buffer, "add", refusing)
    with Answering() as server, reporting(server.url, tmp_path) as reporter:
        tell(reporter, 1)
        until(lambda: "SQLITE_FULL" in caplog.text)
        full[0] = False
        tell(reporter, 2)
        until(lambda: values(server) == [1, 2])
    assert reporter.dropped == 0


@pytest.mark.parametrize("url", ["", "bots.example.com", "ftp://x", "http://user:pw@x:1", "http://"])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(SettingError, match="url: expected") as refused:
        HttpPost(url, KEY)
    assert "pw" not in str(refused.value)


def test_what_keeps_a_server_from_being_reached_is_named() -> None:
    answer = HttpPost(f"http://127.0.0.1:{free_port()}", KEY).send("metrics", b"")
    assert answer.verdict is Verdict.AGAIN
    assert "Connection refused" in answer.why
    with Answering() as server:
        tls = HttpPost(server.url.replace("http", "https"), KEY).send("metrics", b"")
    assert tls.verdict is Verdict.AGAIN
    assert "SSLError" in tls.why
