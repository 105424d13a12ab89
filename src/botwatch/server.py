"""Where everything meets: the only file that knows every room.

    ports ─▶ receive ─▶ spool ─▶ writer ─▶ store ─▶ turns, measures ─▶ api

Starting opens what is durable first and listens last; stopping goes the other way round, so that
what was acknowledged is written before the process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import logging
import os
import signal
import socket
import sys
import zoneinfo
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from botwatch import process
from botwatch.api.app import create_app
from botwatch.api.context import Context
from botwatch.api.diagnosis.house import House
from botwatch.api.fresh import Fresh
from botwatch.api.sign_in import SignIn
from botwatch.api.telemetry import Telemetry
from botwatch.clock import SECOND_NS, Clock, SystemClock
from botwatch.detect.book import RuleBook
from botwatch.errors import BotwatchError, PortTaken, SettingError, StoreError
from botwatch.incident.backtest import Backtester
from botwatch.incident.desk import Desk
from botwatch.incident.figures import Figure
from botwatch.incident.health import Judgement
from botwatch.incident.links import Templates
from botwatch.incident.loop import Judge
from botwatch.measure.reader import Measures
from botwatch.notify import book as ways
from botwatch.notify.drill import Drill
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.notify.regular import Regular
from botwatch.receive import app as receivers
from botwatch.receive import otlp_grpc
from botwatch.receive.door import Capacity, Door, Options
from botwatch.settings import Settings
from botwatch.spool import Heard, Spool
from botwatch.state import Access, Database, Keys, check_exposure, open_database
from botwatch.state.lease import Lease
from botwatch.store import labels, retention
from botwatch.store.client import Store
from botwatch.store.writer import Writer
from botwatch.turns.settler import Settler
from botwatch.turns.window import Terms
from botwatch.watch.agent import Agent
from botwatch.watch.contracts.settler import ContractSettler, Way
from botwatch.watch.given import configured
from botwatch.watch.host.host import Host, host_name
from botwatch.watch.leaks import Leaks
from botwatch.watch.payloads.keeper import Keeper
from botwatch.watch.queues.configured import watched
from botwatch.watch.queues.runner import QueueWatch
from botwatch.watch.reading import Reading
from botwatch.watch.report import LocalReporter
from botwatch.watch.roster import Roster
from botwatch.watch.services import Services
from botwatch.watch.states import StateWatch
from botwatch.watch.states import configured as stored

log = logging.getLogger(__name__)

_SWEEP_S: Final = 30.0
_GUARD_S: Final = 2.0
_DRAIN_S: Final = 60.0


class _Listener(uvicorn.Server):
    """One port. The process handles its own signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Stored:
    """How far what was received can be read, for the judge."""

    def __init__(self, spool: Spool, writer: Writer) -> None:
        self.stored_through_ns = spool.stored_through_ns
        self.hurry = writer.hurry


