"""Look at one service the way the server does, and collect what it reports."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from botwatch.clock import SystemClock
from botwatch.watch.given import made
from botwatch.watch.probes.model import Service, Status
from botwatch.watch.reading import Attributes, Happening, Reading
from botwatch.watch.services import Services, View

FAST_S = 0.2
SOON_S = 60.0


class Collected:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.resources: list[Attributes] = []
        self.readings: list[Reading] = []
        self.happenings: list[Happening] = []

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        self.resources.append(resource)
        self.readings += readings
        self.happenings += happenings

    def values(self, name: str, service: str) -> list[float]:
        return [r.value for r in self.readings if r.name == name and r.attributes["service"] == service]

    def everything(self) -> str:
        return repr((self.resources, self.readings, self.happenings))


def described(name: str, url: str, **given: Any) -> Service:
    return made(name, {"url": url, **given})


def fast(service: Service, **changes: Any) -> Service:
    return dataclasses.replace(service, **{"interval_s": FAST_S, "timeout_s": 2.0, **changes})


@contextlib.asynccontextmanager
async def watching(*services: Service, reporter: Collected | None = None) -> AsyncIterator[Services]:
    watch = Services(reporter or Collected(), SystemClock(), "here")
    watch.configure(services)
    stop = asyncio.Event()
    running = asyncio.create_task(watch.run(stop))
    await asyncio.sleep(0)
    try:
        yield watch
    finally:
        stop.set()
        await running


async def look(name: str, url: str, times: int = 1, **given: Any) -> View:
    """What is found after asking so often."""
    given.setdefault("timeout_seconds", 60)
    async with watching(described(name, url, **given)) as services:
        for _ in range(times):
            view = await services.check(name)
        return view


async def until(services: Services, name: str, holds: Callable[[View], bool]) -> View:
    view = services.view(name)
    assert view is not None
    for _ in range(round(SOON_S / 0.02)):
        view = services.view(name)
        assert view is not None
        if holds(view):
            return view
        await asyncio.sleep(0.02)
    raise AssertionError(f"still {view}")


async def until_status(services: Services, name: str, status: Status) -> View:
    return await until(services, name, lambda view: view.status is status)


def figure(view: View, name: str) -> float | None:
    return next((found.value for found in view.figures if found.name == name), None)
