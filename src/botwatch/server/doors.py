"""The ports: web with API and ingest, OTLP over HTTP, OTLP over gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from botwatch import limits, process
from botwatch.clock import Clock
from botwatch.errors import PortTaken, SettingError
from botwatch.receive import app as receivers
from botwatch.receive import otlp_grpc
from botwatch.receive.door import Capacity, Door, Options
from botwatch.settings import Settings
from botwatch.spool import Heard, Spool
from botwatch.state import Keys

log = logging.getLogger(__name__)


class _Listener(uvicorn.Server):
    """One port. The process handles its own signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Connection(HttpToolsProtocol):
    """One that lets its first request, or the rest of a head, wait for longer than a body may take is closed: anyone
    can open thousands, and each is one of the files that the engine and the spool need too."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._forget_head()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(limits.BODY_READ_S_MAX, self._late)

    def _late(self) -> None:
        self._due = None
        if _is_answering(self.cycle):
            self._await_head()  # the request before it is being answered
        else:
            self.timeout_keep_alive_handler()

    def _forget_head(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


class Doors:
    """`listen` takes the ports first, `open` lets requests in once all stands. `ports` are the real ones."""

    def __init__(self, settings: Settings, exit: contextlib.AsyncExitStack) -> None:
        self.ports: dict[str, int] = {}
        self._settings = settings
        self._exit = exit
        self._web: socket.socket | None = None
        self._otlp: socket.socket | None = None

    def listen(self) -> None:
        settings = self._settings
        self._web = self._take("web", settings.port, "the web", "port")
        try:
            self._otlp = self._take("otlp", settings.otlp_port, "OTLP over HTTP", "otlp-port")
        except SettingError as error:
            if "otlp_port" in settings.model_fields_set:
                raise
            log.warning("%s. It goes on without: OTLP is taken on the web port too", error.message)

    def _take(self, name: str, port: int, called: str, setting: str) -> socket.socket:
        found = process.listen(self._settings.host, port, name=called, setting=setting)
        self._exit.callback(found.close)
        self.ports[name] = found.getsockname()[1]
        return found

    async def open(self, web: ASGIApp, spool: Spool, heard: Heard, keys: Keys, clock: Clock) -> Door:
        """Gives the inner door: for what the house itself sends, without a key."""
        settings, capacity = self._settings, Capacity()
        options = Options.of_days(
            traces=settings.traces_days,
            logs=settings.logs_days,
            points=settings.points_days,
            keep_text=settings.keep_text,
            clock=clock,
        )
        ingest = receivers.app(heard, keys, options, capacity=capacity)
        if self._web is not None:
            await self._serve(_front(web, ingest), self._web)
        if self._otlp is not None:
            await self._serve(ingest, self._otlp)
        try:
            grpc_server = await otlp_grpc.serve(
                heard, keys, options, host=settings.host, port=settings.grpc_port, capacity=capacity
            )
        except PortTaken as error:
            if "grpc_port" in settings.model_fields_set:
                raise
            log.warning("%s It goes on without.", error.message)
        else:
            self.ports["grpc"] = grpc_server.port
            self._exit.push_async_callback(grpc_server.stop)
        return Door(spool, None, options, capacity)

    async def _serve(self, app: ASGIApp, sock: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            http=_Connection,
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


def _is_answering(cycle: RequestResponseCycle | None) -> bool:
    return cycle is not None and not cycle.response_complete


def _front(web: ASGIApp, ingest: ASGIApp) -> ASGIApp:
    """The web port: ingest paths go straight to the receivers, past everything meant for people."""
    paths = frozenset(receivers.PATHS)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        await (ingest if scope["type"] == "http" and scope["path"] in paths else web)(scope, receive, send)

    return front
