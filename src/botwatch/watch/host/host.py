"""The machine as a whole: every part is read, and what cannot be read is told with its reason."""

from __future__ import annotations

import logging
import platform
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import psutil

from botwatch.clock import SECOND_NS, Clock
from botwatch.settings import Settings
from botwatch.watch.host.cgroup import Cgroups
from botwatch.watch.host.container import Container
from botwatch.watch.host.cpu import Cpu
from botwatch.watch.host.disks import Disks
from botwatch.watch.host.files import Files
from botwatch.watch.host.gpu import Gpu
from botwatch.watch.host.memory import Memory
from botwatch.watch.host.network import Network
from botwatch.watch.host.part import Part, Unknown
from botwatch.watch.host.processes import Looked, Processes
from botwatch.watch.host.wanted import Finder, parse
from botwatch.watch.reading import Attributes, Happening, Reading, Reporter

log = logging.getLogger(__name__)

UNKNOWN: Final = "botwatch.unknown"


def host_name(settings: Settings) -> str:
    return settings.host_name or socket.gethostname() or "localhost"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the machine. `unknown` says why a part has no readings; `changed` is news about that."""

    resource: Attributes
    readings: Sequence[Reading]
    unknown: dict[str, str]
    changed: Sequence[Happening]
    processes: Sequence[Looked]

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """For people: name, value, unit, and what it is of."""
        for reading in self.readings:
            if reading.name != UNKNOWN:
                yield _row(reading, "")
        for looked in self.processes:
            of = f"{looked.resource['bot.name']} {looked.resource['service.instance.id']} "
            yield from (_row(reading, of) for reading in looked.readings)


class Host:
    """`look` is called by one thread, every few seconds."""

    def __init__(self, name: str, parts: Sequence[Part], processes: Processes, clock: Clock) -> None:
        self.name = name
        self._parts = parts
        self._processes = processes
        self._clock = clock
        self._resource = {"host.name": name, "host.arch": platform.machine(), "os.type": platform.system().lower()}
        self._unknown: dict[str, str] = {}

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> Self:
        cgroups = Cgroups()
        parts = (Cpu(), Memory(), Disks(), Network(), Files(), Container(cgroups), Gpu())
        finder = Finder(parse(settings.watch_processes))
        return cls(host_name(settings), parts, Processes(finder, cgroups), clock)

    def look(self) -> Look:
        now_s, wall_s = self._clock.monotonic_s(), self._clock.now_ns() / SECOND_NS
        readings = [Reading("system.uptime", max(wall_s - psutil.boot_time(), 0.0), "s")]
        unknown: dict[str, str] = {}
        for part in self._parts:
            try:
                readings += part.read(now_s)
            except Unknown as error:
                unknown[part.name] = str(error)
            except Exception as error:
                unknown[part.name] = _failed(part.name, error)
        looked: list[Looked] = []
        try:
            counts, looked = self._processes.read(now_s, wall_s)
            readings += counts
        except Exception as error:
            unknown["processes"] = _failed("processes", error)
        readings += [Reading(UNKNOWN, 1.0, "1", {"part": part, "reason": why}) for part, why in unknown.items()]
        changed = list(_news(self._unknown, unknown))
        self._unknown = unknown
        return Look(self._resource, readings, unknown, changed, looked)

    def report(self, reporter: Reporter) -> Look:
        """Look, and tell."""
        look = self.look()
        reporter.report(look.resource, look.readings, look.changed)
        for looked in look.processes:
            reporter.report({**look.resource, **looked.resource}, looked.readings)
        return look


def _row(reading: Reading, of: str) -> tuple[str, str, str, str]:
    labels = of + " ".join(f"{name}={value}" for name, value in reading.attributes.items())
    value = f"{reading.value:,.0f}" if abs(reading.value) >= 100 else f"{reading.value:.4g}"
    return reading.name, value, reading.unit, labels


def _failed(part: str, error: Exception) -> str:
    log.debug("a part of the machine could not be read", extra={"part": part}, exc_info=error)
    return f"it cannot be read ({type(error).__name__})"


def _news(before: dict[str, str], after: dict[str, str]) -> Sequence[Happening]:
    found = [
        Happening("host.part.unknown", f"{part}: {why}", {"part": part, "reason": why})
        for part, why in after.items()
        if before.get(part) != why
    ]
    found += [
        Happening("host.part.known", f"{part} can be read again", {"part": part}) for part in before.keys() - after
    ]
    return found
