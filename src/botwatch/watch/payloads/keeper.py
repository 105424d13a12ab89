"""The job that follows every source of documents: reads what is new, judges it, and tells what changed.

Everything it knows stands in the store and the state database. A start reads the hours that were kept and looks
into the documents since; a source that has a history but no profile, such as one that was imported, is gone
through from its beginning and judged as if it had been watched.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.detect.drift.kinds import Kinds
from botwatch.detect.drift.shape import ROOT
from botwatch.detect.drift.source import HOUR_S, TICK_S, Drift, Source
from botwatch.detect.rows_drift import DriftRow, SourceRow
from botwatch.errors import BotwatchError
from botwatch.state import Database
from botwatch.state.lease import Lease
from botwatch.store.client import Store
from botwatch.watch.payloads import declaring, findings, given, profiles, reading
from botwatch.watch.payloads.criticals import Criticals
from botwatch.watch.payloads.declared import Declared
from botwatch.watch.payloads.holding import Holding
from botwatch.watch.payloads.reading import Document
from botwatch.watch.payloads.touching import touched_by
from botwatch.watch.reading import Happening, Kind, Reading, Reporter

log = logging.getLogger(__name__)

STEP_S: Final = 20.0
JUDGE_S: Final = 60  # of which nothing new came; else with every step
SAVE_S: Final = 300
LEARNED_S: Final = 15 * 86_400
DRIFTING: Final = "bot.payload.drift"
PARTLY: Final = "bot.payload.partly"
CHANGED: Final = "bot.payload.changed"


class Durable(Protocol):
    """What following needs of the spool."""

    def stored_through_ns(self, now_ns: int) -> int: ...


class Keeper:
    """`run` until told to stop; `step` is one round, in a thread."""

    def __init__(
        self,
        store: Store,
        database: Database,
        spool: Durable,
        reporter: Reporter,
        clock: Clock,
        *,
        declared: Iterable[Declared] = (),
        lease: Lease | None = None,
    ) -> None:
        self._lease = lease
        self._store = store
        self._database = database
        self._spool = spool
        self._reporter = reporter
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._through_ms: int | None = None
        self._astray: list[str] = []  # sources that could not be followed
        self._judged_s: dict[str, int] = {}
        self._saved_s: dict[str, int] = {}
        self._taken: dict[str, tuple[int, int]] = {}  # the tick, and how many documents of it were looked at
        self._partly: Counter[str] = Counter()
        self._kinds: dict[str, dict[str, list[str]]] = {}  # as they were last written
        self._declared: dict[str, Declared] = {}
        self._said = tuple(declared)  # in the settings
        self._in_force: tuple[Declared, ...] | None = None  # None: to be read anew, files and all
        self._criticals = Criticals(store)
        self._holding = Holding(store, reporter, clock, self._choices)

    def declare(self, declared: Iterable[Declared]) -> None:
        """What the settings say now, from any thread; it is taken on with the next step."""
        self._said, self._in_force = tuple(declared), None

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await self._run(stop)
        finally:
            await asyncio.to_thread(self._holding.close)

    async def _run(self, stop: asyncio.Event) -> None:
        trouble = ""
        while not stop.is_set():
            try:
                if self._lease is None or await self._lease.hold():
                    await asyncio.to_thread(self.step)
                else:
                    self._forget()
                trouble = ""
            except BotwatchError as error:
                if error.message != trouble:
                    log.warning("documents cannot be followed just now: %s", error.message)
                trouble = error.message
            except Exception:
                log.exception("following documents failed; it is tried again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STEP_S)

    def _forget(self) -> None:
        """Another node follows the documents; should it stop, everything is read anew from what it kept."""
        self._sources, self._through_ms, self._astray = {}, None, []
        self._criticals.forget()
        self._holding.forget()

    def step(self) -> None:
        now_ns = self._clock.now_ns()
        self._take_on()
        until_ms = self._spool.stored_through_ns(now_ns) // 1_000_000
        by_source: dict[str, list[Document]] = defaultdict(list)
        if self._through_ms is None:
            self._begin(now_ns)
        else:
            for document in reading.new(self._store, self._through_ms, until_ms):
                by_source[document.source].append(document)
        self._through_ms = until_ms
        self._follow_all(by_source, now_ns)
        self._holding.step(until_ms)
        for name, source in list(self._sources.items()):
            every_s = STEP_S if name in by_source else JUDGE_S
            self._each(name, partial(self._keep, name, source, now_ns, until_ms, every_s))

    def _take_on(self) -> None:
        """What is declared now: a source whose kinds are told apart in another way begins anew."""
        said = self._said
        wanted = given.joined(said, self._database.read_now(given.listed))
        if wanted == self._in_force:
            return
        before, self._declared = self._declared, {one.source: one for one in wanted}
        for name in before.keys() | self._declared.keys():
            old, new = before.get(name), self._declared.get(name)
            if (old and old.kinds) != (new and new.kinds) and name in self._sources:
                self._sources[name] = self._taken_up(name, self._clock.now_ns())
                self._saved_s.pop(name, None)
        self._criticals.declare(wanted)
        self._holding.declare(wanted)
        problems = self._holding.problems
        self._database.write_now(lambda session: declaring.keep(session, wanted, problems))
        if self._said is said:
            self._in_force = wanted

    def _choices(self, name: str, document: Document) -> dict[str, bool]:
        source = self._sources.get(name)
        if source is None or source.kinds is None:
            return {}
        return source.choices(source.kind(document.shape), self._clock.now_ns() // SECOND_NS)

    def _begin(self, now_ns: int) -> None:
        """Everything as it was left, and what has come since."""
        for name in reading.sources(self._store, now_ns - LEARNED_S * SECOND_NS):
            self._sources.pop(name, None)
            self._each(name, partial(self._follow, name, [], now_ns))

    def _taken_up(self, name: str, now_ns: int) -> Source:
        """Also one that was never heard of may have a past: what is imported stands in the store all at once."""
        from_ns = now_ns - LEARNED_S * SECOND_NS
        source = self._restored(name, profiles.last_hour(self._store, name), from_ns)
        since_ns = (source.hours[-1][0] + HOUR_S) * SECOND_NS if source.hours else from_ns
        self._go_through(source, reading.history(self._store, name, since_ns, now_ns + 1))
        return source

    def _restored(self, name: str, last_hour_s: int | None, from_ns: int) -> Source:
        def read(session: Session) -> tuple[SourceRow | None, findings.Before]:
            return session.get(SourceRow, name), findings.before(session, name, from_ns, self._clock.now_ns())

        row, before = self._database.read_now(read)
        declared = self._declared.get(name)
        known = Kinds(tuple(row.kinds["fields"]), tuple(row.kinds["carried"])) if row else None
        source = Source(name, declared.kinds if declared and declared.kinds else known)
        source.maps = set(row.kinds.get("maps", ())) if row else set()
        for where, first_s, last_s, lasting in before.held:
            source.holds.keep(where, first_s, last_s, lasting=lasting)
        if row is not None and last_hour_s is not None and source.kinds == known:
            since_s = max(from_ns, row.since_ns) // SECOND_NS
            # The last hour may have been kept before it was over: it is counted again.
            for hour_s, hour in profiles.load(self._store, name, since_s)[:-1]:
                source.restore(hour_s, hour)
        source.told = before.told
        for path, value, at_s in before.turned:
            source.turned.setdefault(path, {})[value] = at_s
        for found in before.accepted:
            source.accept(
                found.variant, findings.change_of(found), (found.accepted_ns or 0) // SECOND_NS, found.moved_to
            )
        return source

    def _go_through(self, source: Source, documents: list[Document]) -> None:
        """A past that nobody watched, judged hour by hour as it went on."""
        judged_s = 0
        for index, document in enumerate(documents):
            at_s = document.at_ns // SECOND_NS
            if at_s // HOUR_S > judged_s // HOUR_S:
                judged_s = at_s - at_s % HOUR_S
                self._judge(
                    source, source.judge(judged_s), judged_s * SECOND_NS, documents[max(0, index - 2_000) : index]
                )
            self._look(source, document)

    def _follow_all(self, by_source: Mapping[str, list[Document]], now_ns: int) -> None:
        """Where the store fails, those that are left are taken up anew with the next step: so no document counts
        twice."""
        left = list(dict.fromkeys((*self._astray, *by_source)))
        try:
            while left:
                name = left[0]
                self._each(name, partial(self._follow, name, by_source.get(name, []), now_ns))
                del left[0]
        finally:
            self._astray = left
            for name in left:
                self._sources.pop(name, None)

    def _each(self, name: str, work: Callable[[], None]) -> None:
        """One source that fails by itself is told, and taken up anew with its next document; the others go on."""
        try:
            work()
        except BotwatchError:
            raise
        except Exception:
            log.exception("the documents of a source cannot be followed", extra={"source": name})
            self._sources.pop(name, None)

    def _follow(self, name: str, documents: list[Document], now_ns: int) -> None:
        source = self._sources.get(name)
        if source is None:
            if len(self._sources) >= limits.DRIFT_SOURCES_MAX:
                return
            self._sources[name] = self._taken_up(name, now_ns)
            return
        first_s = documents[0].at_ns // SECOND_NS
        fresh = source.kinds is None or not source.ticks or source.ticks[-1][0] <= first_s
        if fresh and first_s < now_ns // SECOND_NS - 2 * HOUR_S:
            self._go_through(source, documents)  # history that is being sent now
            return
        for document in documents:
            if self._may_look(name, document.at_ns // SECOND_NS // TICK_S):
                self._look(source, document)

    def _look(self, source: Source, document: Document) -> None:
        seen = document.shape
        self._partly[source.name] += all(one.path != ROOT for one in seen)
        source.observe(document.at_ns // SECOND_NS, seen)

    def _may_look(self, name: str, tick: int) -> bool:
        last, count = self._taken.get(name, (tick, 0))
        count = count + 1 if last == tick else 1
        self._taken[name] = (tick, count)
        return count <= limits.DRIFT_DOCUMENTS_PER_TICK_MAX

    def _keep(self, name: str, source: Source, now_ns: int, until_ms: int, every_s: float) -> None:
        now_s = now_ns // SECOND_NS
        if now_s - self._judged_s.get(name, 0) >= every_s:
            self._judged_s[name] = now_s
            accepted = self._look_at_what_was_said(source)
            critical = self._criticals.follow(name, source.kinds, accepted, until_ms, now_ns)
            about = {(drift.variant, drift.change.share) for drift in critical}
            drifts = [drift for drift in source.judge(now_s) if (drift.variant, drift.change.share) not in about]
            going_on, added = self._judge(source, drifts, now_ns, None, critical)
            if source.kinds is not None or name in self._declared:
                self._report(name, going_on, added)
        if source.kinds is None:
            return
        if now_s - self._saved_s.get(name, 0) >= SAVE_S:
            self._save(name, source, now_ns)
            self._saved_s[name] = now_s

    def _save(self, name: str, source: Source, now_ns: int) -> None:
        known = self._saved_s.get(name)
        since_s = known - 2 * HOUR_S if known is not None else 0
        profiles.save(self._store, name, source.kept_since(since_s), now_ns)
        if source.kinds is not None:
            first_s = next(iter(source.kept_since(0)), (now_ns // SECOND_NS, {}))[0]
            told = self._told_apart(source)
            if self._kinds.get(name) != told:
                self._database.write_now(lambda session: declaring.tell_apart(session, name, told, first_s))
                self._kinds[name] = told

    @staticmethod
    def _told_apart(source: Source) -> dict[str, list[str]]:
        kinds = source.kinds or Kinds()
        return {"fields": list(kinds.fields), "carried": list(kinds.carried), "maps": sorted(source.maps)}

    def _look_at_what_was_said(self, source: Source) -> list[DriftRow]:
        """What somebody accepted, here or on another node; what is new of it is taken on."""
        accepted = self._database.read_now(lambda session: findings.accepted(session, source.name))
        for row in accepted:
            if findings.key_of(row) not in source.accepted:
                source.accept(row.variant, findings.change_of(row), (row.accepted_ns or 0) // SECOND_NS, row.moved_to)
        return accepted

    def _judge(
        self,
        source: Source,
        drifts: list[Drift],
        now_ns: int,
        documents: list[Document] | None,
        critical: Sequence[Drift] = (),
    ) -> tuple[int, list[str]]:
        """How many changes are going on, and the sentences of those that are new."""
        live, due = self._database.read_now(lambda session: findings.standing(session, source.name, now_ns))
        new = [drift for drift in drifts if (drift.variant, drift.change.share) not in live - due]
        told = self._told_of_critical(source, critical, live, now_ns)
        if new:
            if not documents:  # live, or at the first hour after a start
                longest_s = 2 * max(drift.window_s for drift in new)
                documents = reading.around(self._store, source.name, now_ns - longest_s * SECOND_NS, now_ns)
            # All of them, because what is new may belong to what is known.
            declared = self._declared.get(source.name)
            place = declared.session if declared is not None else ""
            told += findings.story(source, drifts, documents, now_ns, lambda some: touched_by(self._store, some, place))
        if not live and not told:
            return 0, []

        def write(session: Session) -> tuple[int, list[str]]:
            findings.keep_up(session, source.name, [*drifts, *critical], source.over, now_ns)
            findings.deepen(session, source.name, due, told, now_ns)
            added = findings.add(session, source.name, told, now_ns)
            return len(findings.live(session, source.name)), added

        return self._database.write_now(write)

    def _told_of_critical(
        self, source: Source, critical: Sequence[Drift], live: set[findings.Key], now_ns: int
    ) -> list[findings.Told]:
        new = [drift for drift in critical if (drift.variant, drift.change.share) not in live]
        if not new:
            return []
        now_s = now_ns // SECOND_NS
        choices = {drift.variant: source.choices(drift.variant, now_s) if source.kinds else {} for drift in new}
        return [
            told
            for variant in dict.fromkeys(drift.variant for drift in new)
            for told in self._criticals.told(
                source.name, [drift for drift in new if drift.variant == variant], now_ns, choices[variant]
            )
        ]

    def _report(self, name: str, drifting: int, added: list[str]) -> None:
        about = {"bot.payload.source": name}
        self._reporter.report(
            {},
            [
                Reading(DRIFTING, drifting, "{place}", about),
                Reading(PARTLY, self._partly[name], "{document}", about, Kind.COUNTER),
                *self._criticals.readings(name),
            ],
            [Happening(CHANGED, text, about, warning=True) for text in added],
        )
