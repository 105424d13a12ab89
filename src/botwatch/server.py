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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from botwatch import process
from botwatch.api.app import create_app
from botwatch.api.context import Context
from botwatch.api.fresh import Fresh
from botwatch.api.sign_in import SignIn
from botwatch.api.telemetry import Telemetry
from botwatch.clock import SECOND_NS, Clock, SystemClock
from botwatch.errors import BotwatchError, PortTaken, SettingError, StoreError
from botwatch.measure.reader import Measures
from botwatch.receive import app as receivers
from botwatch.receive import otlp_grpc
from botwatch.receive.door import Capacity, Options
from botwatch.settings import Settings
from botwatch.spool import Spool
from botwatch.state import Access, Keys, check_exposure, open_database
from botwatch.store import labels, retention
from botwatch.store.client import Store
from botwatch.store.writer import Writer
from botwatch.turns.settler import Settler
from botwatch.turns.window import Terms

log = logging.getLogger(__name__)

_SWEEP_S: Final = 30.0
_GUARD_S: Final = 2.0
_DRAIN_S: Final = 60.0


class _Listener(uvicorn.Server):
    """One port. The process handles its own signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Health:
    """Readiness and self-metrics, read from what the rooms know of themselves."""

    def __init__(self, spool: Spool, writer: Writer, clock: Clock) -> None:
        self._spool = spool
        self._writer = writer
        self._clock = clock
        self._began_s = clock.monotonic_s()

    async def reasons(self) -> list[str]:
        health = self._writer.health
        found = []
        if health.replaying:
            found.append("it is replaying what an earlier run left in the spool")
        if health.away_since_ns is not None:
            found.append("the telemetry store does not take data")
        if self._spool.trouble:
            found.append("the spool cannot write to its disk")
        return found

    def render(self) -> str:
        """Prometheus text, each family with its help."""
        backlog, health, now_ns = self._spool.backlog(), self._writer.health, self._clock.now_ns()
        oldest_s = (now_ns - backlog.oldest_ns) / SECOND_NS if backlog.oldest_ns else 0.0
        items: list[tuple[str, float]] = []
        for signal_name, counts in self._spool.intake().items():
            for what in ("received", "stored", "spooled", "duplicate"):
                items.append((f'signal="{signal_name}",what="{what}"', getattr(counts, what)))
            items += [(f'signal="{signal_name}",what="rejected",reason="{r}"', n) for r, n in counts.rejected.items()]
        families: list[tuple[str, str, list[tuple[str, float]]]] = [
            ("botwatch_intake_items", "Items by signal and by what became of them.", items),
            ("botwatch_spool_parcels", "Requests waiting for the engine.", [("", backlog.parcels)]),
            ("botwatch_spool_bytes", "Bytes waiting for the engine.", [("", backlog.size)]),
            ("botwatch_spool_oldest_seconds", "Age of the oldest request waiting.", [("", oldest_s)]),
            ("botwatch_store_batches", "Batches inserted since the start.", [("", health.batches)]),
            ("botwatch_store_up", "1 while the engine takes data.", [("", float(health.away_since_ns is None))]),
            ("botwatch_uptime_seconds", "Since the start.", [("", self._clock.monotonic_s() - self._began_s)]),
        ]
        lines = []
        for name, help_text, samples in families:
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
            lines += [
                f"{name}{{{labels_}}} {value:g}" if labels_ else f"{name} {value:g}" for labels_, value in samples
            ]
        return "\n".join(lines) + "\n"


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
        data = settings.data.resolve()
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = open_database(settings)
        self._exit.callback(database.close)
        check_exposure(settings, database, clock.now_ns())
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
        health = Health(spool, self.writer, clock)
        telemetry = Telemetry(self.store, Measures(self.store, settings, clock), spool, Fresh(clock))
        self.context = Context(settings, clock, database, self.access, self.sign_in, health, health, telemetry)
        await self._open_doors(web, otlp)
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
        ingest = receivers.app(self.spool, keys, options, capacity=capacity)
        self.web_app = create_app(self.context)
        await self._serve(_front(self.web_app, ingest), web)
        if otlp is not None:
            await self._serve(ingest, otlp)
        try:
            grpc_server = await otlp_grpc.serve(
                self.spool, keys, options, host=settings.host, port=settings.grpc_port, capacity=capacity
            )
        except PortTaken as error:
            if "grpc_port" in settings.model_fields_set:
                raise
            log.warning("%s It goes on without.", error.message)
        else:
            self.ports["grpc"] = grpc_server.port
            self._exit.push_async_callback(grpc_server.stop)

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
        self.settler = Settler(self.store, self.spool, self.clock, Terms.of(self.settings))
        jobs = [
            asyncio.create_task(self._settle(stop)),
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

    def sign_in_link(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.ports['web']}/sign-in?code={self.sign_in.new_code()}"

    def reload(self, settings: Settings) -> None:
        """Take on what can change while running; name what needs a restart."""
        fixed = {name for name in _FIXED if getattr(settings, name) != getattr(self.settings, name)}
        kept = {name: getattr(self.settings, name) for name in fixed}
        self.settings = settings.model_copy(update=kept)
        self.settler.terms = Terms.of(self.settings)
        self.context = dataclasses.replace(self.context, settings=self.settings)
        self.web_app.state.context = self.context
        logging.getLogger("botwatch").setLevel(self.settings.log_level.upper())
        log.info("settings read again", extra={"needs_restart": sorted(fixed)})


_FIXED: Final = frozenset(
    {"data", "host", "port", "otlp_port", "grpc_port", "store", "store_cluster", "state", "node", "admin_token"}
    | {"ingest_auth", "public_url", "keep_text", "traces_days", "logs_days", "points_days", "spool_bytes_max"}
    | {"disk_free_bytes_min", "engine_memory_bytes_max"}
)


def run(settings: Settings, reread: Callable[[], Settings] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. `reread` is called on SIGHUP. The exit code of the process."""
    process.set_up_log(settings.log_level)
    try:
        with asyncio.Runner(loop_factory=process.event_loop) as runner:
            return runner.run(_run(settings, reread))
    except (SettingError, PortTaken) as error:
        raise SettingError(error.message, hint=error.hint) from None


async def _run(settings: Settings, reread: Callable[[], Settings] | None) -> int:
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
