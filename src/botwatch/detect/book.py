"""All rules there are, by name: our own, those of files, and before both the rows people made.

    default  <  file  <  row

Deleting a row brings back what it stood in place of. Whoever judges reads `rules()` and nothing else; what cannot
be judged as it stands is left out there, and told in `problems` for as long as it lasts.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.detect import check, rows
from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.files import Folder
from botwatch.detect.problems import Misfits, Problem, read_rule
from botwatch.detect.rows import Kept
from botwatch.detect.rule import Kind, Rule
from botwatch.errors import StateAway
from botwatch.state import Database

_LOOK_EVERY_S: Final = 2.0
_log = logging.getLogger(__name__)
Channels = Callable[[Session], Collection[str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """`over` is the source of the rule in whose place this one stands; `judged` False where it cannot be."""

    rule: Rule
    over: str | None = None
    problems: tuple[Problem, ...] = ()
    judged: bool = True
    changed_ns: int | None = None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class _Edition:
    """What the book says at one time."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    problems: tuple[Problem, ...] = ()


class RuleBook:
    """`changes` counts how often the rules became others. Reading is free; `reload` belongs in a thread."""

    def __init__(
        self,
        database: Database | None,
        folder: Path,
        channels: Channels | None = None,
        defaults: Sequence[Rule] = DEFAULTS,
    ) -> None:
        self.changes = 0
        self.folder = Folder(folder)
        self.channels: Collection[str] | None = None
        self._database = database
        self._list_channels = channels
        self._defaults = defaults
        self._stamp: str | None = None
        self._rows: tuple[Kept, ...] = ()
        self._edition = _Edition()
        self._lock = threading.Lock()
        self._again = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Look every few seconds, and at once and at everything when told to."""
        while not stop.is_set():
            again = self._again.is_set()
            self._again.clear()
            try:
                await asyncio.to_thread(self.reload, again=again)
            except Exception:
                _log.exception("the rules could not be read again; those there were stand")
            told = [asyncio.create_task(event.wait()) for event in (stop, self._again)]
            await asyncio.wait(told, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            for task in told:
                task.cancel()

    def look_again(self) -> None:
        """From the loop that runs it."""
        self._again.set()

    def rules(self) -> tuple[Rule, ...]:
        """Those that can be judged, enabled or not: a part of another need not be."""
        return self._edition.rules

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self._edition.entries

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong now: with files, and with rules that are there."""
        return self._edition.problems

    def reload(self, *, again: bool = False) -> None:
        """Look at what may have changed; `again` reads every file anew. While the database is away its rows stand."""
        with self._lock:
            files = self.folder.look(again=again)
            state = self._read_state(again)
            if files or state or not self._edition.entries:
                self._renew(files)

    def _read_state(self, again: bool) -> bool:
        """Whether rows or channels are others than before. Without a database there are no rows."""

        def work(session: Session) -> tuple[str, list[Kept] | None, Collection[str] | None]:
            stamp = rows.stamp(session)
            fresh = rows.listed(session) if again or stamp != self._stamp else None
            return stamp, fresh, self._list_channels(session) if self._list_channels else None

        if self._database is None:
            return False
        try:
            stamp, fresh, channels = self._database.read_now(work)
        except StateAway:
            if self._stamp is None:
                raise
            return False
        other = fresh is not None or channels != self.channels
        self._stamp, self.channels = stamp, channels
        self._rows = self._rows if fresh is None else tuple(fresh)
        return other

    def _renew(self, files: Iterable[str]) -> None:
        before = self._edition
        self._edition = _bound(self._defaults, self.folder, self._rows, self.channels)
        if self._edition.rules != before.rules:
            self.changes += 1
        for name in files:
            file = self.folder.files.get(name)
            if file is None or not file.problems:
                _log.info("rules read", extra={"file": name, "rules": len(file.read.rules) if file else 0})
        for problem in self._edition.problems:
            if problem not in before.problems:
                _log.warning("rules: %s", problem)


def _bound(
    defaults: Sequence[Rule], folder: Folder, kept: Sequence[Kept], channels: Collection[str] | None
) -> _Edition:
    gathered = _gather(defaults, folder, kept)
    known = {name: entry.rule for name, entry in gathered.entries.items()}
    known = {name: check.settled(rule, known) for name, rule in known.items()}
    for name, entry in gathered.entries.items():
        told = tuple(check.problems([known[name]], known, channels, gathered.lines))
        gathered.entries[name] = _fit(entry, known, told)
    _leave_out_what_stands_on_nothing(gathered.entries)
    entries = gathered.entries
    return _Edition(
        entries,
        tuple(entry.rule for entry in entries.values() if entry.judged),
        (*gathered.problems, *(problem for entry in entries.values() for problem in entry.problems)),
    )


@dataclass(slots=True)
class _Gathered:
    entries: dict[str, Entry] = field(default_factory=dict)
    lines: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, rule: Rule, lines: dict[str, int] | None = None, row: Kept | None = None) -> None:
        before = self.entries.get(rule.name)
        if before is None and len(self.entries) >= limits.RULES_MAX:
            self.problems.append(Problem(rule.source, rule.name, "", f"there are {limits.RULES_MAX} rules already"))
            return
        over = before.rule.source if before else None
        self.entries[rule.name] = Entry(
            rule, over, changed_ns=row.changed_ns if row else None, changed_by=row.changed_by if row else None
        )
        self.lines[rule.name] = lines or {}


def _gather(defaults: Sequence[Rule], folder: Folder, kept: Sequence[Kept]) -> _Gathered:
    found = _Gathered(problems=[*folder.problems])
    for rule in defaults:
        found.take(rule)
    for file in folder.files.values():
        found.problems += file.problems
    for rule, lines in folder.rules:
        first = found.entries.get(rule.name)
        if first and first.rule.source.startswith("file:"):
            text = f"{first.rule.source} has a rule of that name, and that one counts"
            found.problems.append(Problem(rule.source, rule.name, "name", text, lines.get("name")))
        else:
            found.take(rule, lines)
    for row in kept:
        try:
            found.take(read_rule(row.rule, row.source, row.name), row=row)
        except Misfits as error:
            found.problems += error.problems
    return found


def _fit(entry: Entry, known: Mapping[str, Rule], problems: tuple[Problem, ...]) -> Entry:
    """What is wrong with whom it tells or waits for leaves a rule standing; what is wrong with its value does not."""
    rule = known[entry.rule.name]
    if check.circular(rule, known):
        rule = rule.model_copy(update={"depends_on": ()})
    judged = all(problem.field in ("notify", "depends_on") for problem in problems)
    return Entry(rule, entry.over, problems, judged, entry.changed_ns, entry.changed_by)


def _leave_out_what_stands_on_nothing(entries: dict[str, Entry]) -> None:
    """A composite whose part is not judged is not either."""
    composites = [name for name, entry in entries.items() if entry.rule.kind is Kind.COMPOSITE]
    for _ in range(limits.RULE_DEPTH_MAX + 1):
        for name in composites:
            entry = entries[name]
            lacking = [part for part in entry.rule.parts if part in entries and not entries[part].judged]
            if entry.judged and lacking:
                text = f"its part {lacking[0]!r} cannot be judged"
                problem = Problem(entry.rule.source, name, "all" if entry.rule.all else "any", text)
                problems = (*entry.problems, problem)
                entries[name] = Entry(entry.rule, entry.over, problems, False, entry.changed_ns, entry.changed_by)
