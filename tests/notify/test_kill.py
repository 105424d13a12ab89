"""Killed at every step between change and receipt: told at least once, twice at most, and then under one key."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from botwatch.clock import SystemClock
from botwatch.incident.steps import Step
from botwatch.notify import book
from botwatch.notify.book import Base
from botwatch.settings import Settings
from botwatch.state import open_database
from tests.notify.house import changed, opened
from tests.notify.killed import STEPS
from tests.notify.receiver import Receiver


class Runner:
    """Starts a notifier in a process of its own, as often as asked."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.notify.killed"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    async def run(self, data: Path, step: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{data}\t{step}\n")
        self.process.stdin.flush()
        return int(await asyncio.to_thread(self.process.stdout.readline))


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.process.communicate()
    assert made.process.returncode == 0


@pytest.mark.parametrize("step", [step for step in STEPS if step != "none"])
async def test_killed_and_started_again_it_tells_what_it_has_to_tell(
    tmp_path: Path, receiver: Receiver, runner: Runner, step: str
) -> None:
    settings, now_ns = Settings(data=tmp_path), SystemClock().now_ns()
    database = open_database(settings)
    base = Base.of(settings)
    given = ("ops", "webhook", {"url": receiver.url}, True)
    database.write_now(lambda session: book.put_channel(session, now_ns, "ann", base, given))
    incident = database.write_now(lambda session: opened(session, now_ns))
    assert await runner.run(tmp_path, step) == -signal.SIGKILL
    database.write_now(lambda session: changed(session, incident, Step.RESOLVED, now_ns))
    assert await runner.run(tmp_path, "none") == 0
    database.close()
    told: dict[str, list[list[str]]] = {}
    for got in receiver.got:
        assert got.headers["idempotency-key"] == got.json["id"]
        told.setdefault(got.json["id"], []).append([got.json["incidents"][0]["step"], got.json["text"]])
    for sent in told.values():
        assert len(sent) <= 2, "one crash, one double at most"
        assert all(each == sent[0] for each in sent), "the same key says the same"
    doubles = sum(len(sent) - 1 for sent in told.values())
    assert doubles <= 1
    last = receiver.got[-1].json
    assert last["incidents"][0]["step"] == "resolved"
    everything = "".join(text for sent in told.values() for _, text in sent)
    assert "opened" in everything or "CRITICAL" in everything
