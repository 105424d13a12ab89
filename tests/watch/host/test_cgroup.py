"""Limits of control groups: of both versions, mixed, nested, and as a container sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from botwatch.limits import MIB
from botwatch.watch.host.cgroup import Cgroups, Limit
from botwatch.watch.host.container import Container
from tests.watch.host.readings import one

PID = 77


def machine(folder: Path, mounts: str, cgroup: str, files: dict[str, str]) -> Cgroups:
    """A machine in files: `AT` in the mounts is where the groups are."""
    at = folder / "cgroups"
    for name, text in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text(text + "\n")
    for pid in ("self", str(PID)):
        (folder / "proc" / pid).mkdir(parents=True)
        (folder / "proc" / pid / "cgroup").write_text(cgroup)
    (folder / "proc" / "self" / "mountinfo").write_text(mounts.replace("AT", str(at)))
    return Cgroups(folder / "proc")


V2 = "30 24 0:26 / AT rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"


def test_version_two(tmp_path: Path) -> None:
    files = {
        "bots/shop/memory.max": str(100 * MIB),
        "bots/shop/memory.current": str(80 * MIB),
        "bots/shop/memory.stat": f"anon 1\ninactive_file {30 * MIB}\nactive_file 5",
        "bots/shop/cpu.max": "50000 100000",
        "bots/shop/pids.max": "max",
        "bots/shop/pids.current": "4",
        "bots/pids.max": "64",
        "bots/pids.current": "16",
        "bots/cpu.max": "max 100000",
    }
    cgroups = machine(tmp_path, V2, "0::/bots/shop\n", files)
    assert cgroups.memory(PID) == Limit("memory", 50 * MIB, 100 * MIB)
    assert cgroups.cpus(PID) == 0.5
    assert cgroups.tasks(PID) == Limit("tasks", 16, 64)


def test_of_several_levels_the_one_with_the_least_left_counts(tmp_path: Path) -> None:
    files = {
        "bots/memory.max": str(200 * MIB),
        "bots/memory.current": str(190 * MIB),
        "bots/shop/memory.max": str(100 * MIB),
        "bots/shop/memory.current": str(20 * MIB),
    }
    limit = machine(tmp_path, V2, "0::/bots/shop\n", files).memory(PID)
    assert limit == Limit("memory", 190 * MIB, 200 * MIB)
    assert limit.left == 10 * MIB
    assert limit.share == 0.95


V1 = (
    "35 31 0:32 / AT/memory rw,relatime - cgroup cgroup rw,memory\n"
    "36 31 0:33 / AT/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "37 31 0:34 / AT/pids rw,relatime - cgroup cgroup rw,pids\n"
    "41 31 0:38 / AT/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
V1_PATHS = "9:name=systemd:/\n4:memory:/bots/shop\n3:cpu,cpuacct:/bots\n2:pids:/bots\n0::/\n"


def test_version_one_and_mixed(tmp_path: Path) -> None:
    files = {
        "memory/bots/shop/memory.limit_in_bytes": str(100 * MIB),
        "memory/bots/shop/memory.usage_in_bytes": str(60 * MIB),
        "memory/bots/shop/memory.stat": f"inactive_file 1\ntotal_inactive_file {10 * MIB}",
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": str(5_000 * MIB),
        "cpu,cpuacct/bots/cpu.cfs_quota_us": "150000",
        "cpu,cpuacct/bots/cpu.cfs_period_us": "100000",
        "cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
        "pids/bots/pids.max": "10",
        "pids/bots/pids.current": "10",
        "unified/cgroup.controllers": "hugetlb",
    }
    cgroups = machine(tmp_path, V1, V1_PATHS, files)
    assert cgroups.memory(PID) == Limit("memory", 50 * MIB, 100 * MIB)
    assert cgroups.cpus(PID) == 1.5
    tasks = cgroups.tasks(PID)
    assert tasks is not None
    assert tasks.left == 0


def test_a_container_that_sees_the_whole_path_finds_its_own_group(tmp_path: Path) -> None:
    mounts = "35 31 0:32 /docker/abc AT/memory ro,relatime - cgroup cgroup rw,memory\n"
    files = {
        "memory/memory.limit_in_bytes": str(512 * MIB),
        "memory/memory.usage_in_bytes": str(100 * MIB),
    }
    whole = machine(tmp_path / "a", mounts, "4:memory:/docker/abc\n", files)
    other = machine(tmp_path / "b", mounts, "4:memory:/elsewhere\n", files)
    assert whole.memory("self") == other.memory("self") == Limit("memory", 100 * MIB, 512 * MIB)


@pytest.mark.parametrize(
    ("mounts", "cgroup"),
    [("", ""), (V2, "0::/../outside\n"), (V2, ""), ("nonsense\n- cgroup2\n", "0::/\n"), (V2, "nonsense\n")],
)
def test_where_nothing_is_known_nothing_is_told(tmp_path: Path, mounts: str, cgroup: str) -> None:
    cgroups = machine(tmp_path, mounts, cgroup, {"memory.max": "max", "memory.current": "many", "cpu.max": "a b"})
    assert (cgroups.memory(PID), cgroups.cpus(PID), cgroups.tasks(PID)) == (None, None, None)
    assert list(Container(cgroups).read(0)) == []


def test_a_container_tells_its_limits(tmp_path: Path) -> None:
    files = {"memory.max": str(100 * MIB), "memory.current": str(90 * MIB), "cpu.max": "200000 100000"}
    readings = Container(machine(tmp_path, V2, "0::/\n", files)).read(0)
    assert one(readings, "container.memory.limit") == 100 * MIB
    assert one(readings, "botwatch.limit.utilization", limit="memory") == 0.9
    assert one(readings, "container.cpu.limit") == 2


def test_a_mount_with_a_space_in_its_name(tmp_path: Path) -> None:
    files = {"odd place/memory.max": "10", "odd place/memory.current": "5"}
    mounts = "30 24 0:26 / AT/odd\\040place rw - cgroup2 cgroup2 rw\n"
    assert machine(tmp_path, mounts, "0::/\n", files).memory(PID) == Limit("memory", 5, 10)


@contextmanager
def group_of_this_machine(limit_bytes: int) -> Iterator[Path]:
    """A memory group of version 1 or 2, made for the test; skipped where that is not allowed."""
    v1, v2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    at, name = (v1, "memory.limit_in_bytes") if v1.is_dir() else (v2, "memory.max")
    folder = at / f"botwatch-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / name).write_text(str(limit_bytes))
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        pytest.skip(f"no memory group can be made here ({error.strerror}); run as root on a machine with cgroups")
    try:
        yield folder
    finally:
        folder.rmdir()


def test_a_real_group_is_read() -> None:
    with group_of_this_machine(200 * MIB) as folder:
        # It waits until it is in the group: what it takes before counts for the group it was in.
        code = "import sys; sys.stdin.readline(); b = bytearray(100 << 20); print(1, flush=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            (folder / "cgroup.procs").write_text(str(child.pid))
            child.stdin.write(b"\n")
            child.stdin.flush()
            child.stdout.readline()
            limit = Cgroups().memory(child.pid)
            child.communicate()
    assert limit is not None
    assert limit.limit == 200 * MIB
    assert 0.3 < limit.share < 0.8
