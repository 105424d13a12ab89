"""An engine that refuses, a disk that fills, a spool at its bound: senders wait, readers go on, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from botwatch.limits import GIB, MIB
from botwatch.store.client import Store
from tests.fault.harness import RECORDS, SPANS, Botwatch, Client, check, running, spans
from tests.real.parts import ClickHouse


async def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    until_s = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until_s, what
        await asyncio.sleep(0.05)


def post(server: Botwatch, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/x-protobuf"}
    return httpx.post(f"http://127.0.0.1:{server.otlp}/v1/traces", content=body, headers=headers, timeout=30)


def readiness(server: Botwatch) -> str:
    """Why it is not ready."""
    answer = httpx.get(f"http://127.0.0.1:{server.web}/readyz", timeout=30)
    return answer.text if answer.status_code == 503 else ""


@pytest.mark.parametrize("how", ["503 inserts", "error 241 inserts"])
async def test_while_the_engine_refuses_the_spool_fills_and_then_drains_by_itself(
    tmp_path: Path, clickhouse: ClickHouse, how: str
) -> None:
    database = f"pressure_{how.split(maxsplit=1)[0]}_{os.getpid()}"
    extra = {"BOTWATCH_STORE": clickhouse.url(database), "BOTWATCH_SPOOL_BYTES_MAX": str(16 * MIB)}
    with running(tmp_path, **extra) as server:
        client = Client(server.otlp, connections=2)
        stop = asyncio.Event()
        with clickhouse.refusing(how):
            body = spans(10**6)
            large = body * (MIB // len(body))  # messages of one type concatenate
            seen = {200: 0, 429: 0}
            for number in range(40):
                answer = await asyncio.to_thread(post, server, large + spans(10**6 + number))
                seen[answer.status_code] += 1
                if answer.status_code == 429:
                    assert int(answer.headers["retry-after"]) >= 1
            assert seen[200] >= 10
            assert seen[429] >= 10
            status = await asyncio.to_thread(server.get, "/api/monitoring/status")
            assert set(status) == {"sessions", "messages", "resources", "services"}
            await until(
                lambda: "nothing is stored: the telemetry store does not answer" in readiness(server),
                "it says that it is ready",
            )
        sending = asyncio.create_task(client.run(stop))
        await until(lambda: len(client.acknowledged) > 20, "it does not take anything again")
        stop.set()
        await sending
        counts = await asyncio.to_thread(server.wait_drained)
        assert counts["traces"]["rejected"]["full"] > 0
        await asyncio.to_thread(server.stop)
    store = Store.open(clickhouse.url(database), data=tmp_path)
    stored = store.read("SELECT (SELECT count() FROM spans), (SELECT count() FROM logs)").first
    assert stored == (counts["traces"]["stored"], counts["logs"]["stored"])
    acknowledged = sum(SPANS if path == "/v1/traces" else RECORDS for path, _ in client.acknowledged)
    assert acknowledged > 0
    store.close()


async def test_a_nearly_full_disk_turns_senders_away_and_lets_readers_read(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    margin = min(2 * GIB, free // 4)  # other tests fill and empty the same disk meanwhile
    filler = tmp_path / "filler"
    filler.touch()

    def filled() -> bool:
        """No more is free than what is asked for, whatever others have done: to be said as long as it is to hold."""
        over = shutil.disk_usage(tmp_path).free - (free - 2 * margin)
        if over > margin // 2:
            with filler.open("ab") as file:
                os.posix_fallocate(file.fileno(), file.tell(), over)
        return True

    with running(tmp_path, BOTWATCH_DISK_FREE_BYTES_MIN=str(free - margin)) as server:
        client = Client(server.otlp, connections=2)
        stop = asyncio.Event()
        sending = asyncio.create_task(client.run(stop))
        await until(lambda: bool(client.acknowledged), "it does not take anything")
        await until(lambda: filled() and bool(client.refusals.get(503)), "it goes on taking")
        await until(lambda: filled() and "the disk is nearly full" in readiness(server), "it says that it is ready")
        taken = len(client.acknowledged)
        assert await asyncio.to_thread(server.get, "/api/intake")
        filler.unlink()
        await until(lambda: len(client.acknowledged) >= taken + 20, "it does not take anything again")
        await until(lambda: not readiness(server), "it does not say that it is ready again")
        stop.set()
        await sending
        await asyncio.to_thread(server.wait_drained)
        await asyncio.to_thread(server.stop)
        check(server, client)
