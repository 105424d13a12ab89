"""The HTTP client itself: what it sends, what it reads, what it keeps, and what it does not believe."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.notify.wire import BadAddress, Http, Unreached
from tests.notify.notes import LOOPBACK
from tests.notify.receiver import Receiver, Reply
from tests.notify.test_email import certificate


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    made = Http(LOOPBACK)
    yield made
    await made.close()


async def test_a_connection_is_used_again_and_one_that_was_closed_meanwhile_is_made_anew(
    http: Http, receiver: Receiver
) -> None:
    for number in range(3):
        answer = await http.send("POST", f"{receiver.url}/{number}?x=1", {"X-A": "b"}, b"body")
        assert (answer.status, answer.body) == (200, b"ok")
    assert receiver.connections == 1
    assert [got.path for got in receiver.got] == ["/0?x=1", "/1?x=1", "/2?x=1"]
    assert receiver.got[0].headers["x-a"] == "b"
    for line in next(iter(http._idle.values())):
        line.writer.transport.abort()  # as a receiver that tidies up
    assert (await http.send("GET", receiver.url)).status == 200
    assert receiver.connections == 2


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok", 201, b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n", 429, b""),
    ],
)
async def test_answers_are_read_in_every_shape_they_come(
    http: Http, receiver: Receiver, raw: bytes, status: int, body: bytes
) -> None:
    receiver.answer = lambda _: Reply(raw=raw)
    answer = await http.send("POST", receiver.url)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 99999999999 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_what_is_no_whole_answer_is_none(http: Http, receiver: Receiver, raw: bytes) -> None:
    receiver.answer = lambda _: Reply(raw=raw)
    with pytest.raises(Unreached):
        await http.send("POST", receiver.url)
    assert len(receiver.got) == 1, "it is for whoever sends to decide about a second time"


async def test_an_answer_without_end_is_cut_whether_head_or_body(http: Http, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, b"x" * 10 * limits.DELIVERY_ANSWER_BYTES_MAX)
    assert len((await http.send("POST", receiver.url)).body) == limits.DELIVERY_ANSWER_BYTES_MAX
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"y" * 1_000) for n in range(1_000))
    receiver.answer = lambda _: Reply(raw=head)
    answer = await http.send("POST", receiver.url)
    assert len(answer.headers) < 200


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("ftp://example.com/", {}),
        ("http://", {}),
        ("http://example.com:99999/", {}),
        ("http://example.com/a b", {}),
        ("http://example.com/\r\nx: y", {}),
        ("http://exa mple.com/", {}),
        ("http://example.com/", {"a\r\nb": "c"}),
        ("http://example.com/", {"a": "b\r\nc: d"}),
        ("http://example.com/", {"a": "\x00"}),
    ],
)
async def test_what_cannot_be_sent_is_not_sent(http: Http, url: str, headers: dict[str, str]) -> None:
    with pytest.raises((BadAddress, Unreached)):
        await http.send("POST", url, headers)


async def test_a_user_in_the_address_signs_in(http: Http, receiver: Receiver) -> None:
    await http.send("POST", receiver.url.replace("//", "//bot:s%3A3@"))
    assert receiver.got[0].headers["authorization"] == "Basic Ym90OnM6Mw=="
    assert "@" not in receiver.got[0].headers["host"]


async def test_a_certificate_must_be_vouched_for_and_of_that_name(tmp_path: Path, receiver: Receiver) -> None:
    files = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusting = Http(LOOPBACK, ssl.create_default_context(cafile=str(files[0])))
    doubting = Http(LOOPBACK)
    async with server:
        assert (await trusting.send("POST", f"https://localhost:{port}/")).status == 200
        for client, host in ((trusting, "127.0.0.1"), (doubting, "localhost")):
            with pytest.raises(Unreached, match="certificate"):
                await client.send("POST", f"https://{host}:{port}/")
        await trusting.close()
    assert len(receiver.got) == 1
