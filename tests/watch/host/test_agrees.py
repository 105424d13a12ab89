"""What the agent says of this machine, beside what the machine's own tools say at the same moment.

Tools and agent look a moment apart: what moves is compared with what the tool says before and after.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from botwatch.limits import MIB
from botwatch.watch.host.cgroup import Cgroups
from botwatch.watch.host.cpu import Cpu, between
from botwatch.watch.host.disks import Disks
from botwatch.watch.host.files import Files
from botwatch.watch.host.memory import Memory
from botwatch.watch.host.network import Network
from botwatch.watch.host.processes import Looked, Processes
from botwatch.watch.host.wanted import Finder, parse
from tests.real.parts import Process, require_part
from tests.watch.host.readings import one

BUSY = "import time, threading, socket\ns = [open('/dev/null') for _ in range(20)]\nb = bytearray(64 << 20)\n"


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def test_memory_is_what_free_says() -> None:
    require_part("free", "procps")

    def free() -> dict[str, int]:
        names, figures = (line.split() for line in output("free", "-b").splitlines()[:2])
        return dict(zip(names, map(int, figures[1:]), strict=True))

    for _ in range(50):  # until little came or went while we looked
        before, readings, after = free(), Memory().read(0), free()
        if all(abs(after[name] - before[name]) < 64 * MIB for name in ("available", "used", "free")):
            break
    slack = 512 * MIB  # others work on this machine
    assert one(readings, "system.memory.limit") == before["total"]
    for name, told in (
        ("available", one(readings, "system.memory.available")),
        ("used", one(readings, "system.memory.usage", state="used")),
        ("free", one(readings, "system.memory.usage", state="free")),
    ):
        low, high = sorted((before[name], after[name]))
        assert low - slack <= told <= high + slack, name
    shares = [one(readings, "system.memory.utilization", state=state) for state in ("used", "free", "cached")]
    assert sum(shares) == pytest.approx(1)


def test_disks_are_what_df_says() -> None:
    require_part("df", "coreutils")

    def df(mount: str) -> dict[str, float]:
        used, free, percent = output("df", "-B1", "--output=used,avail,pcent", mount).splitlines()[1].split()
        return {"used": float(used), "free": float(free), "share": float(percent.rstrip("%"))}

    mounts = {str(reading.attributes["system.filesystem.mountpoint"]) for reading in Disks().read(0)}
    assert mounts
    for mount in mounts:
        before, readings, after = df(mount), Disks().read(0), df(mount)
        told = {
            "used": one(readings, "system.filesystem.usage", mount=mount, state="used"),
            "free": one(readings, "system.filesystem.usage", mount=mount, state="free"),
            "share": 100 * one(readings, "system.filesystem.utilization", mount=mount),
        }
        for name, figure in told.items():
            low, high = sorted((before[name], after[name]))
            slack = 1.5 if name == "share" else 256 * MIB + 0.02 * high  # df rounds up; others work on this machine
            assert low - slack <= figure <= high + slack, name


def test_a_device_is_told_once_and_what_is_no_disk_is_not() -> None:
    devices = [
        reading.attributes["system.device"]
        for reading in Disks().read(0)
        if reading.name == "system.filesystem.utilization"
    ]
    assert len(devices) == len(set(devices))
    assert not any(str(device).startswith(("tmpfs", "proc", "cgroup")) for device in devices)


def test_connections_are_what_ss_says() -> None:
    require_part("ss", "iproute2")
    with socket.create_server(("127.0.0.1", 0)) as server:
        pairs = [socket.create_connection(server.getsockname()) for _ in range(20)]

        def ss() -> int:
            return len(output("ss", "-Htan", "state", "established", "state", "close-wait").splitlines())

        for _ in range(50):  # until nothing came or went while we looked; what only passed by is not seen by ss
            before, told, after = (
                ss(),
                one(Network().read(0), "system.network.connection.count", state="established"),
                ss(),
            )
            if before == told == after:
                break
        low, high = sorted((before, after))
        assert low - 5 <= told <= high + 5
        assert told >= 40
        for pair in pairs:
            pair.close()


def test_bytes_over_the_wires_are_what_the_kernel_says() -> None:
    readings = Network().read(0)
    names = {str(reading.attributes.get("network.interface.name", "")) for reading in readings} - {""}
    assert "lo" not in names
    for name in names:
        kernel = int(Path(f"/sys/class/net/{name}/statistics/rx_bytes").read_text())
        told = one(readings, "system.network.io", name=name, way="receive")
        assert 0 <= kernel - told < 512 * MIB


def test_open_files_are_what_the_kernel_says() -> None:
    opened = float(Path("/proc/sys/fs/file-nr").read_text().split()[0])
    readings = Files().read(0)
    assert one(readings, "system.open_files") == pytest.approx(opened, rel=0.5, abs=2_000)
    assert 0 < one(readings, "botwatch.limit.utilization", limit="open_files") < 1


def test_processors_at_work_are_seen() -> None:
    cpu = Cpu()
    first = cpu.read(0)
    assert not [reading for reading in first if reading.name == "system.cpu.utilization"]  # since when?
    end_s = time.monotonic() + 0.5
    while time.monotonic() < end_s:
        pass
    readings = cpu.read(1)
    shares = {str(r.attributes["cpu.mode"]): r.value for r in readings if r.name == "system.cpu.utilization"}
    assert sum(shares.values()) == pytest.approx(1)
    assert 1 - shares["idle"] > 0.1 / (os.cpu_count() or 1)
    load = float(Path("/proc/loadavg").read_text().split()[0])
    assert one(readings, "system.cpu.load_average.1m") == pytest.approx(load, abs=1)


def test_a_count_that_fell_a_little_is_none() -> None:
    assert between({"idle": 10.0, "user": 5.0}, {"idle": 9.9, "user": 6.0}) == {"idle": 0, "user": 1}
    assert between({}, {"idle": 1.0}) == {}
    assert between({"idle": 1.0}, {"idle": 1.0}) == {}


@contextmanager
def bot(tmp_path: Path, script: str, **env: str) -> Iterator[Process]:
    file = tmp_path / "shop_bot.py"
    file.write_text(script + "print('ready', flush=True)\ntime.sleep(600)\n")
    with Process([sys.executable, file], tmp_path / "bot.log", env=env) as process:
        process.wait_for_line("ready")
        yield process


def look(setting: str) -> tuple[dict[str, float], list[Looked]]:
    """What is told of those the setting names; with none, of all: those who run tests beside us may have bots too."""
    wanted = parse(setting)
    named = {one.bot for one in wanted}
    counts, looked = Processes(Finder(wanted), Cgroups()).read(0.0, time.time())
    told = {str(count.attributes["process"]): count.value for count in counts}
    return (
        {bot: count for bot, count in told.items() if bot in named or not named},
        [one for one in looked if one.resource["bot.name"] in named or not named],
    )


def test_a_process_is_what_ps_says(tmp_path: Path) -> None:
    require_part("ps", "procps")
    with bot(tmp_path, BUSY) as process:
        counts, (looked,) = look(f"shop={tmp_path}/shop_bot.py; triage=/no/such/triage.py")
        rss, threads = map(int, output("ps", "-o", "rss=,nlwp=", "-p", str(process.pid)).split())
    assert counts == {"shop": 1, "triage": 0}
    assert looked.resource == {
        "bot.name": "shop",
        "service.instance.id": f"pid-{process.pid}",
        "process.pid": process.pid,
    }
    assert one(looked.readings, "process.memory.usage") == pytest.approx(rss * 1_024, rel=0.02)
    assert one(looked.readings, "process.memory.usage") > 64 * MIB
    assert one(looked.readings, "process.thread.count") == threads
    assert 20 <= one(looked.readings, "process.unix.file_descriptor.count") < 40
    assert one(looked.readings, "process.uptime") < 120


def test_sockets_of_a_process_are_what_ss_says(tmp_path: Path) -> None:
    require_part("ss", "iproute2")
    script = (
        "import socket, time\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "pairs = [(socket.create_connection(server.getsockname()), server.accept()) for _ in range(7)]\n"
    )
    with bot(tmp_path, script) as process:
        _, (looked,) = look(f"shop={process.pid}")
        told = [line for line in output("ss", "-Htanp").splitlines() if f"pid={process.pid}," in line]
    assert one(looked.readings, "process.open_connections") == len(told) == 15


def test_a_tree_is_told_as_one_and_its_limits(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time, resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "files = [open('/dev/null') for _ in range(60)]\n"
        "code = 'import time; b = bytearray(50 << 20); print(1, flush=True); time.sleep(600)'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
    )
    file = tmp_path / "bot.pid"
    with bot(tmp_path, script) as process:
        file.write_text(f"{process.pid}\n")
        _, (looked,) = look(f"shop={file}")
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        total = sum(member.memory_info().rss for member in family)
    assert one(looked.readings, "process.memory.usage") == pytest.approx(total, rel=0.05)
    assert 0.6 <= one(looked.readings, "botwatch.limit.utilization", limit="open_files") < 0.8
    space = one(looked.readings, "botwatch.limit.utilization", limit="address_space")
    assert 0 < space < 1
    assert one(looked.readings, "process.memory.left") <= 2 << 30


def test_a_process_started_with_the_name_of_a_bot_is_watched(tmp_path: Path) -> None:
    with bot(tmp_path, BUSY, BOTWATCH_BOT="named-by-its-environment"):
        counts, looked = look("")
    (found,) = [one for one in looked if one.resource["bot.name"] == "named-by-its-environment"]
    assert counts["named-by-its-environment"] == 1
    assert one(found.readings, "process.memory.usage") > 64 * MIB


def test_what_a_process_spends_is_a_share_of_a_core(tmp_path: Path) -> None:
    script = (
        "import time, threading\ndef spin():\n    while True: pass\n"
        "threading.Thread(target=spin, daemon=True).start()\n"
    )
    with bot(tmp_path, script) as process:
        processes = Processes(Finder(parse(f"shop={process.pid}")), Cgroups())
        spent_s, at_s, found = list[float](), list[float](), list[Looked]()

        def note() -> None:
            spent = psutil.Process(process.pid).cpu_times()
            spent_s.append(spent.user + spent.system)
            at_s.append(time.monotonic())

        for pause_s in (1, 0):
            note()
            _, found = processes.read(time.monotonic(), time.time())
            note()
            time.sleep(pause_s)
    (looked,) = (each for each in found if each.resource["bot.name"] == "shop")
    told = one(looked.readings, "process.cpu.utilization")
    assert told > 0
    # Each look fell between two notes, a moment apart or, on a busy machine, more.
    assert (spent_s[2] - spent_s[1]) / (at_s[3] - at_s[0]) - 0.05 <= told
    assert told <= (spent_s[3] - spent_s[0]) / (at_s[2] - at_s[1]) + 0.05


def test_we_do_not_watch_ourselves() -> None:
    _, looked = look(f"shop={sys.executable}")
    assert not [one for one in looked if one.resource["process.pid"] == os.getpid()]


def test_no_command_line_is_told(tmp_path: Path) -> None:
    with bot(tmp_path, BUSY) as process:
        _, (looked,) = look(f"shop={process.pid}")
    assert not re.search("shop_bot.py|python", repr(looked))
