"""Which processes are bots: what the setting names, and every process that was started with BOTWATCH_BOT."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from botwatch import limits
from botwatch.errors import SettingError

_VARIABLE: Final = "BOTWATCH_BOT"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One bot: by a text of its command line, or by a process id, given or in a file."""

    bot: str
    text: str = ""
    pid: int | None = None
    file: Path | None = None

    def fits(self, pid: int, command: str) -> bool:
        if self.text:
            return self.text in command
        return pid == (self.pid if self.file is None else _pid_in(self.file))


def parse(setting: str) -> tuple[Wanted, ...]:
    """`NAME=TEXT; NAME=PID; NAME=FILE.pid`."""
    found = []
    for entry in filter(None, map(str.strip, setting.split(";"))):
        name, equals, how = (part.strip() for part in entry.partition("="))
        if not (name and equals and how):
            raise SettingError(
                f"watch_processes: expected NAME=TEXT parted by ';', found {entry[:80]!r}",
                hint='as in watch_processes = "shop=python -m shop; triage=/run/triage.pid"',
            )
        if how.isdigit():
            found.append(Wanted(name, pid=int(how)))
        elif how.startswith("/") and how.endswith(".pid"):
            found.append(Wanted(name, file=Path(how)))
        else:
            found.append(Wanted(name, text=how))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Tree:
    """A process of a bot, and all that it started. The first is the root."""

    bot: str
    processes: tuple[psutil.Process, ...]


class Finder:
    """Looks through the machine's processes; what a process was started with is read once."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self._wanted = wanted
        self._named: dict[psutil.Process, str] = {}

    @property
    def bots(self) -> tuple[str, ...]:
        """Those that the setting names, whether they run or not."""
        return tuple(dict.fromkeys(wanted.bot for wanted in self._wanted))

    def trees(self) -> list[Tree]:
        running = {process.pid: process for process in psutil.process_iter()}
        parents = {pid: parent for pid, process in running.items() if (parent := _parent(process)) is not None}
        ours = set(_line(os.getpid(), parents))
        named = {
            process: self._named[process] if process in self._named else _said(process)
            for pid, process in running.items()
            if pid not in ours
        }
        self._named = named
        bots = {process.pid: bot for process in named if (bot := self._bot(process))}
        roots = [
            pid for pid, bot in bots.items() if not any(bots.get(above) == bot for above in _line(pid, parents)[1:])
        ]
        children: dict[int, list[int]] = {}
        for pid, parent in parents.items():
            children.setdefault(parent, []).append(pid)
        found = []
        for root in roots[: limits.WATCHED_TREES_MAX]:
            members = (running[pid] for pid in _below(root, children) if pid in running)
            found.append(Tree(bots[root], tuple(members)))
        return found

    def _bot(self, process: psutil.Process) -> str:
        """The setting says it first."""
        if self._wanted:
            try:
                command = " ".join(process.cmdline())[: limits.COMMAND_CHARS_MAX]
            except psutil.Error:
                return ""
            for wanted in self._wanted:
                if wanted.fits(process.pid, command):
                    return wanted.bot
        return self._named.get(process, "")


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None  # it has ended meanwhile


def _said(process: psutil.Process) -> str:
    """Nothing where we may not look: another user's."""
    try:
        return process.environ().get(_VARIABLE, "")[: limits.NAME_CHARS_MAX]
    except (psutil.Error, OSError):
        return ""


def _line(pid: int, parents: Mapping[int, int]) -> list[int]:
    """A process and those it comes from."""
    line = [pid]
    while (parent := parents.get(line[-1], 0)) and parent not in line:
        line.append(parent)
    return line


def _below(root: int, children: Mapping[int, Iterable[int]]) -> list[int]:
    found = [root]
    for pid in found:  # grows while it is walked
        found += [child for child in children.get(pid, ()) if child not in found]
        if len(found) >= limits.TREE_PROCESSES_MAX:
            break
    return found[: limits.TREE_PROCESSES_MAX]


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
