"""A spool with a writer behind it, on the real engine."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from botwatch.clock import SystemClock
from botwatch.nouns import Parcel
from botwatch.spool import Spool
from botwatch.store.client import Store
from botwatch.store.writer import Writer

Deliver = Callable[..., Coroutine[Any, Any, Writer]]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.open(tmp_path / "spool.db", clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)
    yield spool
    spool.close()


@pytest.fixture
def deliver(spool: Spool, store: Store) -> Deliver:
    """Put parcels into the spool, and write all of them to the engine."""

    async def run(*parcels: Parcel, node: str = "node") -> Writer:
        for parcel in parcels:
            await spool.put(parcel)
        writer = Writer(store, spool, SystemClock(), node=node, pause_s_min=0.01)
        writer.start()
        assert writer.stop(60), writer.health
        return writer

    return run
