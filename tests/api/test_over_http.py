"""The same application behind the real HTTP server, asked byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI

from botwatch import limits
from botwatch.api import Context
from tests.api.conftest import Secrets


@pytest.fixture
async def port(app: FastAPI) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, lifespan="off", log_config=None, http="httptools", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield listener.getsockname()[1]  # who connects before it serves waits in the queue
        server.should_exit = True
        await serving


async def ask(port: int, request: bytes, seconds: float = 60) -> str:
    """What is answered in that time, also to who has not been heard to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = bytearray()

    async def hear() -> None:
        while not _whole(answer) and (piece := await reader.read(65_536)):
            answer.extend(piece)

    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(seconds):
            writer.write(request)
            await hear()
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer.decode("latin-1")


def _whole(answer: bytearray) -> bool:
    head, parted, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(parted) and (length is None or len(body) >= int(length[1]))


async def test_a_link_from_another_page_cannot_be_followed_under_another_name(port: int, context: Context) -> None:
    code = context.sign_in.new_code()
    rebound = await ask(port, f"GET /sign-in?code={code} HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n".encode())
    assert rebound.startswith("HTTP/1.1 403 ")
    answer = await ask(port, f"GET /sign-in?code={code} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    assert answer.startswith("HTTP/1.1 303 ")
    assert "set-cookie: botwatch_8600=bw_ses_" in answer
    assert "x-frame-options: DENY" in answer


async def test_a_body_that_never_ends_is_cut_off(port: int, secrets: Secrets) -> None:
    head = (
        "POST /api/keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {secrets.admin}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = await ask(port, head + piece * (limits.REQUEST_JSON_BYTES_MAX // 65_536 + 2))
    assert answer.startswith("HTTP/1.1 413 ")
    assert '"code":"too_large"' in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /api/auth/me HTTP/1.1\r\n\r\n",
        b"GET /api/auth/me HTTP/1.0\r\n\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/api/auth/me HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /api/auth/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        b'GET /api/auth/me HTTP/1.1\r\nHost: localhost\r\nCookie: botwatch_8600="\\377; x; =;\x01\r\n\r\n',
        b"GET /api/auth/me%00%ff/..//../ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/keys HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/keys HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n" * 1_000,
    ],
)
async def test_no_request_breaks_the_server(port: int, request_: bytes) -> None:
    answer = await ask(port, request_, seconds=0.5)  # what is no request yet is waited for, and that is right
    assert not answer or answer.split(" ")[1][:1] == "4", answer
    assert (await ask(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")).startswith("HTTP/1.1 200 ")
