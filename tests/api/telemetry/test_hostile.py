"""No parameter breaks a route, whatever stands in it: it is answered, or refused as the asker's mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from botwatch.api import Context
from botwatch.detect.book import RuleBook
from botwatch.incident.backtest import Backtester
from botwatch.incident.health import Health, Judgement
from tests.api.conftest import bearer, error_of
from tests.api.telemetry.conftest import Asker, Bots

ODD = ("'\"`\\; --", "{x:String}\x00\n\t%s$a$", "\u202e😀\u2028", "-1", "9" * 20, "1e309", "W251bGxd", "2027-01-01")
ODD_PATHS = ("'; DROP TABLE spans; --", "\x00", "..%2F", "😀", "{x:String}")


@pytest.fixture
def context(context: Context, tmp_path: Path) -> Context:
    """With what the routes over rules stand on, too."""
    book = RuleBook(None, tmp_path / "rules")
    book.reload()
    judgement = Judgement(Health(), Backtester(context.telemetry.measures, context.clock))
    return replace(context, rules=book, judgement=judgement)


def parameters(app: FastAPI) -> Iterator[tuple[str, list[str]]]:
    for path, methods in app.openapi()["paths"].items():
        if "get" not in methods or not re.match(
            r"/api/(?!auth|users|tokens|keys|audit|sessions|live|export|shared|services/\{name\}/options)", path
        ):
            continue
        named = methods["get"].get("parameters", [])
        yield path, [parameter["name"] for parameter in named if parameter["in"] == "query"]


async def fine(response: httpx.Response) -> bool:
    if response.status_code == 200:
        return response.headers["content-type"] == "application/json"
    return error_of(response) in {(422, "bad_request"), (404, "not_found")}


async def test_odd_values_of_every_parameter(app: FastAPI, admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 60)
    bots.log(50, "a line", session_id="s1")
    bots.span(50, "t" * 16, session_id="s1", action="a", dependency="d")
    asked = 0
    for path, names in parameters(app):
        filled = path.replace("{session_id}", "s1").replace("{trace_id}", "74" * 16).replace("{fault_id}", "0" * 16)
        filled = filled.replace("{name}", "action.count")
        for name in (*names, "unknown"):
            for value in ODD:
                required = {"label": "bot"} if "label" in names else {}
                response = await admin.response(filled, **required | {name: value})
                assert await fine(response), (filled, name, value, response.text)
                asked += 1
    assert asked > 500


async def test_odd_paths(app: FastAPI, admin: Asker) -> None:
    for path, _ in parameters(app):
        for value in ODD_PATHS:
            if "{" in path:
                filled = re.sub(r"\{\w+\}", lambda _: quote(value, safe=""), path)  # noqa: B023 - used at once
                response = await admin.client.get(filled, headers=bearer(admin.secret))
                assert await fine(response), (filled, response.text)


async def test_the_engine_still_has_its_tables(admin: Asker, bots: Bots) -> None:
    bots.talk("'; DROP TABLE sessions; --", 60, user="' OR 1=1", bot="{x:String}")
    (item,) = (await admin.get("/api/monitoring/sessions", bot="{x:String}", q="' OR"))["items"]
    assert (item["id"], item["user"], item["bot"]) == ("'; DROP TABLE sessions; --", "' OR 1=1", "{x:String}")
