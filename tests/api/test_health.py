from __future__ import annotations

import asyncio

import httpx
import pytest

from botwatch.api import Context, health
from botwatch.clock import ManualClock
from botwatch.errors import StateAway
from botwatch.limits import ACCESS_STALE_S_MAX
from botwatch.state import Database
from tests.api.conftest import House


async def test_alive_says_nothing_of_what_it_stands_on(client: httpx.AsyncClient, house: House) -> None:
    house.not_ready = ["the engine is away"]
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"alive": True})


async def test_ready_says_why_not(client: httpx.AsyncClient, house: House) -> None:
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "reasons": []})
    house.not_ready = ["replaying 12 batches"]
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "reasons": ["replaying 12 batches"]})
    assert response.headers["cache-control"] == "no-store"


async def test_without_the_state_database_it_is_alive_and_not_ready_until_it_is_back(
    client: httpx.AsyncClient, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> None:
        raise StateAway("away")

    with monkeypatch.context() as patch:
        patch.setattr(database, "read", away)
        for _ in range(2):  # the first time it has never been read, and later it has
            response = await client.get("/readyz")
            assert (response.status_code, response.json()["reasons"]) == (503, ["the state database is away"])
        assert (await client.get("/healthz")).status_code == 200
    clock.advance(ACCESS_STALE_S_MAX)
    assert (await client.get("/readyz")).status_code == 200


async def test_what_does_not_answer_is_not_waited_for(
    client: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs() -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(house, "reasons", hangs)
    monkeypatch.setattr(health, "READY_CHECK_S_MAX", 0.01)
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert "could not be found out" in response.json()["reasons"][0]


async def test_figures_are_free_on_the_machine_itself(client: httpx.AsyncClient, house: House) -> None:
    response = await client.get("/metrics")
    assert response.text == house.metrics_text
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_asking_often_does_not_reach_the_database(
    client: httpx.AsyncClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.get("/readyz")

    async def unexpected(_: object) -> None:
        raise AssertionError("asked the database")

    monkeypatch.setattr(context.database, "read", unexpected)
    for _ in range(50):
        assert (await client.get("/readyz")).status_code == 200
