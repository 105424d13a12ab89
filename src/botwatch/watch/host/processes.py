"""What the processes of a bot use, children included, and how far they are from their limits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psutil

from botwatch import limits
from botwatch.watch.host import files
from botwatch.watch.host.cgroup import Cgroups, Limit
from botwatch.watch.host.wanted import Finder, Tree
from botwatch.watch.reading import Attributes, Reading


@dataclass(frozen=True, slots=True)
class Looked:
    """Readings of one bot's processes. The resource lacks only the host."""

    resource: Attributes
    readings: Sequence[Reading]


@dataclass(slots=True)
class _Sum:
    """Of a tree. What may not be read of one process is not told of the tree."""

    memory: int = 0
    threads: int = 0
    cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)
    opened: int | None = 0
    sockets: int | None = 0
    files: Limit | None = None
    space: Limit | None = None


class Processes:
    def __init__(self, finder: Finder, cgroups: Cgroups) -> None:
        self._finder = finder
        self._cgroups = cgroups
        self._cpu_s: dict[tuple[int, float], float] = {}
        self._at_s: float | None = None

    def read(self, now_s: float, wall_s: float) -> tuple[list[Reading], list[Looked]]:
        """How many processes each bot of the setting has, and what each tree uses."""
        trees = self._finder.trees()
        looked, cpu_s = [], dict[tuple[int, float], float]()
        passed_s = None if self._at_s is None else now_s - self._at_s
        for tree in trees:
            total = _summed(tree)
            if not total.cpu_s:
                continue  # ended while we looked
            cpu_s |= total.cpu_s
            found = list(self._told(tree, total, passed_s, wall_s))
            if not _lives(tree.processes[0]):
                continue  # it has left its group, so that its limits may be those of another
            looked.append(Looked(_resource(tree), found))
        self._cpu_s, self._at_s = cpu_s, now_s
        bots = dict.fromkeys(self._finder.bots, 0)
        for bot in (str(one.resource["bot.name"]) for one in looked):
            bots[bot] = bots.get(bot, 0) + 1
        # Under the machine, not the bot: that none runs is no sign of life of it.
        counts = [Reading("botwatch.processes", float(n), "{process}", {"process": bot}) for bot, n in bots.items()]
        return counts, looked

    def _told(self, tree: Tree, total: _Sum, passed_s: float | None, wall_s: float) -> Iterator[Reading]:
        root = tree.processes[0]
        yield Reading("process.memory.usage", float(total.memory), "By")
        yield Reading("process.thread.count", float(total.threads), "{thread}")
        yield Reading("process.uptime", max(wall_s - root.create_time(), 0.0), "s")
        cpus = self._cgroups.cpus(root.pid)
        if passed_s:
            spent_s = sum(
                spent - self._cpu_s.get(key, 0.0)
                for key, spent in total.cpu_s.items()
                if self._whole(key, wall_s, passed_s)
            )
            share = max(spent_s, 0.0) / passed_s
            yield Reading("process.cpu.utilization", share, "1")
            if cpus:
                yield files.reading(Limit("cpu", share, cpus))
        if total.opened is not None:
            yield Reading("process.unix.file_descriptor.count", float(total.opened), "{file_descriptor}")
        if total.sockets is not None:
            yield Reading("process.open_connections", float(total.sockets), "{connection}")
        yield from self._limits(root.pid, total)

    def _whole(self, key: tuple[int, float], wall_s: float, passed_s: float) -> bool:
        """Whether we know when the time was spent: seen before, or begun since."""
        return key in self._cpu_s or wall_s - key[1] <= passed_s

    def _limits(self, pid: int, total: _Sum) -> Iterator[Reading]:
        memory, tasks = self._cgroups.memory(pid), self._cgroups.tasks(pid)
        for limit in (memory, tasks, total.files, total.space):
            if limit is not None:
                yield files.reading(limit)
        left = [limit.left for limit in (memory, total.space) if limit is not None]
        yield Reading("process.memory.left", min((*left, float(psutil.virtual_memory().available))), "By")


def _resource(tree: Tree) -> Attributes:
    """Never its command line: people put secrets there."""
    pid = tree.processes[0].pid
    return {"bot.name": tree.bot, "service.instance.id": f"pid-{pid}", "process.pid": pid}


def _summed(tree: Tree) -> _Sum:
    total = _Sum()
    for process in tree.processes:
        try:
            with process.oneshot():
                memory, times, threads = process.memory_info(), process.cpu_times(), process.num_threads()
                key = (process.pid, process.create_time())
        except psutil.Error:
            continue
        if not memory.rss:
            continue  # it is ending, or has ended and nobody has asked how
        total.memory += memory.rss
        total.threads += threads
        total.cpu_s[key] = times.user + times.system
        files_max, space_max = files.ulimits(process.pid)
        opened = _descriptors(process.pid)
        if opened is not None and files_max:
            total.files = _nearer(total.files, Limit("open_files", opened, files_max))
        if space_max:
            total.space = _nearer(total.space, Limit("address_space", memory.vms, space_max))
        total.opened = None if opened is None or total.opened is None else total.opened + opened
        if total.sockets is not None:
            total.sockets = _sockets(process, total.sockets)
    return total


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.memory_info().rss)
    except psutil.Error:
        return False


def _nearer(one: Limit | None, other: Limit) -> Limit:
    return other if one is None or other.share > one.share else one


def _descriptors(pid: int) -> int | None:
    """None where we may not look: another user's process."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None


def _sockets(process: psutil.Process, so_far: int) -> int | None:
    if so_far > limits.TREE_SOCKETS_MAX:
        return so_far
    try:
        return so_far + len(process.net_connections(kind="inet"))
    except psutil.AccessDenied:
        return None
    except psutil.Error:
        return so_far
