"""What agents told of machines: as a list of hosts, and as the four figures of the status."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.api.telemetry.conftest import Asker, Bots, at, trace

MIB = 2**20


def told(bots: Bots, host: str, ago: float, *points: tuple[str, float, dict[str, str]], **more: Any) -> None:
    resource = {"host.name": host, **more.pop("resource", {})}
    common = {"bot": "", "host": host, "kind": "gauge", "unit": "1", "resource": orjson.dumps(resource).decode()} | more
    rows = [
        common
        | {
            "metric": metric,
            "value": value,
            "at": at(ago),
            "label_names": list(labels),
            "label_values": list(labels.values()),
            "series": hash((host, metric, tuple(labels.items()), str(resource))) & (2**63 - 1),
        }
        for metric, value, labels in points
    ]
    bots.put("number_points", *rows)


def machine(bots: Bots, host: str, ago: float, *, idle: float, used: float, disks: dict[str, float]) -> None:
    told(
        bots,
        host,
        ago,
        ("system.cpu.utilization", idle, {"cpu.mode": "idle"}),
        ("system.memory.utilization", used, {"system.memory.state": "used"}),
        ("system.memory.usage", 300 * MIB, {"system.memory.state": "free"}),
        ("system.memory.limit", 1_000 * MIB, {}),
        ("system.cpu.logical.count", 8, {}),
        ("system.cpu.load_average.1m", 0.5, {}),
        ("system.cpu.load_average.5m", 0.25, {}),
        ("system.cpu.load_average.15m", 0.125, {}),
        ("system.network.connection.count", 7, {"network.connection.state": "established"}),
        ("system.network.connection.count", 90, {"network.connection.state": "time_wait"}),
        ("system.open_files", 1_234, {}),
        ("system.uptime", 3_600, {}),
        ("botwatch.limit.utilization", 0.875, {"limit": "memory"}),
        ("botwatch.processes", 0, {"process": "triage"}),
        ("botwatch.unknown", 1, {"part": "gpu", "reason": "no NVIDIA driver"}),
        *(
            ("system.filesystem.utilization", share, {"system.device": disk, "system.filesystem.state": "used"})
            for disk, share in disks.items()
        ),
    )


async def test_the_status_has_the_figures_of_the_latest_tick(admin: Asker, bots: Bots) -> None:
    machine(bots, "a", 40, idle=0.1, used=0.9, disks={"/dev/sda": 0.2})
    machine(bots, "a", 5, idle=0.7, used=0.5, disks={"/dev/sda": 0.2, "/dev/sdb": 0.81})
    assert (await admin.get("/api/monitoring/status"))["resources"] == {
        "cpu_percent": 30,
        "memory_percent": 50,
        "gpu_percent": None,
        "disk_percent": 81,
    }


async def test_over_several_machines_it_is_the_average_and_the_fullest_disk(admin: Asker, bots: Bots) -> None:
    machine(bots, "a", 9, idle=0.9, used=0.2, disks={"/dev/sda": 0.2})
    machine(bots, "b", 1, idle=0.3, used=0.4, disks={"/dev/sda": 0.6})
    told(bots, "b", 2, ("hw.gpu.utilization", 0.42, {"hw.id": "0"}))
    assert (await admin.get("/api/monitoring/status"))["resources"] == {
        "cpu_percent": 40,
        "memory_percent": 30,
        "gpu_percent": 42,
        "disk_percent": 60,
    }


async def test_a_machine_that_fell_silent_has_no_figures(admin: Asker, bots: Bots) -> None:
    machine(bots, "a", 120, idle=0.1, used=0.9, disks={"/dev/sda": 0.2})
    assert set((await admin.get("/api/monitoring/status"))["resources"].values()) == {None}
    (host,) = (await admin.get("/api/hosts"))["items"]
    assert host["last_seen"] == "2027-01-15T07:58:00Z"
    assert host["measured"] is None
    assert (host["load"], host["limits"], host["unknown"], host["cpus"]) == ([], [], {}, None)


async def test_a_host_with_everything_that_is_told_of_it(admin: Asker, bots: Bots) -> None:
    machine(bots, "a", 5, idle=0.75, used=0.5, disks={"/dev/sda": 0.2})
    resource = {"service.instance.id": "pid-7"}
    told(
        bots,
        "a",
        5,
        ("process.cpu.utilization", 0.125, {}),
        ("process.memory.usage", 64 * MIB, {}),
        ("process.memory.left", 36 * MIB, {}),
        ("process.thread.count", 3, {}),
        ("process.unix.file_descriptor.count", 20, {}),
        ("process.open_connections", 4, {}),
        ("process.uptime", 60, {}),
        bot="shop",
        resource=resource,
    )
    leak: tuple[tuple[str, float, dict[str, str]], ...] = (
        ("process.memory.growth", 10 * MIB, {}),
        ("process.memory.time_left", 12_960, {}),
    )
    told(bots, "a", 300, *leak, bot="shop", resource=resource)
    told(bots, "a", 300, *leak, bot="shop", resource={"service.instance.id": "pid-6, which has ended"})
    (host,) = (await admin.get("/api/hosts"))["items"]
    assert host == {
        "name": "a",
        "first_seen": "2027-01-15T07:55:00Z",
        "last_seen": "2027-01-15T07:59:50Z",
        "measured": "2027-01-15T07:59:55Z",
        "bots": ["shop"],
        "resources": {"cpu_percent": 25, "memory_percent": 50, "gpu_percent": None, "disk_percent": 20},
        "cpus": 8,
        "load": [0.5, 0.25, 0.125],
        "memory_total_bytes": 1_000 * MIB,
        "memory_free_bytes": 300 * MIB,
        "connections": 7,
        "open_files": 1_234,
        "uptime_seconds": 3_600,
        "limits": [{"name": "memory", "percent": 87.5}],
        "processes": [
            {
                "bot": "shop",
                "instance": "pid-7",
                "cpu_percent": 12.5,
                "memory_bytes": 64 * MIB,
                "memory_left_bytes": 36 * MIB,
                "memory_growth_bytes_per_hour": 10 * MIB,
                "memory_time_left_seconds": 12_960,
                "threads": 3,
                "open_files": 20,
                "connections": 4,
                "uptime_seconds": 60,
            }
        ],
        "watched": {"triage": 0},
        "unknown": {"gpu": "no NVIDIA driver"},
    }


async def test_a_machine_is_no_bot_and_no_sign_of_life_of_one(admin: Asker, bots: Bots) -> None:
    machine(bots, "a", 5, idle=0.75, used=0.5, disks={"/dev/sda": 0.2})
    assert (await admin.get("/api/bots"))["items"] == []
    status = await admin.get("/api/monitoring/status")
    assert status["messages"] == {"today": None, "this_hour": None, "avg_response_ms": None}
    history = await admin.get("/api/monitoring/history", measure="messages.in", period="10m")
    assert history["series"] == []
    assert history["units"] == {"messages.in": "count"}


@pytest.mark.parametrize("by", ["host", "bot,host"])
async def test_two_hosts_are_two_lines(admin: Asker, bots: Bots, by: str) -> None:
    machine(bots, "a", 25, idle=0.9, used=0.2, disks={})
    machine(bots, "b", 25, idle=0.3, used=0.4, disks={})
    history = await admin.get("/api/monitoring/history", measure="cpu.usage", period="1m", by=by)
    last = {series["labels"]["host"]: [v for _, v in series["points"] if v is not None] for series in history["series"]}
    assert last == {"a": [pytest.approx(10)], "b": [pytest.approx(70)]}


async def test_hosts_known_only_from_bots_are_listed_too(admin: Asker, bots: Bots) -> None:
    bots.spans({"ago": 60, "trace_id": trace(1), "action": "a", "host": "h1"})
    (host,) = (await admin.get("/api/hosts"))["items"]
    assert (host["name"], host["bots"], host["measured"]) == ("h1", ["shop"], None)
