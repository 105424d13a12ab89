"""Health endpoints: alive, and ready only if what the bot depends on answers; tried with a real database."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

import botwatch_sdk as bot
from botwatch_sdk import Health
from tests.real.postgres import Postgres, running_postgres
from tests.sdk.sink import until


def asked(health: Health, path: str = "/readyz", method: str = "GET") -> tuple[int, Any]:
    """Through WSGI, as a server calls it."""
    began: list[tuple[str, list[tuple[str, str]]]] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO()}
    body = b"".join(health.wsgi(environ, lambda status, headers: began.append((status, headers))))
    ((status, headers),) = began
    assert dict(headers)["cache-control"] == "no-store"
    return int(status[:3]), json.loads(body) if body else None


async def asked_async(health: Health, path: str = "/health/readyz", method: str = "GET") -> tuple[int, Any]:
    app = Starlette(routes=[Mount("/health", health.asgi)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        answer = await client.request(method, path)
    return answer.status_code, answer.json() if answer.content else None


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


async def test_a_database_that_stops_leaves_the_bot_alive_and_not_ready(postgres: Postgres) -> None:
    async def ping() -> None:
        async with await psycopg.AsyncConnection.connect(postgres.url(), connect_timeout=20) as connection:
            await connection.execute("SELECT 1")

    def ping_sync() -> None:
        with psycopg.connect(postgres.url(), connect_timeout=20) as connection:
            connection.execute("SELECT 1")

    # The machine may be slow: the time for an answer is not what is tried here.
    awaited = bot.health({"postgres": ping}, timeout_s=20, fresh_s=0)
    called = bot.health({"postgres": ping_sync}, timeout_s=20, fresh_s=0)
    assert (await asked_async(awaited))[0] == (await asyncio.to_thread(asked, called))[0] == 200

    hanging = bot.health({"postgres": ping}, timeout_s=0.3, fresh_s=0)
    os.kill(postgres.pid, signal.SIGSTOP)
    try:
        status, body = await asked_async(hanging)
        assert (status, body["checks"]["postgres"]["reason"]) == (503, "no answer within 0.3 s")
        assert (await asked_async(hanging, "/health/healthz"))[0] == 200
    finally:
        os.kill(postgres.pid, signal.SIGCONT)

    postgres.kill()
    for status, body in (await asked_async(awaited), await asyncio.to_thread(asked, called)):
        assert status == 503
        assert body["ready"] is False
        assert body["checks"]["postgres"]["reason"] == "OperationalError", "no address and no password"
    assert await asked_async(awaited, "/health/healthz") == (200, {"alive": True})
    assert asked(called, "/healthz") == (200, {"alive": True})


def test_without_checks_it_is_ready() -> None:
    assert asked(bot.health()) == (200, {"ready": True, "checks": {}})


def test_one_bad_check_of_several_is_named_and_an_answer_of_false_is_bad() -> None:
    health = bot.health({"a": lambda: None, "b": lambda: False, "c": lambda: 0, "d": lambda: 1 / 0}, timeout_s=20)
    status, body = asked(health)
    assert (status, body["ready"]) == (503, False)
    assert {name: (check["ok"], check["reason"]) for name, check in body["checks"].items()} == {
        "a": (True, ""),
        "b": (False, "it said no"),
        "c": (True, ""),
        "d": (False, "ZeroDivisionError"),
    }


def test_what_is_no_check_is_not_taken_for_a_good_one() -> None:
    wrong: Any = {"db": "postgres://"}
    assert asked(bot.health(wrong))[0] == 503
    assert asked(bot.health({"a": lambda: None}, timeout_s=-1))[0] == 503


async def test_a_check_that_hangs_is_not_started_again_and_delays_no_other() -> None:
    begun, release = [], threading.Event()

    def hang() -> None:
        begun.append(1)
        release.wait(100)

    health = bot.health({"slow": hang, "quick": lambda: None}, timeout_s=5, fresh_s=0)
    try:
        answers = await asyncio.gather(*(asked_async(health) for _ in range(5)), asyncio.to_thread(asked, health))
    finally:
        release.set()
    for status, body in answers:
        assert status == 503
        assert (body["checks"]["slow"]["ok"], body["checks"]["quick"]["ok"]) == (False, True)
    assert len(begun) == 1
    health = bot.health({"slow": hang, "quick": lambda: None}, timeout_s=20)
    assert until(lambda: asked(health)[0] == 200)


async def test_the_loop_goes_on_while_a_blocking_check_is_asked() -> None:
    ticks: list[int] = []

    async def tick() -> None:
        while True:
            ticks.append(1)
            await asyncio.sleep(0.005)

    ticking = asyncio.create_task(tick())
    status, _ = await asked_async(bot.health({"slow": lambda: until(lambda: len(ticks) > 5, 30)}, timeout_s=60))
    ticking.cancel()
    assert status == 200


def test_an_answer_is_shared_for_a_moment() -> None:
    calls: list[float] = []
    health = bot.health({"a": lambda: calls.append(time.monotonic())}, timeout_s=20, fresh_s=60)
    for _ in range(5):
        asked(health)
    assert len(calls) == 1


def test_an_async_check_works_under_wsgi() -> None:
    async def ping() -> bool:
        await asyncio.sleep(0)
        return True

    assert asked(bot.health({"a": ping}, timeout_s=20))[0] == 200


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/healthz", "HEAD", 200),
        ("/readyz/", "GET", 200),
        ("/deep/below/readyz", "GET", 200),
        ("/", "GET", 404),
        ("/secrets", "GET", 404),
        ("/readyz", "POST", 405),
    ],
)
async def test_only_the_two_paths_are_answered(path: str, method: str, status: int) -> None:
    health = bot.health()
    assert asked(health, path, method)[0] == status
    assert (await asked_async(health, f"/health{path}", method))[0] == status
