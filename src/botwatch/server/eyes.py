"""What the server looks at by itself: its machine, services, queues, stored state, documents."""

from __future__ import annotations

import asyncio
import contextlib

from botwatch.clock import Clock
from botwatch.receive.door import Door
from botwatch.server.work import Work
from botwatch.settings import Settings
from botwatch.spool import Spool
from botwatch.state import Database
from botwatch.state.lease import Lease
from botwatch.store.client import Store
from botwatch.watch.agent import Agent
from botwatch.watch.given import configured
from botwatch.watch.host.host import Host, host_name
from botwatch.watch.leaks import Leaks
from botwatch.watch.payloads import declared as documents
from botwatch.watch.payloads.keeper import Keeper
from botwatch.watch.queues.configured import watched
from botwatch.watch.queues.runner import QueueWatch
from botwatch.watch.report import LocalReporter
from botwatch.watch.roster import Roster
from botwatch.watch.services import Services
from botwatch.watch.states import StateWatch
from botwatch.watch.states import configured as stored


def check(settings: Settings) -> None:
    """What does not fit is told before anything is opened."""
    configured(settings.services)
    watched(settings.queues, this_host=host_name(settings))
    stored(settings.states)
    documents.configured(settings.payloads)


class Eyes:
    """All of them report through the same door as anyone."""

    def __init__(self, settings: Settings, database: Database, door: Door, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._host = host_name(settings)
        self.reporter = LocalReporter(door, self._host, clock)
        self.queues = QueueWatch(watched(settings.queues, this_host=self._host), self.reporter, clock)
        services = Services(self.reporter, clock, self._host)
        self.roster = Roster(services, database, clock, configured(settings.services))

    def open(
        self, work: Work, exit: contextlib.AsyncExitStack, store: Store, spool: Spool, database: Database, lease: Lease
    ) -> None:
        work.beside(self.reporter.run)
        work.beside(self.roster.run)
        work.beside(self.queues.run)
        work.beside(StateWatch(stored(self._settings.states), self.reporter, self._clock).run)
        work.once_stored(Leaks(store, self.reporter, self._clock).run)
        said = documents.configured(self._settings.payloads)
        self._keeper = Keeper(store, database, spool, self.reporter, self._clock, declared=said, lease=lease)
        work.once_stored(self._keeper.run)
        if self._settings.watch_host:
            agent = Agent(Host.of(self._settings, self._clock), self.reporter, self._clock)
            agent.start()
            exit.push_async_callback(asyncio.to_thread, agent.stop)

    def reload(self, settings: Settings) -> None:
        """Raises before it changes anything."""
        services, brokers = configured(settings.services), watched(settings.queues, this_host=self._host)
        said = documents.configured(settings.payloads)
        self._keeper.declare(said)
        self.roster.reload(services)
        self.queues.reload(brokers)
