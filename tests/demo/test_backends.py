"""The services of the fleet: called and asked over real sockets, well and badly."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from botwatch.clock import ManualClock
from botwatch.demo import backends, cast, world
from botwatch.demo.backends import (
    BAD_S,
    CYCLE_S,
    GONE_S,
    VERSIONS,
    Backend,
    Mood,
    bound,
    mood,
    offers,
    reached,
    watched,
)
from botwatch.demo.play import Player
from botwatch.watch.given import made
from botwatch.watch.probes.model import Status
from botwatch.watch.probes.registry import KINDS
from tests.demo.test_play import Dice

NAME = "inventory-api"
GET_STOCK = cast.ORDERS.actions["check_stock"].calls[0]


@asynccontextmanager
async def running(dice: random.Random, moods: list[Mood]) -> AsyncIterator[int]:
    """One of them, in the mood that is in the list now."""
    sockets = bound()
    listening = sockets.pop(NAME)
    for other in sockets.values():
        other.close()
    port = int(listening.getsockname()[1])
    task = asyncio.create_task(Backend(NAME, dice, lambda: moods[0]).run(listening))
    yield port
    task.cancel()
    await asyncio.wait({task})


async def until_refused(port: int, *, refused: bool) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                if not refused:
                    return
            except ConnectionRefusedError:
                if refused:
                    return
            except ConnectionResetError:
                pass  # it was still waiting to be heard when the other side stopped listening
            await asyncio.sleep(0.05)


def test_one_at_a_time_has_a_bad_time_and_comes_back() -> None:
    count = len(VERSIONS)
    bad, gone = BAD_S[0] + 1, BAD_S[1] + 1
    assert [mood(0, at) for at in (0, bad, gone, GONE_S)] == [Mood.WELL, Mood.BAD, Mood.GONE, Mood.WELL]
    for cycle in range(count + 1):
        unwell = [place for place in range(count) if mood(place, cycle * CYCLE_S + bad) is not Mood.WELL]
        assert unwell == [cycle % count]
    assert GONE_S - BAD_S[0] == 600


def test_each_is_called_by_a_bot_and_offers_all_it_is_called_for() -> None:
    assert all(offers(name) for name in VERSIONS)
    assert {offer.call.name for offer in offers(NAME)} == {"GET /stock/{sku}", "POST /reservations"}


async def test_a_bot_really_calls_it_and_sees_what_became_of_it() -> None:
    dice = Dice(then=0.5)
    async with running(dice, [Mood.WELL]) as port:
        spans, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(spans))
        player = Player(cast.ORDERS, Dice(), ManualClock(0), ports={NAME: port})
        player._tracer = provider.get_tracer("test")
        await player.call(GET_STOCK)
        dice._first[:] = [0.5, GET_STOCK.timeout.share]
        with pytest.raises(world.Unavailable, match="inventory-api answered 503"):
            await player.call(GET_STOCK)
        told = [{**(span.attributes or {}), "ok": span.status.is_ok} for span in spans.get_finished_spans()]
        assert [(one["peer.service"], one["http.response.status_code"], one["ok"]) for one in told] == [
            (NAME, 200, True),
            (NAME, 503, False),
        ]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            health = (await client.get("/health")).json()
            assert health == {"status": "ok", "version": VERSIONS[NAME], "called": 2, "failed": 1}
            assert (await client.get("/stock/")).status_code == 404


async def test_botwatch_asks_it_as_any_service_and_believes_only_what_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backends, "_LOOK_S", 0.02)
    moods = [Mood.WELL]
    async with running(Dice(), moods) as port:
        service = made(NAME, {**watched({NAME: port})[NAME], "timeout_seconds": 60})
        probe = KINDS[service.kind].make(service)
        found = await probe.ask()
        assert (found.status, found.version, found.headline) == (Status.RUNNING, VERSIONS[NAME], "0 called, 0 failed")
        moods[0] = Mood.BAD
        assert (await probe.ask()).status is Status.DEGRADED
        moods[0] = Mood.GONE
        await until_refused(port, refused=True)
        with pytest.raises(world.Unavailable, match="inventory-api cannot be reached"):
            await Player(cast.ORDERS, Dice(), ManualClock(0), ports={NAME: port}).call(GET_STOCK)
        moods[0] = Mood.WELL
        await until_refused(port, refused=False)
        assert (await probe.ask()).status is Status.RUNNING
        await probe.close()


async def test_what_is_no_client_is_hung_up_on() -> None:
    async with running(Dice(), [Mood.WELL]) as port:
        for nonsense in (b"GET\r\n\r\n", b"\xff\xfe / x\r\n\r\n", b"x" * 20_000, b"GET /health HTTP/1.1\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(nonsense)
            writer.write_eof()
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
        assert await reached(port, GET_STOCK, random.Random(1)) == 200


def test_what_it_is_asked_for_names_no_other_place() -> None:
    (table,) = watched({NAME: 1}).values()
    assert re.fullmatch(r"http://127\.0\.0\.1:1/health", str(table["url"]))
