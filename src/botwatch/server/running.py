"""The server as a process: it starts, says that it serves, hears signals, and ends in order."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable

from botwatch import process
from botwatch.errors import BotwatchError, PortTaken, SettingError
from botwatch.server.house import Server
from botwatch.settings import Settings

log = logging.getLogger(__name__)

Reread = Callable[[], Settings]
Serving = Callable[[str], None]


def run(settings: Settings, reread: Reread | None = None, serving: Serving | None = None) -> int:
    """Serve until SIGTERM or SIGINT. `reread` is called on SIGHUP, `serving` once it serves, with its address.
    The exit code of the process."""
    process.set_up_log(settings.log_level)
    process.raise_open_files()
    try:
        with asyncio.Runner(loop_factory=process.event_loop) as runner:
            return runner.run(_run(settings, reread, serving))
    except (SettingError, PortTaken) as error:
        raise SettingError(error.message, hint=error.hint) from None


async def _run(settings: Settings, reread: Reread | None, serving: Serving | None) -> int:
    server = Server(settings)
    stopped, early = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, early.set)  # it would end a process that is only starting
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
    if early.is_set():
        _reload(server, reread)
    await stopped.wait()
    process.notify("STOPPING=1")
    log.info("stopping: taking nothing new, writing what was acknowledged")
    await server.stop()
    log.info("stopped")
    return 0


def _reload(server: Server, reread: Reread | None) -> None:
    process.notify("RELOADING=1")
    try:
        if reread is not None:
            server.reload(reread())
    except BotwatchError as error:
        log.error("the settings stay as they were: %s", error.message)
    process.notify("READY=1")
