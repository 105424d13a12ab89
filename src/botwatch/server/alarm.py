"""From a number to a person: rules are judged, incidents written, people told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from botwatch.clock import Clock
from botwatch.detect.book import RuleBook
from botwatch.incident.again import Again
from botwatch.incident.backtest import Backtester
from botwatch.incident.causes.explainer import Explainer
from botwatch.incident.desk import Desk
from botwatch.incident.figures import Figure
from botwatch.incident.health import Judgement
from botwatch.incident.links import Templates
from botwatch.incident.loop import Judge
from botwatch.measure.reader import Measures
from botwatch.notify import book as ways
from botwatch.notify.drill import Drill
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.notify.regular import Regular
from botwatch.reports.post import Post
from botwatch.server.work import Work
from botwatch.settings import Settings
from botwatch.spool import Spool
from botwatch.state import Access, Database
from botwatch.state.lease import Lease
from botwatch.store.client import Store
from botwatch.store.writer import Writer
from botwatch.watch.reading import Reading, Reporter

Reasons = Callable[[], Awaitable[list[str]]]


class _Stored:
    """How far what was received can be read, for the judge."""

    def __init__(self, spool: Spool, writer: Writer) -> None:
        self._spool = spool
        self.stored_through_ns = spool.stored_through_ns
        self.hurry = writer.hurry

    def closed(self) -> str:
        return "the disk is nearly full, so nothing new is taken in" if self._spool.crowded else ""


class Alarm:
    """Made before the doors are open, `open` when they are: a drill goes through them."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, data: Path, url: str) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._url = url
        self._ways = ways.Base.of(settings)
        self._hooks = (settings.hooks or data / "hooks").resolve()
        self._reporter: Reporter | None = None
        folder = (settings.rules or data / "rules").resolve()
        self.rules = RuleBook(database, folder, lambda session: frozenset(ways.channels(session, self._ways)))
        self.rules.reload()

    def build(
        self,
        measures: Measures,
        store: Store,
        spool: Spool,
        writer: Writer,
        access: Access,
        lease: Callable[[str], Lease],
    ) -> None:
        self.notifier = Notifier(
            self._database, self._clock, self._settings, self._frame(), hooks_in=self._hooks, lease=lease("notify")
        )
        self.drill = Drill(
            self._database,
            access,
            self.rules,
            spool,
            self._clock,
            url=self._url,
            needs_key=self._settings.ingest_needs_key,
        )
        desk = Desk(measures, lambda: store.fetch("SELECT 1"), self._settings.time_zone)
        stored = _Stored(spool, writer)
        self.judge = Judge(
            self._database, desk, self.rules, stored, lease("judge"), self._clock, self.notifier.hint, self._figures
        )
        self.judge.explain = explainer = Explainer(store)
        self._again = Again(self._database, explainer, lease("causes"), self._clock)
        self._post = Post(self._database, measures, self.notifier, self._clock, lease("reports"))
        self.judgement = Judgement(self.judge.health, Backtester(measures, self._clock, self._settings.time_zone))
        self._tune()

    def open(self, work: Work, reporter: Reporter, unready: Reasons) -> None:
        self._reporter = reporter

        async def unwell() -> list[str]:
            """Why the heart must not beat: also where nothing is judged."""
            return [*await unready(), *filter(None, [self.judge.health.paused])]

        work.beside(self.rules.run)
        work.beside(self.notifier.run)
        work.beside(Regular(self.notifier, self._database, self._clock, unwell, self.drill).run)
        work.once_stored(self.judge.run)
        work.once_stored(self._again.run)
        work.once_stored(self._post.run)

    def reload(self, settings: Settings) -> None:
        self._settings = settings
        self._ways = ways.Base.of(settings)
        self.notifier.set(settings, self._frame())
        self.rules.look_again()
        self._tune()

    def _tune(self) -> None:
        self.judge.templates = Templates.of(self._settings)
        self.judge.desk.deadline_s = self._settings.turn_deadline_seconds

    def _frame(self) -> Frame:
        """How messages point back here. An address of this machine alone still serves whoever sits at it."""
        return Frame(self._settings.public_url or self._url, self._settings.time_zone)

    def _figures(self, found: Sequence[Figure]) -> None:
        if self._reporter is not None:
            self._reporter.report({}, [Reading(one.name, one.value, one.unit, one.attributes) for one in found])
