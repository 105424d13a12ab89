"""What was kept and what was not, as pages and programs ask for it; and a contract that is tried before it is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from botwatch.detect.book import RuleBook
from botwatch.detect.rule import Rule
from botwatch.errors import StoreAway
from botwatch.state import Database
from botwatch.store.client import Params, Rows, Store
from tests.api.conftest import Secrets, bearer
from tests.api.telemetry.conftest import Bots, at

SLA: dict[str, Any] = {
    "name": "A human / comes",
    "kind": "contract",
    "message": "look",
    "options": {"when": "handoff", "then": "message human", "within": "5m"},
}
OFF = {"name": "Off", "kind": "contract", "enabled": False, "options": SLA["options"]}


@pytest.fixture(autouse=True)
def book(app: FastAPI, database: Database, tmp_path: Path) -> RuleBook:
    rules = [Rule.model_validate({**given, "source": "default"}) for given in (SLA, OFF)]
    book = RuleBook(database, tmp_path / "rules", None, rules)
    book.reload()
    app.state.context = replace(app.state.context, rules=book)
    return book


@pytest.fixture
def admin(client: httpx.AsyncClient, secrets: Secrets) -> httpx.AsyncClient:
    client.headers.update(bearer(secrets.admin))
    return client


def outcome(session: str, ago: float, outcome: str, followed: float | None = None, **more: Any) -> dict[str, Any]:
    row = {"contract": SLA["name"], "bot": "shop", "channel": "web", "session_id": session, "id": session, "sign": 1}
    row |= {"at": at(ago), "due": at(ago - 300), "followed": None if followed is None else at(followed)}
    return row | {"outcome": outcome, "about": "bot.handoff", "settled": at(ago - 310)} | more


async def listed(admin: httpx.AsyncClient, **params: str) -> dict[str, Any]:
    answer = await admin.get("/api/contracts", params=params)
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json()["items"]}


async def test_without_anything_to_follow_it_says_so_and_no_rate_is_made_up(admin: httpx.AsyncClient) -> None:
    found = await listed(admin)
    assert {name: (item["state"], item["rate"], item["counted_since"]) for name, item in found.items()} == {
        "A human / comes": ("no_data", None, None),
        "Off": ("off", None, None),
        "Messages get a reply": ("no_data", None, None),
    }


async def test_kept_breached_and_late_and_the_turns_beside_them(admin: httpx.AsyncClient, bots: Bots) -> None:
    bots.put(
        "inbox_contracts",
        outcome("s1", 1_000, "kept", 900),
        outcome("s2", 1_000, "late", 300),
        outcome("s3", 1_000, "breached"),
    )
    bots.turn(500)
    found = await listed(admin)
    mine = found["A human / comes"]
    assert [mine[name] for name in ("state", "kept", "breached", "late")] == ["breached", 1, 2, 1]
    assert mine["rate"] == pytest.approx(100 / 3)
    assert (mine["when"], mine["then"], mine["terms"][0]["within"]) == ("event bot.handoff", ["message human"], "5m")
    assert mine["counted_since"] is not None
    replies = found["Messages get a reply"]
    assert (replies["state"], replies["rate"], replies["source"]) == ("few", 100, "turns")
    assert (await listed(admin, period="5m"))["A human / comes"]["state"] == "no_data"


async def test_breaches_name_their_sessions_and_lead_there_page_by_page(admin: httpx.AsyncClient, bots: Bots) -> None:
    bots.put(
        "inbox_contracts",
        outcome("s1", 1_000, "kept", 900),
        *(outcome(f"s/{n}", 1_000 + n, "breached", bot="shop" if n else "other") for n in range(3)),
        outcome("late", 990, "late", 300, trace_id="trace00000000001"),
    )
    path = "/api/contracts/A human / comes/breaches"
    first = (await admin.get(path, params={"limit": 2})).json()
    assert [item["session"] for item in first["items"]] == ["late", "s/0"]
    assert first["items"][0]["followed"] is not None
    assert [link["url"] for link in first["items"][0]["links"]] == [
        "/conversations/late?bot=shop",
        "/traces/" + b"trace00000000001".hex(),
    ]
    assert first["items"][1]["links"] == [{"name": "Conversation", "url": "/conversations/s%2F0?bot=other"}]
    second = (await admin.get(path, params={"limit": 2, "cursor": first["next"]})).json()
    assert ([item["session"] for item in second["items"]], second["next"]) == (["s/1", "s/2"], None)
    assert [item["session"] for item in (await admin.get(path, params={"bot": "other"})).json()["items"]] == ["s/0"]
    assert [item["session"] for item in (await admin.get(path, params={"followed": "true"})).json()["items"]] == [
        "late"
    ]


async def test_what_turns_left_unanswered_is_listed_too(admin: httpx.AsyncClient, bots: Bots) -> None:
    bots.turn(500)
    bots.turn(400, "unanswered", None, session_id="silent")
    found = (await admin.get("/api/contracts/Messages get a reply/breaches")).json()["items"]
    assert [(item["session"], item["about"], item["followed"]) for item in found] == [("silent", "unanswered", None)]


@pytest.mark.parametrize("name", ["nothing", "A human"])
async def test_one_that_is_not_there_is_not_found(admin: httpx.AsyncClient, name: str) -> None:
    answer = await admin.get(f"/api/contracts/{name}/breaches")
    assert answer.status_code == 404
    assert "there is no contract" in answer.json()["error"]["message"]


async def test_a_contract_is_tried_over_history_before_it_is_saved(
    admin: httpx.AsyncClient, bots: Bots, book: RuleBook
) -> None:
    bots.event("bot.handoff", 3_000, "s1")
    bots.event("bot.handoff", 3_000, "s2")
    bots.said({"ago": 2_900, "session": "s1", "direction": "out", "author": "agent"})
    given = {"name": "new", "kind": "contract", "options": SLA["options"]}
    answer = await admin.post("/api/contracts/check", json={"rule": given, "period": "1h"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [found[name] for name in ("kept", "breached", "late", "open", "rate")] == [1, 1, 0, 0, 50]
    assert [one["session"] for one in found["examples"]] == ["s2"]
    assert "new" not in book.entries
    by_name = await admin.post("/api/contracts/check", json={"rule": SLA["name"], "period": "1h"})
    assert by_name.json()["kept"] == 1


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({"rule": "nobody"}, 404, "there is no contract 'nobody'"),
        ({"rule": {"name": "a", "field": "cpu.usage", "value": 1}}, 422, "expected contract, found threshold"),
        ({"rule": {**SLA, "options": {"when": "x"}}}, 422, "options: when: expected message in"),
        ({"rule": SLA, "period": "90d"}, 422, "expected at most 31 days"),
        ({"rule": SLA, "period": "soon"}, 422, "expected a duration"),
        ({"rule": SLA, "peroid": "1d"}, 422, "peroid"),
    ],
)
async def test_what_cannot_be_tried_is_told(
    admin: httpx.AsyncClient, given: dict[str, Any], status: int, told: str
) -> None:
    answer = await admin.post("/api/contracts/check", json=given)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text


RULES = "/api/rules"


def handoffs(bots: Bots, kept: int, breached: int) -> None:
    """An hour ago, each in a conversation of its own; a human came to the first of them."""
    for n in range(kept + breached):
        bots.event("bot.handoff", 3_600 + n, session=f"s{n}")
    bots.said(*({"ago": 3_590 + n, "session": f"s{n}", "direction": "out", "author": "agent"} for n in range(kept)))


async def test_a_contract_is_tried_on_the_last_days_when_it_is_saved(admin: httpx.AsyncClient, bots: Bots) -> None:
    handoffs(bots, kept=2, breached=6)
    saved = (await admin.post(RULES, json={**SLA, "name": "New"})).json()
    assert {name: saved["trial"][name] for name in ("kept", "breached", "rate")} == {
        "kept": 2,
        "breached": 6,
        "rate": 25.0,
    }
    assert saved["warnings"] == ["6 of 8 (75 %) would have been breached"]
    longer = {"options": {**SLA["options"], "within": "2h"}}
    changed = (await admin.patch(f"{RULES}/New", json=longer)).json()
    assert (changed["trial"]["kept"], changed["trial"]["open"], changed["warnings"]) == (2, 6, [])
    told = (await admin.patch(f"{RULES}/New", json={"message": "other words"})).json()
    assert (told["trial"], told["warnings"]) == (None, [])


async def test_one_of_what_was_never_seen_is_refused_with_what_comes_near(admin: httpx.AsyncClient, bots: Bots) -> None:
    bots.span(60, "t" * 16, action="refund")
    wrong = {**SLA, "name": "Wrong", "options": {"when": "handoff", "then": "action refunds", "within": "5m"}}
    refused = await admin.post(RULES, json=wrong)
    assert refused.status_code == 422
    assert "there is no action 'refunds'; did you mean refund?" in refused.json()["error"]["message"]
    checked = (await admin.post("/api/contracts/check", json={"rule": wrong})).json()
    assert "there is no action 'refunds'; did you mean refund?" in checked["warnings"]
    saved = await admin.post(RULES, json=wrong, params={"unseen": "true"})
    assert saved.status_code == 201
    assert saved.json()["warnings"][0] == "there is no action 'refunds'; did you mean refund?"


async def test_while_the_store_is_away_it_is_saved_and_that_is_told(
    admin: httpx.AsyncClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(sql: str, params: Params | None = None) -> Rows:
        raise StoreAway("the telemetry store does not answer (code 210)")

    monkeypatch.setattr(store, "fetch", away)
    saved = await admin.post(RULES, json={**SLA, "name": "New"})
    assert saved.status_code == 201
    assert saved.json()["warnings"] == [
        "it could not be tried on the past: the telemetry store does not answer (code 210)"
    ]
