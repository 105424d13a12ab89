"""Connections that bring no request, or never the whole head of one, do not stay."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from botwatch import limits
from botwatch.clock import SystemClock
from botwatch.server.doors import Doors
from botwatch.settings import Settings
from botwatch.spool import Heard, Spool
from botwatch.state import Access, Keys, open_database

_SLOWLY = b"GET / HTTP/1.1\r\nhost: a\r\nx: "
_WHOLE = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


async def web(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.5)  # longer than a head may take here: an answer has its own time
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def ended(port: int, first: bytes, *, drip: bool = False) -> bytes:
    """All that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)

    async def dripping() -> None:
        with contextlib.suppress(OSError):
            while drip:
                writer.write(b"a")
                await asyncio.sleep(0.02)

    task = asyncio.create_task(dripping())
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except OSError:
        return b""
    finally:
        task.cancel()
        writer.close()


async def test_a_connection_without_the_head_of_a_request_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_READ_S_MAX", 0.2)
    settings = Settings(data=tmp_path, port=0, otlp_port=0, grpc_port=0)
    clock, database = SystemClock(), open_database(settings)
    spool = Spool.open(tmp_path / "spool.db", clock=clock, bytes_max=2**20, disk_free_bytes_min=0)
    async with contextlib.AsyncExitStack() as exit:
        exit.callback(database.close)
        exit.callback(spool.close)
        doors = Doors(settings, exit)
        doors.listen()
        keys = Keys(Access(database, clock, ""), required=False)
        await doors.open(web, spool, Heard(spool, clock), keys, clock)
        for port in (doors.ports["web"], doors.ports["otlp"]):
            assert await ended(port, b"") == b""
            assert await ended(port, _SLOWLY, drip=True) == b""
        for _ in range(20):  # on a busy machine the head may come too late
            if answer := await ended(doors.ports["web"], _WHOLE + _SLOWLY, drip=True):
                break
        assert answer.startswith(b"HTTP/1.1 204")
