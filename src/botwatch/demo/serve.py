"""The glue between the demo and the server: all that the one needs of the other stands here."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import secrets
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from botwatch import process
from botwatch.clock import SECOND_NS
from botwatch.demo.backends import watched
from botwatch.demo.fleet import Fleet
from botwatch.demo.history import history
from botwatch.demo.machines import Machines
from botwatch.demo.stories import Story, stories
from botwatch.server import Server
from botwatch.settings import Settings
from botwatch.state import keys

_PREPARED_S: Final = 60.0
_LOOK_S: Final = 2.0


def run(settings: Settings, rate: float) -> int:
    if settings.log_level == "info":
        settings = settings.model_copy(update={"log_level": "warning"})
    process.set_up_log(settings.log_level)
    if not settings.admin_token.get_secret_value():
        settings = settings.model_copy(update={"admin_token": SecretStr(secrets.token_urlsafe(24))})
    with asyncio.Runner(loop_factory=process.event_loop) as runner:
        return runner.run(_run(settings, rate))


async def _run(settings: Settings, rate: float) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = Server(settings)
    async with contextlib.AsyncExitStack() as exit:
        await server.start()
        exit.push_async_callback(server.stop)
        url = _url(settings.host, server.ports["web"])
        key = await _ingest_key(server) if settings.ingest_needs_key else None
        fleet = Fleet(url, rate, secrets.randbits(32), key, time_zone=settings.time_zone)
        await asyncio.to_thread(server.writer.prepared.wait, _PREPARED_S)
        now_ns = server.clock.now_ns()
        written = await asyncio.to_thread(history, server.store, now_ns, settings)
        exit.push_async_callback(_beside(Machines(server.reporter, server.clock, settings.time_zone)))
        exit.push_async_callback(asyncio.to_thread, fleet.stop)
        ports = await asyncio.to_thread(fleet.start)
        server.reload(settings.model_copy(update={"services": _services(settings, url, ports)}))
        happened = stories(now_ns, settings.time_zone) if written else ()
        print(_welcome(settings, url, server.sign_in_link(), happened), flush=True)
        await _watch(fleet, stopped)
        print("\nEnding: the bots first, then the server.", flush=True)
    return 0


def _services(settings: Settings, url: str, ports: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """What is really there to be asked: what the fleet stands on, and this server; those of the settings go before."""
    own = {"kind": "http", "url": f"{url}/readyz", "expect_json": ["ready == true"]}
    return {**watched(ports), "botwatch": own, **settings.services}


def _beside(machines: Machines) -> Callable[[], Awaitable[None]]:
    """Run it from now on; what it gives ends it."""
    stop = asyncio.Event()
    task = asyncio.create_task(machines.run(stop))

    async def end() -> None:
        stop.set()
        await task

    return end


async def _ingest_key(server: Server) -> str:
    now_ns = server.clock.now_ns()
    _, secret = await server.context.database.write(lambda session: keys.add(session, now_ns, "demo", "demo"))
    return secret


async def _watch(fleet: Fleet, stopped: asyncio.Event) -> None:
    """Until we are told to stop. Bots that end by themselves are told once; the server goes on."""
    told = False
    while not stopped.is_set():
        if fleet.pid is None and not told:
            told = True
            print("The bots have ended unexpectedly; the server goes on without them.", flush=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _LOOK_S)


def _url(host: str, port: int) -> str:
    """How this machine reaches a server that listens on this address."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared with, not listened on
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _welcome(settings: Settings, url: str, link: str, happened: tuple[Story, ...]) -> str:
    token = settings.admin_token.get_secret_value()
    zone = ZoneInfo(settings.time_zone)
    found = sorted((story for story in happened if story.told), key=lambda story: story.from_ns)
    what = [f"  {dt.datetime.fromtimestamp(story.from_ns / SECOND_NS, zone):%a %H:%M}  {story.told}" for story in found]
    here = ", and this machine" if settings.watch_host else ""
    lines = [
        f"Botwatch is watching five bots on four hosts, the services they call{here}.",
        "",
        f"  look    {link}",
        f"  ask     curl -H 'Authorization: Bearer {token}' {url}/api/monitoring/status",
        f"  send    OTEL_EXPORTER_OTLP_ENDPOINT={url}   for a bot of your own",
        *(["", "What there is to find:", *what] if what else []),
        "",
        f"It is kept in {settings.data}. Ctrl-C ends it.",
    ]
    return "\n".join(lines)
