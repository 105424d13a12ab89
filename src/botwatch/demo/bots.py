"""The process of the fleet: `python -m botwatch.demo.bots URL RATE SEED ZONE`.

It loads the SDK once and forks a process for each place a bot runs in, as the SDK knows one bot a
process. All end with SIGTERM, with the end of standard input, which is the end of whoever started
them, and with each other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

import botwatch_sdk as sdk

from botwatch.clock import SECOND_NS, SystemClock
from botwatch.demo import world
from botwatch.demo.cast import FLEET
from botwatch.demo.play import Player, busy
from botwatch.demo.world import Bot, Place

FLUSH_S: Final = 1.5
TALKS_MAX: Final = 500  # at once, of one process
QUEUE_MAX: Final = 500
_OPENING_S: Final = 20.0
_TALK_MINUTES: Final = 0.8  # how long a conversation takes, about


@dataclass(frozen=True, slots=True)
class Order:
    """What the fleet is told. The key, if any, is in the environment: a command line can be seen by all."""

    url: str
    rate: float
    seed: int
    time_zone: str

    def argv(self) -> list[str]:
        return [self.url, repr(self.rate), str(self.seed), self.time_zone]

    @classmethod
    def parse(cls, argv: list[str]) -> Order:
        url, rate, seed, time_zone = argv
        return cls(url, float(rate), int(seed), time_zone)


class Process:
    """One bot in one place: begins conversations, or works through its queue, until it is told to stop."""

    def __init__(self, bot: Bot, place: Place, order: Order) -> None:
        self._bot = bot
        self._dice = Random(f"{order.seed}:{place.instance}")
        self._clock = SystemClock()
        self._zone = ZoneInfo(order.time_zone)
        self._player = Player(bot, self._dice, self._clock)
        self._per_minute = order.rate * bot.share / len(bot.places)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        jobs = [self._work(), self._deliver()] if self._bot.queue else [self._open(), self._receive()]
        for job in (*jobs, self._orphaned(stop)):
            self._begin(job)
        await stop.wait()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    @staticmethod
    async def _orphaned(stop: asyncio.Event) -> None:
        parent = os.getppid()
        while os.getppid() == parent:
            await asyncio.sleep(1.0)
        stop.set()

    async def _until_next(self, per_minute: float) -> None:
        """As long as it takes until the next of so many a minute, at this time of the day."""
        pace = per_minute * busy(self._clock, self._zone)
        await asyncio.sleep(min(self._dice.expovariate(pace / 60), 3_600.0))

    # --- conversations

    async def _open(self) -> None:
        """The conversations that would be going on had the bot always been here. The first begins at once."""
        self._talk()
        for _ in range(round(self._per_minute * busy(self._clock, self._zone) * _TALK_MINUTES)):
            await asyncio.sleep(self._dice.uniform(0, 2) * _OPENING_S / max(self._per_minute, 1.0))
            self._talk()

    async def _receive(self) -> None:
        while True:
            await self._until_next(self._per_minute)
            self._talk()

    def _talk(self) -> None:
        if len(self._running) < TALKS_MAX:
            self._begin(self._player.converse(self._player.script()))

    # --- tickets

    async def _deliver(self) -> None:
        """Tickets come as people write them, several when the mail is fetched."""
        self._waiting: asyncio.Queue[tuple[int, str]] = asyncio.Queue(QUEUE_MAX)
        number = self._clock.now_ns() // SECOND_NS % 100_000
        while True:
            for _ in range(self._dice.choice((1, 1, 1, 2, 5))):
                number += 1
                if not self._waiting.full():
                    self._waiting.put_nowait((self._clock.now_ns(), f"T-{number % 100_000:05d}"))
            self._measure()
            await self._until_next(self._per_minute / 2)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(0)
            _, ticket = await self._waiting.get()
            await self._player.ticket(self._player.script(), number=ticket)
            self._measure()

    def _measure(self) -> None:
        queue = self._waiting
        oldest_ns = queue._queue[0][0] if queue.qsize() else self._clock.now_ns()
        sdk.queue(self._bot.queue, depth=queue.qsize(), age_s=(self._clock.now_ns() - oldest_ns) / SECOND_NS)


def _become(bot: Bot, place: Place, order: Order) -> NoReturn:
    """In the child of a fork: be this bot until the end, whatever happens."""
    code = 1
    try:
        sdk.init(
            bot.name,
            url=order.url,
            version=world.VERSION,
            attributes={"host.name": place.host, "service.instance.id": place.instance},
        )
        told = logging.getLogger(bot.name)
        told.setLevel(logging.INFO)
        told.propagate = False
        told.addHandler(sdk.LogHandler())
        asyncio.run(Process(bot, place, order).run())
        sdk.shutdown(FLUSH_S)
        code = 0
    finally:
        os._exit(code)


async def _watch(children: set[int]) -> None:
    """Until one of them ends, or we are told to; then end all."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGCHLD, stop.set)
    loop.add_reader(sys.stdin.fileno(), stop.set)
    await stop.wait()
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    for pid in children:
        os.waitpid(pid, 0)


def main(argv: list[str]) -> int:
    order = Order.parse(argv)
    children: set[int] = set()
    for bot in FLEET:
        for place in bot.places:
            pid = os.fork()
            if not pid:
                _become(bot, place, order)
            children.add(pid)
    asyncio.run(_watch(children))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
