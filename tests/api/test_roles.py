"""Who may ask what: over every route there is, also those that come later."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from botwatch.settings import Settings
from tests.api.conftest import Secrets, bearer, error_of

OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),  # on loopback
    ("GET", "/sign-in"),
    ("POST", "/api/auth/sign-in"),
    ("GET", "/api/openapi.json"),
}
ADMIN = re.compile(r"/api/(users|keys|audit|reports/[^/]+/shares)\b")
BY_LINK = re.compile(r"/api/shared/")  # whatever somebody's role is


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(app.routes):
        assert route.path, f"{route.original_route} is not a plain route: say here who may reach it"
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, route.path


async def ask(client: httpx.AsyncClient, method: str, path: str, **options: dict[str, str]) -> httpx.Response:
    return await client.request(method, re.sub(r"\{[^}]*\}", "999", path), **options)  # type: ignore[arg-type]


async def test_every_route_but_the_open_ones_asks_who_it_is(app: FastAPI, client: httpx.AsyncClient) -> None:
    found = set(routes(app))
    assert found >= OPEN
    assert len(found) > len(OPEN) + 10
    for method, path in sorted(found - OPEN):
        assert error_of(await ask(client, method, path)) == (401, "unauthorised"), (method, path)


async def test_an_ingest_key_opens_nothing(app: FastAPI, client: httpx.AsyncClient, secrets: Secrets) -> None:
    for method, path in sorted(set(routes(app)) - OPEN):
        response = await ask(client, method, path, headers=bearer(secrets.ingest))
        assert error_of(response) == (401, "unauthorised"), (method, path)
        assert "ingest key" in response.text


async def test_a_monitor_may_look_and_only_an_admin_may_administer(
    app: FastAPI, client: httpx.AsyncClient, secrets: Secrets
) -> None:
    found = sorted(set(routes(app)) - OPEN)
    assert any(ADMIN.match(path) for _, path in found)
    for method, path in found:
        as_monitor = await ask(client, method, path, headers=bearer(secrets.monitor))
        if BY_LINK.match(path):
            assert error_of(as_monitor) == (401, "unauthorised"), (method, path)
            assert error_of(await ask(client, method, path, headers=bearer(secrets.admin))) == (401, "unauthorised")
            continue
        if ADMIN.match(path):
            assert error_of(as_monitor) == (403, "forbidden"), (method, path)
        elif method == "GET":
            assert as_monitor.status_code not in (401, 403), (method, path)
        as_admin = await ask(client, method, path, headers=bearer(secrets.admin))
        assert as_admin.status_code not in (401, 403, 500), (method, path, as_admin.text)


class TestExposed:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"host": "0.0.0.0"})

    async def test_metrics_ask_who_it_is_where_others_can_reach_them(
        self, client: httpx.AsyncClient, secrets: Secrets
    ) -> None:
        assert error_of(await client.get("/metrics")) == (401, "unauthorised")
        assert (await client.get("/metrics", headers=bearer(secrets.monitor))).status_code == 200
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        b"Bearer",
        b"Bearer ",
        b"Bearer  \t ",
        b"Basic YTpi",
        b"bearer",
        b"Bearer \xff\xfe\x00",
        b"Bearer " + b"x" * 60_000,
        b"Bearer bw_api_' OR 1=1",
        b"Bearer bw_api_" + "é".encode() * 10,
        b"",
        b"Bearer null",
        b"Token x, Bearer y",
    ],
)
async def test_no_header_value_breaks_the_door(client: httpx.AsyncClient, header: bytes) -> None:
    response = await client.get("/api/auth/me", headers={b"authorization": header})
    assert error_of(response) == (401, "unauthorised")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_two_headers_are_not_one(client: httpx.AsyncClient, secrets: Secrets) -> None:
    value = f"Bearer {secrets.admin}"
    two = httpx.Headers([("authorization", value), ("authorization", value)])
    assert error_of(await client.get("/api/auth/me", headers=two)) == (401, "unauthorised")


async def test_the_scheme_is_read_in_any_case(client: httpx.AsyncClient, secrets: Secrets) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        response = await client.get("/api/auth/me", headers={"authorization": f"{scheme} {secrets.monitor}"})
        assert response.json() == {"name": "token:monitors", "role": "monitor", "via": "api", "expires": None}


async def test_a_session_is_no_bearer_and_a_token_is_no_cookie(client: httpx.AsyncClient, secrets: Secrets) -> None:
    cookie = {"cookie": f"botwatch_8600={secrets.admin}"}
    assert error_of(await client.get("/api/auth/me", headers=cookie)) == (401, "unauthorised")
