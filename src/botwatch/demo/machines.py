"""The machines the demo's bots run on: what an agent on each of them would tell, then and now.

Nobody can measure a machine that is not there. What they use is made up from how busy the fleet is at that
minute, by the same function for the day that is written and for the day that goes on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from botwatch.clock import SECOND_NS, Clock
from botwatch.demo.world import rhythm
from botwatch.watch.reading import Reading, Reporter

EVERY_S: Final = 10
_GIB: Final = 2**30
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Machine:
    """`cpu`, `memory` and `disk` are shares at rest; `gpu` is 0 where there is none."""

    host: str
    cpu: float
    memory: float
    disk: float
    memory_gib: int
    disk_gib: int
    gpu: float = 0.0


MACHINES: Final = (
    Machine("bots-1", 0.12, 0.52, 0.41, 16, 200),
    Machine("bots-2", 0.10, 0.47, 0.38, 16, 200),
    Machine("bots-3", 0.18, 0.58, 0.63, 32, 400, gpu=0.22),
    Machine("workers-1", 0.15, 0.44, 0.55, 16, 200),
)


def figures(machine: Machine, at_s: int, busy: float) -> Iterator[Reading]:
    """What it uses at this second; `busy` is 1 at the busiest hour of a Monday."""
    cpu = min(0.97, machine.cpu + 0.38 * busy + 0.10 * _chance(machine.host, "cpu", at_s // EVERY_S))
    memory = min(0.95, machine.memory + 0.12 * busy + 0.01 * _chance(machine.host, "memory", at_s // 60))
    disk = machine.disk + 0.004 * (at_s % _DAY_S) / _DAY_S
    for mode, share in (("user", cpu * 0.8), ("system", cpu * 0.2), ("idle", 1 - cpu)):
        yield Reading("system.cpu.utilization", round(share, 4), "1", {"cpu.mode": mode})
    total = machine.memory_gib * _GIB
    for state, share in (("used", memory), ("free", 0.4 * (1 - memory)), ("cached", 0.6 * (1 - memory))):
        labels = {"system.memory.state": state}
        yield Reading("system.memory.usage", float(round(share * total)), "By", labels)
        yield Reading("system.memory.utilization", round(share, 4), "1", labels)
    labels = {"system.device": "/dev/vda1", "system.filesystem.mountpoint": "/", "system.filesystem.type": "ext4"}
    for state, share in (("used", disk), ("free", 1 - disk)):
        told = {**labels, "system.filesystem.state": state}
        yield Reading("system.filesystem.usage", float(round(share * machine.disk_gib * _GIB)), "By", told)
    yield Reading("system.filesystem.utilization", round(disk, 4), "1", {**labels, "system.filesystem.state": "used"})
    if machine.gpu:
        gpu = min(0.99, machine.gpu + 0.45 * busy + 0.2 * _chance(machine.host, "gpu", at_s // EVERY_S))
        yield Reading("hw.gpu.utilization", round(gpu, 4), "1", {"hw.id": "gpu-0"})


def _chance(host: str, what: str, when: int) -> float:
    """Dice that fall the same for the same moment."""
    return hashlib.blake2b(f"{host} {what} {when}".encode(), digest_size=4).digest()[0] / 255


def past(from_ns: int, to_ns: int, time_zone: str) -> Iterator[dict[str, object]]:
    """The rows of the day before: every minute, and every ten seconds in the last hour."""
    zone = ZoneInfo(time_zone)
    from_s, to_s = -(-from_ns // SECOND_NS), to_ns // SECOND_NS
    fine_s = max(from_s, to_s - 3_600)
    for at_s in (*range(from_s, fine_s, 60), *range(fine_s, to_s, EVERY_S)):
        busy = rhythm(dt.datetime.fromtimestamp(at_s, zone))
        for machine in MACHINES:
            for reading in figures(machine, at_s, busy):
                yield {
                    "host": machine.host,
                    "metric": reading.name,
                    "at_ns": at_s * SECOND_NS,
                    "value": reading.value,
                    "unit": reading.unit,
                    "label_names": list(reading.attributes),
                    "label_values": [str(value) for value in reading.attributes.values()],
                }


class Machines:
    """Tells of them while the demo runs."""

    def __init__(self, reporter: Reporter, clock: Clock, time_zone: str) -> None:
        self._reporter = reporter
        self._clock = clock
        self._zone = ZoneInfo(time_zone)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            at_s = self._clock.now_ns() // SECOND_NS
            busy = rhythm(dt.datetime.fromtimestamp(at_s, self._zone))
            for machine in MACHINES:
                self._reporter.report({"host.name": machine.host}, list(figures(machine, at_s, busy)))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)
