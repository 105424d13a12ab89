"""The process is really killed, at moments nobody chose, while a client keeps sending."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.fault.harness import Botwatch, Client, check, running

# The full number takes minutes; without the gate a sample shows the same faults sooner or later.
KILLS = 100 if os.environ.get("BOTWATCH_REAL") == "require" else 10


@pytest.mark.long
@pytest.mark.timeout(900)
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
