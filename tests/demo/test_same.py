"""History is made by SQL and the present by the SDK: in the store one cannot be told from the other."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botwatch.clock import SystemClock
from botwatch.demo.cast import FLEET
from botwatch.nouns import Inbox, Parcel
from botwatch.spool import Spool
from botwatch.store.client import Store
from botwatch.store.writer import Writer
from tests.demo.conftest import Past
from tests.demo.sink import Sink

ROOT = Path(__file__).parents[2]
_INBOX = {"/v1/traces": Inbox.TRACES, "/v1/logs": Inbox.LOGS, "/v1/metrics": Inbox.POINTS}


@pytest.fixture(scope="module")
def sent() -> list[Parcel]:
    """What all bots send when they play everything they know."""
    with Sink() as sink:
        subprocess.run([sys.executable, "-m", "tests.demo.replay", sink.url], cwd=ROOT, check=True, timeout=200)
        return [
            Parcel(_INBOX[path], body, 1, hashlib.sha256(body).digest()[:16])
            for path, bodies in sink.bodies.items()
            for body in bodies
        ]


@pytest.fixture(scope="module")
def present(sent: list[Parcel], new_store: Callable[[], Store], tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same in a store, by the way all telemetry goes."""
    folder = tmp_path_factory.mktemp("present")
    store = new_store()
    spool = Spool.open(folder / "spool.db", clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)

    async def deliver() -> None:
        for parcel in sent:
            await spool.put(parcel)

    asyncio.run(deliver())
    writer = Writer(store, spool, SystemClock(), node="test")
    writer.start()
    assert writer.stop(200), writer.health
    spool.close()
    return store


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.read(f"{sql} ORDER BY ALL")]


class TestTheSame:
    def test_names(self, past: Past, present: Store) -> None:
        for kind in ("action", "dependency", "model", "message", "payload"):
            names = f"SELECT DISTINCT bot, name, detail FROM ticks_1h WHERE kind = '{kind}'"
            assert rows(present, names) == rows(past.store, names), kind

    def test_spans(self, past: Past, present: Store) -> None:
        shape = (
            "SELECT DISTINCT bot, name, kind, scope, action, dependency, model, provider, channel = '' AS apart, "
            "status, failure, toString(arraySort(mapKeys(attributes))) AS keys, toString(`events.name`) FROM spans"
        )
        well = f"{shape} WHERE status != 'error'"
        assert rows(present, well) == rows(past.store, well)
        # In the past not everything failed in every way, but what did failed as it does now.
        badly = f"{shape} WHERE failure = 'timeout' AND name IN ('understand', 'POST /classify', 'process tickets')"
        assert len(rows(past.store, badly)) > 3
        assert set(rows(past.store, badly)) <= set(rows(present, badly))

    def test_logs(self, past: Past, present: Store) -> None:
        shape = (
            "SELECT DISTINCT bot, event, level, severity, channel = '' AS apart, "
            "trace_id = toFixedString('', 16) AS untraced, toString(arraySort(mapKeys(attributes))) AS keys FROM logs "
        )
        now, then = set(rows(present, shape)), set(rows(past.store, shape))
        assert len(now) > 20
        assert {row for row in now - then if row[3] < 13} == set()
        assert {row[6] for row in now if row[3] >= 13} <= {row[6] for row in then if row[3] >= 13}

    def test_faults(self, past: Past, present: Store) -> None:
        faults = "SELECT DISTINCT bot, type, fault FROM faults WHERE type = 'clients.TimedOut'"
        assert {bot for bot, _, _ in rows(present, faults)} == {bot.name for bot in FLEET}
        assert set(rows(past.store, faults)) <= set(rows(present, faults))

    def test_metrics(self, past: Past, present: Store) -> None:
        series = (
            "SELECT DISTINCT bot, metric, kind, unit, toString(labels) FROM series "
            "WHERE metric != 'bot.sdk.dropped' AND bot != ''"
        )
        assert rows(past.store, series) == rows(present, series)

    def test_processes(self, past: Past, present: Store) -> None:
        where = "SELECT DISTINCT bot, host, instance FROM spans"
        assert set(rows(present, where)) <= set(rows(past.store, where))
        carried = "SELECT DISTINCT arrayJoin(JSONExtractKeys(toString(resource))) FROM spans"
        assert set(rows(past.store, carried)) <= set(rows(present, carried))
