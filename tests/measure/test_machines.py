"""Processes, queues, state and hosts, against numbers counted by hand."""

from __future__ import annotations

import pytest

from tests.measure.facts import T0, Asked, Facts, where

GIB = 2**30


def reading(metric: str, value: float, at: float = T0, **rest: object) -> dict[str, object]:
    return {"at": at, "metric": metric, "value": value, **rest}


@pytest.fixture(scope="module", autouse=True)
def _read(facts: Facts) -> None:
    one: Asked = {"resource": {"service.instance.id": "1"}}
    two: Asked = {"resource": {"service.instance.id": "2"}}
    facts.points(
        reading("process.cpu.utilization", 0.2, **one),
        reading("process.cpu.utilization", 0.4, T0 + 10, **one),
        reading("process.cpu.utilization", 0.9, **two),
        reading("process.memory.usage", 100, **one),
        reading("process.memory.usage", 300, **two),
        reading("process.open_connections", 7, **one),
        reading("process.uptime", 5_000, **one),
        reading("process.uptime", 60, T0 + 20, **two),
        *(
            reading("bot.queue.depth", n, T0 + 10 * i, labels={"bot.queue.name": "mail"})
            for i, n in enumerate((5, 120, 80))
        ),
        reading("bot.queue.depth", 30, labels={"bot.queue.name": "sms"}),
        reading("bot.queue.age", 12.5, labels={"bot.queue.name": "mail"}),
        reading("bot.state.age", 40, labels={"bot.state.name": "index"}),
        reading("bot.state.age", 7, labels={"bot.state.name": "cache"}),
        *(
            reading("bot.state.invalid", n, T0 + 10 * i, kind="cumulative", labels={"bot.state.name": "index"})
            for i, n in enumerate((0, 2, 3))
        ),
        *(
            reading("system.cpu.utilization", v, host=host, labels={"cpu.mode": mode, "cpu.logical_number": cpu})
            for host, cpu, idle in (("a", "0", 0.9), ("a", "1", 0.5), ("b", "0", 0.1))
            for mode, v in (("idle", idle), ("user", 1 - idle))
        ),
        *(
            reading("system.memory.utilization", v, host="a", labels={"state": state})
            for state, v in (("used", 0.6), ("free", 0.3), ("cached", 0.1))
        ),
        *(
            reading("system.memory.usage", v * GIB, host=host, labels={"state": state})
            for host, used in (("a", 6), ("b", 8))
            for state, v in (("used", used), ("free", 9 - used), ("cached", 1), ("slab_reclaimable", 2))
        ),
        reading("system.filesystem.utilization", 0.28, host="a", labels={"device": "/dev/sda1", "type": "ext4"}),
        reading("system.filesystem.utilization", 0.81, host="a", labels={"device": "/dev/sdb1", "type": "ext4"}),
        reading("system.filesystem.utilization", 1.0, host="a", labels={"device": "/dev/loop3", "type": "squashfs"}),
        *(
            reading(
                "system.filesystem.usage", v, host="b", labels={"device": "/dev/vda", "type": "xfs", "state": state}
            )
            for state, v in (("used", 30), ("free", 60), ("reserved", 10))
        ),
        reading("hw.gpu.utilization", 0.4, host="b", labels={"hw.id": "0"}),
    )


async def test_a_process_tells_what_it_uses(facts: Facts) -> None:
    assert await facts.value("process.cpu", by=("instance",)) == {("1",): pytest.approx(30), ("2",): pytest.approx(90)}
    assert await facts.one("process.cpu") == pytest.approx(50)
    assert await facts.one("process.memory") == 200
    assert await facts.one("process.connections") == 7
    assert await facts.one("process.uptime") == 60


async def test_of_several_queues_the_deepest_is_told(facts: Facts) -> None:
    assert await facts.one("queue.depth") == 120
    assert await facts.value("queue.depth", by=("queue",)) == {("mail",): 120, ("sms",): 30}
    assert await facts.one("queue.depth", T0 + 20, T0 + 30) == 80
    assert await facts.one("queue.age") == 12.5


async def test_state_has_an_age_and_checks_that_failed(facts: Facts) -> None:
    assert await facts.one("state.age") == 40
    assert await facts.one("state.age", where=where(state="cache")) == 7
    assert await facts.value("state.invalid", by=("state",)) == {("index",): 3}


async def test_a_host_is_busy_when_it_is_not_idle(facts: Facts) -> None:
    assert await facts.value("cpu.usage", by=("host",)) == {("a",): pytest.approx(30), ("b",): pytest.approx(90)}
    assert await facts.one("cpu.usage") == pytest.approx(60)


async def test_cpu_time_serves_where_nobody_sends_shares(facts: Facts) -> None:
    at = T0 + 3_600
    spent = {"idle": (1_000, 1_030), "user": (500, 525), "system": (100, 105)}
    facts.points(
        *(
            reading(
                "system.cpu.time", v, at + 60 * i, host="c", kind="cumulative", labels={"state": mode, "cpu": "cpu0"}
            )
            for mode, values in spent.items()
            for i, v in enumerate(values)
        )
    )
    assert await facts.one("cpu.usage", at, at + 120) == pytest.approx(50)


async def test_memory_is_a_share_and_what_is_free_in_kilobytes(facts: Facts) -> None:
    usage = await facts.value("mem.usage", by=("host",))
    assert usage == {("a",): pytest.approx(60), ("b",): pytest.approx(80)}  # b sends bytes only
    assert await facts.one("mem.usage") == pytest.approx(70)
    assert await facts.value("mem.free", by=("host",)) == {("a",): 3 * GIB / 1_024, ("b",): 1 * GIB / 1_024}


