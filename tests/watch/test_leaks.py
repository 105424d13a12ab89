"""The job that looks for leaks, over what bots and agents have told, in a real engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from botwatch.clock import ManualClock
from botwatch.limits import MIB
from botwatch.store.client import Store
from botwatch.watch.leaks import Leaks
from botwatch.watch.reading import Attributes, Happening, Reading
from tests.measure.facts import T0, Facts, measures_of

HOUR = 3_600
NOW = T0 + 20 * HOUR + 7
Memory = Callable[[int], float]


@dataclass
class Heard:
    readings: dict[tuple[str, str, str], dict[str, float]] = field(default_factory=dict)
    happenings: list[tuple[str, str]] = field(default_factory=list)

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        who = (str(resource["bot.name"]), str(resource["host.name"]), str(resource["service.instance.id"]))
        self.readings[who] = {reading.name: reading.value for reading in readings}
        self.happenings += [(who[0], happening.name) for happening in happenings]


@pytest.fixture
def facts(store: Store) -> Facts:
    return Facts(store, measures_of(store))


def told(facts: Facts, bot: str, memory: Memory, hours: float, left_mib: float | None, until_s: int = NOW) -> None:
    """Memory in MiB by the second, read every minute."""
    common: dict[str, Any] = {"bot": bot, "host": "web-1", "resource": {"service.instance.id": f"{bot}-0"}}
    start = int(until_s - hours * HOUR)
    facts.points(
        *(
            {**common, "metric": "process.memory.usage", "at": at, "value": memory(at - start) * MIB}
            for at in range(start, until_s, 60)
        ),
        *(
            [{**common, "metric": "process.memory.left", "at": until_s - 30, "value": left_mib * MIB}]
            if left_mib is not None
            else []
        ),
    )


async def look(facts: Facts, heard: Heard) -> Leaks:
    leaks = Leaks(facts.store, heard, ManualClock(NOW * 10**9))
    await leaks.look()
    return leaks


async def test_leaks_are_told_with_their_pace_and_the_time_left_and_others_are_not(facts: Facts) -> None:
    told(facts, "fast", lambda t: 200 + t / 10, hours=0.4, left_mib=300)
    told(facts, "slow", lambda t: 200 + t * 30 / HOUR, hours=16, left_mib=600)
    told(facts, "tooth", lambda t: 200 + (t % 5_400) / 10, hours=16, left_mib=600)
    told(facts, "daily", lambda t: 200 + (t % 50_000) / 100, hours=30, left_mib=60)
    told(facts, "flat", lambda t: 200, hours=16, left_mib=600)
    told(facts, "young", lambda t: 200 + t, hours=0.1, left_mib=600)
    told(facts, "ended", lambda t: 200 + t / 10, hours=0.4, left_mib=300, until_s=NOW - 900)
    heard = Heard()
    leaks = await look(facts, heard)
    found = {bot: readings for (bot, _, _), readings in heard.readings.items()}
    assert set(found) == {"fast", "slow", "tooth", "daily", "flat"}
    assert found["fast"]["process.memory.growth"] == pytest.approx(360 * MIB, rel=0.1)
    assert found["fast"]["process.memory.time_left"] == pytest.approx(3_000, rel=0.1)
    assert found["slow"]["process.memory.growth"] == pytest.approx(30 * MIB, rel=0.1)
    assert found["slow"]["process.memory.time_left"] == pytest.approx(20 * HOUR, rel=0.1)
    assert found["tooth"] == found["daily"] == found["flat"] == {"process.memory.growth": 0}
    assert sorted(heard.happenings) == [("fast", "process.leak"), ("slow", "process.leak")]
    await leaks.look()
    assert len(heard.happenings) == 2, "told once"


async def test_without_a_limit_of_its_own_the_memory_of_the_machine_counts(facts: Facts) -> None:
    told(facts, "shop", lambda t: 200 + t * 60 / HOUR, hours=16, left_mib=None)
    available = {"metric": "system.memory.available", "bot": "", "host": "web-1", "at": NOW - 20, "value": 600 * MIB}
    facts.points(available)
    heard = Heard()
    await look(facts, heard)
    assert heard.readings["shop", "web-1", "shop-0"]["process.memory.time_left"] == pytest.approx(10 * HOUR, rel=0.1)


async def test_a_leak_that_ends_is_told(facts: Facts) -> None:
    told(facts, "shop", lambda t: 200 + t / 10, hours=0.4, left_mib=300)
    heard = Heard()
    clock = ManualClock(NOW * 10**9)
    leaks = Leaks(facts.store, heard, clock)
    await leaks.look()
    clock.advance(1_200)
    told(facts, "shop", lambda t: 344, hours=1_140 / HOUR, left_mib=300, until_s=NOW + 1_200)
    await leaks.look()
    assert heard.happenings == [("shop", "process.leak"), ("shop", "process.leak.ended")]
    assert heard.readings["shop", "web-1", "shop-0"] == {"process.memory.growth": 0}


async def test_an_empty_store_has_no_leaks(facts: Facts) -> None:
    heard = Heard()
    await look(facts, heard)
    assert heard.readings == {}
