"""Asks each broker by its own beat and reports what it saw. One that hangs holds up no other.

A broker that does not answer says nothing of its queues: there are no figures then, and `queue.watched` is 0 with
the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.watch.asking import Trouble, asked, every, offset_s
from botwatch.watch.queues.configured import Watched
from botwatch.watch.queues.flow import Figures, Flow
from botwatch.watch.queues.look import Broker, Look, Looks
from botwatch.watch.queues.registry import broker
from botwatch.watch.reading import Attributes, Happening, Reading, Reporter

log = logging.getLogger(__name__)

QUEUE, BROKER, KIND = "messaging.destination.name", "queue.broker", "messaging.system"
GROUP, PARTITION = "messaging.consumer.group.name", "messaging.destination.partition.id"
REASON, LEFT_OUT, EVERY = "queue.reason", "queue.left_out", "queue.every_s"


class QueueWatch:
    """All brokers that are watched. `run` until told to stop; `reload` in between, from the same loop."""

    def __init__(self, brokers: Sequence[Watched], reporter: Reporter, clock: Clock) -> None:
        self._wanted = list(brokers)
        self._reporter = reporter
        self._clock = clock
        self._changed = asyncio.Event()
        self._running: list[tuple[Watched, asyncio.Task[None]]] = []

    def reload(self, brokers: Sequence[Watched]) -> None:
        """Brokers whose table did not change keep what is remembered of them."""
        self._wanted = list(brokers)
        self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._changed.clear()
                self._fit()
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({stopping, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        finally:
            stopping.cancel()
            ending = [task for _, task in self._running]
            self._wanted = []
            self._fit()
            await asyncio.gather(*ending, return_exceptions=True)

    def _fit(self) -> None:
        """Start what is wanted and does not run, end what runs and is not wanted, whatever it waits for."""
        for watched, task in self._running:
            if watched not in self._wanted:
                task.cancel()
        self._running = [(watched, task) for watched, task in self._running if watched in self._wanted]
        running = [watched for watched, _ in self._running]
        for watched in self._wanted:
            if watched not in running:
                watch = Watch(watched, broker(watched), self._reporter, self._clock)
                self._running.append((watched, asyncio.create_task(watch.run())))


class QueueThread:
    """The same with a loop of its own, for a process that has none."""

    def __init__(self, brokers: Sequence[Watched], reporter: Reporter, clock: Clock) -> None:
        self._brokers, self._reporter, self._clock = brokers, reporter, clock
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="botwatch-queues", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended, or never began
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(limits.AGENT_STOP_S_MAX)

    def _run(self) -> None:
        watch = QueueWatch(self._brokers, self._reporter, self._clock)
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(watch.run(self._stop))


class Watch:
    """One broker, and what is remembered of each of its queues."""

    def __init__(self, watched: Watched, source: Broker, reporter: Reporter, clock: Clock) -> None:
        self._watched = watched
        self._source = source
        self._reporter = reporter
        self._clock = clock
        self._flows: dict[tuple[str, str], Flow] = {}
        self._trouble: Trouble | None = None
        self._left_out = 0
        self._resource: dict[str, str] = {}
        if watched.bot:
            self._resource["bot.name"] = watched.bot
        if watched.host:
            self._resource["host.name"] = watched.host

    async def run(self) -> None:
        """Until cancelled. The first time at once, or nearly: many are not asked in the same moment."""
        beat_s = self._watched.every_s
        try:
            await every(beat_s, asyncio.Event(), self.once, after_s=offset_s(self._watched.name, min(1.0, beat_s)))
        finally:
            with contextlib.suppress(Exception):
                await self._source.close()

    async def once(self) -> None:
        """Ask, and report whatever came of it."""
        try:
            told = await asked(lambda: self._source.look(self._clock.now_ns() / SECOND_NS), self._watched.timeout_s)
        except Trouble as trouble:
            self._away(trouble)
            return
        looks = bounded(told)
        readings = [self._watched_reading(1, {LEFT_OUT: looks.left_out} if looks.left_out else {})]
        flows: dict[tuple[str, str], Flow] = {}
        for look in looks.queues:
            flow = flows[look.key] = self._flows.get(look.key) or Flow()
            readings += self._readings(look, flow.add(look, self._clock.monotonic_s()))
        self._flows = flows
        self._reporter.report(self._resource, readings, [*self._back(), *self._cut(looks.left_out)])

    def _away(self, trouble: Trouble) -> None:
        happenings = []
        if self._trouble is None or self._trouble.reason is not trouble.reason:
            text = f"the queues of {self._watched.name} ({self._watched.kind}) are not seen: {trouble.message}"
            log.warning(text)
            happenings = [Happening("queue.broker.away", text, self._about({REASON: trouble.reason}), warning=True)]
        self._trouble = trouble
        readings = [self._watched_reading(0, {REASON: trouble.reason})]
        self._reporter.report(self._resource, readings, happenings)

    def _back(self) -> Iterator[Happening]:
        if self._trouble is not None:
            text = f"the queues of {self._watched.name} ({self._watched.kind}) are seen again"
            log.info(text)
            yield Happening("queue.broker.back", text, self._about({}))
        self._trouble = None

    def _cut(self, left_out: int) -> Iterator[Happening]:
        """Told once, and again when it is more."""
        if left_out > self._left_out:
            text = f"{self._watched.name} has {left_out} more queues than are watched: use include or exclude"
            yield Happening("queue.left_out", text, self._about({LEFT_OUT: left_out}), warning=True)
        self._left_out = left_out

    def _about(self, more: Attributes) -> Attributes:
        return {BROKER: self._watched.name, KIND: self._watched.kind, **more}

    def _watched_reading(self, value: int, more: Attributes) -> Reading:
        return Reading("queue.watched", value, "1", self._about({EVERY: self._watched.every_s, **more}))

    def _readings(self, look: Look, figures: Figures) -> Iterator[Reading]:
        about = {**self._about({}), QUEUE: look.queue, **({GROUP: look.group} if look.group else {})}
        for name, value, unit in _told(look, figures):
            if value is not None:
                yield Reading(f"queue.{name}", value, unit, about)
        for part in look.parts:
            of_part = {**about, PARTITION: str(part.partition)}
            yield Reading("queue.partition.depth", part.depth, "{message}", of_part)
            if part.age_s is not None:
                yield Reading("queue.partition.age", part.age_s, "s", of_part)


def bounded(looks: Looks) -> Looks:
    """Names and numbers of queues, groups and partitions are a broker's own, and may be any."""
    kept: list[Look] = []
    parts_left = limits.QUEUE_PARTS_PER_BROKER_MAX
    for look in looks.queues:
        if len(kept) == limits.GROUPS_PER_BROKER_MAX:
            break
        if max(len(look.queue), len(look.group)) <= limits.QUEUE_NAME_CHARS_MAX:
            kept.append(replace(look, parts=look.parts[:parts_left]))
            parts_left -= len(kept[-1].parts)
    return Looks(kept, looks.left_out + len(looks.queues) - len(kept))


def _told(look: Look, figures: Figures) -> Iterator[tuple[str, float | None, str]]:
    """Each figure with its unit; `…_exact` is 0 where the figures are lower bounds."""
    yield "depth", look.depth, "{message}"
    yield "pending", look.pending, "{message}"
    yield "consumers", look.consumers, "{consumer}"
    yield "age", figures.age_s, "s"
    yield "age_exact", None if figures.age_s is None else not figures.age_at_least, "1"
    yield "in_rate", figures.in_rate, "{message}/s"
    yield "out_rate", figures.out_rate, "{message}/s"
    yield "rates_exact", None if figures.in_rate is None else not figures.rates_at_least, "1"
    yield "growth", figures.growth, "{message}/s"
    yield "time_to_drain", figures.time_to_drain_s, "s"
    yield "growing", figures.growing_s, "s"
    yield "stalled", figures.stalled_s, "s"
    yield "unattended", figures.unattended, "{message}"
