"""A process that really leaks, under a limit that really ends it, is named before it dies."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from botwatch.limits import MIB
from botwatch.watch.growth import STRETCHES, Horizon, Judgement, Verdict, judge
from botwatch.watch.host.cgroup import Cgroups
from botwatch.watch.host.processes import Processes
from botwatch.watch.host.wanted import Finder, parse
from tests.real.parts import Process
from tests.watch.host.readings import one
from tests.watch.host.test_cgroup import group_of_this_machine

LEAKING = Path(__file__).with_name("leaking.py")
LIMIT = 400 * MIB
EVERY_S = 0.05


def floors(told: list[tuple[float, float]], now_s: float, stretch_s: float) -> list[float | None]:
    found: list[float | None] = []
    for n in range(STRETCHES):
        begin = now_s - (STRETCHES - n) * stretch_s
        found.append(min((value for at, value in told if begin < at <= begin + stretch_s), default=None))
    return found


def test_a_leaking_process_is_named_before_it_is_killed(tmp_path: Path) -> None:
    """As the server does it, with seconds for minutes."""
    horizon = Horizon(length_s=STRETCHES, left_s_max=3_600)
    with (
        group_of_this_machine(LIMIT) as group,
        Process([sys.executable, LEAKING, "2", "0.05"], tmp_path / "leak.log") as leaking,
    ):
        leaking.wait_for_line("ready")
        (group / "cgroup.procs").write_text(str(leaking.pid))
        processes = Processes(Finder(parse(f"shop={leaking.pid}")), Cgroups())
        told: list[tuple[float, float]] = []
        named: list[Judgement] = []
        fullest = 0.0
        while leaking.alive:
            now_s = time.monotonic()
            _, looked = processes.read(now_s, time.time())
            if looked and leaking.alive:  # not while it is being ended
                memory = one(looked[0].readings, "process.memory.usage")
                left = one(looked[0].readings, "process.memory.left")
                fullest = max(fullest, one(looked[0].readings, "botwatch.limit.utilization", limit="memory"))
                told.append((now_s, memory))
                judgement = judge(floors(told, now_s, horizon.stretch_s), horizon, left_bytes=left)
                named += [judgement] if judgement.verdict is Verdict.LEAKS else []
            time.sleep(EVERY_S)
        assert leaking.wait() == -9  # the kernel's, not ours
    assert named, "it died unnamed"
    assert named[0].left_s is not None
    assert named[0].left_s > 0
    assert named[0].pace > 0
    assert fullest > 0.85, "the distance to its limit was told too"