class Server:
    """The whole product in one process. `start`, then `stop`; `reload` in between."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ports: dict[str, int] = {}
        self._exit = contextlib.AsyncExitStack()

    async def start(self) -> None:
        async with self._exit:
            await self._start()
            self._exit = self._exit.pop_all()

    async def stop(self) -> None:
        await self._exit.aclose()

    async def _start(self) -> None:
        settings, clock = self.settings, self.clock
        configured(settings.services)  # what does not fit is told before anything is opened
        watched(settings.queues, this_host=host_name(settings))
        stored(settings.states)
        data = settings.data.resolve()
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = open_database(settings)
        self._exit.callback(database.close)
        check_exposure(settings, database, clock.now_ns())
        self.ways = ways.Base.of(settings)
        folder = (settings.rules or data / "rules").resolve()
        self.rules = RuleBook(database, folder, lambda session: frozenset(ways.channels(session, self.ways)))
        self.rules.reload()
        hooks = (settings.hooks or data / "hooks").resolve()
        web, otlp = self._listen()
        self.spool = spool = Spool.open(
            data / "spool.db",
            clock=clock,
            bytes_max=settings.spool_bytes_max,
            disk_free_bytes_min=settings.disk_free_bytes_min,
        )
        self._exit.callback(spool.close)
        for warning in spool.warnings:
            log.warning(warning)
        self.store = self._open_store(data)
        self._exit.callback(self.store.close)
        self.writer = Writer(self.store, spool, clock, node=self._node())
        self.writer.start()
        self._exit.push_async_callback(self._drain)

        self.access = Access(database, clock, settings.admin_token.get_secret_value())
        self._exit.push_async_callback(self.access.close)
        self.sign_in = SignIn(database, self.access, clock)
        self._exit.callback(self.sign_in.close)
        self.heard = Heard(spool, clock)
        house = House(spool, self.writer, self.heard, self.ports, clock)
        telemetry = Telemetry(self.store, Measures(self.store, settings, clock), spool, Fresh(clock), house.standing)
        self._prepare_telling(database, hooks)
        self.judge = self._judging(database, telemetry.measures)
        self.context = Context(
            settings,
            clock,
            database,
            self.access,
            self.sign_in,
            house,
            house,
            telemetry,
            rules=self.rules,
            notifier=self.notifier,
            drill=self.drill,
            judgement=Judgement(self.judge.health, Backtester(telemetry.measures, clock)),
        )
        self._beside(self.rules.run)
        await self._open_doors(web, otlp)
        self._beside(self.notifier.run)
        self._beside(Regular(self.notifier, database, clock, self._unwell, self.drill).run)
        await self._run_jobs()

    def _listen(self) -> tuple[socket.socket, socket.socket | None]:
        settings = self.settings
        web = process.listen(settings.host, settings.port, name="the web", setting="port")
        self._exit.callback(web.close)
        self.ports["web"] = web.getsockname()[1]
        try:
            otlp = process.listen(settings.host, settings.otlp_port, name="OTLP over HTTP", setting="otlp-port")
        except SettingError as error:
            if "otlp_port" in settings.model_fields_set:
                raise
            log.warning("%s. It goes on without: OTLP is taken on the web port too", error.message)
            return web, None
        self._exit.callback(otlp.close)
        self.ports["otlp"] = otlp.getsockname()[1]
        return web, otlp

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

    async def _drain(self) -> None:
        ended = await asyncio.to_thread(self.writer.stop, _DRAIN_S)
        if not ended:
            log.warning(
                "what is left in the spool is written at the next start",
                extra={"parcels": self.spool.backlog().parcels},
            )

    async def _open_doors(self, web: socket.socket, otlp: socket.socket | None) -> None:
        settings = self.settings
        keys = Keys(self.access, required=settings.ingest_needs_key)
        options = Options.of_days(
            traces=settings.traces_days,
            logs=settings.logs_days,
            points=settings.points_days,
            keep_text=settings.keep_text,
            clock=self.clock,
        )
        capacity = Capacity()
        ingest = receivers.app(self.heard, keys, options, capacity=capacity)
        self.web_app = create_app(self.context)
        await self._serve(_front(self.web_app, ingest), web)
        self._exit.push_async_callback(self.web_app.state.live.close)  # who looks on must not hold up the end
        if otlp is not None:
            await self._serve(ingest, otlp)
        try:
            grpc_server = await otlp_grpc.serve(
                self.heard, keys, options, host=settings.host, port=settings.grpc_port, capacity=capacity
            )
        except PortTaken as error:
            if "grpc_port" in settings.model_fields_set:
                raise
            log.warning("%s It goes on without.", error.message)
        else:
            self.ports["grpc"] = grpc_server.port
            self._exit.push_async_callback(grpc_server.stop)
        self.reporter = LocalReporter(Door(self.spool, None, options, capacity), host_name(settings), self.clock)
        self._beside(self.reporter.run)
        self._watch_services()
        brokers = watched(settings.queues, this_host=host_name(settings))
        self.queues = QueueWatch(brokers, self.reporter, self.clock)
        self._beside(self.queues.run)
        self._beside(StateWatch(stored(settings.states), self.reporter, self.clock).run)
        self._beside(Leaks(self.store, self.reporter, self.clock).run)
        if settings.watch_host:
            agent = Agent(Host.of(settings, self.clock), self.reporter, self.clock)
            agent.start()
            self._exit.push_async_callback(asyncio.to_thread, agent.stop)

    def _watch_services(self) -> None:
        services = Services(self.reporter, self.clock, host_name(self.settings))
        self.roster = Roster(services, self.context.database, self.clock, configured(self.settings.services))
        telemetry = dataclasses.replace(self.context.telemetry, roster=self.roster)
        self.context = self.web_app.state.context = dataclasses.replace(self.context, telemetry=telemetry)
        self._beside(self.roster.run)

    def _beside(self, work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        """Run it until we end; it is told by the event, and waited for."""
        stop = asyncio.Event()
        task = asyncio.create_task(work(stop))

        async def end() -> None:
            stop.set()
            await task

        self._exit.push_async_callback(end)

    async def _serve(self, app: ASGIApp, sock: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            http="httptools",
            ws="none",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
        listener = _Listener(config)
        task = asyncio.create_task(listener.serve(sockets=[sock]))

        async def end() -> None:
            listener.should_exit = True
            await task

        self._exit.push_async_callback(end)

    async def _run_jobs(self) -> None:
        stop = asyncio.Event()
        settling = Lease(self.context.database, "settle", self._node(), self.clock)
        self.settler = Settler(self.store, self.spool, self.clock, Terms.of(self.settings), lease=settling)
        keeping = Lease(self.context.database, "contracts", self._node(), self.clock)
        self.contracts = ContractSettler(
            self.store, self.spool, self.rules.rules, self.clock, self._contracts_way(), lease=keeping
        )
        jobs = [
            asyncio.create_task(self._settle(stop)),
            asyncio.create_task(self._keep_contracts(stop)),
            asyncio.create_task(self._judge(stop)),
            asyncio.create_task(self._follow(stop)),
            asyncio.create_task(self._every(_GUARD_S, stop, self._guard)),
            asyncio.create_task(self._every(_SWEEP_S, stop, self._sweep)),
        ]

        async def end() -> None:
            stop.set()
            await asyncio.gather(*jobs)

        self._exit.push_async_callback(end)

    async def _settle(self, stop: asyncio.Event) -> None:
        """There is nothing to pair before there is a schema."""
        if await asyncio.to_thread(self.writer.prepared.wait, _DRAIN_S) or self.settings.store:
            await self.settler.run(stop)

    async def _keep_contracts(self, stop: asyncio.Event) -> None:
        if await asyncio.to_thread(self.writer.prepared.wait, _DRAIN_S) or self.settings.store:
            await self.contracts.run(stop)

    def _contracts_way(self) -> Way:
        return Way(self.settings.time_zone, self.settings.late_hours * 3_600)

    def _judging(self, database: Database, measures: Measures) -> Judge:
        desk = Desk(measures, lambda: self.store.fetch("SELECT 1"))
        desk.deadline_s = self.settings.turn_deadline_seconds
        lease = Lease(database, "judge", self._node(), self.clock)
        found = Judge(
            database,
            desk,
            self.rules,
            _Stored(self.spool, self.writer),
            lease,
            self.clock,
            self.notifier.hint,
            self._figures,
        )
        found.templates = Templates.of(self.settings)
        return found

    def _figures(self, found: Sequence[Figure]) -> None:
        self.reporter.report({}, [Reading(one.name, one.value, one.unit, one.attributes) for one in found])

    async def _unwell(self) -> list[str]:
        """Why the heart must not beat: also where nothing is judged."""
        return [*await self.context.readiness.reasons(), *filter(None, [self.judge.health.paused])]

    async def _judge(self, stop: asyncio.Event) -> None:
        if await asyncio.to_thread(self.writer.prepared.wait, _DRAIN_S) or self.settings.store:
            await self.judge.run(stop)

    async def _follow(self, stop: asyncio.Event) -> None:
        if await asyncio.to_thread(self.writer.prepared.wait, _DRAIN_S) or self.settings.store:
            lease = Lease(self.context.database, "payloads", self._node(), self.clock)
            keeper = Keeper(self.store, self.context.database, self.spool, self.reporter, self.clock, lease=lease)
            await keeper.run(stop)

    async def _every(self, seconds: float, stop: asyncio.Event, work: Callable[[], object]) -> None:
        """Run a job in a thread, again and again. One that fails is told and tried again."""
        while not stop.is_set():
            if self.writer.prepared.is_set():
                try:
                    await asyncio.to_thread(work)
                except StoreError as error:
                    log.warning("a job has to wait for the store", extra={"reason": error.message})
                except Exception:
                    log.exception("a job failed; it is tried again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)

    def _guard(self) -> None:
        labels.guard(self.store, self.clock.now_ns() // SECOND_NS)

    def _sweep(self) -> None:
        zone = zoneinfo.ZoneInfo(self.settings.time_zone)
        today = dt.datetime.fromtimestamp(self.clock.now_ns() / SECOND_NS, zone).date()
        retention.sweep(self.store, self.settings, today)

    def url(self) -> str:
        """How this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)  # noqa: S104  compared
        return f"http://[{host}]:{self.ports['web']}" if ":" in host else f"http://{host}:{self.ports['web']}"

    def _prepare_telling(self, database: Database, hooks: Path) -> None:
        lease = Lease(database, "notify", self._node(), self.clock)
        self.notifier = Notifier(database, self.clock, self.settings, self._frame(), hooks_in=hooks, lease=lease)
        needs_key, url = self.settings.ingest_needs_key, self.url()
        self.drill = Drill(database, self.access, self.rules, self.spool, self.clock, url=url, needs_key=needs_key)

    def _frame(self) -> Frame:
        """How messages point back here. An address of this machine alone still serves whoever sits at it."""
        return Frame(self.settings.public_url or self.url(), self.settings.time_zone)

    def sign_in_link(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.ports['web']}/sign-in?code={self.sign_in.new_code()}"

    def reload(self, settings: Settings) -> None:
        """Take on what can change while running; name what needs a restart."""
        services = configured(settings.services)
        brokers = watched(settings.queues, this_host=host_name(self.settings))
        self.ways = ways.Base.of(settings)
        fixed = {name for name in _FIXED if getattr(settings, name) != getattr(self.settings, name)}
        kept = {name: getattr(self.settings, name) for name in fixed}
        self.settings = settings.model_copy(update=kept)
        self.notifier.set(self.settings, self._frame())
        self.rules.look_again()
        self.roster.reload(services)
        self.queues.reload(brokers)
        self.settler.terms = Terms.of(self.settings)
        self.contracts.way = self._contracts_way()
        self.judge.templates = Templates.of(self.settings)
        self.judge.desk.deadline_s = self.settings.turn_deadline_seconds
        self.context = dataclasses.replace(self.context, settings=self.settings)
        self.web_app.state.context = self.context
        logging.getLogger("botwatch").setLevel(self.settings.log_level.upper())
        log.info("settings read again", extra={"needs_restart": sorted(fixed)})


