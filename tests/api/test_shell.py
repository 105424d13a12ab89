from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.responses import StreamingResponse
from starlette.types import Message

from botwatch import limits
from botwatch.api import Context, create_app
from botwatch.api.app import ROUTERS
from botwatch.api.auth import SignedIn
from botwatch.api.shapes_auth import NewKey
from botwatch.errors import StoreAway, TryAgain
from botwatch.settings import Settings
from tests.api.conftest import Secrets, bearer, error_of

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path", ["/healthz", "/nothing", "/api/auth/me", "/api/openapi.json", "/sign-in?code=x", "/boom"]
)
async def test_every_answer_has_the_headers_that_keep_others_out(
    app: FastAPI, client: httpx.AsyncClient, path: str
) -> None:
    app.add_api_route("/boom", broken)
    headers = (await client.get(path)).headers
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers.get("cache-control") == "no-store") == path.startswith(("/api/", "/sign-in"))


async def broken() -> None:
    raise RuntimeError("the user wrote: hush-hush")


async def test_an_unexpected_error_is_told_by_an_incident_and_never_by_its_text(
    app: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_api_route("/boom", broken)
    response = await client.get("/boom")
    assert error_of(response) == (500, "internal")
    incident = response.json()["error"]["hint"].rpartition(" ")[2]
    logged = caplog.text
    assert f"incident {incident}: unexpected RuntimeError at " in logged
    assert "test_shell.py" in logged
    assert "hush" not in logged + response.text


async def test_an_answer_that_breaks_half_way_is_cut_off(app: FastAPI, client: httpx.AsyncClient) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half of"
        raise RuntimeError("broke")

    async def route() -> StreamingResponse:
        return StreamingResponse(half())

    app.add_api_route("/half", route)
    with pytest.raises(RuntimeError, match="broke"):
        await client.get("/half")


async def test_an_error_of_ours_has_its_status_and_says_when_to_come_again(
    app: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def later() -> None:
        raise TryAgain("Busy.", retry_after_s=7, hint="wait")

    async def away() -> None:
        raise StoreAway("The store is away.")

    app.add_api_route("/later", later)
    app.add_api_route("/away", away)
    with caplog.at_level(logging.WARNING):
        response = await client.get("/later")
    assert response.json() == {"error": {"code": "try_again", "message": "Busy.", "hint": "wait"}}
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
    assert (await client.get("/away")).headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/nothing", (404, "not_found")),
        ("GET", "/api/keys/", (404, "not_found")),
        ("GET", "/docs", (404, "not_found")),
        ("GET", "/redoc", (404, "not_found")),
        ("GET", "/%00/%ff", (404, "not_found")),
        ("PUT", "/api/keys", (405, "wrong_method")),
        ("BREW", "/healthz", (405, "wrong_method")),
    ],
)
async def test_what_there_is_not_is_told_in_the_same_shape(
    client: httpx.AsyncClient, method: str, path: str, expected: tuple[int, str]
) -> None:
    response = await client.request(method, path)
    assert error_of(response) == expected
    assert ("allow" in response.headers) == (expected[0] == 405)


@pytest.mark.parametrize(
    ("body", "expected", "words"),
    [
        (b"{", (400, "invalid_body"), "not JSON"),
        (b'{"label": "x"' + b"[" * 100_000, (400, "invalid_body"), "not JSON"),
        (b"[" * 200_000, (400, "invalid_body"), "cannot be read"),
        (b'{"label": "\xff"}', (400, "invalid_body"), "cannot be read"),
        (b"{}", (422, "bad_request"), "body.label: Field required"),
        (b'{"label": 1}', (422, "bad_request"), "body.label: Input should be a valid string"),
        (b'{"label": "x", "hush-hush": 1}', (422, "bad_request"), "Extra inputs are not permitted"),
        (b'{"label": "\\ud800"}', (422, "bad_request"), "body.label"),
        (b'{"label": "\\u0000"}', (422, "bad_request"), "A label is"),
        (b"null", (422, "bad_request"), "body"),
    ],
)
async def test_a_bad_body_is_told_by_the_place_in_it(
    client: httpx.AsyncClient, secrets: Secrets, body: bytes, expected: tuple[int, str], words: str
) -> None:
    headers = bearer(secrets.admin) | {"content-type": "application/json"}
    response = await client.post("/api/keys", content=body, headers=headers)
    assert error_of(response) == expected
    assert words in response.json()["error"]["message"]


async def test_a_bad_value_is_not_repeated(client: httpx.AsyncClient) -> None:
    body = {"name": "ann", "password": "hush-hush" * 1_000}
    response = await client.post("/api/auth/sign-in", json=body)
    assert error_of(response) == (422, "bad_request")
    assert "hush" not in response.text


async def test_many_bad_values_make_a_short_answer(client: httpx.AsyncClient) -> None:
    body = {f"field{number}" * 20: 1 for number in range(1_000)}
    response = await client.post("/api/auth/sign-in", json=body)
    assert error_of(response) == (422, "bad_request")
    assert len(response.text) < 2_000
    assert "and 992 more" in response.text


