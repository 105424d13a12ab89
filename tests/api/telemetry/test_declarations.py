"""What is declared of a source through the API: checked before it is kept, shown as it was given, taken away again."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from botwatch.settings import Settings
from botwatch.state import Database, audit
from botwatch.watch.payloads import given
from botwatch.watch.payloads.declared import Declared, Origin
from tests.api.conftest import Secrets, bearer, error_of
from tests.api.telemetry.conftest import Asker

PATH = "/api/payloads/sources/tickets/declaration"
SAID = {
    "critical": ["category", "items[].id"],
    "discriminator": [],
    "session": "conversation.id",
    "schema": {"required": ["category"]},
}


async def put(asking: httpx.AsyncClient, secrets: Secrets, said: dict[str, Any], path: str = PATH) -> httpx.Response:
    return await asking.put(path, json=said, headers=bearer(secrets.admin))


async def test_it_is_shown_as_it_was_given_and_noted_in_the_audit(
    asking: httpx.AsyncClient, secrets: Secrets, monitor: Asker, database: Database
) -> None:
    assert (await put(asking, secrets, SAID)).status_code == 200
    found = await monitor.get(PATH)
    assert {name: found[name] for name in SAID} == SAID
    assert found["changed_by"] == audit_of(database)[0].who
    assert audit_of(database)[0].what == "payload.declare"
    (declared,) = database.read_now(given.listed)
    assert declared == Declared(
        "tickets", '{"required":["category"]}', ("category", "items[].id"), None, "conversation.id", Origin.API
    )
    await put(asking, secrets, {"critical": "total"})
    assert (await monitor.get(PATH))["schema"] is None
    assert (await asking.delete(PATH, headers=bearer(secrets.admin))).status_code == 204
    assert error_of(await monitor.response(PATH)) == (404, "not_found")


def audit_of(database: Database) -> list[Any]:
    return database.read_now(lambda session: audit.entries(session, before_id=None, count=10))


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"schema": {"type": "strng"}}, "schema: expected a JSON Schema, found at type"),
        ({"schema": {"$ref": "file:///etc/passwd"}}, "never fetched"),
        ({"critical": ["items[]"]}, "an element of an array cannot be missing"),
        ({"session": "a..b"}, "session"),
        ({"sesion": "a"}, "sesion"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    asking: httpx.AsyncClient, secrets: Secrets, database: Database, said: dict[str, Any], hint: str
) -> None:
    response = await put(asking, secrets, said)
    assert response.status_code == 422
    assert hint in response.text
    assert database.read_now(given.listed) == []


async def test_what_the_settings_say_is_changed_there(
    app: FastAPI, asking: httpx.AsyncClient, secrets: Secrets, settings: Settings
) -> None:
    fixed = settings.model_copy(update={"payloads": {"tickets": {"critical": "id"}}})
    app.state.context = dataclasses.replace(app.state.context, settings=fixed)
    assert error_of(await put(asking, secrets, SAID)) == (409, "conflict")
    assert error_of(await asking.delete(PATH, headers=bearer(secrets.admin))) == (409, "conflict")
    assert error_of(await put(asking, secrets, SAID, PATH.replace("tickets", "%20"))) == (422, "bad_request")


def test_of_a_source_that_both_speak_of_the_settings_count() -> None:
    api = [Declared("a", "{}", (), None, "", Origin.API), Declared("b", "{}", (), None, "", Origin.API)]
    settings = [Declared("a", "", ("id",), None)]
    assert set(given.joined(settings, api)) == {settings[0], api[1]}
