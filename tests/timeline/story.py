"""What happened when: the real loop on a clock that is moved by hand, over series that were written down.

    story.rule(name="High CPU", field="cpu.usage", value=60, timeframe="2m")
    story.series("cpu.usage", "20x2m 90x3m 20x3m", host="web-1")
    await story.until("8m")
    assert story.told == ["3:30 High CPU opened host=web-1: breached", ...]

Times are minutes and seconds since the beginning. A line is written when the loop has written it, at the end of the
tick it judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.durations import duration_s
from botwatch.detect.rule import Rule
from botwatch.errors import StoreAway
from botwatch.incident import ledger
from botwatch.incident.desk import Desk
from botwatch.incident.ledger import Filter
from botwatch.incident.loop import Judge
from botwatch.incident.notation import values_of
from botwatch.incident.nouns import Change, Incident
from botwatch.incident.recorded import Recorded, Series
from botwatch.incident.steps import Step
from botwatch.measure.query import Query
from botwatch.measure.reader import Framed
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from botwatch.state.lease import Lease

START_S = 1_800_000_000  # the beginning of an hour
STEP_S = 10.0


class Book:
    """Rules that a test puts in and takes out."""

    def __init__(self) -> None:
        self.changes = 0
        self.entries: dict[str, Rule] = {}

    def rules(self) -> tuple[Rule, ...]:
        return tuple(self.entries.values())

    def put(self, rule: Rule) -> None:
        self.entries[rule.name] = rule
        self.changes += 1

    def drop(self, name: str) -> None:
        del self.entries[name]
        self.changes += 1


class Store(Recorded):
    """Recorded series that can be away, and that refuse some measures."""

    away = False
    refused: frozenset[str] = frozenset()

    async def frames(self, queries: Any) -> list[Framed]:
        if self.away:
            return [StoreAway("the telemetry store does not answer") for _ in queries]
        return [self._one(query) for query in queries]

    def _one(self, query: Query) -> Framed:
        if query.measure in self.refused:
            return StoreAway("this series takes too long")
        return self._frame(query)

    async def alive(self) -> None:
        if self.away:
            raise StoreAway("the telemetry store does not answer")


class Stored:
    """How far what was received is stored; `lag_s` holds it back."""

    lag_s = 0.0
    why_closed = ""

    def stored_through_ns(self, now_ns: int) -> int:
        return now_ns - round(self.lag_s * SECOND_NS)

    def hurry(self) -> None:
        pass

    def closed(self) -> str:
        return self.why_closed


class Story:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(START_S * SECOND_NS)
        self.database: Database = open_database(Settings(data=folder))
        self.book = Book()
        self.store = Store(START_S)
        self.stored = Stored()
        self.woken = 0
        self.judge = self._judge()

    def _judge(self, node: str = "node") -> Judge:
        desk = Desk(self.store, self.store.alive)
        lease = Lease(self.database, "judge", node, self.clock)
        return Judge(self.database, desk, self.book, self.stored, lease, self.clock, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def close(self) -> None:
        self.database.close()

    # --- what is told

    def rule(self, **said: Any) -> Rule:
        rule = Rule.model_validate(said)
        self.book.put(rule)
        return rule

    def series(self, measure: str, values: str, *, at: str = "0s", **labels: str) -> None:
        """`at` is when it begins."""
        before: list[float | None] = [None] * (duration_s(at) // 10)
        self.store.series.append(Series(measure, labels, before + values_of(values)))

    # --- what happens

    async def until(self, time: str) -> None:
        """The loop looks once a tick, as the real one does more often."""
        end_ns = (START_S + duration_s(time)) * SECOND_NS + SECOND_NS
        while self.clock.now_ns() < end_ns:
            await self.once()
            self.clock.advance(min(STEP_S, (end_ns - self.clock.now_ns()) / SECOND_NS))
        await self.once()

    async def once(self) -> None:
        try:
            await self.judge.run_once(self.clock.now_ns())
        except StoreAway as error:
            self.judge.health.paused = error.message

    def restart(self, node: str = "node") -> None:
        """The process ends, without a word, and another begins."""
        self.judge = self._judge(node)

    def sleep(self, time: str) -> None:
        """The machine is suspended: the wall goes on, and nobody watches."""
        self.clock._now_ns += duration_s(time) * SECOND_NS

    def set_back(self, time: str) -> None:
        self.clock._now_ns -= duration_s(time) * SECOND_NS

    # --- what became of it

    @property
    def told(self) -> list[str]:
        return [
            f"{since(change.at_ns)} {incident.rule} {told(incident, change)}" for incident, change in self._changes()
        ]

    def incidents(self) -> list[Incident]:
        return self.database.read_now(lambda session: ledger.listed(session, Filter(), None, 1_000))[::-1]

    def changes_of(self, incident: Incident) -> list[Change]:
        return self.database.read_now(lambda session: ledger.one(session, incident.id)[1])

    @property
    def open(self) -> list[str]:
        return [f"{incident.rule} {incident.subject}" for incident in self.incidents() if incident.resolved_ns is None]

    def _changes(self) -> list[tuple[Incident, Change]]:
        found = [(incident, change) for incident in self.incidents() for change in self.changes_of(incident)]
        return sorted(found, key=lambda pair: pair[1].id)


def told(incident: Incident, change: Change) -> str:
    subject = f" {incident.subject}" if incident.subject else ""
    return f"{change.what}{subject}" + (f": {incident.reason}" if change.what is Step.OPENED else "")


def since(at_ns: int) -> str:
    seconds = at_ns // SECOND_NS - START_S
    return f"{seconds // 60}:{seconds % 60:02d}"


def labels(**given: str) -> Mapping[str, str]:
    return given
