"""One source as it is watched: what it has looked like, what it looks like now, and where the two part.

Time is passed in and only moves forward: the same code follows a live source and replays a stored one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from botwatch import limits
from botwatch.detect.drift import maps
from botwatch.detect.drift.arrivals import TURNS, Arrivals, came_before
from botwatch.detect.drift.bursts import lasts
from botwatch.detect.drift.compare import (
    Change,
    What,
    compare,
    ends,
    is_choice,
    is_known_after,
    next_in_series,
    replaced,
)
from botwatch.detect.drift.holds import Holds
from botwatch.detect.drift.kinds import DOCUMENTS_MIN, REST, Kinds, choose
from botwatch.detect.drift.moved import moved
from botwatch.detect.drift.profile import Past, Profile, Share, Stat
from botwatch.detect.drift.shape import Seen, Type, inside

TICK_S: Final = 300
HOUR_S: Final = 3_600
KIND: Final = "(kind)"  # the place that stands for which kinds come
EVERY: Final = ""  # the variant that holds it
# The kinds are chosen when a day has been seen, or much of one.
_CHOOSE_AFTER: Final = ((24 * HOUR_S, DOCUMENTS_MIN), (6 * HOUR_S, 500))
_MAPS_EVERY_HOURS: Final = 6
_BUSY_KEYS_MIN: Final = 3
_NOW_AND_THEN: Final = 5
_CAME: Final = (What.APPEARED, What.VALUE_NEW)
_KNOWN_S_MAX: Final = 2 * 24 * HOUR_S  # what came and went is learned by then
_KIND_KEPT_S: Final = 14 * 24 * HOUR_S
_OVER: Final = 10.0  # about one in a hundred and fifty by chance

# How far back a look goes: a clear change shows within minutes, a faint one needs a day of documents.
WINDOWS_S: Final = (2 * TICK_S, HOUR_S, 6 * HOUR_S, 24 * HOUR_S)

Profiles = dict[str, Profile]  # by variant


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of one variant, over a window that ends now."""

    variant: str
    change: Change
    window_s: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A share that went from one value to another, which was said to be right; it is learned anew from then on."""

    before: float
    now: float
    since_s: int

    def covers(self, share: float) -> bool:
        """Whether a share is between the two, or about there; one that went clearly further is a new change."""
        room = max(0.02, 0.5 * abs(self.now - self.before))
        return min(self.before, self.now) - room <= share <= max(self.before, self.now) + room


@dataclass(slots=True)
class Source:
    """`accepted` holds what people said is the new normal, as the share that each change has become."""

    name: str
    kinds: Kinds | None = None
    accepted: dict[tuple[str, Share], Accepted] = field(default_factory=dict)
    pasts: dict[str, Past] = field(default_factory=dict)  # older than a day
    hours: deque[tuple[int, Profiles]] = field(default_factory=deque)  # the last day's, each over
    ticks: deque[tuple[int, Profiles]] = field(default_factory=deque)  # of this hour and the one before
    waiting: deque[tuple[int, Sequence[Seen]]] = field(default_factory=deque)  # before the kinds are known
    _every: int = 1  # of so many documents one is kept while the kinds are not known
    _turn: int = 0
    # Where new values came before, and when: one that gets them now and then has no value whose coming is news.
    turned: dict[str, dict[str, int]] = field(default_factory=dict)
    told: dict[Share, int] = field(default_factory=dict)  # when each was told last
    over: frozenset[tuple[str, Share]] = frozenset()  # what the last look found to be as it was before, by its variant
    went: dict[Share, int] = field(default_factory=dict)  # what had come, was told, and has gone again: no news since
    maps: set[str] = field(default_factory=set)  # objects whose keys are data
    arrivals: Arrivals = field(default_factory=Arrivals)
    holds: Holds = field(default_factory=Holds)
    _came: dict[str, int] = field(default_factory=dict)  # the kinds that are told apart, and when each came last
    _speaker: dict[Share, str] = field(default_factory=dict)  # of which kind a new value is told
    _pasts: dict[tuple[str, int], Past] = field(default_factory=dict)  # as of an hour
    _merged: dict[int, Profiles] = field(default_factory=dict)  # whole hours from one on; anew each hour

    def observe(self, at_s: int, document: Sequence[Seen]) -> None:
        """A document that came. One older than the last hour is counted to the oldest tick there is."""
        if self.kinds is not None:
            self._count(at_s, document)
            return
        self._turn += 1
        if self._turn % self._every:
            return
        self.waiting.append((at_s, document))
        span_s = at_s - self.waiting[0][0]
        if any(span_s >= after_s and len(self.waiting) >= least for after_s, least in _CHOOSE_AFTER):
            self._begin()
        elif len(self.waiting) >= limits.DRIFT_DOCUMENTS_KEPT_MAX:
            self._every *= 2
            self.waiting = deque(list(self.waiting)[::2])

    def _begin(self) -> None:
        self.kinds = choose([document for _, document in self.waiting])
        waiting, self.waiting = self.waiting, deque()
        for at_s, document in sorted(waiting, key=lambda item: item[0]):
            self._count(at_s, document)
        self._find_maps()

    def _find_maps(self, busy: Collection[str] = ()) -> bool:
        """Objects that prove to be keyed by data. What was counted key by key is counted together."""
        new = maps.found(merged([profiles for _, profiles in (*self.hours, *self.ticks)]).values(), busy) - self.maps
        if not new:
            return False
        self.maps |= new
        for counted in (self.hours, self.ticks):
            for place, (at_s, profiles) in enumerate(counted):
                counted[place] = at_s, {name: maps.fold_profile(one, self.maps) for name, one in profiles.items()}
        for past in self.pasts.values():
            past.forget({path for path in past.courses if maps.fold(path, self.maps) != path})
        self._pasts, self._merged = {}, {}
        self.holds.forget()
        self._find_maps()  # one may be inside another
        return True

    def _count(self, at_s: int, document: Sequence[Seen]) -> None:
        self._advance(at_s)
        _, profiles = self._tick(at_s)
        variant = self.kind(document)
        document = maps.folded(document, self.maps) if self.maps else document
        if variant not in self._came and len(self._came) >= limits.DRIFT_VARIANTS_PER_SOURCE_MAX:
            variant = REST
        self._came[variant] = at_s
        profiles.setdefault(variant, Profile()).add(document)
        profiles.setdefault(EVERY, Profile()).add(
            (Seen("", "", Type.OBJECT), Seen("", KIND, Type.STRING, value=variant[: limits.DRIFT_VALUE_CHARS_MAX]))
        )

    def _forget_kinds(self, now_s: int) -> None:
        """Those that did not come for long: who says that a field holds the kind may have named one of ids."""
        for variant in [name for name, at_s in self._came.items() if now_s - at_s > _KIND_KEPT_S]:
            del self._came[variant]
            self.pasts.pop(variant, None)

    def kept_since(self, start_s: int) -> list[tuple[int, Profiles]]:
        """The hours that are still at hand, from the one on that this moment is in; the last is not over."""
        by_hour: dict[int, list[Profiles]] = {}
        for at_s, profiles in (*self.hours, *self.ticks):
            if at_s - at_s % HOUR_S >= start_s - start_s % HOUR_S:
                by_hour.setdefault(at_s - at_s % HOUR_S, []).append(profiles)
        return [(hour_s, merged(parts)) for hour_s, parts in sorted(by_hour.items())]

    def restore(self, hour_s: int, profiles: Profiles) -> None:
        """An hour as it was kept, older than all that is known already."""
        self.hours.append((hour_s, profiles))
        self._came |= dict.fromkeys(profiles.keys() - {EVERY}, hour_s)
        self._merged = {}
        self.arrivals.note(hour_s, profiles)

    def accept(self, variant: str, change: Change, at_s: int, moved_to: str = "") -> None:
        """With a place that is gone, the one that has come instead is right as well, and what is around that."""
        self.accepted[variant, change.share] = Accepted(change.before, change.now, at_s)
        for path in inside(moved_to) if moved_to else ():
            self.accepted[variant, Share(path, Stat.PRESENT)] = Accepted(0.0, 1.0 - change.now, at_s)
        self.holds.drop((variant, change.path))
        self._pasts.clear()

    def choices(self, variant: str, now_s: int) -> dict[str, bool]:
        """The places whose values are one of a few."""
        past = self._before(variant, now_s)
        return {path: is_choice(past, path) for path in past.courses}

    def kind(self, document: Sequence[Seen]) -> str:
        return (self.kinds or Kinds()).of(document)

    def _tick(self, at_s: int) -> tuple[int, Profiles]:
        tick_s = at_s - at_s % TICK_S
        for found in reversed(self.ticks):
            if found[0] <= tick_s:
                return found
        return self.ticks[0]

    def _advance(self, at_s: int) -> None:
        """Open the tick of this moment; hours that are over leave the ticks, days that are over are learned."""
        tick_s = at_s - at_s % TICK_S
        if self.ticks and tick_s <= self.ticks[-1][0]:
            return
        self.ticks.append((tick_s, {}))
        while self.ticks[0][0] < tick_s - tick_s % HOUR_S - HOUR_S:
            hour_s = self.ticks[0][0] - self.ticks[0][0] % HOUR_S
            over = [self.ticks.popleft()[1] for _ in range(len(self.ticks)) if self.ticks[0][0] < hour_s + HOUR_S]
            self.hours.append((hour_s, merged(over)))
            self._merged = {}
            self.arrivals.note(*self.hours[-1])
            # What the next look goes on from. Of later hours one more document may have come since.
            bases = {hour_s + HOUR_S - window_s for window_s in WINDOWS_S[1:]}
            self._pasts = {key: past for key, past in self._pasts.items() if key[1] in bases}
            self._forget_kinds(hour_s)
            if hour_s // HOUR_S % _MAPS_EVERY_HOURS == 0:
                self._find_maps()
        while self.hours and self.hours[0][0] < tick_s - WINDOWS_S[-1] - HOUR_S:
            self._learn(*self.hours.popleft())

    def _learn(self, hour_s: int, hour: Profiles) -> None:
        """What drifts is not learned while it does: else it would be normal by tomorrow."""
        for variant, profile in hour.items():
            self._add(self.pasts.setdefault(variant, Past()), variant, hour_s, profile)

    def _add(self, past: Past, variant: str, hour_s: int, hour: Profile) -> None:
        for (owner, share), known in self.accepted.items():
            if owner == variant and known.since_s - HOUR_S <= hour_s < known.since_s:
                past.begin_anew(share)
        past.learn(hour, hour_s, self.holds.at(variant, hour_s))

    def judge(self, now_s: int) -> list[Drift]:
        """What is not as it was, each place once, by the shortest window that shows it."""
        if self.kinds is None:
            return []
        self._advance(now_s)
        found: dict[tuple[str, str, str], Drift] = {}
        over: list[Drift] = []
        shorter: list[tuple[int, Profiles]] = []
        for window_s, profiles in self._looks(now_s):
            for variant, profile in profiles.items():
                past = self._before(variant, now_s - window_s)
                pieces = self.pieces(variant, now_s - window_s)
                for change in (
                    *compare(past, profile, window_s, len(pieces), self.told.keys()),
                    *moved(past, profile, window_s),
                ):
                    if self._is_news(variant, change, past, profile, now_s) and (
                        window_s < HOUR_S or lasts(change, past.parent(change.path), pieces)
                    ):
                        drift = Drift(variant, change, window_s)
                        if is_over(drift, past, shorter, was=(variant, change.share) in self.over):
                            over.append(drift)
                        else:
                            found.setdefault((variant, change.path, change.share.value), drift)
            shorter.append((window_s, profiles))
        busy = _busy(found.values())
        if busy and self._find_maps(busy):
            return self.judge(now_s)
        self._hold(now_s, found.values())
        self._let_go(now_s, over, found.values())
        told = sorted(self._once(now_s, found.values()), key=lambda drift: -drift.change.surprise)
        self.told |= {drift.change.share: now_s for drift in told}
        return told

    def _let_go(self, now_s: int, over: Iterable[Drift], found: Iterable[Drift]) -> None:
        going_on = {(drift.variant, drift.change.share) for drift in found}
        self.over = frozenset((drift.variant, drift.change.share) for drift in over) - going_on
        ended = {drift.change.share for drift in over if drift.change.what in _CAME} - {share for _, share in going_on}
        self.went |= dict.fromkeys(ended & self.told.keys(), now_s)
        self.told, self.went = _lately(self.told, now_s), _lately(self.went, now_s)

    def _is_news(self, variant: str, change: Change, past: Past, now: Profile, now_s: int) -> bool:
        known = self.accepted.get((variant, change.share))
        if known is not None and known.covers(change.now):
            return False
        if change.what in _CAME and change.share in self.went:
            return False
        if change.what is What.VALUE_NEW:
            others = dict(self.turned.get(change.path, {}))
            often = came_before(others.values(), others.pop(change.share.value, now_s)) >= TURNS
            usual = often or self.arrivals.usual(variant, change.path, change.share.value, now_s)
            return not usual and not next_in_series(past, change)
        if change.what is What.APPEARED:
            usual = self.arrivals.usual_place(variant, now.places[change.path].parent, change.path, now_s)
            return not usual and not self._known_elsewhere(variant, change.path, now_s - WINDOWS_S[-1])
        if change.moved_to and self._known_elsewhere(variant, change.moved_to, now_s - WINDOWS_S[-1]):
            return False
        return not replaced(past, now, change, self.arrivals.lately(variant, change.path, now_s))

    def _known_elsewhere(self, variant: str, path: str, until_s: int) -> bool:
        """Whether a place that is new in one kind of documents comes now and then in others."""
        others = (self._before(name, until_s) for name in self.pasts.keys() - {variant})
        courses = (past.courses.get(path, {}).get(Share(path, Stat.PRESENT)) for past in others)
        return any(course is not None and course.count >= _NOW_AND_THEN and course.share < 0.98 for course in courses)

    def _once(self, now_s: int, drifts: Iterable[Drift]) -> Iterator[Drift]:
        """What changes in several kinds of documents at once is told of one of them, and goes on being so."""
        speaks: dict[Share, Drift] = {}
        for drift in sorted(drifts, key=lambda drift: -drift.change.surprise):
            share, speaker = drift.change.share, self._speaker.get(drift.change.share)
            if drift.change.what in _CAME and speaker not in (None, drift.variant):
                continue  # that it comes there as well follows
            first = share not in speaks or speaker == drift.variant
            if first and not self._accepted_elsewhere(drift):
                speaks[share] = drift
        for share, drift in speaks.items():
            if drift.change.what is What.VALUE_NEW:
                self.turned.setdefault(share.path, {}).setdefault(share.value, now_s)
            yield drift
        known = {share: variant for share, variant in self._speaker.items() if share in self.told}
        self._speaker = known | {share: drift.variant for share, drift in speaks.items()}

    def _accepted_elsewhere(self, drift: Drift) -> bool:
        change = drift.change
        return any(
            owner != drift.variant
            and share == change.share
            and (change.what is What.VALUE_NEW or known.covers(change.now))
            for (owner, share), known in self.accepted.items()
        )

    def _hold(self, now_s: int, found: Iterable[Drift]) -> None:
        changed = self.holds.look(
            now_s,
            [((one.variant, one.change.path), now_s - one.window_s, not is_known_after(one.change)) for one in found],
        )
        self._pasts = {key: past for key, past in self._pasts.items() if key[0] not in changed}

    def _looks(self, now_s: int) -> Iterator[tuple[int, Profiles]]:
        """What came in each window. A longer one holds the shorter ones: what they have in common is counted once."""
        ticks, lately = list(self.ticks), Profiles()
        for window_s in WINDOWS_S:
            start_s, more = now_s - window_s, list[Profiles]()
            while ticks and ticks[-1][0] + TICK_S > start_s:
                more.append(ticks.pop()[1])
            lately = merged([lately, *more])
            first_s = start_s + -start_s % HOUR_S
            if first_s not in self._merged:
                self._merged[first_s] = merged([profiles for at_s, profiles in self.hours if at_s >= first_s])
            yield window_s, merged([self._merged[first_s], lately]) if self._merged[first_s] else lately

    def _before(self, variant: str, until_s: int) -> Past:
        """What was learned, with the hours of the last day that were over by then."""
        key = variant, until_s - until_s % HOUR_S
        past = self._pasts.get(key)
        if past is None:
            from_s = max((at_s for name, at_s in self._pasts if name == variant and at_s < key[1]), default=0)
            known = self._pasts[variant, from_s] if from_s else self.pasts.get(variant)
            past = self._pasts[key] = known.copy() if known else Past()
            for hour_s, profile in self._whole_hours(variant):
                if from_s <= hour_s <= key[1] - HOUR_S:
                    self._add(past, variant, hour_s, profile)
        return past

    def _whole_hours(self, variant: str) -> Iterator[tuple[int, Profile]]:
        """The last day's hours, and those whose ticks are still kept."""
        yield from ((hour_s, profiles[variant]) for hour_s, profiles in self.hours if variant in profiles)
        by_hour: dict[int, list[Profiles]] = {}
        for at_s, profiles in self.ticks:
            if variant in profiles:
                by_hour.setdefault(at_s - at_s % HOUR_S, []).append({variant: profiles[variant]})
        for hour_s, ticks in by_hour.items():
            if hour_s + HOUR_S <= self.ticks[-1][0]:
                yield hour_s, merged(ticks)[variant]

    def pieces(self, variant: str, start_s: int) -> list[tuple[int, Profile]]:
        both = (*self.hours, *self.ticks)
        return [(at_s, profiles[variant]) for at_s, profiles in both if at_s >= start_s and variant in profiles]


