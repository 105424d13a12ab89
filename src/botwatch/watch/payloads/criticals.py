"""The critical places of all sources: counted in the store, kept there, and judged.

What was counted is kept with the moment up to which it was, in one insert, so that a restart goes on where it was and
counts nothing twice. A place that is new, or whose kinds of documents have become known, is counted from its past on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.detect.drift.critical import EMPTY, MISSING, NULL, Critical, Place, States
from botwatch.detect.drift.kinds import Kinds
from botwatch.detect.drift.since import Begun
from botwatch.detect.drift.source import TICK_S, WINDOWS_S, Drift
from botwatch.detect.drift.story import Cause, masked
from botwatch.detect.rows_drift import DriftRow
from botwatch.store.client import Store
from botwatch.watch.payloads import counting, findings
from botwatch.watch.payloads.counting import Asked, Counted
from botwatch.watch.payloads.declared import Declared
from botwatch.watch.payloads.reading import Document
from botwatch.watch.payloads.touching import touched_by
from botwatch.watch.reading import Kind, Reading

CHECKED: Final = "bot.payload.critical_checked"
FAILURES: Final = "bot.payload.critical_failures"
_PAST_MS: Final = 14 * 86_400 * 1_000
_LOAD: Final = (
    "SELECT variant, path, toUnixTimestamp(hour), sumMap(states) FROM ("
    "SELECT variant, path, toStartOfHour(tick) AS hour, states FROM criticals WHERE source = {source:String} "
    "AND kinds = {kinds:String} AND path IN {paths:Array(String)} "
    "AND tick >= toDateTime({from:UInt32}, 'UTC')) GROUP BY variant, path, hour ORDER BY hour"
)
_THROUGH: Final = (
    "SELECT path, toUnixTimestamp64Milli(max(through)) FROM criticals WHERE source = {source:String} "
    "AND kinds = {kinds:String} AND path IN {paths:Array(String)} GROUP BY path"
)
_COUNTED: Final = (
    "SELECT variant, path, sumMap(states) FROM criticals WHERE source = {source:String} "
    "AND kinds = (SELECT argMax(kinds, through) FROM criticals WHERE source = {source:String}) "
    "AND tick >= toDateTime({from:UInt32}, 'UTC') AND tick < toDateTime({to:UInt32}, 'UTC') "
    "GROUP BY variant, path ORDER BY path, variant"
)
_FAR_BACK: Final = (
    "SELECT toUnixTimestamp64Milli(received) FROM payloads WHERE source = {source:String} "
    "AND received > fromUnixTimestamp64Milli({from:Int64}, 'UTC') ORDER BY received DESC LIMIT 1 OFFSET {most:UInt32}"
)


@dataclass(slots=True)
class _Followed:
    """One source, and up to which moment of receiving each of its places was counted."""

    asked: Asked
    critical: Critical
    through_ms: dict[str, int] = field(default_factory=dict)
    trying_ms: dict[tuple[str, ...], int] = field(default_factory=dict)  # places of which an insert was not answered


class Criticals:
    """`declare` at the start and whenever that changes; `follow` a source now and then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._declared: dict[str, Declared] = {}
        self._followed: dict[str, _Followed] = {}
        self._checked: Counter[tuple[str, str]] = Counter()
        self._faults: Counter[tuple[str, str, str]] = Counter()

    def declare(self, declared: Iterable[Declared]) -> None:
        self._declared = {one.source: one for one in declared if one.critical}
        self._followed = {name: one for name, one in self._followed.items() if name in self._declared}

    def follow(
        self, source: str, kinds: Kinds | None, accepted: Sequence[DriftRow], until_ms: int, now_ns: int
    ) -> list[Drift]:
        """Count what has come of a source, and judge it."""
        declared = self._declared.get(source)
        if declared is None:
            return []
        asked = Asked(source, declared.critical, declared.kinds or kinds or Kinds())
        followed = self._followed.get(source)
        if followed is None or followed.asked != asked:
            followed = self._followed[source] = self._taken_up(asked, accepted, until_ms, now_ns)
        else:
            _accept(followed.critical, accepted)
            self._tally(source, self._count(followed, until_ms))
        return followed.critical.judge(now_ns // SECOND_NS)

    def readings(self, source: str) -> Iterator[Reading]:
        """What was counted since the process began; what came before is in the store."""
        for (owner, path), checked in self._checked.items():
            if owner == source:
                about = {"bot.payload.source": source, "bot.payload.path": path}
                yield Reading(CHECKED, checked, "{document}", about, Kind.COUNTER)
                for fault in (MISSING, NULL, EMPTY):
                    count = self._faults[source, path, fault]
                    yield Reading(FAILURES, count, "{document}", about | {"bot.payload.misfit": fault}, Kind.COUNTER)

    def _tally(self, source: str, counted: Counted) -> None:
        for _, (_, path), states in counted:
            self._checked[source, path] += sum(states.values())
            for fault in (MISSING, NULL, EMPTY):
                self._faults[source, path, fault] += states.get(fault, 0)

    def forget(self) -> None:
        """Another node follows them; what it counted is read from what it kept."""
        self._followed = {}

    def told(self, source: str, drifts: Sequence[Drift], now_ns: int, choices: dict[str, bool]) -> list[findings.Told]:
        """What is new, with documents that show it and some that do not."""
        followed = self._followed[source]
        return [self._story(followed, drift, now_ns, choices) for drift in drifts]

    def _story(self, followed: _Followed, drift: Drift, now_ns: int, choices: dict[str, bool]) -> findings.Told:
        from_ns = followed.critical.begun(now_ns // SECOND_NS, drift) * SECOND_NS
        about = (self._store, followed.asked, drift.variant, drift.change.share)
        until_ns = now_ns + TICK_S * SECOND_NS
        faulty = counting.examples(*about, from_ns, until_ns, faulty=True, newest=False)
        began_ns = faulty[0].at_ns if faulty else from_ns
        fine = counting.examples(*about, began_ns - WINDOWS_S[-1] * SECOND_NS, began_ns, faulty=False, newest=True)
        cause = Cause(drift, "", Begun.exactly(began_ns), (), ())
        touched = touched_by(self._store, faulty, self._declared[followed.asked.source].session)
        return findings.Told(cause, _evidence(cause, faulty, fine, choices) | touched)

    def _taken_up(self, asked: Asked, accepted: Sequence[DriftRow], until_ms: int, now_ns: int) -> _Followed:
        """As it was left; what was never counted, from as far back as there is time for."""
        known = {"source": asked.source, "kinds": asked.kinds_said, "paths": list(asked.paths)}
        critical = Critical()
        _accept(critical, accepted)
        from_s = max(0, now_ns // SECOND_NS - _PAST_MS // 1_000)
        rows = self._store.read(_LOAD, known | {"from": from_s})
        critical.take(
            (int(hour), (str(variant), str(path)), {str(state): int(count) for state, count in states.items()})
            for variant, path, hour, states in rows
        )
        through = {str(path): int(ms) for path, ms in self._store.read(_THROUGH, known)}
        if len(through) < len(asked.paths):
            start_ms = self._far_back(asked.source, until_ms)
            through = {path: through.get(path, start_ms) for path in asked.paths}
        followed = _Followed(asked, critical, through)
        self._count(followed, until_ms)
        return followed

    def _far_back(self, source: str, until_ms: int) -> int:
        from_ms = max(0, until_ms - _PAST_MS)
        most = limits.STORE_QUERY_ROWS_MAX
        row = self._store.read(_FAR_BACK, {"source": source, "from": from_ms, "most": most}).first
        return int(row[0]) if row is not None else from_ms

    def _count(self, followed: _Followed, until_ms: int) -> Counted:
        """Places that were counted up to the same moment are counted together."""
        found: Counted = []
        for after_ms in sorted(set(followed.through_ms.values())):
            paths = tuple(path for path, ms in followed.through_ms.items() if ms == after_ms)
            if after_ms >= until_ms:
                continue
            asked = replace(followed.asked, paths=paths)
            # What may be there although nobody said so is put once more as it was, and known by its token.
            to_ms = followed.trying_ms.setdefault(paths, until_ms)
            counted = counting.count(self._store, asked, after_ms, to_ms)
            self._keep(asked, counted, to_ms)
            del followed.trying_ms[paths]
            followed.critical.take(counted)
            followed.through_ms |= dict.fromkeys(paths, to_ms)
            found += counted
        return found

    def _keep(self, asked: Asked, counted: Counted, through_ms: int) -> None:
        rows: list[dict[str, Any]] = [
            {"variant": variant, "path": path, "tick": tick_s, "states": states}
            for tick_s, (variant, path), states in counted
        ]
        shared = {"source": asked.source, "kinds": asked.kinds_said, "through": through_ms / 1e3}
        token = f"{asked.source} {asked.kinds_said} {' '.join(asked.paths)} {through_ms}"
        if rows:
            self._store.insert(
                "criticals",
                b"\n".join(orjson.dumps(row | shared) for row in rows),
                fmt="JSONEachRow",
                settings={"date_time_input_format": "basic", "insert_deduplication_token": token},
            )


def _accept(critical: Critical, accepted: Sequence[DriftRow]) -> None:
    for row in accepted:
        if row.path and findings.key_of(row) not in critical.accepted:
            critical.accept(row.variant, findings.change_of(row), (row.accepted_ns or 0) // SECOND_NS)


def _evidence(
    cause: Cause, faulty: Sequence[Document], fine: Sequence[Document], choices: dict[str, bool]
) -> dict[str, Any]:
    return {
        "sure": cause.sure,
        "before": [masked(document.content, choices) for document in fine[-1:]],
        "after": [masked(document.content, choices) for document in faulty[:1]],
    }


async def counted(store: Store, source: str, from_s: int, to_s: int) -> list[tuple[Place, States]]:
    """What was found of the critical places of a source in a window, from the event loop."""
    rows = await store.fetch(_COUNTED, {"source": source, "from": from_s, "to": to_s})
    return [
        ((str(variant), str(path)), {str(state): int(count) for state, count in states.items()})
        for variant, path, states in rows
    ]
