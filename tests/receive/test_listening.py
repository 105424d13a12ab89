"""The application on a real uvicorn: what only a connection can show."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from botwatch import limits
from botwatch.nouns import Refusal, Signal
from botwatch.receive import otlp
from botwatch.receive.app import PATHS
from botwatch.receive.app import app as receivers
from tests.receive.parts import NDJSON, PROTOBUF, MemoryIntake, OneKey, a_request, options
from tests.receive.serving import listening

BODY = a_request(otlp.TRACES).SerializeToString()
HEADERS = {"Content-Type": PROTOBUF}
TOO_MANY_BYTES = limits.BODY_WIRE_BYTES_MAX + 1


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        listening(app) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=60) as client,
    ):
        yield client


async def test_a_body_in_many_parts_is_taken(app: ASGIApp, intake: MemoryIntake) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for byte in BODY:
            yield bytes([byte])

    async with client_of(app) as client:
        reply = await client.post("/v1/traces", content=parts())
    assert reply.status_code == 200
    assert intake.messages(otlp.TRACES) == a_request(otlp.TRACES)


async def test_one_connection_serves_good_and_bad_requests(app: ASGIApp, intake: MemoryIntake) -> None:
    async with listening(app) as port:

        def talk() -> list[int]:
            found = []
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                for body in (BODY, b"\xff", BODY + b"\xff", BODY):
                    connection.request("POST", "/v1/traces", body, HEADERS)
                    reply = connection.getresponse()
                    reply.read()
                    found.append(reply.status)
                    assert connection.sock is not None  # else it was closed, and a new one would be made
            return found

        assert await asyncio.to_thread(talk) == [200, 400, 400, 200]
    assert len(intake.parcels) == 1


async def test_a_body_declared_too_large_gets_its_answer(
    app: ASGIApp, intake: MemoryIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_LINGER_S_MAX", 60)  # however slowly this one sends

    def parts() -> Iterator[bytes]:
        for _ in range(6):
            yield bytes(limits.MIB)

    async with listening(app) as port:

        def send() -> tuple[int, bytes]:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("POST", "/v1/traces", parts(), HEADERS | {"Content-Length": str(TOO_MANY_BYTES)})
                reply = connection.getresponse()
                return reply.status, reply.read()

        status, body = await asyncio.to_thread(send)
    assert (status, b"67108864 bytes" in body) == (413, True)
    assert intake.refused == {(Signal.TRACES, Refusal.TOO_LARGE): 1}


async def test_a_body_without_end_is_cut_off_at_the_bound(app: ASGIApp) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += limits.MIB
            yield bytes(limits.MIB)

    async with client_of(app) as client:
        try:
            reply = await client.post("/v1/traces", content=endless())
            status = reply.status_code
        except httpx.TransportError:  # the answer was sent, but this client was still sending
            status = 413
    assert status == 413
    assert sent < limits.BODY_WIRE_BYTES_MAX + limits.BODY_LINGER_BYTES_MAX + 16 * limits.MIB


async def test_a_client_that_asks_first_need_not_send(app: ASGIApp) -> None:
    """Expect: 100-continue, as curl does with large bodies."""
    head = (
        f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\n"
        f"Content-Length: {TOO_MANY_BYTES}\r\nExpect: 100-continue\r\n\r\n"
    )
    async with listening(app) as port:

        def ask() -> bytes:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(head.encode())
                return connection.recv(65_536)

        answer = await asyncio.to_thread(ask)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_without_a_key_the_body_is_not_waited_for(intake: MemoryIntake) -> None:
    head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nContent-Length: 1000\r\n\r\n"
    async with listening(receivers(intake, OneKey("secret"), options())) as port:

        def ask() -> bytes:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(head.encode())
                return connection.recv(65_536)

        answer = await asyncio.to_thread(ask)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_paths_under_another_application(intake: MemoryIntake, path: str) -> None:
    door = receivers(intake, None, options())
    inside: Any = Starlette(routes=[Route(path, endpoint=door) for path in PATHS])
    body, media_type = (b'{"a":1}', NDJSON) if path in ("/v1/logs/json", "/v1/payloads") else (b"", PROTOBUF)
    async with client_of(inside) as client:
        reply = await client.post(path, params={"source": "s"}, content=body, headers={"Content-Type": media_type})
        wrong = await client.get(path)
    assert (reply.status_code, wrong.status_code) == (200, 405)
