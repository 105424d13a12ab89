"""Channels, routes, silences and deliveries over HTTP: secrets stay inside, admins change, everything is audited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from botwatch.api.context import Context
from botwatch.clock import SystemClock
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.settings import Settings
from tests.api.conftest import NOW_NS, Secrets, bearer, error_of
from tests.notify.house import opened
from tests.notify.receiver import Receiver, Reply

SECRET = "whsec-very-secret"
WEB = {"kind": "webhook", "options": {"url": "https://example.com/very/secret/path", "secret": SECRET}}


@pytest.fixture
async def admin(client: httpx.AsyncClient, secrets: Secrets) -> httpx.AsyncClient:
    client.headers.update(bearer(secrets.admin))
    return client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"notify_networks": "127.0.0.0/8"})


@pytest.fixture
async def notifier(app: FastAPI, context: Context) -> AsyncIterator[Notifier]:
    """The job itself, on the real clock."""
    import dataclasses

    made = Notifier(context.database, SystemClock(), context.settings, Frame("https://bots.example.com"))
    app.state.context = dataclasses.replace(context, notifier=made, clock=SystemClock())
    stop = asyncio.Event()
    task = asyncio.create_task(made.run(stop))
    yield made
    stop.set()
    await task


async def test_a_channel_is_added_listed_changed_and_removed_and_no_answer_holds_its_secrets(
    admin: httpx.AsyncClient,
) -> None:
    answers = [
        await admin.put("/api/channels/ops", json=WEB),
        await admin.put("/api/channels/ops", json={"kind": "webhook", "options": {"format": "alertmanager"}}),
        await admin.get("/api/channels"),
        await admin.get("/api/audit"),
        await admin.get("/api/channels/kinds"),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert not [answer for answer in answers if "secret/path" in answer.text or SECRET in answer.text]
    (shown,) = answers[2].json()
    assert shown["secrets"] == ["secret", "url"]
    assert shown["options"] == {"format": "alertmanager"}
    assert [entry["what"] for entry in answers[3].json()["items"][:2]] == ["channel.put", "channel.put"]
    assert (await admin.delete("/api/channels/ops")).status_code == 204
    assert error_of(await admin.delete("/api/channels/ops")) == (404, "not_found")


async def test_what_is_kept_is_sent_to_the_address_it_was_given_for(admin: httpx.AsyncClient) -> None:
    """Who may change an address shall not get to know a secret by it."""
    options = {"url": "https://alerts.example", "token": SECRET}
    given = {"kind": "alertmanager", "options": options}
    assert (await admin.put("/api/channels/am", json=given)).status_code == 200
    moved = {"kind": "alertmanager", "options": {"url": "https://evil.example"}}
    refused = await admin.put("/api/channels/am", json=moved)
    assert error_of(refused) == (422, "bad_request")
    assert "given for another address" in refused.text
    same = {"kind": "alertmanager", "options": {"url": options["url"], "username": "bot"}}
    assert (await admin.put("/api/channels/am", json=same)).json()["secrets"] == ["token"]
    moved["options"]["token"] = "another"  # type: ignore[index]
    assert (await admin.put("/api/channels/am", json=moved)).status_code == 200


async def test_a_monitor_looks_and_changes_nothing(client: httpx.AsyncClient, secrets: Secrets) -> None:
    client.headers.update(bearer(secrets.monitor))
    for path in ("/api/channels", "/api/routes", "/api/silences", "/api/deliveries", "/api/notices?incident=x"):
        assert (await client.get(path)).status_code == 200, path
    silence = {"where": ["host=a"], "starts": "2027-01-15T08:00:00Z", "ends": "2027-01-15T09:00:00Z"}
    for method, path, body in (
        ("PUT", "/api/channels/ops", WEB),
        ("DELETE", "/api/channels/ops", None),
        ("POST", "/api/channels/ops/test", None),
        ("PUT", "/api/routes", {"routes": []}),
        ("POST", "/api/silences", silence),
        ("PUT", "/api/silences/1", silence),
        ("DELETE", "/api/silences/1", None),
        ("POST", "/api/drill", {}),
    ):
        assert error_of(await client.request(method, path, json=body)) == (403, "forbidden"), path


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"kind": "webhok", "options": {}}, "did you mean webhook"),
        ({"kind": "webhook", "options": {"url": "gopher://x"}}, "expected an address"),
        ({"kind": "slack", "options": {"webhook_url": 7}}, "webhook_url"),
        ({"kind": "webhook", "options": {"url_file": "/etc/passwd"}}, "only in the settings"),
        ({"kind": "webhook", "options": {"url": "https://x.example", "headers": {"Host": "y"}}}, "cannot be set"),
        ({"kind": "webhook", "options": {"url": "https://x.example", "headers": {"a": "b\r\nc: d"}}}, "cannot be set"),
    ],
)
async def test_a_channel_that_makes_no_sense_is_refused(admin: httpx.AsyncClient, body: Any, says: str) -> None:
    answer = await admin.put("/api/channels/ops", json=body)
    assert error_of(answer) == (422, "bad_request")
    assert says in answer.text


async def test_routes_are_kept_in_order_and_name_channels_that_are_there(admin: httpx.AsyncClient) -> None:
    await admin.put("/api/channels/ops", json=WEB)
    assert (await admin.get("/api/routes")).json() == {"source": "default", "routes": []}
    wrong = await admin.put("/api/routes", json={"routes": [{"channels": ["opps"]}]})
    assert "did you mean ops?" in wrong.text
    given = [{"severities": ["critical"], "channels": ["ops"], "continue": True}, {"name": "rest", "channels": ["ops"]}]
    kept = (await admin.put("/api/routes", json={"routes": given})).json()
    assert kept["source"] == "api"
    assert [route["continue"] for route in kept["routes"]] == [True, False]
    assert (await admin.get("/api/routes")).json() == kept


async def test_a_silence_is_made_listed_and_ended(admin: httpx.AsyncClient) -> None:
    body = {
        "where": "host~web-*",
        "starts": "2027-01-01T00:00:00Z",
        "window": {"from": "22:00", "until": "06:00", "days": ["sat"], "zone": "Europe/Zurich"},
        "comment": "backups",
    }
    made = await admin.post("/api/silences", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["holds"] is False
    number = made.json()["id"]
    assert [each["id"] for each in (await admin.get("/api/silences")).json()["items"]] == [number]
    once = {"where": ["host=a"], "starts": "2027-01-01T00:00:00Z", "ends": "2027-01-30T00:00:00Z", "comment": "moving"}
    changed = await admin.put(f"/api/silences/{number}", json=once)
    assert (changed.status_code, changed.json()["id"], changed.json()["holds"]) == (200, number, True)
    assert changed.json()["silence"]["window"] is None
    assert (await admin.delete(f"/api/silences/{number}")).status_code == 204
    assert (await admin.get("/api/silences")).json()["items"] == []
    assert len((await admin.get("/api/silences?over=true")).json()["items"]) == 1
    assert error_of(await admin.delete(f"/api/silences/{number}")) == (404, "not_found")
    assert error_of(await admin.put(f"/api/silences/{number}", json=once)) == (404, "not_found")


async def test_a_test_message_is_sent_and_its_receipt_shown(
    admin: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    await admin.put("/api/channels/ops", json={"kind": "webhook", "options": {"url": receiver.url}})
    receipt = (await admin.post("/api/channels/ops/test")).json()
    assert receipt["status"] == "delivered"
    assert [(each["taken"], each["answer"]) for each in receipt["receipt"]] == [(True, "200 ok")]
    assert receiver.got[0].json["title"].startswith("[TEST]")
    receiver.answer = lambda _: Reply(503, b"later")
    again = (await admin.post("/api/channels/ops/test")).json()
    assert (again["status"], again["answer"]) == ("failed", "answered 503: later")
    assert error_of(await admin.post("/api/channels/gone/test")) == (404, "not_found")
    (shown,) = (await admin.get("/api/channels")).json()
    assert shown["last_answer"] == "answered 503: later"
    assert shown["waiting"] == 0


async def test_deliveries_are_listed_with_receipts_and_notices_say_why_not(
    admin: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, context: Context
) -> None:
    await admin.put("/api/channels/ops", json={"kind": "webhook", "options": {"url": receiver.url}})
    await admin.put("/api/channels/off", json={**WEB, "enabled": False})
    await admin.put("/api/routes", json={"routes": [{"channels": ["ops", "off"]}]})
    incident = context.database.write_now(lambda session: opened(session, NOW_NS))
    notifier.hint()
    await receiver.wait(1)
    async with asyncio.timeout(60):
        while not (found := (await admin.get(f"/api/deliveries?incident={incident}&status=delivered")).json()["items"]):
            await asyncio.sleep(0.02)
    (item,) = found
    assert item["title"] == "CRITICAL High CPU on host web-1"
    receipt = (await admin.get(f"/api/deliveries/{item['id']}")).json()
    assert receipt["receipt"][0]["taken"] is True
    assert "85 % or more is too much" in receipt["text"]
    notices = (await admin.get(f"/api/notices?incident={incident}")).json()
    assert [(each["channel"], each["state"], each["reason"]) for each in notices] == [
        ("ops", "sealed", "route"),
        ("off", "dropped", "channel_off"),
    ]
    assert error_of(await admin.get("/api/deliveries/nothing")) == (404, "not_found")
