"""The services the fleet stands on: small HTTP servers on loopback; bots really call them, Botwatch really asks them.

All live in one process of the fleet. Each does what the cast says its clients call, in its time and with its failures,
and says at `/health` how it is. One at a time has a bad ten minutes: it is slow and turns calls away, then it is gone
altogether, and then it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from random import Random
from typing import Any, Final

from botwatch.demo.cast import FLEET
from botwatch.demo.dice import fate
from botwatch.demo.world import Call, Failure

# What belongs to the fleet, and runs here. Others are somebody else's, or would need a program of their own.
VERSIONS: Final[Mapping[str, str]] = {
    "calendar-api": "1.12.0",
    "accounts-api": "5.0.3",
    "intent-service": "2.8.0",
    "inventory-api": "3.4.1",
    "mail-gateway": "2.1.7",
    "search": "0.19.2",
    "service-desk": "4.6.0",
    "vectors": "0.19.2",
}
CYCLE_S: Final = 40 * 60  # from one bad time to the next, which is another's
BAD_S: Final = (8 * 60, 15 * 60)  # of a cycle; then it is gone
GONE_S: Final = 18 * 60
_SLOWER: Final = 6.0
_TURNED_AWAY: Final = 0.25
_HEAD_S: Final = 5.0
_HEAD_BYTES_MAX: Final = 8_192
_CONNECTIONS_MAX: Final = 200
_MINUTE_S: Final = 60
_LOOK_S: Final = 0.5
_STATUSES: Final = {None: 200, Failure.ERROR: 503, Failure.LIMITED: 429, Failure.TIMEOUT: 504}
_ENDS: Final = (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


class Mood(StrEnum):
    WELL = "ok"
    BAD = "degraded"
    GONE = "gone"


def mood(place: int, up_s: float) -> Mood:
    """Of the one at this place of `VERSIONS`, so many seconds after the fleet began."""
    cycle, into_s = divmod(up_s, CYCLE_S)
    if int(cycle) % len(VERSIONS) != place or not BAD_S[0] <= into_s < GONE_S:
        return Mood.WELL
    return Mood.BAD if into_s < BAD_S[1] else Mood.GONE


@dataclass(frozen=True, slots=True)
class Offer:
    """Something a backend can be asked for."""

    method: str
    path: re.Pattern[str]
    call: Call


def offers(name: str) -> tuple[Offer, ...]:
    """All that the cast calls there."""
    calls = (call for bot in FLEET for action in bot.actions.values() for call in action.calls)
    called = {call.name: call for call in calls if call.dependency == name and "url.template" in call.attributes}
    found = []
    for title, call in called.items():
        parts = re.split(r"\{\w+\}", str(call.attributes["url.template"]))
        found.append(Offer(title.partition(" ")[0], re.compile("[^/]+".join(map(re.escape, parts))), call))
    return tuple(found)


class Backend:
    """One service, until its task is cancelled."""

    def __init__(self, name: str, dice: Random, how: Callable[[], Mood]) -> None:
        self._name = name
        self._dice = dice
        self._how = how
        self._offers = offers(name)
        self._open = 0
        self._answered: deque[tuple[float, bool]] = deque(maxlen=10_000)  # when, and whether it failed

    async def run(self, listening: socket.socket) -> None:
        port = listening.getsockname()[1]
        server: asyncio.Server | None = await self._serve(sock=listening)
        try:
            while True:
                await asyncio.sleep(_LOOK_S)
                gone = self._how() is Mood.GONE
                if gone and server is not None:
                    server.close()
                    server = None
                elif not gone and server is None:
                    with contextlib.suppress(OSError):  # while another has its port, it stays away
                        server = await self._serve(host="127.0.0.1", port=port)
        finally:
            if server is not None:
                server.close()

    async def _serve(self, **where: Any) -> asyncio.Server:
        return await asyncio.start_server(self._hear, limit=_HEAD_BYTES_MAX, **where)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > _CONNECTIONS_MAX:
                return
            async with asyncio.timeout(_HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.partition(b"\r\n")[0].decode("ascii").split(" ")
            status, body = await self._answer(method, path)
            told = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            writer.write(f"{told}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
        except _ENDS:
            pass  # whoever called is gone, or is no client of ours
        except asyncio.CancelledError:
            pass  # it all ends; Python 3.11 complains of one that is cut off
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, method: str, path: str) -> tuple[int, bytes]:
        if (method, path) == ("GET", "/health"):
            return 200, json.dumps(self.health()).encode()
        asked = next((one.call for one in self._offers if one.method == method and one.path.fullmatch(path)), None)
        if asked is None:
            return 404, b"{}"
        ms, failure = fate(self._now(asked), self._dice)
        await asyncio.sleep(ms / 1_000 + (1 if failure is Failure.TIMEOUT else 0))
        self._answered.append((time.monotonic(), failure is not None))
        return _STATUSES[failure], b"{}"

    def _now(self, call: Call) -> Call:
        """What it is like in a bad time."""
        if self._how() is Mood.WELL:
            return call
        return replace(call, median_ms=_SLOWER * call.median_ms, error=replace(call.error, share=_TURNED_AWAY))

    def health(self) -> dict[str, object]:
        since_s = time.monotonic() - _MINUTE_S
        lately = [failed for at_s, failed in self._answered if at_s >= since_s]
        return {
            "status": self._how(),
            "version": VERSIONS[self._name],
            "called": len(lately),
            "failed": sum(lately),
        }


def bound() -> dict[str, socket.socket]:
    """A place to listen for each, so that all ports are known before anybody calls."""
    return {name: socket.create_server(("127.0.0.1", 0)) for name in VERSIONS}


async def serve(sockets: Mapping[str, socket.socket], seed: int, lifeline: int) -> None:
    """All of them, until SIGTERM, or until the other end of the lifeline is closed."""
    stop, loop, began_s = asyncio.Event(), asyncio.get_running_loop(), time.monotonic()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(lifeline, stop.set)

    def how(place: int) -> Callable[[], Mood]:
        return lambda: mood(place, time.monotonic() - began_s)

    backends = [Backend(name, Random(f"{seed}:{name}"), how(place)) for place, name in enumerate(VERSIONS)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.run(sockets[name])) for one, name in zip(backends, VERSIONS, strict=True)]
        await stop.wait()
        for task in tasks:
            task.cancel()


async def reached(port: int, call: Call, dice: Random) -> int:
    """Call it as a bot does, and what HTTP status it answers with. Raises OSError where nobody is."""
    path = re.sub(r"\{\w+\}", lambda _: str(dice.randrange(10_000)), str(call.attributes["url.template"]))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        method = call.name.partition(" ")[0]
        writer.write(f"{method} {path} HTTP/1.1\r\nhost: {call.dependency}\r\ncontent-length: 0\r\n\r\n".encode())
        line = await reader.readline()
        return int(line.split(b" ")[1])
    except (IndexError, ValueError):
        raise ConnectionResetError("it hung up without an answer") from None
    finally:
        writer.close()


def watched(ports: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """As tables of the settings: what Botwatch is to ask them."""
    told = {"kind": "http", "expect_json": ["status == ok"], "figures": {"called": "called", "failed": "failed"}}
    return {name: {**told, "url": f"http://127.0.0.1:{port}/health"} for name, port in ports.items()}
