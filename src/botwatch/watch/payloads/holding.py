"""Documents held against the schema that was declared for their source: counted, and told where they do not fit.

It is told in the same words in which a bot tells of its own checks: the counters `bot.payload.checked` and
`bot.payload.schema_failures`, and the event `bot.payload.invalid`.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import orjson

from botwatch import limits
from botwatch.clock import Clock
from botwatch.detect.drift.story import masked
from botwatch.store.client import Store
from botwatch.watch.payloads.checker import Broken, Checker, Misfit
from botwatch.watch.payloads.declared import Declared
from botwatch.watch.payloads.reading import COLUMNS, RECEIVED, Document, Unreadable, content_of
from botwatch.watch.reading import Happening, Kind, Reading, Reporter

log = logging.getLogger(__name__)

CHECKED: Final = "bot.payload.checked"
FAILURES: Final = "bot.payload.schema_failures"
INVALID: Final = "bot.payload.invalid"
OTHER: Final = "(other)"
_FITS: Final = f"{RECEIVED} AND NOT partial AND NOT invalid AND source = {{source:String}}"
_COUNT: Final = f"SELECT count(), sum(length(document)) FROM payloads WHERE {_FITS}"
_SOME: Final = (
    f"SELECT {COLUMNS} FROM payloads WHERE {_FITS} AND cityHash64(document, at) % {{step:UInt64}} = 0 "
    "LIMIT {most:UInt32}"
)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_BYTES_MAX: Final = limits.DRIFT_LARGE_SOURCE_BYTES_MAX
_MASKED_CHARS_MAX: Final = 4_000

Choices = Callable[[str, Document], Mapping[str, bool]]  # which values of a document may be shown


class Holding:
    """`declare` what is to be checked, at the start and whenever that changes; `step` checks what has come."""

    def __init__(self, store: Store, reporter: Reporter, clock: Clock, choices: Choices) -> None:
        self._store = store
        self._reporter = reporter
        self._clock = clock
        self._choices = choices
        self._checker = Checker(clock)
        self._sources: list[str] = []
        self._through_ms: dict[str, int] = {}  # so far the documents of a source have been checked
        self._checked: Counter[str] = Counter()
        self._failures: Counter[tuple[str, str, str]] = Counter()
        self.problems: dict[str, str] = {}  # by source; what was right before goes on

    def declare(self, declared: Iterable[Declared]) -> None:
        wanted = {one.source: one.schema for one in declared if one.schema}
        for gone in set(self._sources) - set(wanted):
            self._checker.drop(gone)
            self._through_ms.pop(gone, None)
        self._sources = [source for source in self._sources if source in wanted]
        self.problems = {}
        for source, schema in wanted.items():
            try:
                self._checker.put(source, schema)
            except Broken as broken:
                before = "; the one from before stays" if source in self._sources else "; its documents are not checked"
                self.problems[source] = f"payloads.{source}.schema: {broken}"
                log.error("%s%s", self.problems[source], before)
            else:
                self._sources = [*dict.fromkeys([*self._sources, source])]

    def step(self, until_ms: int) -> None:
        """What came since the last step of each source, also where the store was away meanwhile."""
        until_s = self._clock.monotonic_s() + limits.SCHEMA_CHECKS_S_MAX
        for source in self._sources:
            rows = self._some(source, self._through_ms.setdefault(source, until_ms), until_ms)
            done, misfits = self._checker.check(source, [str(row[2]) for row in rows], until_s)
            self._through_ms[source] = until_ms
            self._checked[source] += done
            self._report(source, rows, misfits)
        self._sources = self._sources[1:] + self._sources[:1]  # whoever is first has the time

    def forget(self) -> None:
        """Another node checks what comes."""
        self._through_ms.clear()

    def close(self) -> None:
        self._checker.close()

    def _some(self, source: str, after_ms: int, until_ms: int) -> Sequence[Sequence[object]]:
        """All that came, or as many from all over the time as there is time for."""
        params = {"source": source, "after": after_ms, "until": until_ms}
        counted = self._store.read(_COUNT, params).first
        if counted is None or not counted[0]:
            return []
        most = limits.SCHEMA_DOCUMENTS_PER_STEP_MAX
        step = max(-(-int(counted[0]) // most), -(-int(counted[1]) // _BYTES_MAX))
        return list(self._store.read(_SOME, params | {"step": step, "most": most}))

    def _report(self, source: str, rows: Sequence[Sequence[object]], misfits: Sequence[Misfit]) -> None:
        for misfit in misfits:
            self._failures[self._key(source, misfit)] += 1
        told = list(self._told(source, rows, misfits[: limits.DRIFT_EXAMPLES_MAX]))
        about = {"bot.payload.source": source}
        readings = [Reading(CHECKED, self._checked[source], "{document}", about, Kind.COUNTER)]
        readings += [
            Reading(
                FAILURES,
                count,
                "{document}",
                about | {"bot.payload.path": path, "bot.payload.misfit": kind},
                Kind.COUNTER,
            )
            for (owner, path, kind), count in self._failures.items()
            if owner == source
        ]
        self._reporter.report({}, readings, told)

    def _key(self, source: str, misfit: Misfit) -> tuple[str, str, str]:
        key = source, misfit.path, misfit.kind
        known = sum(owner == source for owner, _, _ in self._failures)
        return key if key in self._failures or known < limits.DRIFTS_PER_SOURCE_MAX else (source, OTHER, OTHER)

    def _told(self, source: str, rows: Sequence[Sequence[object]], misfits: Sequence[Misfit]) -> Iterator[Happening]:
        for misfit in misfits:
            _, at_ns, text, session, bot, trace, _ = rows[misfit.number]
            seen = _time_said(int(str(at_ns)))
            attributes = {
                "bot.payload.source": source,
                "bot.payload.fault": "schema",
                "bot.payload.path": misfit.path,
                "bot.payload.misfit": misfit.kind,
                "bot.payload.at": seen,
                "bot.payload.document": self._masked(source, str(text), int(str(at_ns))),
                "bot.payload.trace": str(trace).strip("0") and str(trace),
                "session.id": str(session),
                "bot.name": str(bot),
            }
            at = f" at {misfit.path}" if misfit.path else ""
            body = f"a document of {source} does not fit: {misfit.kind}{at}"
            yield Happening(INVALID, body, {name: value for name, value in attributes.items() if value}, warning=True)

    def _masked(self, source: str, text: str, at_ns: int) -> str:
        try:
            document = Document(source, at_ns, content_of(text), "", "", "")
        except Unreadable:
            return ""
        shown = masked(document.content, self._choices(source, document))
        return orjson.dumps(shown, default=str).decode("utf-8", "replace")[:_MASKED_CHARS_MAX]


def _time_said(at_ns: int) -> str:
    return (_EPOCH + dt.timedelta(microseconds=at_ns // 1_000)).isoformat()
