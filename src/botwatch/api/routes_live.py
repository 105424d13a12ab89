"""What is new, told to every page that is open: worked out once, however many look on.

A tick goes to all viewers as the same bytes. Nobody has a queue: who is slow misses ticks, is told so, and goes on
with the newest. Each tick asks anew whether its viewer may still look, so a session that is revoked ends here too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, Field

from botwatch import limits
from botwatch.api.auth import SignedIn, signed_in
from botwatch.api.context import Context
from botwatch.api.pages import moment
from botwatch.api.routes_monitoring import status_now
from botwatch.api.shapes_monitoring import Status
from botwatch.api.streaming import Stream
from botwatch.api.telemetry import Telemetry
from botwatch.detect.rule import Severity
from botwatch.errors import BotwatchError, Refused, StoreAway, TryAgain
from botwatch.incident import ledger
from botwatch.nouns import Signal

_AGAIN_MS: Final = 2_000
_HELLO: Final = b"retry: %d\n\n" % _AGAIN_MS
_SIGNED_OUT: Final = b"event: signed-out\ndata: {}\n\n"
_MISSED: Final = b'event: missed\ndata: {"ticks":%d}\n\n'

router = APIRouter(prefix="/api", tags=["live"])


class Tick(BaseModel):
    """What an event named `tick` holds."""

    as_of: datetime
    status: Status | None = Field(description="null: it could not be found out")
    away: str | None = Field(description="why it could not, in words")
    changed: list[Signal] = Field(description="of what anything was stored since the tick before")
    incidents: list[str] = Field(description="ids of those that changed since the tick before; of many the newest")
    open: dict[Severity, int] | None = Field(description="incidents that are not over; null: it is not known")
    services: list[str] = Field(description="names of those that changed since the tick before, came or went")
    rules: bool = Field(description="whether any rule changed since the tick before")


class Live:
    """The producer works only while somebody looks."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._viewers = 0
        self._event = b""
        self._number = 0
        self._next = asyncio.Event()
        self._producer: asyncio.Task[None] | None = None
        self._closed = False
        self._before = _Before()

    @property
    def viewers(self) -> int:
        return self._viewers

    async def events(self, allowed: Callable[[], Awaitable[bool]]) -> AsyncGenerator[bytes]:
        """Ticks until the server stops, or whoever looks may look no more."""
        self._join()
        try:
            yield _HELLO
            seen = -1
            while not self._closed:
                coming = self._next
                if not self._event or self._number == seen:
                    await coming.wait()
                elif await allowed():
                    missed = self._number - seen - 1 if seen >= 0 else 0
                    seen, event = self._number, self._event
                    yield _MISSED % missed + event if missed > 0 else event
                else:
                    yield _SIGNED_OUT
                    return
        finally:
            self._viewers -= 1

    def _join(self) -> None:
        if self._closed or self._viewers >= limits.LIVE_VIEWERS_MAX:
            why = "The server is stopping." if self._closed else "Too many pages look on at once."
            raise TryAgain(why, retry_after_s=limits.LIVE_EVERY_S, hint="ask for the status instead, now and then")
        self._viewers += 1
        if self._producer is None or self._producer.done():
            self._event, self._before = b"", _Before()
            self._producer = asyncio.create_task(self._produce())

    async def close(self) -> None:
        """Let go of all viewers, so that nobody who looks on holds up the end."""
        self._closed = True
        self._next.set()
        if self._producer is not None:
            self._producer.cancel()
            await asyncio.wait({self._producer})

    async def _produce(self) -> None:
        while self._viewers and not self._closed:
            tick = await self._tick()
            self._event = b"event: tick\ndata: " + tick.model_dump_json().encode() + b"\n\n"
            self._number += 1
            passed, self._next = self._next, asyncio.Event()
            passed.set()
            await asyncio.sleep(limits.LIVE_EVERY_S)

    async def _tick(self) -> Tick:
        context = cast(Context, self._app.state.context)
        telemetry = cast(Telemetry, context.telemetry)
        before = self._before
        stored = {signal: counts.stored for signal, counts in telemetry.intake.intake().items()}
        changed = [signal for signal, count in stored.items() if count != before.stored.get(signal, count)]
        before.stored = stored
        incidents, open_ = await self._incidents(context)
        as_of_ns, status, away = await self._status(context, telemetry)
        return Tick(
            as_of=moment(as_of_ns),
            status=status,
            away=away,
            changed=changed,
            incidents=incidents,
            open=open_,
            services=before.other_services(status),
            rules=before.other_rules(context.rules.changes if context.rules is not None else 0),
        )

    async def _incidents(self, context: Context) -> tuple[list[str], dict[Severity, int] | None]:
        after = self._before.change
        try:
            (newest, ids), counted = await context.database.read(
                lambda session: (ledger.changed_since(session, after), ledger.counted(session))
            )
        except BotwatchError:
            return [], None
        self._before.change = newest
        return ids, {severity: counted.get(severity, 0) for severity in Severity}

    async def _status(self, context: Context, telemetry: Telemetry) -> tuple[int, Status | None, str | None]:
        """The figures, or why there are none."""
        try:
            async with asyncio.timeout(limits.LIVE_LOOK_S_MAX):
                as_of_ns, status = await status_now(telemetry, context)
                return as_of_ns, status, None
        except BotwatchError as error:
            away = error.message
        except TimeoutError:
            away = f"The telemetry store has not answered for {limits.LIVE_LOOK_S_MAX} s."
        except Exception as error:  # the page must not take silence for calm
            away = f"The status could not be worked out ({type(error).__name__})."
        return context.clock.now_ns(), None, away


@dataclass(slots=True)
class _Before:
    """What the tick before was told of; the first one tells of no change."""

    stored: dict[Signal, int] = field(default_factory=dict)
    change: int | None = None
    services: dict[str, str] | None = None
    rules: int | None = None

    def other_services(self, status: Status | None) -> list[str]:
        if status is None:
            return []
        before, now = self.services, {name: str(found) for name, found in status.services.items()}
        self.services = now
        return (
            sorted(name for name in before.keys() | now if before.get(name) != now.get(name))
            if before is not None
            else []
        )

    def other_rules(self, changes: int) -> bool:
        before, self.rules = self.rules, changes
        return before is not None and before != changes


@router.get(
    "/live",
    status_code=200,
    response_class=Stream,
    responses={
        200: {
            "model": Tick,
            "description": "a stream of events named `tick`, each with this as its data; one named `missed` before it "
            "says that this viewer was too slow for so many `ticks`: what they told of has to be asked for",
        }
    },
)
async def watch_live(request: Request, principal: SignedIn) -> Response:
    """Server-sent events: the status and what has changed, every few seconds."""
    context = cast(Context, request.app.state.context)
    if not isinstance(context.telemetry, Telemetry):
        raise StoreAway("This server was started without its telemetry store.")

    async def allowed() -> bool:
        try:
            await signed_in(request, request.app.state.context, None)
        except Refused:
            return False
        return True

    live = cast(Live, request.app.state.live)
    return Stream(live.events(allowed), "text/event-stream", {"x-accel-buffering": "no"})


def install(app: FastAPI) -> None:
    app.state.live = Live(app)