_FIXED: Final = frozenset(
    {"data", "host", "port", "otlp_port", "grpc_port", "store", "store_cluster", "state", "rules", "node"}
    | {"ingest_auth", "public_url", "keep_text", "traces_days", "logs_days", "points_days", "spool_bytes_max"}
    | {
        "admin_token",
        "hooks",
        "disk_free_bytes_min",
        "engine_memory_bytes_max",
        "watch_host",
        "watch_processes",
        "host_name",
        "states",
    }
)


def run(
    settings: Settings,
    reread: Callable[[], Settings] | None = None,
    serving: Callable[[str], None] | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT. `reread` is called on SIGHUP, `serving` once it serves, with its address.
    The exit code of the process."""
    process.set_up_log(settings.log_level)
    try:
        with asyncio.Runner(loop_factory=process.event_loop) as runner:
            return runner.run(_run(settings, reread, serving))
    except (SettingError, PortTaken) as error:
        raise SettingError(error.message, hint=error.hint) from None


async def _run(settings: Settings, reread: Callable[[], Settings] | None, serving: Callable[[str], None] | None) -> int:
    server = Server(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    await server.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, _reload, server, reread)
    process.notify("READY=1")
    log.info("serving", extra={**server.ports, "host": settings.host, "data": str(settings.data)})
    if settings.loopback:
        sys.stdout.write(f"Sign in: {server.sign_in_link()}\n")
        sys.stdout.flush()
    if serving is not None:
        serving(server.url())
    await stopped.wait()
    process.notify("STOPPING=1")
    log.info("stopping: taking nothing new, writing what was acknowledged")
    await server.stop()
    log.info("stopped")
    return 0


def _reload(server: Server, reread: Callable[[], Settings] | None) -> None:
    process.notify("RELOADING=1")
    try:
        if reread is not None:
            server.reload(reread())
    except BotwatchError as error:
        log.error("the settings stay as they were: %s", error.message)
    process.notify("READY=1")


def _front(web: ASGIApp, ingest: ASGIApp) -> ASGIApp:
    """The web port: ingest paths go straight to the receivers, past everything meant for people."""
    paths = frozenset(receivers.PATHS)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        await (ingest if scope["type"] == "http" and scope["path"] in paths else web)(scope, receive, send)

    return front
