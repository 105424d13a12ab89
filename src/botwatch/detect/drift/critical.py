"""Places that were declared critical: every document is counted, and one that lacks what it should have is enough.

The rest of drift looks at a sample and speaks of shares that matter. Here it is told what matters: a place that was
never empty among thousands must not be so once. Where it was now and then, it has to be so clearly more often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from botwatch.detect.drift.compare import Change, What, ratio
from botwatch.detect.drift.course import Course
from botwatch.detect.drift.profile import Share, Stat
from botwatch.detect.drift.shape import Type
from botwatch.detect.drift.source import HOUR_S, TICK_S, WINDOWS_S, Drift

MISSING: Final = "missing"
NULL: Final = "null"
EMPTY: Final = "empty"
_SURPRISE_MIN: Final = 12.0  # about one in two thousand by chance
_SPOTLESS_OF_MIN: Final = 300.0  # so many documents without a fault, and one is news
_FEW_S: Final = HOUR_S  # one or two are told within; of a longer time it takes more
_USUALLY: Final = 0.1  # what lacks a place more often than this, and has no past, may always have done so
_HELD_S_MAX: Final = 7 * 24 * HOUR_S  # after a week, a change is how things are

Place = tuple[str, str]  # variant and path
States = Mapping[str, int]  # of documents: missing, null, empty, or the type of what stands there
Key = tuple[str, Share]


@dataclass(slots=True)
class Critical:
    """The critical places of one source. Time is passed in and only moves forward."""

    ticks: dict[int, dict[Place, Counter[str]]] = field(default_factory=dict)  # the last day's
    pasts: dict[Key, Course] = field(default_factory=dict)  # faults of documents older than that
    accepted: dict[Key, int] = field(default_factory=dict)  # and since when
    _faulty: dict[int, set[Place]] = field(default_factory=dict)  # hours of the last day in which they drifted
    _since: dict[Place, int] = field(default_factory=dict)

    def count(self, tick_s: int, place: Place, states: States) -> None:
        tick = tick_s - tick_s % TICK_S
        self.ticks.setdefault(tick, {}).setdefault(place, Counter()).update(states)

    def take(self, counted: Iterable[tuple[int, Place, States]]) -> None:
        """What was counted of a longer time, judged hour by hour as it went on."""
        judged_s = 0
        for tick_s, place, states in sorted(counted, key=lambda item: item[0]):
            hour_s = tick_s - tick_s % HOUR_S
            if judged_s and hour_s > judged_s:
                self.judge(hour_s)
            judged_s = max(judged_s, hour_s)
            self.count(tick_s, place, states)

    def judge(self, now_s: int) -> list[Drift]:
        """What went wrong, each fault once, by the shortest time that shows it."""
        self._learn(now_s)
        found: dict[Key, Drift] = {}
        for window_s in WINDOWS_S:
            for place, states in self._counted(now_s - window_s, now_s).items():
                for change in self._compare(place, states, now_s - window_s, window_s):
                    found.setdefault((place[0], change.share), Drift(place[0], change, window_s))
        self._hold(now_s, found.values())
        return sorted(found.values(), key=lambda drift: -drift.change.surprise)

    def accept(self, variant: str, change: Change, at_s: int) -> None:
        """From now on it is as it has become."""
        key = variant, change.share
        count, of = _faults(change)
        self.pasts[key] = Course(count, of, count * count / of if of else 0.0, 1.0)
        self.accepted[key] = at_s
        self._since.pop((variant, change.path), None)

    def begun(self, now_s: int, drift: Drift) -> int:
        """When the first tick of the drift began."""
        place, share = (drift.variant, drift.change.path), drift.change.share
        for tick in sorted(self.ticks):
            if tick + TICK_S > now_s - drift.window_s and any(
                share == fault and count for fault, count, _ in faults(place[1], self.ticks[tick].get(place, Counter()))
            ):
                return tick
        return now_s - drift.window_s

    def _compare(self, place: Place, states: Counter[str], start_s: int, window_s: int) -> Iterator[Change]:
        for share, count, of in faults(place[1], states):
            if count and (window_s <= _FEW_S or count >= 3):
                past = self._past(place, share, start_s)
                known = past.of >= _SPOTLESS_OF_MIN or (place[0], share) in self.accepted
                surprise = _surprise(past, count, of) if known else _unknown(count, of, window_s)
                if surprise is not None:
                    yield _change(share, past, count, of, surprise)

    def _past(self, place: Place, share: Share, until_s: int) -> Course:
        """What was learned, with the hours of the last day that were over by then and in which all was well."""
        key = place[0], share
        past = replace(self.pasts.get(key) or self._never(key))
        for hour_s, states in self._hours(place, until_s):
            if place not in self._faulty.get(hour_s, ()) and hour_s >= self.accepted.get(key, 0):
                _add(past, share, place[1], states)
        return past

    def _never(self, key: Key) -> Course:
        """Of a type that has not come yet: out of how many it was not."""
        variant, share = key
        seen = self.pasts.get((variant, Share(share.path, Stat.EMPTY)))
        return Course(0.0, seen.of, 0.0, seen.hours) if seen and share.stat is Stat.TYPE else Course()

    def _hours(self, place: Place, until_s: int) -> Iterator[tuple[int, Counter[str]]]:
        hours: dict[int, Counter[str]] = {}
        for tick, places in self.ticks.items():
            hour_s = tick - tick % HOUR_S
            if place in places and hour_s + HOUR_S <= until_s:
                hours.setdefault(hour_s, Counter()).update(places[place])
        yield from hours.items()

    def _counted(self, start_s: int, end_s: int) -> dict[Place, Counter[str]]:
        counted: dict[Place, Counter[str]] = {}
        for tick, places in self.ticks.items():
            if tick + TICK_S > start_s and tick <= end_s:
                for place, states in places.items():
                    counted.setdefault(place, Counter()).update(states)
        return counted

    def _learn(self, now_s: int) -> None:
        """Hours that left the last day, but those in which something was wrong: they would be normal by tomorrow."""
        over_s = now_s - now_s % HOUR_S - WINDOWS_S[-1] - HOUR_S
        hours: dict[tuple[int, Place], Counter[str]] = {}
        for tick in sorted(tick for tick in self.ticks if tick < over_s):
            for place, states in self.ticks.pop(tick).items():
                hours.setdefault((tick - tick % HOUR_S, place), Counter()).update(states)
        for (hour_s, place), states in hours.items():
            if place not in self._faulty.get(hour_s, ()):
                self._add_all(place, hour_s, states)
        self._faulty = {hour_s: places for hour_s, places in self._faulty.items() if hour_s >= over_s}

    def _add_all(self, place: Place, hour_s: int, states: Counter[str]) -> None:
        variant, path = place
        known = {share for owner, share in self.pasts if owner == variant and share.path == path}
        for share in known | {fault for fault, _, _ in faults(path, states)}:
            key = variant, share
            past = self.pasts.get(key)
            if past is None:
                past = self.pasts[key] = self._never(key)
            if hour_s >= self.accepted.get(key, 0):
                _add(past, share, path, states)

    def _hold(self, now_s: int, drifts: Iterable[Drift]) -> None:
        since = {
            (drift.variant, drift.change.path): now_s - drift.window_s
            for drift in drifts
            if drift.change.before_of >= _SPOTLESS_OF_MIN  # what has no past is learned: it may always have been so
        }
        self._since = {place: min(self._since.get(place, at_s), at_s) for place, at_s in since.items()}
        for place, at_s in self._since.items():
            for hour_s in range(at_s - at_s % HOUR_S, now_s + 1, HOUR_S):
                if now_s - at_s <= _HELD_S_MAX:
                    self._faulty.setdefault(hour_s, set()).add(place)


def faults(path: str, states: States) -> Iterator[tuple[Share, int, int]]:
    """Each way in which a place can be wrong, how many documents were, and out of how many."""
    total = sum(states.values())
    present = total - states.get(MISSING, 0)
    filled = present - states.get(NULL, 0)
    if total:
        yield Share(path, Stat.PRESENT), states.get(MISSING, 0), total
    if present:
        yield Share(path, Stat.NULL), states.get(NULL, 0), present
    if filled:
        yield Share(path, Stat.EMPTY), states.get(EMPTY, 0), filled
    typed = filled - states.get(EMPTY, 0)
    for kind in Type:
        if kind is not Type.NULL and states.get(kind, 0):
            yield Share(path, Stat.TYPE, kind), states[kind], typed


def _add(past: Course, share: Share, path: str, states: Counter[str]) -> None:
    of = next((of for fault, _, of in faults(path, states) if fault.stat is share.stat), 0)
    if of:
        past.add(next((count for fault, count, _ in faults(path, states) if fault == share), 0), of)


def _unknown(count: float, of: float, window_s: int) -> float | None:
    """Without a past: told where the place is usually there, as whoever called it critical says that it has to be."""
    enough = window_s <= _FEW_S and of >= _SPOTLESS_OF_MIN / 3
    return _SURPRISE_MIN if enough and count <= _USUALLY * of else None


def _surprise(past: Course, count: float, of: float) -> float | None:
    """How surely it is worse than it was; None: not so surely that it is told."""
    surprise = ratio(past.count, past.of, count, of) / past.wandering(of, HOUR_S)
    if past.count < 0.5:
        return max(surprise, _SURPRISE_MIN)
    worse = count >= 3 and count / of >= 1.5 * past.count / past.of
    return surprise if worse and surprise >= _SURPRISE_MIN else None


_WHAT: Final = {
    Stat.PRESENT: What.CRITICAL_MISSING,
    Stat.NULL: What.CRITICAL_NULL,
    Stat.EMPTY: What.CRITICAL_EMPTY,
    Stat.TYPE: What.CRITICAL_TYPE,
}


def _change(share: Share, past: Course, count: float, of: float, surprise: float) -> Change:
    """Told as drift tells: of presence, how many have it."""
    what = _WHAT[share.stat]
    if share.stat is Stat.PRESENT:
        return Change(what, share, past.of - past.count, past.of, of - count, of, surprise)
    return Change(what, share, past.count, past.of, count, of, surprise)


def _faults(change: Change) -> tuple[float, float]:
    count = change.now_of - change.now_count if change.share.stat is Stat.PRESENT else change.now_count
    return count, change.now_of
