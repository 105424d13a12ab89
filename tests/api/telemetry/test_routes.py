"""What holds for every route over telemetry."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI

from botwatch.api import Context, create_app
from botwatch.errors import StoreAway
from botwatch.store.client import Params, Rows, Store
from tests.api.conftest import ORIGIN, Secrets, bearer, error_of
from tests.api.telemetry.conftest import Asker, Bots

PATHS = (
    "/api/monitoring/status",
    "/api/monitoring/history",
    "/api/monitoring/sessions",
    "/api/monitoring/sessions/s1",
    "/api/measures",
    "/api/measures/action.count/values?label=action",
    "/api/logs",
    "/api/traces",
    f"/api/traces/{'0' * 32}",
    "/api/actions",
    "/api/dependencies",
    "/api/dependencies/changes",
    "/api/changes",
    "/api/deploys",
    "/api/diagnosis",
    "/api/models",
    "/api/bots",
    "/api/hosts",
    "/api/queues",
    "/api/services",
    f"/api/services/{'0' * 16}",
    "/api/faults",
    f"/api/faults/{'0' * 16}",
    "/api/intake",
    "/api/insights/engagement",
    "/api/insights/queries",
    "/api/insights/dropoff",
    "/api/insights/week",
    "/api/insights/misunderstood",
    "/api/insights/feedback",
)
# Over the state database, or tried with what they belong to.
ELSEWHERE = (
    "auth|users|tokens|keys|audit|sessions|live|export|rules|incidents|channels|routes|silences|deliveries|notices"
    "|drift|payloads|contracts|baseline|reports|shared|forms|intake/dead"
    r"|services/\{name\}/options"
)


async def test_every_route_needs_a_role_and_any_role_will_do(
    asking: httpx.AsyncClient, monitor: Asker, bots: Bots
) -> None:
    bots.talk("s1", 60)
    for path in PATHS:
        assert error_of(await asking.get(path)) == (401, "unauthorised"), path
        response = await monitor.response(path.partition("?")[0], **dict(re.findall(r"(\w+)=(\w+)", path)))
        assert response.status_code == (404 if "000" in path else 200), (path, response.text)
        assert response.headers["cache-control"] == "no-store"


async def test_the_routes_are_these(app: FastAPI) -> None:
    described = app.openapi()["paths"]
    told = {path for path in described if "get" in described[path] and re.match(rf"/api/(?!{ELSEWHERE})", path)}
    assert {re.sub(r"\{\w+\}", "*", path) for path in told} == {
        re.sub(r"/(s1|action\.count|0+)(?=/|$)", "/*", path.partition("?")[0]) for path in PATHS
    }
    for path in told:
        assert "application/json" in described[path]["get"]["responses"]["200"]["content"]
        assert "$ref" in described[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"], path


async def test_while_the_engine_is_away_clients_are_asked_to_come_again(
    admin: Asker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(sql: str, params: Params | None = None) -> Rows:
        raise StoreAway("the telemetry store does not answer (code 210)")

    monkeypatch.setattr(store, "fetch", away)
    for path in PATHS:
        if path in ("/api/intake", "/api/diagnosis"):
            continue  # they tell what can be told without it
        response = await admin.client.get(path, headers=bearer(admin.secret))
        assert error_of(response) == (503, "store_away"), path
        assert response.headers["retry-after"] == "1"


class TestWithoutATelemetryStore:
    @pytest.fixture
    def bare(self, context: Context) -> FastAPI:
        from dataclasses import replace

        return create_app(replace(context, telemetry=None))

    async def test_they_say_so(self, bare: FastAPI, secrets: Secrets) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url=ORIGIN) as client:
            for path in PATHS:
                assert error_of(await client.get(path, headers=bearer(secrets.admin))) == (503, "store_away"), path
                assert error_of(await client.get(path)) == (401, "unauthorised"), path
