"""The stream of what is new: one answer for everybody, and an end for each in their own way."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from botwatch import limits
from botwatch.api import Context, create_app, routes_live
from botwatch.api.fresh import Fresh
from botwatch.api.shapes_monitoring import MessageFigures, ResourceFigures, SessionFigures, Status
from botwatch.api.telemetry import Telemetry
from botwatch.clock import ManualClock
from botwatch.errors import StoreAway
from botwatch.nouns import Signal
from botwatch.spool import Counts
from botwatch.state import Database, tokens
from botwatch.state.people import OPERATOR
from tests.api.conftest import NOW_NS, Secrets, browser
from tests.fault.harness import TOKEN, running
from tests.notify.house import opened

WAIT_S = 60.0


@dataclass
class World:
    """What the status says, and how often it was worked out."""

    active: int = 3
    asked: int = 0
    away: bool = False
    stored: int = 0
    hold: asyncio.Event | None = None
    services: dict[str, str] = field(default_factory=dict)

    def intake(self) -> dict[Signal, Counts]:
        return {signal: Counts(stored=self.stored if signal is Signal.LOGS else 0) for signal in Signal}

    async def status_now(self, telemetry: Telemetry, context: Context) -> tuple[int, Status]:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise StoreAway("the telemetry store does not answer (code 210)")
        sessions = SessionFigures(active=self.active, peak_today=9, avg_duration_seconds=None)
        messages = MessageFigures(today=1, this_hour=1, avg_response_ms=None)
        resources = ResourceFigures(cpu_percent=None, memory_percent=None, gpu_percent=None, disk_percent=None)
        return NOW_NS, Status(sessions=sessions, messages=messages, resources=resources, services=dict(self.services))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(routes_live, "status_now", world.status_now)
    monkeypatch.setattr(limits, "LIVE_EVERY_S", 0.01)
    for patience in ("LIVE_LOOK_S_MAX", "STREAM_SEND_S_MAX"):  # a machine may stand still for longer than they give
        monkeypatch.setattr(limits, patience, 600)
    return world


@pytest.fixture
async def app(context: Context, clock: ManualClock, world: World) -> AsyncIterator[FastAPI]:
    telemetry = Telemetry(cast(Any, None), cast(Any, None), cast(Any, world), Fresh(clock))
    app = create_app(replace(context, telemetry=telemetry))
    yield app
    await app.state.live.close()


@dataclass
class Viewer:
    """A client that can also stop reading, and hang up."""

    app: FastAPI
    headers: dict[str, str]
    status: int = 0
    body: bytes = b""
    ended: bool = False
    stuck: bool = False
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.reading.set()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
        }
        scope |= {"path": "/api/live", "raw_path": b"/api/live", "query_string": b"", "root_path": ""}
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        scope |= {"headers": [(b"host", b"127.0.0.1:8600"), *headers], "client": None, "server": None, "state": {}}
        await self.app(scope, self._receive, self._send)
        self.ended = True

    async def _receive(self) -> Message:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.stuck = not self.reading.is_set()
        await self.reading.wait()
        self.stuck = False
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.body += message.get("body", b"")

    def ticks(self) -> list[dict[str, Any]]:
        events = self.body.decode().split("\n\n")
        return [json.loads(event.split("data: ")[1]) for event in events if event.startswith("event: tick\n")]

    def missed(self) -> list[int]:
        """How many ticks, each time it was too slow for some."""
        found = re.findall(rb'event: missed\ndata: {"ticks":(\d+)}\n\nevent: tick\n', self.body)
        return [int(count) for count in found]

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not true():
                await asyncio.sleep(0.005)

    async def end(self) -> None:
        async with asyncio.timeout(WAIT_S):
            await self.task


async def test_all_who_look_on_get_the_same_and_it_is_worked_out_once(
    app: FastAPI, secrets: Secrets, world: World
) -> None:
    world.hold = asyncio.Event()
    viewers = [Viewer(app, {"authorization": f"Bearer {secrets.monitor}"}) for _ in range(5)]
    await viewers[0].until(lambda: app.state.live.viewers == 5)
    for number in (1, 2, 3):  # one at a time: who is slow would miss some
        await viewers[0].until(lambda n=number: world.asked >= n)  # type: ignore[misc]
        world.hold.set()
        world.hold.clear()
        for viewer in viewers:
            await viewer.until(lambda v=viewer, n=number: len(v.ticks()) == n)  # type: ignore[misc]
    assert {json.dumps(viewer.ticks()) for viewer in viewers} == {json.dumps(viewers[0].ticks())}
    assert world.asked <= 4
    tick = viewers[0].ticks()[0]
    assert tick["status"]["sessions"]["active"] == 3
    assert (tick["away"], tick["changed"]) == (None, [])
    for viewer in viewers:
        viewer.hung_up.set()
        await viewer.end()


async def test_a_tick_names_what_came_and_why_there_are_no_figures(
    app: FastAPI, secrets: Secrets, world: World
) -> None:
    viewer = Viewer(app, {"authorization": f"Bearer {secrets.admin}"})
    await viewer.until(viewer.ticks)
    world.stored = 7
    await viewer.until(lambda: any(tick["changed"] == ["logs"] for tick in viewer.ticks()))
    world.away = True
    await viewer.until(lambda: viewer.ticks()[-1]["away"] is not None)
    last = viewer.ticks()[-1]
    assert last["status"] is None
    assert last["away"] == "the telemetry store does not answer (code 210)"
    world.away = False
    await viewer.until(lambda: viewer.ticks()[-1]["status"] is not None)


async def test_a_tick_names_the_incidents_services_and_rules_that_changed(
    app: FastAPI, secrets: Secrets, world: World, database: Database
) -> None:
    await database.write(lambda session: opened(session, NOW_NS, labels={"host": "before"}))
    viewer = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await viewer.until(viewer.ticks)
    first = viewer.ticks()[0]
    assert (first["incidents"], first["services"], first["rules"]) == ([], [], False)  # a page that opens asks itself
    assert first["open"] == {"info": 0, "warning": 0, "critical": 1}
    ours = await database.write(lambda session: opened(session, NOW_NS, labels={"host": "since"}))
    world.services = {"redis": "stopped"}
    await viewer.until(lambda: any(tick["incidents"] for tick in viewer.ticks()))
    await viewer.until(lambda: any(tick["services"] for tick in viewer.ticks()))
    assert [tick["incidents"] for tick in viewer.ticks() if tick["incidents"]] == [[ours]]
    assert [tick["services"] for tick in viewer.ticks() if tick["services"]] == [["redis"]]
    assert viewer.ticks()[-1]["open"]["critical"] == 2
    world.away = True  # what is not known has not changed
    await viewer.until(lambda: viewer.ticks()[-1]["away"])
    world.away = False
    await viewer.until(lambda: viewer.ticks()[-1]["status"])
    assert sum(bool(tick["services"]) for tick in viewer.ticks()) == 1


async def test_an_engine_that_does_not_answer_is_said_to(
    app: FastAPI, secrets: Secrets, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_LOOK_S_MAX", 0.02)
    world.hold = asyncio.Event()
    viewer = Viewer(app, {"authorization": f"Bearer {secrets.admin}"})
    await viewer.until(viewer.ticks)
    assert "has not answered" in viewer.ticks()[0]["away"]


async def test_the_stream_ends_with_the_right_to_look(app: FastAPI, people: None, database: Database) -> None:
    client = await browser(app, "bob")
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    viewer = Viewer(app, {"cookie": cookie})
    await viewer.until(viewer.ticks)
    assert (await client.post("/api/auth/sign-out")).status_code == 204
    await viewer.end()
    assert viewer.body.endswith(b"event: signed-out\ndata: {}\n\n")
    await client.aclose()


async def test_a_revoked_token_ends_its_stream(app: FastAPI, context: Context, secrets: Secrets) -> None:
    viewer = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await viewer.until(viewer.ticks)
    await context.access.change(lambda session: tokens.revoke(session, NOW_NS, OPERATOR, tokens.Kind.API, 2))
    await viewer.end()
    assert b"signed-out" in viewer.body


async def test_who_is_nobody_sees_nothing(app: FastAPI) -> None:
    viewer = Viewer(app, {})
    await viewer.end()
    assert viewer.status == 401
    assert b"tick" not in viewer.body


async def test_only_so_many_may_look_on(app: FastAPI, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIVE_VIEWERS_MAX", 1)
    first = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await first.until(first.ticks)
    second = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await second.end()
    assert second.status == 503
    first.hung_up.set()
    await first.end()
    assert app.state.live.viewers == 0
    third = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await third.until(third.ticks)


async def test_who_is_slow_misses_ticks_and_goes_on_with_the_newest(
    app: FastAPI, secrets: Secrets, world: World
) -> None:
    slow, quick = (Viewer(app, {"authorization": f"Bearer {secrets.monitor}"}) for _ in range(2))
    await slow.until(slow.ticks)
    slow.reading.clear()
    await slow.until(lambda: slow.stuck)
    had = len(quick.ticks())  # what comes now the other misses, but for the one it has in hand
    await quick.until(lambda: len(quick.ticks()) > had + 20)
    world.active = 99
    await quick.until(lambda: quick.ticks()[-1]["status"]["sessions"]["active"] == 99)
    slow.reading.set()
    await slow.until(lambda: slow.ticks()[-1]["status"]["sessions"]["active"] == 99)
    assert len(slow.ticks()) < len(quick.ticks()) - 10
    assert max(slow.missed()) >= 20, "whoever missed something is told before it gets the next"


async def test_who_takes_nothing_at_all_is_let_go(
    app: FastAPI, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAM_SEND_S_MAX", 0.05)
    viewer = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await viewer.until(viewer.ticks)
    viewer.reading.clear()
    await viewer.end()
    assert app.state.live.viewers == 0


async def test_nobody_who_looks_on_holds_up_the_end(app: FastAPI, secrets: Secrets) -> None:
    viewers = [Viewer(app, {"authorization": f"Bearer {secrets.monitor}"}) for _ in range(3)]
    await viewers[0].until(lambda: app.state.live.viewers == 3)
    await app.state.live.close()
    for viewer in viewers:
        await viewer.end()
    late = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await late.end()
    assert late.status == 503


async def test_while_nobody_looks_nothing_is_worked_out(app: FastAPI, secrets: Secrets, world: World) -> None:
    viewer = Viewer(app, {"authorization": f"Bearer {secrets.monitor}"})
    await viewer.until(viewer.ticks)
    viewer.hung_up.set()
    await viewer.end()
    await viewer.until(app.state.live._producer.done)
    asked = world.asked
    await asyncio.sleep(0.1)
    assert world.asked == asked


def test_a_server_stops_while_pages_look_on(tmp_path: Path) -> None:
    """The stream is ended as a whole, and not cut when the server has waited long enough."""
    with running(tmp_path) as server:
        url, headers = f"http://127.0.0.1:{server.web}/api/live", {"authorization": f"Bearer {TOKEN}"}
        with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
            lines = answer.iter_lines()
            assert next(line for line in lines if line == "event: tick")
            assert server.process is not None
            os.kill(server.process.pid, signal.SIGTERM)
            assert all("signed-out" not in line for line in lines)
        assert server.process.wait() == 0
