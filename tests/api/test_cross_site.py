"""What another page in the same browser may not do: nothing."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from botwatch.settings import Settings
from tests.api.conftest import ORIGIN, PASSWORD, Secrets, bearer, browser, error_of

pytestmark = pytest.mark.usefixtures("people")

FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},  # another port of this machine
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "cross-site", "origin": ORIGIN},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "http://127.0.0.1:8600.evil.example"},
]
OURS = [{"sec-fetch-site": "same-origin"}, {"origin": ORIGIN}, {"sec-fetch-site": "same-origin", "origin": ORIGIN}]


async def ask(app: FastAPI, method: str, path: str, headers: dict[str, str], at: str = ORIGIN) -> httpx.Response:
    ann = await browser(app, origin=at)
    del ann.headers["sec-fetch-site"]
    response = await ann.request(method, path, headers=headers, json={"label": "x"} if method == "POST" else None)
    await ann.aclose()
    return response


@pytest.mark.parametrize("headers", [*FOREIGN, {}])
async def test_a_cookie_does_not_change_anything_for_another_page(app: FastAPI, headers: dict[str, str]) -> None:
    assert error_of(await ask(app, "POST", "/api/keys", headers)) == (403, "forbidden")
    assert error_of(await ask(app, "DELETE", "/api/keys/1", headers)) == (403, "forbidden")
    assert error_of(await ask(app, "PATCH", "/api/users/bob", headers)) == (403, "forbidden")


@pytest.mark.parametrize("headers", OURS)
async def test_our_own_page_may(app: FastAPI, headers: dict[str, str]) -> None:
    assert (await ask(app, "POST", "/api/keys", headers)).status_code == 201


async def test_looking_needs_no_proof(app: FastAPI) -> None:
    assert (await ask(app, "GET", "/api/keys", {})).status_code == 200


async def test_a_token_is_proof_enough(client: httpx.AsyncClient, secrets: Secrets) -> None:
    response = await client.post("/api/keys", json={"label": "x"}, headers=bearer(secrets.admin))
    assert response.status_code == 201


@pytest.mark.parametrize("headers", FOREIGN)
async def test_another_page_cannot_sign_someone_in(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = {"name": "ann", "password": PASSWORD}
    assert error_of(await client.post("/api/auth/sign-in", json=body, headers=headers)) == (403, "forbidden")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
async def test_a_form_of_another_page_is_no_json(
    client: httpx.AsyncClient, secrets: Secrets, content_type: str | None
) -> None:
    headers = bearer(secrets.admin) | ({"content-type": content_type} if content_type else {})
    response = await client.post("/api/keys", content=b'{"label": "x"}', headers=headers)
    assert error_of(response) == (422, "bad_request")


async def test_no_other_page_may_read_an_answer(client: httpx.AsyncClient) -> None:
    response = await client.options(
        "/api/auth/me", headers={"origin": "https://evil.example", "access-control-request-method": "GET"}
    )
    assert not [name for name in response.headers if name.startswith("access-control-")]


class TestBehindAProxy:
    """The proxy asks us under our own address; the browser knows only the public one."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": "https://bots.example"})

    @pytest.mark.parametrize(
        ("origin", "status"), [("https://bots.example", 201), ("http://bots.example", 403), ("https://evil", 403)]
    )
    async def test_the_public_address_is_ours(self, app: FastAPI, origin: str, status: int) -> None:
        response = await ask(app, "POST", "/api/keys", {"origin": origin}, at=ORIGIN.replace("http:", "https:"))
        assert response.status_code == status
