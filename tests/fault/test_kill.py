"""The process is really killed, at moments nobody chose, while a client keeps sending."""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
from pathlib import Path

import pytest

from botwatch.clock import SystemClock
from botwatch.nouns import Inbox
from botwatch.spool import Spool
from tests.fault.harness import SPANS, Botwatch, Client, check, running, spans
from tests.store.otlp import parcel

# The full number takes minutes; without the gate a sample shows the same faults sooner or later.
KILLS = 100 if os.environ.get("BOTWATCH_REAL") == "require" else 10


@pytest.mark.long
@pytest.mark.timeout(1_500)  # a start takes ten seconds where the machine is busy
async def test_nothing_acknowledged_is_lost_or_counted_twice_by_kill_9(tmp_path: Path) -> None:
    dice = random.Random(8600)
    with running(tmp_path) as server:
        client = Client(server.otlp)
        stop = asyncio.Event()
        sending = asyncio.create_task(client.run(stop))
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0.0, 1.0))
            assert not sending.done(), sending
            await asyncio.to_thread(_kill_and_restart, server)
        stop.set()
        await sending
        counts = await asyncio.to_thread(server.wait_drained)
        for signal in counts.values():
            whole = signal["stored"] + signal["spooled"] + signal["duplicate"] + sum(signal["rejected"].values())
            assert signal["received"] == whole
        await asyncio.to_thread(server.stop)
        assert len(client.acknowledged) > KILLS
        check(server, client)


def _kill_and_restart(server: Botwatch) -> None:
    assert server.process is not None
    server.process.kill()
    server.start(wait=False)
    server.process.wait_for_line('"event": "serving"')


async def test_a_stop_writes_everything_that_was_acknowledged(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        client = Client(server.otlp)
        stop = asyncio.Event()
        sending = asyncio.create_task(client.run(stop))
        async with asyncio.timeout(60):
            while len(client.acknowledged) < 50:
                await asyncio.sleep(0.01)
        stop.set()
        await sending
        await asyncio.to_thread(server.stop)
        check(server, client)


@pytest.mark.parametrize("behind", ["spans", "ticks_10s", "session_hours"])
async def test_a_kill_between_a_token_and_its_rows_loses_nothing(tmp_path: Path, behind: str) -> None:
    """The state such a kill leaves, made by hand: the batch is in the spool, its token in the notes of the table
    behind it, and the rows are not there."""
    await _spooled(tmp_path / "data", 1)
    server = Botwatch(tmp_path)
    await asyncio.to_thread(_run, server)
    await _spooled(tmp_path / "data", 2)
    shutil.copy(tmp_path / "data" / "spool.db", tmp_path / "sealed.db")
    await asyncio.to_thread(_run, server)
    table = _folder_of(tmp_path / "data", behind)
    notes = (table / "deduplication_logs" / "deduplication_log_1.txt").read_text(encoding="utf-8").splitlines()
    shutil.rmtree(table / notes[-1].split("\t")[1])
    shutil.copy(tmp_path / "sealed.db", tmp_path / "data" / "spool.db")
    await asyncio.to_thread(_run, server)
    check(server, Client(server.otlp, acknowledged=[("/v1/traces", number) for number in (1, 2)]))


async def _spooled(data: Path, number: int) -> None:
    """A batch that is sealed, and not yet written."""
    spool = Spool.open(data / "spool.db", clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)
    await spool.put(parcel(Inbox.TRACES, spans(number), SPANS))
    assert spool.seal(Inbox.TRACES)
    spool.close()


def _run(server: Botwatch) -> None:
    server.start()
    server.wait_drained()
    server.stop()


def _folder_of(data: Path, table: str) -> Path:
    told = (data / "store" / "metadata" / "botwatch" / f"{table}.sql").read_text(encoding="utf-8")
    found = re.search(r"UUID '([^']+)'", told)
    assert found
    return data / "store" / "store" / found[1][:3] / found[1]
