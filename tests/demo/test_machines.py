"""The machines of the demo: the day before and the day that goes on are told alike, within their bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.demo.cast import FLEET
from botwatch.demo.machines import MACHINES, Machine, Machines, figures
from botwatch.demo.machines import past as rows_before
from botwatch.measure.query import Query
from botwatch.measure.reader import Measures
from botwatch.watch.reading import Attributes, Happening, Reading
from tests.demo.conftest import DAY_NS, NOW_NS, SETTINGS, Past


def test_every_place_of_a_bot_is_a_machine() -> None:
    assert {place.host for bot in FLEET for place in bot.places} == {machine.host for machine in MACHINES}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.host)
def test_shares_are_shares(machine: Machine) -> None:
    for busy in (0.0, 0.5, 1.0):
        for at_s in range(0, 86_400, 7_200):
            shares = [reading.value for reading in figures(machine, at_s, busy) if reading.unit == "1"]
            assert all(0 <= share <= 1 for share in shares)


def test_only_one_of_them_has_a_gpu() -> None:
    having = [m.host for m in MACHINES if any(r.name == "hw.gpu.utilization" for r in figures(m, 0, 0.5))]
    assert having == ["bots-3"]


async def test_the_day_before_is_measured(past: Past) -> None:
    measures = Measures(past.store, SETTINGS, ManualClock(NOW_NS))
    window = ((NOW_NS - DAY_NS) // SECOND_NS, NOW_NS // SECOND_NS)
    for measure in ("cpu.usage", "mem.usage", "disk.usage"):
        found = {
            value.labels["host"]: value.value for value in await measures.value(Query(measure, *window, by=("host",)))
        }
        assert set(found) == {machine.host for machine in MACHINES}, measure
        assert all(value is not None and 5 < value < 95 for value in found.values()), found
    gpu = await measures.value(Query("gpu.usage", *window, by=("host",)))
    assert [value.labels["host"] for value in gpu] == ["bots-3"]


async def test_they_are_told_of_as_long_as_it_runs() -> None:
    told: dict[str, set[str]] = {}

    class Listening:
        def report(
            self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
        ) -> None:
            told.setdefault(str(resource["host.name"]), set()).update(reading.name for reading in readings)
            stop.set()

    stop = asyncio.Event()
    await Machines(Listening(), ManualClock(NOW_NS), "UTC").run(stop)
    then = {(row["host"], row["metric"]) for row in rows_before(NOW_NS - 10**10, NOW_NS, "UTC")}
    assert {(host, name) for host, names in told.items() for name in names} == then
