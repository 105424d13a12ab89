"""Watches services: asks each by its own beat, believes what holds, and reports it.

Every service has a task of its own, so that one that hangs delays no other. An answer that is late is given up and not
waited for. What is found goes to the reporter about once a second, whatever the number of services.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.errors import NotFound
from botwatch.watch import damping
from botwatch.watch.asking import Reason, Trouble, offset_s, stopped, trouble_of
from botwatch.watch.probes import certificate
from botwatch.watch.probes.model import LEVEL, UP, Figure, Finding, Service, Status, clean
from botwatch.watch.probes.registry import KINDS
from botwatch.watch.reading import Happening, Kind, Reading, Reporter

EVENT: Final = "botwatch.service"
_FLUSH_S: Final = 1.0
_FIRST_S: Final = 2.0  # by then each has been asked for the first time
_CLOSE_S: Final = 2.0
_GRACE_S: Final = 0.5
_Take = Callable[[list[Reading], Happening | None], None]


@dataclass(frozen=True, slots=True)
class View:
    """What is known of a service now. What was never answered is None or empty."""

    service: Service
    status: Status
    reason: str = ""
    version: str = ""
    headline: str = ""
    figures: tuple[Figure, ...] = ()
    latency_s: float | None = None
    since_ns: int | None = None
    checked_ns: int | None = None


class Services:
    """`configure` may be called at any time, and while it runs changes what is watched without a pause for the rest."""

    def __init__(self, reporter: Reporter, clock: Clock, host: str) -> None:
        self._reporter = reporter
        self._clock = clock
        self._resource = {"host.name": host}
        self._watches: dict[str, _Watch] = {}
        self._wanted: tuple[Service, ...] = ()
        self._running = False
        self._ending: set[asyncio.Task[None]] = set()
        self._readings: list[Reading] = []
        self._happenings: list[Happening] = []

    @property
    def host(self) -> str:
        return self._resource["host.name"]

    def configure(self, services: Iterable[Service]) -> None:
        """Those that did not change go on as they were."""
        self._wanted = tuple(services)[: limits.SERVICES_MAX]
        wanted = {service.name: service for service in self._wanted}
        for name, watch in list(self._watches.items()):
            if wanted.get(name) != watch.service:
                self._end(self._watches.pop(name))
        for name, service in wanted.items():
            if name not in self._watches:
                watch = self._watches[name] = _Watch(service, self._clock, self._take)
                if self._running:
                    watch.start()

    async def run(self, stop: asyncio.Event) -> None:
        self._running = True
        for watch in self._watches.values():
            watch.start()
        try:
            while not await stopped(stop, _FLUSH_S):
                self._flush()
        finally:
            self._running = False
            for watch in self._watches.values():
                self._end(watch)
            await asyncio.gather(*self._ending, return_exceptions=True)
            self._flush()

    def views(self) -> list[View]:
        """In the order they are configured in."""
        return [self._watches[service.name].view for service in self._wanted if service.name in self._watches]

    def view(self, name: str) -> View | None:
        watch = self._watches.get(name)
        return watch.view if watch is not None else None

    async def check(self, name: str) -> View:
        """Ask it now, and tell what came of it."""
        watch = self._watches.get(name)
        if watch is None or not self._running:
            raise NotFound("There is no service of this name.", hint="GET /api/services lists them")
        await watch.check()
        return watch.view

    async def tried(self, service: Service) -> View:
        """What asking it once finds. It is not watched for that, and nothing is reported."""
        watch = _Watch(service, self._clock, lambda *_: None)
        try:
            await watch.ask_once()
        finally:
            await watch.end()
        return watch.view

    def _take(self, readings: list[Reading], happening: Happening | None) -> None:
        self._readings += readings
        if happening is not None:
            self._happenings.append(happening)

    def _flush(self) -> None:
        if self._readings or self._happenings:
            self._reporter.report(self._resource, self._readings, self._happenings)
            self._readings, self._happenings = [], []

    def _end(self, watch: _Watch) -> None:
        task = asyncio.create_task(watch.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _Watch:
    """One service: when it is asked, and what its answers are taken for."""

    def __init__(self, service: Service, clock: Clock, take: _Take) -> None:
        self.service = service
        self.view = View(service, Status.UNKNOWN, "it has not been asked yet")
        self._clock = clock
        self._take = take
        self._probe = KINDS[service.kind].make(service)
        self._answers: deque[Status] = deque(maxlen=service.of)
        self._attributes = {"service": service.name, "kind": service.kind}
        self._flaps = 0
        self._told_s = float("-inf")
        self._wake = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []
        self._lingering: set[asyncio.Task[Finding]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """A question that is given up cleans up behind itself, and is given the time to."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CLOSE_S)
        if self._lingering:
            await asyncio.wait(self._lingering, timeout=_CLOSE_S)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._probe.close(), _CLOSE_S)
        self._answered()

    async def check(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._wake.set()
        await waiter

    async def ask_once(self) -> None:
        self._judge(*await self._ask())

    async def _run(self) -> None:
        loop, every_s = asyncio.get_running_loop(), self.service.interval_s
        beat_s = loop.time() + offset_s(self.service.name, every_s)
        next_s = loop.time() + offset_s(self.service.name, min(every_s, _FIRST_S))
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_s):
                    await self._wake.wait()
            began_s = loop.time()
            believed = self._judge(*await self._ask())
            self._wake.clear()
            self._answered()
            beat_s += every_s * max(0, 1 + (loop.time() - beat_s) // every_s)
            next_s = beat_s if beat_s - began_s > every_s / 2 else beat_s + every_s
            if not believed:  # asked again sooner, so that two beats are enough to be sure
                next_s = began_s + every_s / 2

    def _answered(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def _ask(self) -> tuple[Finding, float]:
        """The answer and how long it took. Never raises."""
        timeout_s = self.service.timeout_s
        began_s = self._clock.monotonic_s()
        if len(self._lingering) >= limits.SERVICE_LINGERING_MAX:
            return Finding(Status.STOPPED, "earlier questions hang, and it was not asked again"), 0.0
        task = asyncio.create_task(self._probe.ask())
        try:
            await asyncio.wait({task}, timeout=timeout_s)
        except asyncio.CancelledError:
            self._give_up(task)
            raise
        took_s = self._clock.monotonic_s() - began_s
        if not task.done():
            self._give_up(task)
            return Finding.of(Trouble(Reason.TIMEOUT, f"there was no answer within {timeout_s:g} s")), took_s
        return _finding(task, timeout_s), took_s

    def _give_up(self, task: asyncio.Task[Finding]) -> None:
        """Nobody waits for it. Its library may be about to give up too, and cleans up better when it is not cut off."""
        self._lingering.add(task)
        task.add_done_callback(self._gone)
        asyncio.get_running_loop().call_later(_GRACE_S, task.cancel)

    def _gone(self, task: asyncio.Task[Finding]) -> None:
        self._lingering.discard(task)
        if not task.cancelled():
            task.exception()  # seen: nobody waits for it any more

    def _judge(self, finding: Finding, took_s: float) -> bool:
        """Take note of an answer. Whether it is what the service is told to be."""
        now_ns = self._clock.now_ns()
        if self._answers and self._answers[-1] is not finding.status:
            self._flaps += 1
        self._answers.append(finding.status)
        before = self.view
        status = damping.told(before.status, tuple(self._answers), self.service.fails)
        believed = status is finding.status
        answered = finding.latency_s is not None or finding.status in (Status.RUNNING, Status.DEGRADED, Status.SEALED)
        latency_s = (finding.latency_s or took_s) if answered else None
        self.view = View(
            self.service,
            status,
            clean(finding.reason) if believed else before.reason,
            clean(finding.version) or before.version,
            clean(finding.headline) if believed else before.headline,
            finding.figures if believed else before.figures,
            latency_s if believed else before.latency_s,
            now_ns if status is not before.status or before.since_ns is None else before.since_ns,
            now_ns,
        )
        self._report(before.status, finding, latency_s)
        return believed

    def _report(self, before: Status, finding: Finding, latency_s: float | None) -> None:
        view, attributes = self.view, self._attributes
        readings = [Reading("service.flaps", self._flaps, "{change}", attributes, Kind.COUNTER)]
        if view.status in UP:
            readings.append(Reading("service.up", UP[view.status], "1", attributes))
            readings.append(Reading("service.status", LEVEL[view.status], "1", attributes))
        if latency_s is not None:
            readings.append(Reading("service.latency", latency_s, "s", attributes))
        if finding.saturation is not None:
            readings.append(Reading("service.saturation", finding.saturation, "1", attributes))
        kind = self.service.kind
        readings += [Reading(f"service.{kind}.{f.name}", f.value, f.unit, attributes) for f in finding.figures]
        self._take(readings, self._happening(before))

    def _happening(self, before: Status) -> Happening | None:
        """Told when something changed, and now and then that nothing did."""
        view, now_s = self.view, self._clock.monotonic_s()
        if view.status is before and now_s - self._told_s < limits.SERVICE_TOLD_AGAIN_S:
            return None
        self._told_s = now_s
        service = self.service
        attributes: dict[str, str | int | float] = {
            "botwatch.service.name": service.name,
            "botwatch.service.kind": service.kind,
            "botwatch.service.address": service.address,
            "botwatch.service.status": view.status,
            "botwatch.service.before": before,
            "botwatch.service.reason": view.reason,
            "botwatch.service.version": view.version,
            "botwatch.service.figure": view.headline,
            "botwatch.service.since_s": (view.since_ns or 0) // SECOND_NS,
            "botwatch.service.every_s": max(service.interval_s, limits.SERVICE_TOLD_AGAIN_S),
        }
        if view.latency_s is not None:
            attributes["botwatch.service.latency_ms"] = round(view.latency_s * 1_000, 3)
        said = ": ".join(filter(None, (f"{service.name} is {view.status}", view.reason or view.headline)))
        changed = view.status is not before
        return Happening(EVENT, said, attributes, warning=changed and view.status is not Status.RUNNING)


def _finding(task: asyncio.Task[Finding], timeout_s: float) -> Finding:
    """What it found, or why it found nothing: in our words, never in those of an exception."""
    if task.cancelled():
        return Finding(Status.UNKNOWN, "the question was given up")
    error = task.exception()
    if error is None:
        return task.result()
    return certificate.untrusted(error) or Finding.of(trouble_of(error, timeout_s))
