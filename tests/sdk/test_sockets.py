"""Long-lived connections, counted: a real WebSocket that is cut and comes back."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

import botwatch_sdk as bot
from tests.real.parts import require_module
from tests.sdk.sink import Sink


class GoodbyeOK(Exception):
    """As `websockets` names the end that was agreed on."""


async def told(sink: Sink, name: str) -> dict[str, float | None]:
    assert await asyncio.to_thread(bot.flush, 60)
    short = {"open": "bot.socket.open", "drops": "bot.socket.drops", "reconnects": "bot.socket.reconnects"}
    return {key: sink.latest(metric, bot_socket_name=name) for key, metric in short.items()}


async def test_a_drop_and_the_way_back_are_counted(live: Sink) -> None:
    socket = bot.socket("gateway")
    assert await told(live, "gateway") == {"open": 0, "drops": 0, "reconnects": 0}
    async with AsyncExitStack() as stack:
        stack.enter_context(suppress(ConnectionError))
        await stack.enter_async_context(socket)
        assert await told(live, "gateway") == {"open": 1, "drops": 0, "reconnects": 0}
        raise ConnectionError
    assert await told(live, "gateway") == {"open": 0, "drops": 1, "reconnects": 0}
    with socket:
        assert await told(live, "gateway") == {"open": 1, "drops": 1, "reconnects": 1}
    with socket:
        pass
    assert await told(live, "gateway") == {"open": 0, "drops": 1, "reconnects": 1}


@pytest.mark.parametrize("end", [asyncio.CancelledError(), GoodbyeOK(), KeyboardInterrupt()])
async def test_an_end_that_was_wanted_is_no_drop(live: Sink, end: BaseException) -> None:
    name = f"wanted {type(end).__name__}"
    with pytest.raises(type(end)), bot.socket(name):
        raise end
    assert await told(live, name) == {"open": 0, "drops": 0, "reconnects": 0}


async def test_several_connections_of_one_name_add_up(live: Sink) -> None:
    socket = bot.socket("shards")
    for _ in range(3):
        socket.opened()
    socket.dropped()
    assert await told(live, "shards") == {"open": 2, "drops": 1, "reconnects": 0}
    socket.closed()
    socket.closed()
    socket.closed()  # once too often
    assert await told(live, "shards") == {"open": 0, "drops": 1, "reconnects": 0}


async def test_a_real_websocket_that_is_cut(live: Sink) -> None:
    aiohttp = require_module("aiohttp", "aiohttp")
    from aiohttp import web

    async def greet(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        await answer.send_str("hello")
        if request.path == "/cut":
            assert request.transport is not None
            request.transport.abort()
        else:
            await answer.close()
        return answer

    app = web.Application()
    app.router.add_get("/{end}", greet)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def listen(path: str) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/{path}") as ws,
            bot.socket("chat"),
        ):
            async for message in ws:
                assert message.data == "hello"
            if ws.close_code != 1000:
                raise ConnectionError("dropped")

    try:
        with pytest.raises(ConnectionError):
            await listen("cut")
        assert (await told(live, "chat"))["drops"] == 1
        await listen("close")
    finally:
        await runner.cleanup()
    assert await told(live, "chat") == {"open": 0, "drops": 1, "reconnects": 1}