async def test_a_body_above_the_bound_is_refused_by_what_it_says_and_by_what_it_is(
    app: FastAPI, client: httpx.AsyncClient, secrets: Secrets
) -> None:
    headers = bearer(secrets.admin) | {"content-type": "application/json"}
    fits = b'{"label": "x"' + b" " * (limits.REQUEST_JSON_BYTES_MAX - 14) + b"}"
    assert (await client.post("/api/keys", content=fits, headers=headers)).status_code == 201

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 65_536

    assert error_of(await client.post("/api/keys", content=fits + b" ", headers=headers)) == (413, "too_large")
    assert error_of(await client.post("/api/keys", content=pieces(), headers=headers)) == (413, "too_large")
    lies = headers | {"content-length": "10"}
    assert error_of(await client.post("/api/keys", content=pieces(), headers=lies)) == (413, "too_large")


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 5_000, ""])
async def test_no_length_a_request_says_breaks_the_bound(
    client: httpx.AsyncClient, secrets: Secrets, length: str
) -> None:
    headers = bearer(secrets.admin) | {"content-type": "application/json", "content-length": length}
    response = await client.post("/api/keys", content=b'{"label": "x"}', headers=headers)
    assert response.status_code in (201, 413)


async def test_bodies_of_receivers_have_bounds_of_their_own(app: FastAPI, client: httpx.AsyncClient) -> None:
    async def take(given: NewKey) -> int:
        return len(given.label)

    app.add_api_route("/v1/logs", take, methods=["POST"])
    padded = b'{"label": "x"' + b" " * limits.REQUEST_JSON_BYTES_MAX + b"}"
    response = await client.post("/v1/logs", content=padded, headers={"content-type": "application/json"})
    assert response.json() == 1


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8600", "LocalHost:1", "127.0.0.1", "127.0.0.1:8600", "[::1]", "[::1]:8600"]
)
async def test_a_server_on_loopback_answers_to_the_names_of_its_machine(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/healthz", headers={"host": host})).status_code == 200


REBOUND = [
    "evil.example",
    "evil.example:8600",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost:8600:1",
    "[::1",
    "",
    " ",
    "0.0.0.0",
    "x" * 5_000,
]


@pytest.mark.parametrize("host", REBOUND)
@pytest.mark.parametrize("path", ["/healthz", "/api/auth/me", "/nothing"])
async def test_a_server_on_loopback_answers_to_no_other_name(client: httpx.AsyncClient, host: str, path: str) -> None:
    response = await client.get(path, headers={"host": host})
    assert error_of(response) == (403, "forbidden")
    assert not host.strip() or host not in response.text


async def test_a_request_with_no_name_or_two_is_refused(app: FastAPI) -> None:
    for headers in ([], [(b"host", b"localhost"), (b"host", b"localhost")], [(b"host", b"\xff\x00")]):
        assert await status_of(app, headers) == 403


async def status_of(app: FastAPI, headers: list[tuple[bytes, bytes]]) -> int:
    """Asked past the client, which would mend the headers."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/healthz", "raw_path": b"/healthz", "query_string": b""}
    await app({**scope, "headers": headers, "http_version": "1.1", "scheme": "http"}, receive, send)
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize(
    ("update", "host", "status"),
    [
        ({"host": "0.0.0.0"}, "bots.example", 200),
        ({"public_url": "https://Bots.example"}, "bots.example", 200),
        ({"public_url": "https://bots.example:8443"}, "bots.example:8443", 200),
        ({"public_url": "https://[2001:db8::1]:8443"}, "[2001:db8::1]", 200),
        ({"public_url": "https://bots.example"}, "evil.example", 403),
        ({"host": "::1"}, "[::1]:8600", 200),
    ],
)
async def test_a_server_that_is_given_a_public_name_answers_to_it(
    context: Context, settings: Settings, update: dict[str, str], host: str, status: int
) -> None:
    given = Settings.model_validate({**settings.model_dump(), **update})
    app = create_app(replace(context, settings=given))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/healthz", headers={"host": host})).status_code == status


async def test_the_description_has_every_route_with_its_errors_and_its_key(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    described = (await client.get("/api/openapi.json")).json()
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len(operations) > 10
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        for status in ("4XX", "5XX"):
            shape = operation["responses"][status]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/ErrorBody"}, operation["operationId"]
        assert "422" not in operation["responses"]
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert described["paths"]["/api/keys"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in described["paths"]["/healthz"]["get"]
    assert "http" not in str(described["paths"]).replace("HTTPBearer", "")


def test_no_request_waits_for_a_thread() -> None:
    """A plain function among what a route depends on is called in another thread, for every request."""

    def called(dependant: Dependant) -> Iterator[Callable[..., object]]:
        for one in dependant.dependencies:
            assert one.call is not None
            yield one.call
            yield from called(one)

    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    asked = {call for route in routes for call in (route.endpoint, *called(route.dependant))}
    assert len(asked) > 100
    assert [call for call in asked if inspect.isfunction(call) and not inspect.iscoroutinefunction(call)] == []


async def test_a_route_of_another_file_joins_with_the_same_rules(app: FastAPI, client: httpx.AsyncClient) -> None:
    async def mine(principal: SignedIn) -> str:
        return principal.name

    app.add_api_route("/api/mine", mine)
    assert error_of(await client.get("/api/mine")) == (401, "unauthorised")
