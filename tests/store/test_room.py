"""On a disk that is nearly full the engine neither writes nor merges, and it goes on when there is room again."""

from __future__ import annotations

import asyncio
import time

import pytest

from botwatch.clock import ManualClock, SystemClock
from botwatch.errors import StoreError
from botwatch.nouns import Signal
from botwatch.spool import Spool
from botwatch.spool.space import Space
from botwatch.store.client import Store
from botwatch.store.room import Room
from botwatch.store.writer import Writer
from tests.store.otlp import span

NOW = time.time_ns()


class Disk:
    """With as many free bytes as is said."""

    def __init__(self, store: Store, free_bytes: int) -> None:
        self.free_bytes = free_bytes
        self.clock = ManualClock(NOW)
        assert store.embedded_path is not None
        self.room = Room(store, Space(store.embedded_path, 100, self.clock, lambda _: self.free_bytes))

    def becomes(self, free_bytes: int) -> None:
        self.free_bytes = free_bytes
        self.clock.advance(1)


async def test_what_was_taken_in_waits_in_the_spool_until_there_is_room(spool: Spool, store: Store) -> None:
    disk = Disk(store, 99)
    writer = Writer(store, spool, SystemClock(), node="n", retry_s_max=0.01, room=disk.room)
    await spool.put(span(NOW))
    writer.start()
    while writer.health.away_since_ns is None:
        await asyncio.sleep(0.01)
    assert "the disk is nearly full" in writer.health.last_error
    assert spool.intake()[Signal.TRACES].spooled == 1
    disk.becomes(100)
    while spool.intake()[Signal.TRACES].stored != 1:
        await asyncio.sleep(0.01)
    assert writer.health.away_since_ns is None
    assert writer.stop()


def test_merges_rest_while_there_is_no_room(store: Store) -> None:
    disk = Disk(store, 99)
    for _ in range(2):
        store.command("INSERT INTO names (label, bot, name) VALUES ('action', 'b', 'n')")
    disk.room.tend()
    with pytest.raises(StoreError):
        store.command("OPTIMIZE TABLE names FINAL")
    store.command("ALTER TABLE spans DROP PARTITION '2026-01-01'")  # what makes room goes on
    disk.becomes(100)
    disk.room.tend()
    store.command("OPTIMIZE TABLE names FINAL")
