"""A process that really leaks, under a limit that really ends it, is named before it dies."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from botwatch.limits import MIB
from botwatch.watch.growth import STRETCHES, Horizon, Judgement, Verdict, judge
from botwatch.watch.host.cgroup import Cgroups
from botwatch.watch.host.processes import Processes
from botwatch.watch.host.wanted import Finder, parse
from tests.watch.host.readings import one
from tests.watch.host.test_cgroup import group_of_this_machine

LEAKING = Path(__file__).with_name("leaking.py")
LIMIT = 400 * MIB
STEP_MIB, EVERY_S = 2, 0.05


def floors(told: list[tuple[float, float]], now_s: float, stretch_s: float) -> list[float | None]:
    found: list[float | None] = []
    for n in range(STRETCHES):
        begin = now_s - (STRETCHES - n) * stretch_s
        found.append(min((value for at, value in told if begin < at <= begin + stretch_s), default=None))
    return found


class Leaking:
    """A process of its own that takes more when it is told to: how long that takes is not its speed."""

    def __init__(self) -> None:
        command = [sys.executable, str(LEAKING), str(STEP_MIB)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def takes_more(self) -> bool:
        """False: it did not live through it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return bool(self.process.stdout.readline())


def test_a_leaking_process_is_named_before_it_is_killed() -> None:
    """As the server does it, with seconds for minutes; and these pass from step to step, however busy the machine."""
    horizon = Horizon(length_s=STRETCHES, left_s_max=3_600)
    with group_of_this_machine(LIMIT) as group, Leaking() as leaking:
        (group / "cgroup.procs").write_text(str(leaking.process.pid))
        processes = Processes(Finder(parse(f"shop={leaking.process.pid}")), Cgroups())
        told: list[tuple[float, float]] = []
        named: list[Judgement] = []
        fullest = 0.0
        while leaking.takes_more():
            now_s = len(told) * EVERY_S
            _, found = processes.read(now_s, time.time())
            (looked,) = (each for each in found if each.resource["bot.name"] == "shop")  # others may have bots here too
            memory = one(looked.readings, "process.memory.usage")
            left = one(looked.readings, "process.memory.left")
            fullest = max(fullest, one(looked.readings, "botwatch.limit.utilization", limit="memory"))
            told.append((now_s, memory))
            judgement = judge(floors(told, now_s, horizon.stretch_s), horizon, left_bytes=left)
            named += [judgement] if judgement.verdict is Verdict.LEAKS else []
        assert leaking.process.wait(60) == -9  # the kernel's, not ours
    assert named, "it died unnamed"
    assert named[0].left_s is not None
    assert named[0].left_s > 0
    assert named[0].pace > 0
    assert fullest > 0.85, "the distance to its limit was told too"
