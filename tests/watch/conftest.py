"""A reporter before a real spool, and what came of it in a real engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from botwatch.clock import SystemClock
from botwatch.receive.door import Door, Options
from botwatch.spool import Spool
from botwatch.store.client import Store
from botwatch.store.writer import Writer
from botwatch.watch.report import LocalReporter
from tests.store.conftest import deliver

__all__ = ["deliver"]
Reported = Callable[..., Coroutine[Any, Any, None]]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.open(tmp_path / "spool.db", clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)
    yield spool
    spool.close()


@pytest.fixture
def door(spool: Spool) -> Door:
    return Door(spool, None, Options.of_days(traces=14, logs=14, points=14))


@pytest.fixture
def reporter(door: Door) -> LocalReporter:
    return LocalReporter(door, "vantage", SystemClock())


@pytest.fixture
def reported(reporter: LocalReporter, spool: Spool, store: Store) -> Reported:
    """Send what was reported, and write it to the engine."""

    async def run() -> None:
        stop = asyncio.Event()
        stop.set()
        await reporter.run(stop)
        writer = Writer(store, spool, SystemClock(), node="node", pause_s_min=0.01)
        writer.start()
        assert await asyncio.to_thread(writer.stop, 60), writer.health

    return run


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.01)
    assert holds()
