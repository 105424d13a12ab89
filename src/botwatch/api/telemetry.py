"""What the routes over telemetry stand on, and the dependencies that give it to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from botwatch.api.auth import SignedIn
from botwatch.api.context import Ctx
from botwatch.api.diagnosis.facts import Standing
from botwatch.api.fresh import Fresh
from botwatch.api.masking import Eyes
from botwatch.errors import StoreAway
from botwatch.measure.reader import Measures
from botwatch.nouns import Signal
from botwatch.settings import Settings
from botwatch.spool import Counts, Dead
from botwatch.store.client import Store
from botwatch.watch.roster import Roster

T = TypeVar("T")


class Intake(Protocol):
    def intake(self) -> Mapping[Signal, Counts]:
        """What became of every item that came."""
        ...

    def dead(self) -> list[Dead]:
        """Requests that the engine refused and that are kept aside."""
        ...

    def revive(self) -> int:
        """Put those in line again; how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Given by the composition root as `Context.telemetry`."""

    store: Store
    measures: Measures
    intake: Intake
    fresh: Fresh
    standing: Callable[[], Standing] = lambda: Standing(0, {})
    roster: Roster | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """One request: what it may see, and as of when."""

    telemetry: Telemetry
    eyes: Eyes
    settings: Settings
    now_ns: int
    asked: str  # path and query, as they came

    @property
    def store(self) -> Store:
        return self.telemetry.store

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.time_zone)

    @property
    def idle_s(self) -> int:
        return self.settings.idle_minutes * 60

    async def once(self, work: Callable[[], Awaitable[T]], *, ttl_s: float = 1.0, grace_s: float = 0.0) -> T:
        """All who ask the same and may see the same share one answer for a moment."""
        return await self.telemetry.fresh.get((self.asked, self.eyes), ttl_s, work, grace_s=grace_s)

    async def written(
        self, work: Callable[[], Awaitable[BaseModel]], *, ttl_s: float = 1.0, grace_s: float = 0.0
    ) -> Response:
        """The same, and written as JSON once for all of them. The route names its `response_model`."""

        async def body() -> bytes:
            return (await work()).model_dump_json(by_alias=True).encode()

        return Response(await self.once(body, ttl_s=ttl_s, grace_s=grace_s), media_type="application/json")


async def asker(request: Request, context: Ctx, principal: SignedIn) -> Asker:
    """Whoever is signed in, with any role."""
    if not isinstance(context.telemetry, Telemetry):
        raise StoreAway("This server was started without its telemetry store.")
    eyes = Eyes.of(principal, context.settings)
    asked = f"{request.url.path}?{request.url.query}"
    return Asker(context.telemetry, eyes, context.settings, context.clock.now_ns(), asked)


Asks = Annotated[Asker, Depends(asker)]
