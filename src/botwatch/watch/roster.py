"""Which services are watched: those of the settings, and those that were added through the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import BadRequest, Conflict, SettingError, StateError
from botwatch.state import Database
from botwatch.watch import kept
from botwatch.watch.asking import stopped
from botwatch.watch.given import API, Described, service_of
from botwatch.watch.probes.model import Service
from botwatch.watch.services import Services, View


class Roster:
    """Keeps what runs in step with both; what another node was told follows within seconds."""

    def __init__(self, services: Services, database: Database, clock: Clock, fixed: Iterable[Service]) -> None:
        self.services = services
        self._database = database
        self._clock = clock
        self._fixed = tuple(fixed)
        self._added: tuple[Service, ...] = ()
        self._reading = asyncio.Lock()  # what was read before a change is not put in place after it
        services.configure(self._fixed)

    def reload(self, fixed: Iterable[Service]) -> None:
        """The settings were read again."""
        self._fixed = tuple(fixed)
        self._apply()

    async def run(self, stop: asyncio.Event) -> None:
        watching = asyncio.create_task(self.services.run(stop))
        try:
            while True:
                await self._read()
                if await stopped(stop, limits.SERVICE_READ_AGAIN_S):
                    break
        finally:
            await watching

    async def add(self, who: str, name: str, described: Described) -> None:
        if name in {service.name for service in self._fixed}:
            raise Conflict("There is a service of this name in the settings.", hint="choose another name")
        now_ns = self._clock.now_ns()
        await self._database.write(lambda session: kept.add(session, now_ns, who, name, described))
        await self._read()

    async def change(self, who: str, name: str, described: Described) -> None:
        self._only_ours(name)
        now_ns = self._clock.now_ns()
        await self._database.write(lambda session: kept.change(session, now_ns, who, name, described))
        await self._read()

    async def described(self, name: str) -> kept.Known:
        self._only_ours(name)
        return await self._database.read(lambda session: kept.known(session, name))

    async def tried(self, name: str, described: Described) -> View:
        """What asking it in this way would find. Nothing is kept."""
        self._only_ours(name)
        whole = await self._database.read(lambda session: kept.completed(session, name, described))
        try:
            service = service_of(name, whole, API)
        except SettingError as error:
            raise BadRequest(error.message) from None
        return await self.services.tried(service)

    async def remove(self, who: str, name: str) -> None:
        self._only_ours(name)
        now_ns = self._clock.now_ns()
        await self._database.write(lambda session: kept.remove(session, now_ns, who, name))
        await self._read()

    def _only_ours(self, name: str) -> None:
        if name in {service.name for service in self._fixed}:
            raise Conflict("This service comes from the settings.", hint="change it there, and reload the server")

    async def _read(self) -> None:
        async with self._reading:
            try:
                self._added = tuple(await self._database.read(kept.listed))
            except StateError:
                return  # what was known goes on
            self._apply()

    def _apply(self) -> None:
        names = {service.name for service in self._fixed}
        self.services.configure((*self._fixed, *(service for service in self._added if service.name not in names)))
