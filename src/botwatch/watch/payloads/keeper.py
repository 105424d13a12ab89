"""The job that follows every source of documents: reads what is new, judges it, and tells what changed.

Everything it knows stands in the store and the state database. A start reads the hours that were kept and looks
into the documents since; a source that has a history but no profile, such as one that was imported, is gone
through from its beginning and judged as if it had been watched.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from contextlib import suppress
from typing import Final, Protocol

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.detect.drift.kinds import Kinds
from botwatch.detect.drift.source import HOUR_S, TICK_S, Drift, Source
from botwatch.detect.rows_drift import DriftRow, SourceRow
from botwatch.errors import BotwatchError
from botwatch.state import Database
from botwatch.state.lease import Lease
from botwatch.store.client import Store
from botwatch.watch.payloads import findings, profiles, reading
from botwatch.watch.payloads.reading import Document
from botwatch.watch.reading import Happening, Reading, Reporter

log = logging.getLogger(__name__)

STEP_S: Final = 20.0
JUDGE_S: Final = 60
SAVE_S: Final = 300
LEARNED_S: Final = 15 * 86_400
DRIFTING: Final = "bot.payload.drift"
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
        self._judged_s: dict[str, int] = {}
        self._saved_s: dict[str, int] = {}
        self._taken: dict[str, tuple[int, int]] = {}  # the tick, and how many documents of it were looked at

    async def run(self, stop: asyncio.Event) -> None:
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
        self._sources, self._through_ms = {}, None

    def step(self) -> None:
        now_ns = self._clock.now_ns()
        until_ms = self._spool.stored_through_ns(now_ns) // 1_000_000
        if self._through_ms is None:
            self._begin(now_ns)
        else:
            by_source: dict[str, list[Document]] = defaultdict(list)
            for document in reading.new(self._store, self._through_ms, until_ms):
                by_source[document.source].append(document)
            for name, documents in by_source.items():
                self._follow(name, documents, now_ns)
        self._through_ms = until_ms
        for name, source in self._sources.items():
            self._keep(name, source, now_ns)

    def _begin(self, now_ns: int) -> None:
        """Everything as it was left, and what has come since."""
        for name in reading.sources(self._store, now_ns - LEARNED_S * SECOND_NS):
            self._sources[name] = self._taken_up(name, now_ns)

    def _taken_up(self, name: str, now_ns: int) -> Source:
        """Also one that was never heard of may have a past: what is imported stands in the store all at once."""
        from_ns = now_ns - LEARNED_S * SECOND_NS
        source = self._restored(name, profiles.last_hour(self._store, name), from_ns)
        since_ns = (source.hours[-1][0] + HOUR_S) * SECOND_NS if source.hours else from_ns
        self._go_through(source, reading.history(self._store, name, since_ns, now_ns + 1))
        return source

    def _restored(self, name: str, last_hour_s: int | None, from_ns: int) -> Source:
        def read(session: Session) -> tuple[SourceRow | None, list[DriftRow]]:
            return session.get(SourceRow, name), findings.accepted(session, name)

        row, accepted = self._database.read_now(read)
        source = Source(name, Kinds(**{key: tuple(found) for key, found in row.kinds.items()}) if row else None)
        if row is not None and last_hour_s is not None:
            since_s = max(from_ns, row.since_ns) // SECOND_NS
            # The last hour may have been kept before it was over: it is counted again.
            for hour_s, hour in profiles.load(self._store, name, since_s)[:-1]:
                source.restore(hour_s, hour)
        for found in accepted:
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
            source.observe(at_s, document.shape)

    def _follow(self, name: str, documents: list[Document], now_ns: int) -> None:
        source = self._sources.get(name)
        if source is None:
            if len(self._sources) >= limits.DRIFT_SOURCES_MAX:
                return
            self._sources[name] = self._taken_up(name, now_ns)
            return
        lately_s = now_ns // SECOND_NS - 2 * HOUR_S
        if source.kinds is None and documents[0].at_ns // SECOND_NS < lately_s:
            self._go_through(source, documents)  # history that is being sent now
            return
        for document in documents:
            if self._may_look(name, document.at_ns // SECOND_NS // TICK_S):
                source.observe(document.at_ns // SECOND_NS, document.shape)

    def _may_look(self, name: str, tick: int) -> bool:
        last, count = self._taken.get(name, (tick, 0))
        count = count + 1 if last == tick else 1
        self._taken[name] = (tick, count)
        return count <= limits.DRIFT_DOCUMENTS_PER_TICK_MAX

    def _keep(self, name: str, source: Source, now_ns: int) -> None:
        now_s = now_ns // SECOND_NS
        if source.kinds is None:
            return
        if now_s - self._judged_s.get(name, 0) >= JUDGE_S:
            self._judged_s[name] = now_s
            self._look_at_what_was_said(source)
            drifts = source.judge(now_s)
            self._report(name, len(drifts), self._judge(source, drifts, now_ns, None))
        if now_s - self._saved_s.get(name, 0) >= SAVE_S:
            self._save(name, source, now_ns)
            self._saved_s[name] = now_s

    def _save(self, name: str, source: Source, now_ns: int) -> None:
        known = self._saved_s.get(name)
        since_s = known - 2 * HOUR_S if known is not None else 0
        profiles.save(self._store, name, source.kept_since(since_s), now_ns)
        if known is None and source.kinds is not None:
            kinds = {"fields": list(source.kinds.fields), "carried": list(source.kinds.carried)}
            first_s = next(iter(source.kept_since(0)), (now_ns // SECOND_NS, {}))[0]

            def write(session: Session) -> None:
                if session.get(SourceRow, name) is None:
                    session.add(SourceRow(name=name, kinds=kinds, since_ns=first_s * SECOND_NS))

            self._database.write_now(write)

    def _look_at_what_was_said(self, source: Source) -> None:
        """What somebody accepted since the last time, here or on another node."""
        for row in self._database.read_now(lambda session: findings.accepted(session, source.name)):
            if findings.key_of(row) not in source.accepted:
                source.accept(row.variant, findings.change_of(row), (row.accepted_ns or 0) // SECOND_NS, row.moved_to)

    def _judge(self, source: Source, drifts: list[Drift], now_ns: int, documents: list[Document] | None) -> list[str]:
        live = self._database.read_now(lambda session: set(findings.live(session, source.name)))
        new = [drift for drift in drifts if (drift.variant, drift.change.share) not in live]
        told: list[findings.Told] = []
        if new:
            if documents is None:
                longest_s = 2 * max(drift.window_s for drift in new)
                documents = reading.around(self._store, source.name, now_ns - longest_s * SECOND_NS, now_ns)
            # All of them, because what is new may belong to what is known.
            told = findings.story(source, drifts, documents, now_ns)
        if not live and not told:
            return []

        def write(session: Session) -> list[str]:
            findings.keep_up(session, source.name, drifts, now_ns)
            return findings.add(session, source.name, told, now_ns)

        return self._database.write_now(write)

    def _report(self, name: str, drifting: int, added: list[str]) -> None:
        about = {"bot.payload.source": name}
        self._reporter.report(
            {},
            [Reading(DRIFTING, drifting, "{place}", about)],
            [Happening(CHANGED, text, about, warning=True) for text in added],
        )