def _lately(known: Mapping[Share, int], now_s: int) -> dict[Share, int]:
    return {share: at_s for share, at_s in known.items() if now_s - at_s < _KNOWN_S_MAX}


def is_over(drift: Drift, past: Past, shorter: Iterable[tuple[int, Profiles]], *, was: bool) -> bool:
    """Whether what came lately is as it was before, and not as in all of this window; if it `was`, less proves it."""
    change, proof = drift.change, 0.0
    course = past.courses.get(change.path, {}).get(change.share) or past.never(change.share)
    for window_s, profiles in shorter:
        profile = profiles.get(drift.variant, Profile())
        count, of = profile.count(change.share, past.parent(change.path))
        proof = ends(change, count, of) / course.wandering(of, window_s)
        if proof >= _OVER:
            return True
    return was and proof > 0


def _busy(drifts: Iterable[Drift]) -> set[str]:
    """The objects of which several keys came or went at once."""
    whats = (What.APPEARED, What.VANISHED, What.RARER)
    places = {drift.change.path for drift in drifts if drift.change.what in whats}
    parents = Counter(path.rpartition(".")[0] for path in places)
    return {parent for parent, count in parents.items() if count >= _BUSY_KEYS_MIN}


def merged(parts: Sequence[Mapping[str, Profile]]) -> Profiles:
    out: Profiles = {}
    for part in parts:
        for variant, profile in part.items():
            out.setdefault(variant, Profile()).merge(profile)
    return out
