"""The console as it is drawn: the same tabs and keys as the pages, wide, narrow and with hostile text."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, RichLog, Static

from botwatch.console.app import HELP, ConsoleApp, Keys
from botwatch.console.client import Client
from botwatch.console.views import VIEWS
from tests.console.conftest import EVIL, STATUS, World, log, session


@pytest.fixture
def app(client: Client, now: Callable[[], datetime]) -> ConsoleApp:
    return ConsoleApp(client, now, every_s=0.05)


def text_of(app: ConsoleApp, name: str) -> str:
    return str(app.query_one(name, Static).content)


def cells(app: ConsoleApp) -> list[list[str]]:
    table = app.query_one(DataTable)
    return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]


def logged(app: ConsoleApp) -> list[str]:
    return [line.text.rstrip() for line in app.query_one(RichLog).lines]


async def until(pilot: Pilot[None], true: Callable[[], Any]) -> None:
    deadline_s = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline_s
        await pilot.pause(0.01)


async def test_every_key_does_what_the_list_of_keys_says(app: ConsoleApp, world: World) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "LIVE" in text_of(app, "#top"))
        for view in VIEWS:
            await pilot.press(view.key)
            await until(pilot, lambda name=view.name: f"Botwatch  {name}" in text_of(app, "#top"))  # type: ignore[misc]
            assert f">{view.key} {view.name}" in text_of(app, "#side")
            await until(pilot, lambda path=view.path: any(asked.startswith(path) for asked in world.asked))  # type: ignore[misc]
        for key, name in (("s", "#side"), ("S", "#side"), ("f", "#status"), ("f", "#status")):
            hidden = app.query_one(name).has_class("hidden")
            await pilot.press(key)
            await until(pilot, lambda name=name, was=hidden: app.query_one(name).has_class("hidden") != was)  # type: ignore[misc]
        before = len(world.asked)
        await pilot.press("r")
        await until(pilot, lambda: len(world.asked) > before)
        await pilot.press("?")
        await until(pilot, lambda: isinstance(app.screen, Keys))
        assert all(f"{key:>3}  {what}" in str(app.screen.query_one(Static).content) for key, what in HELP)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Keys))
        await pilot.press("q")
        await until(pilot, lambda: app.return_code == 0)


async def test_the_overview_says_what_the_api_says(app: ConsoleApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "247" in text_of(app, "#status"))
        lines = text_of(app, "#status").splitlines()
        assert lines[0] == "Sessions: 247 active (peak: 312), 4 min 5 s on average"
        assert lines[2] == "Response: 1,200 ms on average today"
        assert lines[3].startswith("CPU  [█████████████████████░░░░░░░░░] 70%")
        assert lines[-1] == "Services: 7/7 running"


async def test_sessions_are_listed_and_narrowed_by_words(app: ConsoleApp, world: World) -> None:
    world.answers["/api/monitoring/sessions"]["items"] = [session("a1b2c3d4"), session("e5f6g7h8", None)]
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: len(cells(app)) == 2)
        assert cells(app)[0] == ["a1b2c3d4", "+5511999...", "shop", "WhatsApp", "2 min ago", "12", "active"]
        assert cells(app)[1][1] == "unknown"
        await pilot.press("/")
        await until(pilot, lambda: app.focused is app.query_one(Input))
        await pilot.press(*"e5f6", "enter")
        await until(pilot, lambda: len(cells(app)) == 1)
        assert not app.query_one(Input).display
        await pilot.press("escape")
        await until(pilot, lambda: len(cells(app)) == 2)


async def test_the_tail_shows_each_record_once_and_searches_at_the_server(app: ConsoleApp, world: World) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: len(logged(app)) == 2)
        assert [line.split("shop: ")[1] for line in logged(app)] == ["first", "second"]
        world.answers["/api/logs"]["items"].insert(0, log(3, "third", "error"))
        await until(pilot, lambda: len(logged(app)) == 3)
        assert logged(app)[2].endswith("error shop: third")
        asked = len(world.asked)
        await until(pilot, lambda: len(world.asked) > asked + 6)
        assert len(logged(app)) == 3
        await pilot.press("/")
        await until(pilot, lambda: app.focused is app.query_one(Input))
        await pilot.press(*"thi", "enter")
        await until(pilot, lambda: world.asked[-1].endswith("q=thi"))


async def test_a_server_that_goes_away_is_said_to_and_what_was_known_stays(app: ConsoleApp, world: World) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "247" in text_of(app, "#status"))
        world.away = True
        await until(pilot, lambda: "NOT LIVE as of 14:32:00" in text_of(app, "#top"))
        assert "is the server running there?" in text_of(app, "#gone")
        assert "247" in text_of(app, "#status")
        world.away = False
        await until(pilot, lambda: "● LIVE" in text_of(app, "#top"))
        assert app.query_one("#gone").has_class("hidden")


async def test_services_and_incidents_are_told_with_what_is_wrong(app: ConsoleApp, world: World) -> None:
    vault = {"name": "vault", "status": "sealed", "version": "1.15.0", "key_figure": None, "latency_ms": 3.2}
    redis = {"name": "redis", "status": "running", "version": None, "key_figure": "94.2% hit rate", "latency_ms": None}
    world.answers["/api/services"] = {"items": [vault | {"reason": "it is sealed"}, redis | {"reason": None}]}
    incident = {"severity": "critical", "status": "open", "ruleName": "cpu", "hostName": "bots-1"}
    incident |= {"startTime": "2024-01-15T14:30:00Z", "summary": "CPU is at 99 %"}
    world.answers["/api/incidents"] = {"items": [incident], "next": None}
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: len(cells(app)) == 2)
        assert cells(app) == [
            ["vault", "■ sealed", "1.15.0", "unknown", "3 ms", "it is sealed"],
            ["redis", "● running", "unknown", "94.2% hit rate", "unknown", ""],
        ]
        await pilot.press("5")
        await until(pilot, lambda: len(cells(app)) == 1)
        assert cells(app) == [["critical", "open", "cpu", "bots-1", "2 min ago", "CPU is at 99 %"]]


async def test_what_a_server_does_not_have_is_said_and_does_not_end_it(app: ConsoleApp, world: World) -> None:
    world.answers["/api/bots"] = {"items": [{"odd": []}, {"name": "shop", "size": 1_234.5, "last_seen": "x"}]}
    world.answers["/api/insights/queries"] = {"items": [{"phrase": "of another version"}]}
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "answered 404" in text_of(app, "#note"))
        await pilot.press("1")
        await until(pilot, lambda: ["shop", "1,234.5", "x"] in cells(app))
        await pilot.press("7")
        await until(pilot, lambda: "does not know" in text_of(app, "#note"))


@pytest.mark.parametrize("size", [(100, 30), (40, 12), (20, 5)], ids=lambda size: f"{size[0]} columns")
async def test_hostile_text_is_shown_and_not_obeyed(app: ConsoleApp, world: World, size: tuple[int, int]) -> None:
    world.answers["/api/monitoring/status"] = STATUS | {"services": {EVIL: "stopped"}}
    world.answers["/api/monitoring/sessions"]["items"] = [session(EVIL, EVIL)]
    world.answers["/api/logs"]["items"] = [log(1, EVIL)]
    world.answers["/api/bots"]["items"] = [{"name": EVIL, EVIL: 1}]
    async with app.run_test(size=size) as pilot:
        for key in ("1", "2", "6"):
            await pilot.press(key)
            await until(pilot, lambda: len(cells(app)) == 1 or logged(app))
            shown = "\n".join(
                "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
            )
            assert shown.replace("\n", "").isprintable()
        assert all(cell.isprintable() for row in cells(app) for cell in row)
        assert all(line.isprintable() for line in logged(app))
        assert any("[red]x[/red]" in line for line in [*logged(app), *(c for row in cells(app) for c in row)])


async def test_a_narrow_terminal_has_room_for_what_matters(app: ConsoleApp) -> None:
    async with app.run_test(size=(40, 20)) as pilot:
        await until(pilot, lambda: "70%" in text_of(app, "#status"))
        assert app.query_one("#side").has_class("hidden")
        assert max(map(len, text_of(app, "#status").splitlines()[3:7])) < 40
        await pilot.press("s")
        await until(pilot, lambda: not app.query_one("#side").has_class("hidden"))
