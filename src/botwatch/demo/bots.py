"""The process of the fleet: `python -m botwatch.demo.bots URL RATE SEED ZONE STOP_S`.

It loads the SDK once and forks a process for each place a bot runs in, as the SDK knows one bot a
process, and one for the services they call, whose ports are the first line of its output. All end with
SIGTERM, with the end of standard input, which is the end of whoever started them, and with each other.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

import botwatch_sdk as sdk
from botwatch import limits
from botwatch.clock import SECOND_NS, SystemClock
from botwatch.demo import backends, world
from botwatch.demo.cast import FLEET
from botwatch.demo.fleet import Order
from botwatch.demo.play import Player, busy
from botwatch.demo.world import Bot, Place

_OPENING_S: Final = 20.0
_TALK_MINUTES: Final = 1.0  # how long a conversation takes, about
_BATCHES: Final = (1, 1, 1, 2, 5)  # tickets that come at once, two on average
_PAUSE_S_MAX: Final = 3_600.0


class Process:
    """One bot in one place: begins conversations, or works through its queue, until it is told to stop."""

    def __init__(self, bot: Bot, place: Place, order: Order, ports: Mapping[str, int]) -> None:
        self._bot = bot
        self._dice = Random(f"{order.seed}:{place.instance}")
        self._clock = SystemClock()
        self._zone = ZoneInfo(order.time_zone)
        self._player = Player(bot, self._dice, self._clock, ports=ports)
        self._per_minute = order.rate * bot.share / len(bot.places)
        self._running: set[asyncio.Task[None]] = set()
        self._tickets: deque[tuple[int, str]] = deque()
        self._waiting = asyncio.Semaphore(0)

    async def run(self, lifeline: int) -> None:
        """Until SIGTERM, or until the other end of the lifeline is closed."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_reader(lifeline, stop.set)
        for job in (self._deliver(), self._work()) if self._bot.queue else (self._open(), self._receive()):
            self._begin(job)
        await stop.wait()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _until_next(self, per_minute: float) -> None:
        """As long as it takes until the next of so many a minute, at this time of the day."""
        pace = per_minute * busy(self._clock, self._zone)
        await asyncio.sleep(min(self._dice.expovariate(pace / 60), _PAUSE_S_MAX))

    # --- conversations

    async def _open(self) -> None:
        """The conversations that would be going on had the bot always been here. The first begins at once."""
        going_on = round(self._per_minute * busy(self._clock, self._zone) * _TALK_MINUTES)
        for _ in range(max(going_on, 1)):
            self._talk()
            await asyncio.sleep(2 * self._dice.random() * _OPENING_S / max(going_on, 1))

    async def _receive(self) -> None:
        while True:
            await self._until_next(self._per_minute)
            self._talk()

    def _talk(self) -> None:
        if len(self._running) < limits.DEMO_TALKS_MAX:
            self._begin(self._player.converse(self._player.script()))

    # --- tickets

    async def _deliver(self) -> None:
        """Tickets come as people write them, and several when mail is fetched."""
        number = self._clock.now_ns() // SECOND_NS
        while True:
            for _ in range(self._dice.choice(_BATCHES)):
                if len(self._tickets) < limits.DEMO_QUEUE_ITEMS_MAX:
                    number += 1
                    self._tickets.append((self._clock.now_ns(), f"T-{number % 100_000:05d}"))
                    self._waiting.release()
            self._measure()
            await self._until_next(self._per_minute / 2)

    async def _work(self) -> None:
        while True:
            await self._waiting.acquire()
            _, ticket = self._tickets.popleft()
            await self._player.ticket(self._player.script(), number=ticket)
            self._measure()

    def _measure(self) -> None:
        now_ns = self._clock.now_ns()
        oldest_ns = self._tickets[0][0] if self._tickets else now_ns
        sdk.queue(self._bot.queue, depth=len(self._tickets), age_s=max(now_ns - oldest_ns, 0) / SECOND_NS)


def introduce(bot: Bot, place: Place, url: str) -> None:
    """What a bot does for Botwatch when it starts."""
    sdk.init(
        bot.name,
        url=url,
        version=world.VERSION,
        attributes={"host.name": place.host, "service.instance.id": place.instance},
    )
    log = logging.getLogger(bot.name)
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(sdk.LogHandler())


def _bot(bot: Bot, place: Place, order: Order, ports: Mapping[str, int], lifeline: int) -> None:
    introduce(bot, place, order.url)
    # Not `asyncio.run`: it would tear the conversations apart, and that would look like failures of the bot.
    loop, process = asyncio.new_event_loop(), Process(bot, place, order, ports)
    loop.run_until_complete(process.run(lifeline))
    sdk.shutdown(order.stop_s / 2)


def _forked(ours: int, be: Callable[[], None]) -> int:
    """The id of a child that is this until the end, and nothing else; our end of its lifeline is not its own."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.close(ours)
        be()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


async def _until_the_end() -> None:
    """Until one of them ends, or we are told to."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGCHLD, stop.set)
    loop.add_reader(sys.stdin.fileno(), stop.set)
    if not _one_has_ended():  # before anybody listened
        await stop.wait()


def _one_has_ended() -> bool:
    return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def main(argv: list[str]) -> int:
    order = Order.parse(argv)
    # Closed with this process, however it ends: that is how the others know.
    lifeline, ours = os.pipe()
    sockets = backends.bound()
    ports = {name: listening.getsockname()[1] for name, listening in sockets.items()}

    services = _forked(ours, lambda: asyncio.run(backends.serve(sockets, order.seed, lifeline)))
    for listening in sockets.values():
        listening.close()
    places = [(bot, place) for bot in FLEET for place in bot.places]
    bots = [_forked(ours, partial(_bot, bot, place, order, ports, lifeline)) for bot, place in places]
    print(json.dumps(ports), flush=True)
    asyncio.run(_until_the_end())
    # The bots first: a service that ends under a bot would look like a failure.
    return max(_ended(bots), _ended([services]))


def _ended(children: Sequence[int]) -> int:
    """The worst of their exit codes."""
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    return max(abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) for pid in children)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
