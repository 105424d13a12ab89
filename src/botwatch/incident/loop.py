"""The job that judges: every tick, once it is over and all of it is stored, all rules at once.

What a round decides is written in one transaction with how far it has judged. So a crash before it judges the same
ticks again, and one after it goes on behind them: nothing opens twice, and nothing that ended stays open.

Times nobody watched are noted: the process was down or asleep, the disk too full to take anything in, or the clock was
set. Where it was set back, judging waits until the time it has already judged has passed again, because ticks written
twice tell nothing true.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.detect import judge
from botwatch.detect.finding import Reason
from botwatch.detect.presence import MACHINES, PRESENCE
from botwatch.detect.rule import TICK_S, Rule, Severity
from botwatch.detect.ticks import Need
from botwatch.errors import BotwatchError, CannotJudge, LeaseLost
from botwatch.incident import gaps, ledger, words
from botwatch.incident.desk import Desk
from botwatch.incident.figures import Figure, figures
from botwatch.incident.gaps import Gap, Why
from botwatch.incident.health import Health, Report
from botwatch.incident.judging import CHART_TICKS, Outcome, Round, ending, quiet_reach
from botwatch.incident.links import Templates, links
from botwatch.incident.memory import Changed, Memory
from botwatch.incident.nouns import DRILL_LOST, OVERFLOW, Incident, Opening, Resolving, Standing, Worsening
from botwatch.state import Database, meta
from botwatch.state.lease import Lease

log = logging.getLogger(__name__)
CURSOR: Final = "judge.cursor"  # the end of the last tick that was judged
WATCHED: Final = "judge.watched"  # when somebody last watched
_POLL_S: Final = 0.2
_NO_TEMPLATES: Final = Templates({})
_ALIVE_S: Final = 15  # longer than a tick: each round says it too


class Rules(Protocol):
    """What judging needs of the book of rules. `entries` holds also those that cannot be judged just now."""

    @property
    def changes(self) -> int: ...

    @property
    def entries(self) -> Mapping[str, object]: ...

    def rules(self) -> Collection[Rule]: ...


class Stored(Protocol):
    def stored_through_ns(self, now_ns: int) -> int:
        """Everything received before this instant can be read."""
        ...

    def hurry(self) -> None:
        """It is waited for."""
        ...

    def closed(self) -> str:
        """Why nothing can come in just now; empty: it can."""
        ...


class Judge:
    """One for a node; of several nodes the one with the lease judges. `changed` is called after a round that wrote
    a change, to wake whoever tells people; `explain` adds to what opens what changed around it."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        rules: Rules,
        stored: Stored,
        lease: Lease,
        clock: Clock,
        changed: Callable[[], object] = lambda: None,
        tell: Callable[[Sequence[Figure]], object] = lambda figures: None,
    ) -> None:
        self.health = Health()
        self.templates = _NO_TEMPLATES
        self.explain: Callable[[Sequence[Opening]], Awaitable[Sequence[Opening]]] | None = None
        self._tell_figures = tell
        self.desk = desk
        self._database = database
        self._rules = rules
        self._stored = stored
        self._lease = lease
        self._clock = clock
        self._changed = changed
        self._memory: Memory | None = None
        self._cursor_s = 0
        self._watched_s = 0
        self._alive_s = 0
        self._written_s = 0
        self._hurried_s = 0
        self._edition: object = None
        self._room_ticks = CHART_TICKS
        self._known: dict[str, Rule] = {}
        self._enabled: list[str] = []
        self._unfit: dict[str, str] = {}
        self._asked: dict[str, Collection[Need]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.run_once(self._clock.now_ns())
            except LeaseLost:
                self._memory = None
            except BotwatchError as error:
                self._pause(error.message)
            except Exception:
                log.exception("judging failed; it is tried again")
                self._pause("judging failed; the log of the server says where")
                self._memory = None  # what is in memory may be wrong: it is read again
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _POLL_S)
        with suppress(BotwatchError):
            await self._lease.release()

    async def run_once(self, now_ns: int) -> Report:
        """Judge the ticks that have become whole. Raises `StoreAway` and `StateAway`: then nothing has changed."""
        if not await self._lease.hold():
            self._memory, self.health.leading = None, False
            return Report()
        self.health.leading = True
        if self._memory is None:
            await self._load(now_ns)
        if why := self._stored.closed():  # what is lacking may have happened: it becomes a time nobody watched
            self._pause(why)
            return Report()
        await self._watch(now_ns // SECOND_NS)
        end_s = self._whole_until(now_ns)
        if end_s <= self._cursor_s:
            return Report()
        began_s = self._clock.monotonic_s()
        ticks = min((end_s - self._cursor_s) // TICK_S, limits.JUDGE_BEHIND_TICKS_MAX)
        self._plan(end_s, ticks)
        await self.desk.read(end_s)
        outcome = await asyncio.to_thread(self._judge, end_s, ticks)
        await self._explained(outcome)
        await self._keep(outcome, end_s)
        self._tell(outcome, end_s)
        self.health.round_ms = 1_000 * (self._clock.monotonic_s() - began_s)
        return Report(ticks, tuple(outcome.changes))

    # --- what time it is

    async def _load(self, now_ns: int) -> None:
        """As the last round left it, which may have been another process."""
        since_ns = now_ns - limits.RULE_TIMEFRAME_S_MAX * SECOND_NS

        def read(session: Session) -> tuple[Memory, int, int, tuple[Gap, ...]]:
            ours = (one for one in ledger.live(session) if one.rule != DRILL_LOST)
            memory = Memory(ours, ledger.ended(session, since_ns))
            cursor, watched = (int(meta.get(session, name) or 0) for name in (CURSOR, WATCHED))
            return memory, cursor, watched, gaps.read(session)

        self._memory, self._cursor_s, self._watched_s, self.desk.gaps = await self._database.read(read)
        if not self._cursor_s:
            # From the first moment, so that a crash before the first round loses nothing of this tick.
            self._cursor_s = self._watched_s = now_ns // SECOND_NS // TICK_S * TICK_S
            await self._database.write(lambda session: self._begin(session, self._cursor_s))
        self._edition = None

    def _begin(self, session: Session, cursor_s: int) -> None:
        self._lease.check(session)
        meta.put(session, CURSOR, str(cursor_s))

    async def _watch(self, now_s: int) -> None:
        """Note times nobody watched, and that somebody does."""
        last_s, self._watched_s = self._watched_s, now_s
        gap: Gap | None = None
        if now_s - last_s > limits.UNWATCHED_S_MIN:
            gap = Gap(last_s // TICK_S * TICK_S, -(-now_s // TICK_S) * TICK_S)
        elif last_s - now_s > limits.UNWATCHED_S_MIN:
            gap = Gap(now_s // TICK_S * TICK_S, -(-last_s // TICK_S) * TICK_S, Why.REWOUND)
            if last_s - now_s > limits.CLOCK_BACK_S_MAX:
                self._cursor_s = now_s // TICK_S * TICK_S  # too long to wait for
        if gap is not None:
            log.warning("nobody watched for a while", extra={"seconds": gap.end_s - gap.start_s, "why": gap.why})
            self.desk.gaps = (*self.desk.gaps, gap)[-limits.UNWATCHED_KEPT_MAX :]
        if gap is not None or abs(now_s - self._alive_s) >= _ALIVE_S:
            self._alive_s = now_s
            await self._database.write(lambda session: self._note(session, now_s, gap))

    def _note(self, session: Session, now_s: int, gap: Gap | None) -> None:
        self._lease.check(session)
        meta.put(session, WATCHED, str(now_s))
        if gap is not None:
            gaps.write(session, gap)

    def _whole_until(self, now_ns: int) -> int:
        """The end of the newest tick that is over and stored."""
        settled_ns = now_ns - limits.JUDGE_SETTLE_MS * SECOND_NS // 1_000
        over_s = settled_ns // SECOND_NS // TICK_S * TICK_S
        stored_s = self._stored.stored_through_ns(now_ns) // SECOND_NS // TICK_S * TICK_S
        if stored_s < over_s != self._hurried_s:
            self._hurried_s = over_s
            self._stored.hurry()
        behind_s = now_ns // SECOND_NS - self._cursor_s
        if behind_s < 0:
            self._pause(f"the clock was set back; judging goes on in {-behind_s} s, when that time is over")
        elif stored_s < over_s and behind_s > 3 * TICK_S:
            self._pause(f"what was received is not stored yet; judging is {behind_s} s behind")
        return min(over_s, stored_s)

    def _pause(self, why: str) -> None:
        if why.split(";", maxsplit=1)[0] != self.health.paused.split(";", maxsplit=1)[0]:
            log.warning("judging waits: %s", why)
        self.health.paused = why

    # --- what is judged

    def _plan(self, end_s: int, ticks: int) -> None:
        """Look up what the rules need; anew when they changed, or when there is more to judge at once."""
        edition = self._rules.changes
        if edition == self._edition and ticks <= self._room_ticks:
            return
        self._edition, self._room_ticks = edition, max(CHART_TICKS, ticks)
        self._known = {rule.name: rule for rule in self._rules.rules()}
        self._enabled, self._unfit, self._asked = [], {}, {}
        needs: dict[Need, int] = {}
        for rule in self._known.values():
            if not rule.enabled:
                continue
            try:
                asked = judge.needs(rule, self._known)
            except CannotJudge as error:
                self._unfit[rule.name] = error.message
                continue
            self._enabled.append(rule.name)
            if reach := quiet_reach(rule):
                asked |= {need: max(reach, asked.get(need, 0)) for need in (PRESENCE, MACHINES)}
            self._asked[rule.name] = asked.keys()
            for need, columns in asked.items():
                needs[need] = max(needs.get(need, 0), columns)
        self.desk.plan(needs, end_s, self._room_ticks)
        self.desk.pasts.plan(need for name in self._enabled for need in judge.pasts(self._known[name], self._known))
        self.health.series = len(needs)

    def _judge(self, end_s: int, ticks: int) -> Outcome:
        memory = self._memory or Memory()
        room = limits.INCIDENTS_OPEN_MAX - memory.count
        judged = Round(
            self.desk.ticks, self._known, memory, self.desk.pasts.past, end_s=end_s, columns=ticks, room=room
        )
        outcome = judged.judge(self._enabled)
        outcome.troubles |= self._unfit
        outcome.crowded = {name: why for name, needs in self._asked.items() if (why := self.desk.crowded(needs))}
        outcome.changes = [self._linked(change) for change in outcome.changes]
        outcome.changes += self._without_rule(memory, end_s)
        outcome.changes += self._overflow(memory, outcome, end_s)
        return outcome

    def _linked(self, change: Changed) -> Changed:
        if not isinstance(change, Opening):
            return change
        found = links(
            self.templates,
            rule=change.rule,
            measure=str(change.snapshot.get("field", "")),
            labels=change.labels,
            began_ns=change.began_ns,
            started_ns=change.started_ns,
        )
        return dataclasses.replace(change, evidence={**change.evidence, "links": found})

    def _without_rule(self, memory: Memory, end_s: int) -> list[Resolving]:
        """Incidents whose rule is no more, or was switched off. One that cannot be judged just now keeps its own."""
        found = []
        for name in memory.rules:
            rule = self._known.get(name)
            if name in (OVERFLOW, DRILL_LOST) or (rule.enabled if rule else name in self._rules.entries):
                continue
            reason = Reason.RULE_DISABLED if rule else Reason.RULE_REMOVED
            found += [
                ending(one, end_s, reason, words.resolved(rule, reason, None)) for one in memory.of(name).values()
            ]
        return found

    def _overflow(self, memory: Memory, outcome: Outcome, end_s: int) -> list[Opening | Resolving]:
        """One incident says that others are not opened."""
        told = memory.of(OVERFLOW).get("")
        if outcome.left_out and told is None:
            summary = f"{limits.INCIDENTS_OPEN_MAX} incidents are open; no more are opened until some of them end"
            opening = Opening(
                secrets.token_hex(16), OVERFLOW, "", {}, Severity.CRITICAL, Reason.TOO_MANY, summary,
                float(memory.count), end_s * SECOND_NS, end_s * SECOND_NS, {"name": OVERFLOW},
            )  # fmt: skip
            return [opening]
        if told is not None and not outcome.left_out:
            return [ending(told, end_s, Reason.RECOVERED, "there is room again")]
        return []

    # --- what becomes of it

    async def _explained(self, outcome: Outcome) -> None:
        """Ask what changed around what opens, all of it at once."""
        openings = [change for change in outcome.changes if isinstance(change, Opening)]
        if openings and self.explain is not None:
            told = {one.id: one for one in await self.explain(openings)}
            outcome.changes = [  # its end may stand in the same round, and has its id too
                told.get(change.id, change) if isinstance(change, Opening) else change for change in outcome.changes
            ]

    async def _keep(self, outcome: Outcome, end_s: int) -> None:
        memory = self._memory or Memory()
        due = abs(end_s - self._written_s) >= limits.INCIDENT_VALUES_WRITTEN_S
        standings = memory.standings() if due else []
        ended = await self._database.write(lambda session: self._write(session, outcome, standings, end_s))
        self._cursor_s, self._alive_s = end_s, self._watched_s
        memory.take(outcome.changes)
        behind_s = self._clock.now_ns() / SECOND_NS - end_s
        self._tell_figures(tuple(figures(outcome.changes, ended, memory.by_severity, behind_s)))
        if due:
            self._written_s = end_s
            memory.written(standings)
            memory.forget(end_s - limits.RULE_TIMEFRAME_S_MAX)

    def _write(self, session: Session, outcome: Outcome, standings: list[Standing], end_s: int) -> list[Incident]:
        """All of a round or nothing of it; the incidents that ended."""
        self._lease.check(session)
        ended: list[Incident] = []
        for kind, changes in itertools.groupby(outcome.changes, type):
            if kind is Opening:
                ledger.open_(session, *(change for change in changes if isinstance(change, Opening)))
                continue
            for change in changes:
                if isinstance(change, Resolving):
                    found = ledger.resolve(session, change)
                    ended += [found] if found else []
                elif isinstance(change, Worsening):
                    ledger.worsen(session, change)
        over = {change.id for change in outcome.changes if isinstance(change, Resolving)}
        ledger.stand(session, [standing for standing in standings if standing.id not in over])
        meta.put(session, CURSOR, str(end_s))
        meta.put(session, WATCHED, str(self._watched_s))
        return ended

    def _tell(self, outcome: Outcome, end_s: int) -> None:
        health = self.health
        if health.paused:
            log.info("judging goes on")
        health.paused, health.judged_s = "", end_s
        health.rules, health.left_out = outcome.judged, outcome.left_out
        for name, trouble in outcome.troubles.items():
            if health.troubles.get(name) != trouble:
                log.warning("a rule cannot be judged", extra={"rule": name, "reason": trouble})
        for name in outcome.crowded.keys() - health.crowded.keys():
            log.warning("a rule is not judged of everybody", extra={"rule": name, "reason": outcome.crowded[name]})
        health.troubles, health.crowded = outcome.troubles, outcome.crowded
        if outcome.changes:
            self._changed()
