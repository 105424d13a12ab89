"""Small endpoints for what cannot be installed, and for what no honest server does."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import orjson

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Said:
    """One answer of an HTTP endpoint. `needs` are headers without which it is 401."""

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Endpoint:
    port: int
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@contextlib.asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A TCP server on a free port; connections that are still open at the end are cut."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await handler(reader, writer)
                await writer.drain()
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks)
        for writer in writers:
            with contextlib.suppress(AttributeError):  # of TLS that was closed twice, in Python 3.11.2
                writer.transport.abort()  # what was never read would keep it open
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def http(answers: Mapping[str, Said], context: ssl.SSLContext | None = None) -> AsyncIterator[Endpoint]:
    """Answers by path, without its query; anything else is 404. What is asked is kept."""
    endpoint = Endpoint(0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            request, *lines = head.decode().rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            endpoint.bodies.append(await reader.readexactly(int(headers.get("content-length", "0"))))
            endpoint.asked.append(request)
            said = answers.get(request.split(" ")[1].partition("?")[0], Said(b"nothing here", 404))
            if any(headers.get(name) != value for name, value in said.needs.items()):
                said = Said({"error": "unauthorised"}, 401)
            body = said.body if isinstance(said.body, bytes) else orjson.dumps(said.body)
            more = "".join(f"{name}: {value}\r\n" for name, value in said.headers.items())
            start = f"HTTP/1.1 {said.status} X\r\ncontent-length: {len(body)}\r\n{more}\r\n"
            writer.write(start.encode() + body)
            await writer.drain()

    async with serving(handle, context) as port:
        endpoint.port = port
        yield endpoint


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Takes what comes and never answers."""
    while await reader.read(4_096):
        pass


def flooding(start: bytes) -> Handler:
    """Begins like an answer and goes on for 100 MB."""

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        for _part in range(100):
            writer.write(b"x" * 1_000_000)
            await writer.drain()

    return flood