async def test_the_fullest_disk_is_told_and_images_that_are_always_full_are_not(facts: Facts) -> None:
    assert await facts.value("disk.usage", by=("host", "device")) == {
        ("a", "/dev/sda1"): pytest.approx(28),
        ("a", "/dev/sdb1"): pytest.approx(81),
        ("b", "/dev/vda"): pytest.approx(100 * 30 / 90),
    }
    assert await facts.one("disk.usage") == pytest.approx(81)


async def test_without_a_gpu_there_is_no_number(facts: Facts) -> None:
    assert await facts.value("gpu.usage", by=("host",)) == {("b",): pytest.approx(40)}
    assert await facts.one("gpu.usage", where=where(host="a")) is None


LATER = T0 + 7_200


async def test_waiting_for_a_disk_is_no_work_of_the_processors(facts: Facts) -> None:
    at = LATER
    facts.points(
        *(
            reading("system.cpu.utilization", v, at, host="d", labels={"cpu.mode": mode})
            for mode, v in (("idle", 0.5), ("iowait", 0.2), ("user", 0.2), ("system", 0.1))
        )
    )
    assert await facts.one("cpu.usage", at, at + 60, where=where(host="d")) == pytest.approx(30)


async def test_what_goes_over_the_wires_is_counted_by_way_and_interface(facts: Facts) -> None:
    facts.points(
        *(
            reading(
                "system.network.io",
                n,
                LATER + 10 * i,
                kind="cumulative",
                host="d",
                labels={"network.interface.name": name, "network.io.direction": way},
            )
            for name, way, counts in (
                ("eth0", "receive", (1_000, 1_500, 1_600)),
                ("eth1", "receive", (10, 20, 30)),
                ("eth0", "transmit", (5, 5, 7)),
            )
            for i, n in enumerate(counts)
        ),
        *(
            reading(metric, n, LATER + 10 * i, kind="cumulative", host="d", labels={"network.interface.name": "eth0"})
            for metric, counts in (("system.network.errors", (1, 3)), ("system.network.packet.dropped", (0, 1)))
            for i, n in enumerate(counts)
        ),
    )
    assert await facts.one("network.in", LATER, LATER + 60) == 620
    assert await facts.value("network.in", LATER, LATER + 60, by=("interface",)) == {("eth0",): 600, ("eth1",): 20}
    assert await facts.one("network.out", LATER, LATER + 60) == 2
    assert await facts.one("network.errors", LATER, LATER + 60) == 3


async def test_connections_files_load_and_swap_of_a_host(facts: Facts) -> None:
    state = "network.connection.state"
    facts.points(
        reading("system.network.connection.count", 40, LATER, host="d", labels={state: "established"}),
        reading("system.network.connection.count", 900, LATER, host="d", labels={state: "time_wait"}),
        reading("system.open_files", 1_300, LATER, host="d"),
        reading("system.cpu.load_average.1m", 2.5, LATER, host="d"),
        reading("system.paging.utilization", 0.25, LATER, host="d", labels={"system.paging.state": "used"}),
        reading("system.uptime", 99, LATER, host="d"),
        *(reading("system.memory.oom_kills", n, LATER + n, kind="cumulative", host="d") for n in (3, 4, 6)),
    )
    told = {
        name: await facts.one(name, LATER, LATER + 60, where=where(host="d"))
        for name in ("connections.open", "files.open", "load.1m", "swap.usage", "host.uptime", "memory.kills")
    }
    assert told == {
        "connections.open": 40,
        "files.open": 1_300,
        "load.1m": 2.5,
        "swap.usage": 25,
        "host.uptime": 99,
        "memory.kills": 3,
    }


async def test_the_limit_that_is_fullest_and_the_leak_that_is_next_are_told(facts: Facts) -> None:
    facts.points(
        reading("botwatch.limit.utilization", 0.9, LATER, labels={"limit": "memory"}),
        reading("botwatch.limit.utilization", 0.2, LATER, labels={"limit": "open_files"}),
        reading("process.memory.left", 70, LATER, resource={"service.instance.id": "1"}),
        reading("process.memory.left", 30, LATER, resource={"service.instance.id": "2"}),
        reading("process.memory.growth", 5, LATER, resource={"service.instance.id": "1"}),
        reading("process.memory.growth", 8, LATER, resource={"service.instance.id": "2"}),
        reading("process.memory.time_left", 600, LATER, resource={"service.instance.id": "2"}),
        reading("botwatch.processes", 1, LATER, bot="", labels={"process": "shop"}),
        reading("botwatch.processes", 0, LATER, bot="", labels={"process": "triage"}),
    )
    asked = {"start_s": LATER, "end_s": LATER + 60}
    assert await facts.one("limit.usage", **asked) == pytest.approx(90)
    assert await facts.value("limit.usage", **asked, by=("limit",)) == {("memory",): 90, ("open_files",): 20}
    assert await facts.one("process.memory_left", **asked) == 30
    assert await facts.one("memory.growth", **asked) == 8
    assert await facts.value("memory.time_left", **asked, by=("instance",)) == {("2",): 600}
    assert await facts.value("processes.running", **asked, by=("process",)) == {("shop",): 1, ("triage",): 0}
