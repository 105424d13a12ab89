"""`botwatch agent`: measures this machine and sends it to a server."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Final, Protocol

from botwatch import process
from botwatch.cli.flags import plain, table
from botwatch.clock import SystemClock
from botwatch.settings import Settings

log = logging.getLogger(__name__)

_BETWEEN_S: Final = 1.0
_FIRST_S: Final = 30.0


class Watching(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


def run(settings: Settings) -> int:
    """Until SIGTERM or SIGINT; what could not be sent by then is on disk, and is sent by the next run."""
    from botwatch.watch.agent import Agent
    from botwatch.watch.host.host import Host
    from botwatch.watch.post import HttpPost
    from botwatch.watch.ship import RemoteReporter

    process.set_up_log(settings.log_level)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    clock = SystemClock()
    host = Host.of(settings, clock)
    post = HttpPost(settings.url, settings.key.get_secret_value())
    reporter = RemoteReporter(post, settings.data.resolve() / "agent.db", host.name, clock)
    agent = Agent(host, reporter, clock)
    watching: list[Watching] = [agent]
    if settings.queues:  # what speaks to brokers weighs more than all the rest
        from botwatch.watch.queues.configured import watched
        from botwatch.watch.queues.runner import QueueThread

        watching.append(QueueThread(watched(settings.queues, this_host=host.name), reporter, clock))
    try:
        for one in watching:
            one.start()
        agent.looked.wait(_FIRST_S)
        process.notify("READY=1")
        log.info("watching this machine", extra={"host": host.name, "url": post.address, "waiting": reporter.backlog})
        stopped.wait()
        process.notify("STOPPING=1")
    finally:
        for one in watching:
            one.stop()
        reporter.close()
    log.info("stopped", extra={"waiting": reporter.backlog, "dropped": reporter.dropped})
    return 0


def look_once(settings: Settings) -> None:
    """Print what would be sent, and why something would not."""
    from botwatch.watch.host.host import Host

    host = Host.of(settings, SystemClock())
    host.look()
    time.sleep(_BETWEEN_S)  # shares of the processors are those between two looks
    look = host.look()
    print(f"{plain(host.name)}:\n")
    table(("reading", "value", "unit", "labels"), look.rows())
    for part, why in look.unknown.items():
        print(f"\n{part} is unknown: {plain(why)}")
    if not look.processes:
        print("\nNo process of a bot is watched: name some in watch_processes, or start them with BOTWATCH_BOT.")
