"""Services as the API gives them: the list, the history, adding, removing, asking now; and in the status."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from botwatch.api import Context
from botwatch.clock import ManualClock
from botwatch.state import Database
from botwatch.watch.given import made
from botwatch.watch.roster import Roster
from botwatch.watch.services import Services
from tests.api.conftest import bearer, error_of
from tests.api.telemetry.conftest import NOW_S, Asker, Bots, Row
from tests.real.parts import free_port
from tests.watch.probes.answering import Endpoint, Said, http
from tests.watch.probes.looking import Collected

PATH = "/api/services"
SECRET = "hush-hush-0123"


@pytest.fixture
async def health() -> AsyncIterator[Endpoint]:
    answer = Said({"status": "ok", "version": "5.0.1", "sessions": 7})
    async with http({"/health": answer}) as endpoint:
        yield endpoint


@pytest.fixture
async def roster(context: Context, app: FastAPI, health: Endpoint) -> AsyncIterator[Roster]:
    """A server that is told to ask the endpoint, and one place where nobody listens."""
    url = f"http://bot:{SECRET}@127.0.0.1:{health.port}/health?key={SECRET}"
    fixed = [
        made("botserver", {"url": url, "figures": {"sessions": "sessions"}}),
        made("qdrant", {"url": f"http://127.0.0.1:{free_port()}"}),
    ]
    services = Services(Collected(), context.clock, "here")
    roster = Roster(services, context.database, context.clock, fixed)
    app.state.context = replace(context, telemetry=replace(context.telemetry, roster=roster))
    stop = asyncio.Event()
    running = asyncio.create_task(roster.run(stop))
    await asyncio.sleep(0)
    yield roster
    stop.set()
    await running


def told(name: str, status: str, ago: float = 1, **more: Any) -> Row:
    """An event of a service that another server asks."""
    lines = {"name": name, "kind": "redis", "address": "redis://10.0.0.1:6379", "status": status, "before": status}
    lines |= {"reason": "", "version": "7.2.4", "figure": "94.2% hit rate", "since_s": str(NOW_S - 100)}
    lines |= {"every_s": "60.0", "latency_ms": "1.5"} | more
    attributes = {f"botwatch.service.{line}": value for line, value in lines.items()}
    return {"ago": ago, "bot": "", "event": "botwatch.service", "host": "elsewhere", "attributes": attributes}


async def test_without_any_service_there_is_none(admin: Asker) -> None:
    assert await admin.get(PATH) == {"items": [], "running": 0, "total": 0}
    assert error_of(await admin.response(f"{PATH}/redis")) == (404, "not_found")


async def test_each_is_told_with_its_status_version_and_key_figures(admin: Asker, roster: Roster) -> None:
    for name in ("botserver", "qdrant"):
        await roster.services.check(name)
    found = await admin.get(PATH)
    assert (found["running"], found["total"]) == (1, 2)
    server, qdrant = found["items"]
    assert (server["name"], server["kind"], server["status"], server["version"]) == (
        "botserver",
        "http",
        "running",
        "5.0.1",
    )
    assert (server["key_figure"], server["source"], server["host"]) == ("7 sessions", "settings", "here")
    assert {"name": "sessions", "value": 7, "unit": "1", "measure": "metric:service.http.sessions"} in server["figures"]
    assert server["checked"] is not None
    assert (qdrant["status"], qdrant["version"], qdrant["latency_ms"]) == ("stopped", None, None)
    assert "nobody listens" in qdrant["reason"]
    assert (await admin.get("/api/monitoring/status"))["services"] == {"botserver": "running", "qdrant": "stopped"}


async def test_no_secret_is_in_any_answer(admin: Asker, roster: Roster) -> None:
    await roster.services.check("botserver")
    texts = [(await admin.response(path)).text for path in (PATH, f"{PATH}/botserver", "/api/monitoring/status")]
    assert all(SECRET not in text and "key=" not in text for text in texts)


async def test_a_service_is_added_asked_and_removed(
    admin: Asker, roster: Roster, health: Endpoint, database: Database, clock: ManualClock
) -> None:
    given: Row = {"name": "web", "url": f"http://u:{SECRET}@127.0.0.1:{health.port}/health", "token": SECRET}
    given |= {"expect_json": ["status == ok"], "interval_seconds": 60}
    headers = bearer(admin.secret)
    added = await admin.client.post(PATH, json=given, headers=headers)
    assert (added.status_code, added.json()["status"], added.json()["source"]) == (201, "unknown", "api")
    checked = await admin.client.post(f"{PATH}/web/check", headers=headers)
    assert (checked.status_code, checked.json()["status"]) == (200, "running")
    assert SECRET not in added.text + checked.text
    again = await admin.client.post(PATH, json=given, headers=headers)
    assert error_of(again) == (409, "conflict")
    kept = Roster(Services(Collected(), clock, "here"), database, clock, [])
    await kept._read()  # as after a restart
    (view,) = kept.services.views()
    assert view.service == roster.services.view("web").service  # type: ignore[union-attr]
    assert view.service.target.password.get_secret_value() == SECRET
    clock.advance(2)
    assert (await admin.client.delete(f"{PATH}/web", headers=headers)).status_code == 204
    assert [item["name"] for item in (await admin.get(PATH))["items"]] == ["botserver", "qdrant"]
    assert error_of(await admin.client.delete(f"{PATH}/web", headers=headers)) == (404, "not_found")
    audit = (await admin.response("/api/audit")).text
    assert (audit.count("service.add"), audit.count("service.remove"), SECRET in audit) == (1, 1, False)


async def test_a_service_is_tried_and_nothing_is_kept(
    admin: Asker, roster: Roster, health: Endpoint, database: Database
) -> None:
    headers = bearer(admin.secret)
    good = {"name": "web", "url": f"http://u:{SECRET}@127.0.0.1:{health.port}/health", "kind": "http"}
    found = await admin.client.post(f"{PATH}/try", json=good, headers=headers)
    assert (found.status_code, found.json()["status"], found.json()["version"]) == (200, "running", "5.0.1")
    lost = await admin.client.post(
        f"{PATH}/try", json=good | {"url": f"tcp://127.0.0.1:{free_port()}", "kind": "tcp"}, headers=headers
    )
    assert (lost.json()["status"], "nobody listens" in lost.json()["reason"]) == ("stopped", True)
    refused = await admin.client.post(f"{PATH}/try", json={"name": "web", "kind": "http"}, headers=headers)
    assert error_of(refused) == (422, "bad_request")
    assert SECRET not in found.text + lost.text
    assert [item["name"] for item in (await admin.get(PATH))["items"]] == ["botserver", "qdrant"]
    assert "service" not in (await admin.response("/api/audit")).text


async def test_a_service_is_changed_and_its_secrets_stay_with_their_address(
    admin: Asker, roster: Roster, health: Endpoint, clock: ManualClock
) -> None:
    headers, place = bearer(admin.secret), f"{PATH}/web"
    url = f"http://127.0.0.1:{health.port}/health"
    made = {"name": "web", "url": url, "token": SECRET, "interval_seconds": 60}
    assert (await admin.client.post(PATH, json=made, headers=headers)).status_code == 201
    known = await admin.get(f"{place}/options")
    assert (known["options"], known["secrets"]) == ({"interval_seconds": 60}, ["token", "url"])
    assert known["address"] == f"http://127.0.0.1:{health.port}"
    changed = await admin.client.put(place, json={"kind": "http", "interval_seconds": 30}, headers=headers)
    assert (changed.status_code, changed.json()["interval_seconds"]) == (200, 30)
    view = roster.services.view("web")
    assert view is not None
    assert (view.service.token.get_secret_value(), view.service.target.url) == (SECRET, url)
    same = await admin.client.put(place, json={"url": f"{url}?deep=1"}, headers=headers)
    assert same.status_code == 200
    other = f"http://127.0.0.1:{free_port()}/"
    for answer in (
        await admin.client.put(place, json={"url": other}, headers=headers),
        await admin.client.post(f"{PATH}/try", json={"name": "web", "url": other}, headers=headers),
    ):
        assert error_of(answer) == (422, "bad_request")
        assert "token: what is kept was given for another address" in answer.text
    moved = await admin.client.put(place, json={"url": other, "token": "another"}, headers=headers)
    assert moved.status_code == 200
    clock.advance(2)
    audit = (await admin.response("/api/audit")).text
    assert (audit.count("service.change"), SECRET in audit + changed.text + same.text) == (3, False)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "x", "url": "nonsense://h"}, "kind: expected one of"),
        ({"name": "No Good", "url": "http://h"}, "small letters"),
        ({"name": "x", "url": "http://h", "password_file": "/etc/passwd"}, "password_file: Extra inputs"),
        ({"name": "x", "url": "http://h", "token_file": "/etc/passwd"}, "token_file: Extra inputs"),
        ({"name": "x", "url": "http://h", "ca_file": "/etc/passwd"}, "ca_file: Extra inputs"),
        ({"name": "x", "url": f"http://u:{SECRET}@h:port"}, "url: expected an address"),
        ({"name": "x"}, "url: Field required"),
    ],
)
async def test_what_does_not_fit_is_refused(admin: Asker, roster: Roster, given: Row, words: str) -> None:
    response = await admin.client.post(PATH, json=given, headers=bearer(admin.secret))
    assert error_of(response) == (422, "bad_request")
    assert (words in response.text, SECRET in response.text) == (True, False), response.text


async def test_what_the_settings_say_stays_theirs(admin: Asker, roster: Roster) -> None:
    headers = bearer(admin.secret)
    taken = await admin.client.post(PATH, json={"name": "qdrant", "url": "http://h"}, headers=headers)
    assert error_of(taken) == (409, "conflict")
    for method, path in (("DELETE", "qdrant"), ("PUT", "qdrant"), ("GET", "qdrant/options")):
        answer = await admin.client.request(method, f"{PATH}/{path}", json={}, headers=headers)
        assert error_of(answer) == (409, "conflict")
    assert error_of(await admin.response(f"{PATH}/none/options")) == (404, "not_found")


async def test_only_an_admin_changes_or_asks(monitor: Asker, roster: Roster) -> None:
    headers = bearer(monitor.secret)
    assert (await monitor.get(PATH))["total"] == 2
    changes = [("POST", PATH), ("DELETE", f"{PATH}/qdrant"), ("POST", f"{PATH}/qdrant/check"), ("POST", f"{PATH}/try")]
    for method, path in (*changes, ("PUT", f"{PATH}/qdrant"), ("GET", f"{PATH}/qdrant/options")):
        response = await monitor.client.request(method, path, json={"name": "x", "url": "http://h"}, headers=headers)
        assert error_of(response) == (403, "forbidden")
    unsigned = await monitor.client.get(PATH)
    assert unsigned.status_code == 401


async def test_what_another_server_asks_is_listed_until_it_falls_silent(
    admin: Asker, bots: Bots, clock: ManualClock
) -> None:
    bots.logs(
        told("redis", "stopped", 200, before="running", reason="gone"),
        told("redis", "running", 100, before="stopped"),
        told("redis", "running", 10),
    )
    (item,) = (await admin.get(PATH))["items"]
    assert (item["status"], item["version"], item["key_figure"]) == ("running", "7.2.4", "94.2% hit rate")
    assert (item["host"], item["latency_ms"], item["source"]) == ("elsewhere", 1.5, None)
    detail = await admin.get(f"{PATH}/redis")
    assert [(c["before"], c["status"], c["reason"]) for c in detail["changes"]] == [
        ("stopped", "running", None),
        ("running", "stopped", "gone"),
    ]
    clock.advance(3 * 60)
    silent = (await admin.get(PATH))["items"][0]
    assert (silent["status"], silent["reason"]) == ("unknown", "nothing was heard of it for 190 s")
    clock.advance(86_400)
    assert (await admin.get(PATH))["items"] == []


async def test_a_model_server_is_told_with_what_bots_made_of_it(admin: Asker, bots: Bots) -> None:
    bots.logs(told("botmodels", "running", kind="models"))
    bots.put(
        "ticks_10s",
        {
            "kind": "model",
            "tick": NOW_S - 600,
            "bot": "shop",
            "name": "gpt-4o",
            "count": 4,
            "total": 6_000,
            "tokens_in": 900,
            "tokens_out": 100,
        },
    )
    (item,) = (await admin.get(PATH))["items"]
    assert {(figure["name"], figure["value"], figure["measure"]) for figure in item["figures"]} == {
        ("tokens.last_hour", 1_000, "model.tokens"),
        ("calls.latency", 1_500, "model.latency"),
    }


async def test_what_others_tell_of_our_own_does_not_count(admin: Asker, bots: Bots, roster: Roster) -> None:
    bots.logs(told("qdrant", "running"), told("x\x1b[31m", "on fire", every_s="nan"))
    await roster.services.check("qdrant")
    found = {item["name"]: item["status"] for item in (await admin.get(PATH))["items"]}
    assert found["qdrant"] == "stopped"
    assert found["x\x1b[31m"] == "unknown"
