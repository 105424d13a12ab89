"""The whole product in one process, built in the order in which one part stands on another.

Starting opens what is durable first and listens last; stopping goes the other way round, so that what was
acknowledged is written before the process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
from pathlib import Path
from typing import Final

from botwatch.api.app import create_app
from botwatch.api.context import Context
from botwatch.api.diagnosis.house import House
from botwatch.api.fresh import Fresh
from botwatch.api.sign_in import SignIn
from botwatch.api.telemetry import Telemetry
from botwatch.clock import SECOND_NS, Clock, SystemClock
from botwatch.errors import SettingError
from botwatch.measure.reader import Measures
from botwatch.server import eyes
from botwatch.server.alarm import Alarm
from botwatch.server.doors import Doors
from botwatch.server.eyes import Eyes
from botwatch.server.work import Work
from botwatch.settings import Settings
from botwatch.spool import Heard, Spool
from botwatch.state import Access, Database, Keys, check_exposure, open_database
from botwatch.state.lease import Lease
from botwatch.store import labels, retention, tokens
from botwatch.store.client import Store
from botwatch.store.room import Room
from botwatch.store.writer import Writer
from botwatch.turns.settler import Settler
from botwatch.turns.window import Terms
from botwatch.watch.contracts.settler import ContractSettler, Way

log = logging.getLogger(__name__)

_SWEEP_S: Final = 30.0
_GUARD_S: Final = 2.0
_ROOM_S: Final = 1.0
_DRAIN_S: Final = 60.0


class Server:
    """`start`, then `stop`; `reload` in between."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._exit = contextlib.AsyncExitStack()
        self._doors = Doors(settings, self._exit)
        self.ports = self._doors.ports

    async def start(self) -> None:
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._exit.aclose)
            await self._start()
            undo.pop_all()

    async def stop(self) -> None:
        await self._exit.aclose()

    async def _start(self) -> None:
        settings, clock = self.settings, self.clock
        eyes.check(settings)
        data = _folder(settings.data.resolve())
        database = open_database(settings)
        self._exit.callback(database.close)
        check_exposure(settings, database, clock.now_ns())
        self._doors.listen()
        self._alarm = Alarm(settings, database, clock, data, self.url())
        self._open_telemetry(data)
        context = self._context(database)
        self.web_app = create_app(context)
        door = await self._doors.open(
            self.web_app, self.spool, self._heard, Keys(self._access, required=settings.ingest_needs_key), clock
        )
        self._exit.push_async_callback(self.web_app.state.live.close)  # who looks on must not hold up the end
        self._eyes = Eyes(settings, database, door, clock)
        self.reporter = self._eyes.reporter
        telemetry = dataclasses.replace(context.telemetry, roster=self._eyes.roster)
        self.context = self.web_app.state.context = dataclasses.replace(context, telemetry=telemetry)
        work = Work(self._exit, self.writer, remote=bool(settings.store))
        self._eyes.open(work, self._exit, self.store, self.spool, database, self._lease(database, "payloads"))
        self._alarm.open(work, self.reporter, context.readiness.reasons)
        self._keep_house(work, database)

    def _open_telemetry(self, data: Path) -> None:
        settings, clock = self.settings, self.clock
        self.spool = Spool.open(
            data / "spool.db",
            clock=clock,
            bytes_max=settings.spool_bytes_max,
            disk_free_bytes_min=settings.disk_free_bytes_min,
        )
        self._exit.callback(self.spool.close)
        for warning in self.spool.warnings:
            log.warning(warning)
        self.store = self._open_store(data)
        self._exit.callback(self.store.close)
        path, free = self.store.embedded_path, settings.disk_free_bytes_min
        if path:
            tokens.take_back(path)
        self._room = Room.of(self.store, path, free, clock) if path else None
        self.writer = Writer(self.store, self.spool, clock, node=self._node(), room=self._room)
        self.writer.start()
        self._exit.push_async_callback(self._drain)

    def _context(self, database: Database) -> Context:
        settings, clock = self.settings, self.clock
        self._access = Access(database, clock, settings.admin_token.get_secret_value())
        self._exit.push_async_callback(self._access.close)
        self.sign_in = SignIn(database, self._access, clock)
        self._exit.callback(self.sign_in.close)
        self._heard = Heard(self.spool, clock)
        house = House(self.spool, self.writer, self._heard, self.ports, clock)
        measures = Measures(self.store, settings, clock)
        alarm = self._alarm
        alarm.build(
            measures, self.store, self.spool, self.writer, self._access, lambda name: self._lease(database, name)
        )
        return Context(
            settings,
            clock,
            database,
            self._access,
            self.sign_in,
            house,
            house,
            Telemetry(self.store, measures, self.spool, Fresh(clock), house.standing),
            rules=alarm.rules,
            notifier=alarm.notifier,
            drill=alarm.drill,
            judgement=alarm.judgement,
        )

    def _open_store(self, data: Path) -> Store:
        settings = self.settings
        memory = settings.engine_memory_bytes_max or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
        if not settings.store:
            # The engine keeps a cache of formats in the folder it runs in.
            scratch = data / "scratch"
            scratch.mkdir(exist_ok=True)
            os.chdir(scratch)
        return Store.open(settings.store, data=data, cluster=settings.store_cluster, memory_bytes_max=memory)

    def _node(self) -> str:
        """Names this spool for ever: batch numbers start anew with a new spool, and so must the name."""
        spool_id = self.spool.meta_get("id")
        if spool_id is None:
            spool_id = os.urandom(8).hex()
            self.spool.meta_set("id", spool_id)
        return f"{self.settings.node}-{spool_id}" if self.settings.node else spool_id

    def _lease(self, database: Database, job: str) -> Lease:
        return Lease(database, job, self._node(), self.clock)

    async def _drain(self) -> None:
        ended = await asyncio.to_thread(self.writer.stop, _DRAIN_S)
        if not ended:
            log.warning(
                "what is left in the spool is written at the next start",
                extra={"parcels": self.spool.backlog().parcels},
            )

    def _keep_house(self, work: Work, database: Database) -> None:
        settled, kept = self._lease(database, "settle"), self._lease(database, "contracts")
        self._settler = Settler(self.store, self.spool, self.clock, Terms.of(self.settings), lease=settled)
        self._contracts = ContractSettler(
            self.store, self.spool, self._alarm.rules.rules, self.clock, self._contracts_way(), lease=kept
        )
        work.once_stored(self._settler.run)
        work.once_stored(self._contracts.run)
        work.every(_GUARD_S, self._guard)
        if self._room is not None:
            work.every(_ROOM_S, self._room.tend)
        work.every(_SWEEP_S, self._sweep)

    def _contracts_way(self) -> Way:
        return Way(self.settings.time_zone, self.settings.late_hours * 3_600)

    def _guard(self) -> None:
        labels.guard(self.store, self.clock.now_ns() // SECOND_NS)

    def _sweep(self) -> None:
        retention.sweep(self.store, self.settings, self.clock.now_ns())

    def url(self) -> str:
        """How this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)  # noqa: S104  compared
        return f"http://[{host}]:{self.ports['web']}" if ":" in host else f"http://{host}:{self.ports['web']}"

    def sign_in_link(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.ports['web']}/sign-in?code={self.sign_in.new_code()}"

    def reload(self, settings: Settings) -> None:
        """Take on what can change while running; name what needs a restart."""
        fixed = {name for name in _FIXED if getattr(settings, name) != getattr(self.settings, name)}
        wanted = settings.model_copy(update={name: getattr(self.settings, name) for name in fixed})
        self._eyes.reload(wanted)
        self._alarm.reload(wanted)
        self.settings = wanted
        self._settler.terms = Terms.of(wanted)
        self._contracts.way = self._contracts_way()
        self.context = dataclasses.replace(self.context, settings=wanted)
        self.web_app.state.context = self.context
        logging.getLogger("botwatch").setLevel(wanted.log_level.upper())
        log.info("settings read again", extra={"needs_restart": sorted(fixed)})


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingError(
            f"data: {path} cannot be a folder of ours ({error.strerror}); choose another with --data"
        ) from None
    return path


_FIXED: Final = frozenset(
    {"data", "host", "port", "otlp_port", "grpc_port", "store", "store_cluster", "state", "rules", "hooks", "node"}
    | {"admin_token", "ingest_auth", "public_url", "keep_text", "traces_days", "logs_days", "points_days"}
    | {"spool_bytes_max", "disk_free_bytes_min", "engine_memory_bytes_max"}
    | {"watch_host", "watch_processes", "host_name", "states"}
)
