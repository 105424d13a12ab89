"""Answers that come in pieces: they end when the pieces end, when the client hangs up, and when it takes
nothing for too long. Whatever breaks after the first piece cuts the connection, so that a part is never
taken for the whole."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from botwatch import limits
from botwatch.errors import BotwatchError

log = logging.getLogger(__name__)


class Stream(Response):
    """What the first piece refuses is refused as any other request."""

    def __init__(self, pieces: AsyncGenerator[bytes], media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(headers=dict(headers), media_type=media_type)
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with contextlib.aclosing(self._pieces) as pieces:
            first = await anext(pieces, b"")
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.create_task(_send(first, pieces, send))
            gone = asyncio.create_task(_hung_up(receive))
            try:
                await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, gone):
                    task.cancel()
                await asyncio.gather(sending, gone, return_exceptions=True)


async def _send(piece: bytes, pieces: AsyncGenerator[bytes], send: Send) -> None:
    try:
        while piece:
            async with asyncio.timeout(limits.STREAM_SEND_S_MAX):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await anext(pieces, b"")
    except (BotwatchError, TimeoutError) as error:
        reason = error.message if isinstance(error, BotwatchError) else "the client takes nothing"
        log.warning("an answer broke off", extra={"reason": reason})
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
