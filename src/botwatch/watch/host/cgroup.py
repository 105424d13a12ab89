"""The limits a control group sets: memory, processors and tasks, in version 1 and 2 and in their mixture.

A limit higher up binds too: of a process' own group and those above it, the one with the least left counts.
Memory that holds files nobody uses is given back before anyone is killed, so that it does not count as used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_UNLIMITED: Final = 2**60  # version 1 says so with a number near 2^63
_V2: Final = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """What there is of something, and how much of it is used."""

    name: str
    used: float
    limit: float

    @property
    def left(self) -> float:
        return max(self.limit - self.used, 0.0)

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit > 0 else 1.0


@dataclass(frozen=True, slots=True)
class _Mount:
    root: PurePosixPath
    at: Path


class Cgroups:
    """Asked by process id; `self` is the process that asks, and so the container it runs in."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._mounts = _mounts(_text(proc / "self" / "mountinfo"))

    def memory(self, pid: int | str) -> Limit | None:
        found = []
        for folder in self._folders(pid, "memory"):
            limit = _number(folder / "memory.limit_in_bytes")
            used = _number(folder / "memory.usage_in_bytes")
            if limit is not None and used is not None and limit < _UNLIMITED:
                found.append(Limit("memory", used - _stat(folder, "total_inactive_file"), limit))
        for folder in self._folders(pid, _V2):
            limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
            if limit is not None and used is not None:
                found.append(Limit("memory", used - _stat(folder, "inactive_file"), limit))
        return min(found, key=lambda one: one.left, default=None)

    def tasks(self, pid: int | str) -> Limit | None:
        found = []
        for controller in ("pids", _V2):
            for folder in self._folders(pid, controller):
                limit, used = _number(folder / "pids.max"), _number(folder / "pids.current")
                if limit is not None and used is not None:
                    found.append(Limit("tasks", used, limit))
        return min(found, key=lambda one: one.left, default=None)

    def cpus(self, pid: int | str) -> float | None:
        """How many processors may be used at once; None: all there are."""
        found = []
        for folder in self._folders(pid, "cpu"):
            quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
            if quota is not None and period and quota > 0:
                found.append(quota / period)
        for folder in self._folders(pid, _V2):
            quota_text, _, period_text = _text(folder / "cpu.max").strip().partition(" ")
            if quota_text.isdigit() and period_text.isdigit() and int(period_text):
                found.append(int(quota_text) / int(period_text))
        return min(found, default=None)

    def _folders(self, pid: int | str, controller: str) -> Iterator[Path]:
        """The group of the process and those above it, as far as they are mounted here."""
        mount = self._mounts.get(controller)
        path = _group(_text(self._proc / str(pid) / "cgroup"), controller)
        if mount is None or path is None:
            return
        inner = PurePosixPath(path)
        if ".." in inner.parts:
            return  # outside what this container may see
        # A container often sees the whole path but has only its own part mounted.
        below = inner.relative_to(mount.root) if inner.is_relative_to(mount.root) else PurePosixPath()
        folder = mount.at / below
        yield folder
        while folder != mount.at:
            folder = folder.parent
            yield folder


def _mounts(mountinfo: str) -> dict[str, _Mount]:
    """Where each controller is mounted; version 2 under the empty name."""
    found: dict[str, _Mount] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        words, kind = before.split(), after.split()
        if len(words) < 5 or len(kind) < 3 or not kind[0].startswith("cgroup"):
            continue
        mount = _Mount(PurePosixPath(_unescaped(words[3])), Path(_unescaped(words[4])))
        for controller in [_V2] if kind[0] == "cgroup2" else kind[2].split(","):
            found.setdefault(controller, mount)
    return found


def _group(cgroup: str, controller: str) -> str | None:
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if (number == "0" and not names) if controller == _V2 else (controller in names.split(",")):
            return path
    return None


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _stat(folder: Path, name: str) -> float:
    for line in _text(folder / "memory.stat").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return float(value)
    return 0.0


def _number(file: Path) -> float | None:
    """None where there is none: no such file, or the word 'max'."""
    try:
        return float(_text(file))
    except ValueError:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
