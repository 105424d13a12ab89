"""The whole way with a real server: set up by the command line, tried, drilled, and told to a receiver on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from botwatch.clock import SystemClock
from botwatch.detect import rows
from botwatch.detect.book import RuleBook
from botwatch.errors import BadRequest, Conflict
from botwatch.notify.drill import Drill
from botwatch.notify.told import DRILL_LABELS, DRILL_RULE
from botwatch.state import Access
from tests.fault.harness import TOKEN, Botwatch, running
from tests.notify.house import House, opened
from tests.notify.receiver import Receiver, Reply


class Sink:
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.got.append((self.path, json.loads(body)))
                self.send_response(404 if self.path == "/broken" else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """A test's output is not the place for it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Botwatch]:
    folder = tmp_path_factory.mktemp("drill")
    with running(folder, BOTWATCH_NOTIFY_NETWORKS="127.0.0.0/8", BOTWATCH_INGEST_AUTH="true") as made:
        yield made


def botwatch(server: Botwatch, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "BOTWATCH_URL": f"http://127.0.0.1:{server.web}", "BOTWATCH_TOKEN": TOKEN}
    command = [sys.executable, "-m", "botwatch", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False, timeout=250)


def test_a_channel_is_set_up_and_tried_from_the_command_line(server: Botwatch, sink: Sink, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n", encoding="utf-8")
    assert (
        botwatch(server, "channel", "add", "ops", "webhook", f"url={sink.url}/ops", f"secret=@{secret}").returncode == 0
    )
    done = botwatch(server, "channel", "test", "ops")
    assert (done.returncode, "taken after" in done.stdout) == (0, True), done.stderr
    assert sink.got[-1][1]["title"] == "[TEST] Botwatch can reach the channel ops"
    botwatch(server, "channel", "add", "broken", "webhook", f"url={sink.url}/broken")
    done = botwatch(server, "channel", "test", "broken")
    assert done.returncode == 1
    assert "not taken" in done.stdout
    assert "answered 404" in done.stdout
    listed = botwatch(server, "channel", "list").stdout
    assert "s3cret" not in listed
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [["broken", "webhook"], ["ops", "webhook"]]


def test_a_silence_is_kept_from_the_command_line(server: Botwatch) -> None:
    window = ("--window", "22:00-06:00", "--days", "sat,sun", "--zone", "Europe/Zurich")
    assert botwatch(server, "silence", "add", "bot=shop", *window).returncode == 0
    assert "22:00-06:00 sat,sun Europe/Zurich" in botwatch(server, "silence", "list").stdout
    assert "a silence ends" in botwatch(server, "silence", "add", "bot=shop").stderr


@pytest.mark.timeout(400)
def test_a_drill_goes_the_whole_way_and_changes_no_figure_of_anybody(server: Botwatch, sink: Sink) -> None:
    hooks = server.folder / "data" / "hooks" / "on_incident_status_changed"
    hooks.mkdir(parents=True)
    (hooks / "keep.py").write_text(
        "import pathlib\n"
        "def on_incident_status_changed(incident):\n"
        "    with open(pathlib.Path(__file__).with_suffix('.log'), 'a') as log:\n"
        "        print('closed' if 'endTime' in incident else 'opened', incident['ruleName'], file=log)\n",
        encoding="utf-8",
    )
    before = {bot["name"] for bot in server.get("/api/bots")["items"]}
    done = botwatch(server, "drill", "--channel", "ops")
    assert done.returncode == 0, done.stderr + done.stdout
    legs = [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert legs == ["received", "stored", "opened", "told", "confirmed", "resolved", "end confirmed"]
    told = [body for path, body in sink.got if path == "/ops" and body["purpose"] == "incident"]
    assert [body["title"] for body in told] == [
        "[DRILL] CRITICAL Botwatch drill on drill synthetic",
        "[DRILL] resolved: Botwatch drill on drill synthetic",
    ]
    assert all(body["incidents"][0]["drill"] for body in told)
    assert {bot["name"] for bot in server.get("/api/bots")["items"]} == before
    rules = {rule["rule"]["name"] for rule in server.get("/api/rules?limit=500")["items"]}
    assert "Botwatch drill" not in rules, "its rule is there only as long as it lasts"
    assert not [key for key in server.get("/api/keys")["items"] if key["label"].startswith("drill")]
    until_s, log = time.monotonic() + 60, hooks / "keep.log"
    while not log.exists() or log.read_text().count("\n") < 2:  # a drill waits for channels, and not for programs
        assert time.monotonic() < until_s, "the hook was not run twice"
        time.sleep(0.05)
    assert log.read_text().splitlines() == ["opened Botwatch drill", "closed Botwatch drill"]


class Judge:
    """In place of the store and the rules: opens an incident of the drill when its rule is there, and ends it."""

    def __init__(self, house: House, clock: SystemClock) -> None:
        self.house = house
        self.clock = clock

    def stored_through_ns(self, now_ns: int) -> int:
        return now_ns

    async def run(self) -> None:
        while not self.house.database.read_now(lambda session: rows.find(session, DRILL_RULE)):
            await asyncio.sleep(0.02)
        rule = self.house.database.read_now(lambda session: rows.find(session, DRILL_RULE))
        assert rule is not None
        now_ns = self.clock.now_ns()
        self.house.database.write_now(lambda s: opened(s, now_ns, rule.rule, labels=DRILL_LABELS, value=1.0))
        self.house.notifier.hint()


@pytest.fixture
async def drilled(house: House, receiver: Receiver) -> AsyncIterator[Drill]:
    """A drill whose receiver of telemetry is only a receiver."""
    clock = SystemClock()
    house.notifier._clock = clock
    known = RuleBook(house.database, house.notifier._hooks, lambda session: ["ops"], defaults=())
    known.reload()
    access = Access(house.database, clock)
    judge = Judge(house, clock)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(house.notifier.run(stop)), asyncio.create_task(judge.run())]
    yield Drill(house.database, access, known, judge, clock, url=receiver.url, needs_key=False)
    stop.set()
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await access.close()


async def test_a_drill_says_which_channel_did_not_take_it(house: House, drilled: Drill, receiver: Receiver) -> None:
    house.channel("ops", "webhook", url=f"{receiver.url}/ops")
    receiver.answer = lambda got: Reply(404, b"gone") if got.path == "/ops" else Reply()
    report = await drilled.run(("ops",))
    assert report.problem == "the channel ops does not take it: answered 404: gone"
    assert [leg.name for leg in report.legs] == ["received", "stored", "opened", "told"]
    assert house.database.read_now(lambda session: rows.find(session, DRILL_RULE)) is None


async def test_a_drill_says_that_nobody_is_told_and_why(house: House, drilled: Drill) -> None:
    assert (await drilled.run()).problem == "nobody is told: no channel"


async def test_a_drill_says_that_the_receiver_did_not_take_it(drilled: Drill, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(503)
    assert (await drilled.run()).problem == "the receiver answered 503"


async def test_a_drill_that_does_not_come_back_says_how_far_it_came(
    house: House, drilled: Drill, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botwatch.limits.DRILL_S_MAX", 3)
    house.channel("ops", "webhook", url=f"{receiver.url}/ops")
    report = await drilled.run(("ops",))
    names = [leg.name for leg in report.legs]  # nothing ends the incident; how far it comes is the machine's to say
    assert names == ["received", "stored", "opened", "told", "confirmed"][: len(names)]
    assert report.problem == f"it did not come further than {names[-1] if names else 'its beginning'} in 3 s"


async def test_there_is_one_drill_at_a_time_and_through_channels_that_are_there(
    house: House, drilled: Drill, receiver: Receiver
) -> None:
    first = asyncio.create_task(drilled.run())
    await asyncio.sleep(0)
    with pytest.raises(Conflict, match="going on"):
        await drilled.run()
    await first
    with pytest.raises(BadRequest, match="There is no channel 'gone'"):
        await drilled.run(("gone",))
