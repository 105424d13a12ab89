"""Now against the past: which shares are not what they were, and how sure that is.

The measure of surprise is the likelihood ratio of 'both come from one share' against 'each has its own', divided
by how much the share wanders from hour to hour by itself. Surprise alone is not enough: a change has to be
large enough to matter, and seen often enough not to be one odd sender.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import StrEnum
from math import log
from typing import Final

from botwatch.detect.drift.course import HOUR_S, Course
from botwatch.detect.drift.profile import Past, Place, Profile, Share, Stat, has_presence
from botwatch.detect.drift.shape import ROOT, Type

SURPRISE_MIN: Final = 35.0  # about one in a hundred million by chance
_UNHEARD_SURPRISE_MIN: Final = 20.0  # of a value nobody had among few that are known: one in a hundred thousand
_UNHEARD_MIN: Final = 4  # documents
DOCUMENTS_LEARNED_MIN: Final = 60.0
HOURS_LEARNED_MIN: Final = 3.0
CHOICE_HOURS_MIN: Final = 20.0  # values, and what is not always there, have the rhythm of a day: it must have been seen
CHOICE_FILLED_MIN: Final = 150.0
ALWAYS: Final = 0.98
_NEVER: Final = 0.005
_SMALL: Final = 0.02
_BURST: Final = 0.1  # of what it was: who sends a lot for twenty minutes does not keep the others from coming
_COLLAPSED: Final = 0.4
_KEYS_MIN: Final = 2  # that come and go show that keys do
_FOLLOWED: Final = 4.0  # times as frequent as the loss of the other value makes it
_DIGITS: Final = re.compile(r"[0-9a-fA-F]*\d[0-9a-fA-F]*")  # also of what is written in hexadecimal


class What(StrEnum):
    """What happened to a place."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    RARER = "rarer"
    MORE_NULL = "more_null"
    MORE_EMPTY = "more_empty"
    TYPE_CHANGED = "type_changed"
    NESTED = "nested"  # an object took the place of a value
    VALUE_COLLAPSED = "value_collapsed"
    VALUE_NEW = "value_new"
    CRITICAL_MISSING = "critical_missing"  # these of a place that was declared critical, and of all documents
    CRITICAL_NULL = "critical_null"
    CRITICAL_EMPTY = "critical_empty"
    CRITICAL_TYPE = "critical_type"


CRITICAL: Final = (What.CRITICAL_MISSING, What.CRITICAL_NULL, What.CRITICAL_EMPTY, What.CRITICAL_TYPE)


@dataclass(frozen=True, slots=True)
class Change:
    """One share that is not what it was. The counts are as they were taken, the past's faded by age."""

    what: What
    share: Share
    before_count: float
    before_of: float
    now_count: float
    now_of: float
    surprise: float
    moved_to: str = ""  # where it is said instead, where that is what gave it away

    @property
    def path(self) -> str:
        return self.share.path

    @property
    def before(self) -> float:
        return self.before_count / self.before_of if self.before_of else 0.0

    @property
    def now(self) -> float:
        return self.now_count / self.now_of if self.now_of else 0.0


def ready(past: Past) -> bool:
    """Whether enough was seen to speak of a past at all."""
    return past.documents >= DOCUMENTS_LEARNED_MIN and past.hours >= HOURS_LEARNED_MIN


@dataclass(frozen=True, slots=True)
class _Look:
    """What is compared: the past, and what came in a time that ends now, over so many ticks."""

    past: Past
    now: Profile
    window_s: int
    spans: int
    told: Set[Share]

    @property
    def brief(self) -> bool:
        """So short that one who sends a lot for a while may be most of it: what differs by who sends proves nothing."""
        return self.window_s < HOUR_S

    def small(self, share: Share) -> float:
        """What is just as large as matters is not told anew each time it gets so large."""
        return _SMALL / 2 if share in self.told else _SMALL


def compare(past: Past, now: Profile, window_s: int, spans: int, told: Set[Share] = frozenset()) -> list[Change]:
    """What changed, the most surprising first. Of what was `told` lately, less is enough."""
    if not ready(past):
        return []
    look = _Look(past, now, window_s, spans, told)
    found: list[Change] = []
    for path, courses in past.courses.items():
        place = now.places.get(path)
        if place is None:
            found += _missing(look, path, courses.get(Share(path, Stat.PRESENT)))
        else:
            found += _place(look, path, place)
    for path, place in now.places.items():
        if path not in past.courses:
            found += _appeared(look, path, place)
    return sorted(_topmost(found), key=lambda change: -change.surprise)


def _missing(look: _Look, path: str, course: Course | None) -> Iterator[Change]:
    around = look.now.around(path, look.past.parents[path])
    if course is not None and around and has_presence(path):
        yield from _fell(look, What.VANISHED, Share(path, Stat.PRESENT), course, 0, around)


def replaced(past: Past, now: Profile, change: Change, lately: Set[str] = frozenset()) -> bool:
    """Whether a value that is rare now gave way to others that came `lately` or were rare: followed, and not lost."""
    place = now.places.get(change.path)
    if change.what is not What.VALUE_COLLAPSED or place is None or not place.filled:
        return False
    known = past.courses.get(change.path, {})
    come, by_loss = 0.0, 1 / max(0.01, 1 - change.before + change.now)
    for value, count in (place.values or {}).items():
        course, share = known.get(Share(change.path, Stat.VALUE, value)), count / place.filled
        if value in lately or course is None or course.count < 1 or share >= _FOLLOWED * by_loss * course.share:
            come += share
    return come >= 0.5 * (change.before - change.now)


def next_in_series(past: Past, change: Change) -> bool:
    """Whether a new value differs from one that is known only in its digits: versions, weeks, builds."""
    stem = _DIGITS.sub("#", change.share.value)
    return "#" in stem and any(
        share.stat is Stat.VALUE and course.count >= 1 and _DIGITS.sub("#", share.value) == stem
        for share, course in past.courses.get(change.path, {}).items()
    )


def is_known_after(change: Change) -> bool:
    """Whether it is how things are now and then, once it is over: it came and went, or was so at times before."""
    if change.what in (What.VALUE_NEW, What.APPEARED):
        return True
    if change.what is What.VALUE_COLLAPSED:
        return False
    wrong = change.before_of - change.before_count if change.share.stat is Stat.PRESENT else change.before_count
    return wrong > max(1.0, _NEVER * change.before_of)


def _place(look: _Look, path: str, place: Place) -> Iterator[Change]:
    past, courses = look.past, look.past.courses[path]
    for share, count, of in look.now.shares(path):
        if of <= 0 or (share.stat is Stat.VALUE and not is_choice(past, path)):
            continue
        course = courses.get(share) or past.never(share)
        if course.of <= 0:
            continue
        if share.stat is Stat.PRESENT:
            yield from _fell(look, What.RARER, share, course, count, of)
        elif share.stat is Stat.NULL:
            yield from _rose(look, What.MORE_NULL, share, course, count, of)
        elif share.stat is Stat.EMPTY:
            yield from _rose(look, What.MORE_EMPTY, share, course, count, of)
        elif share.stat is Stat.TYPE:
            yield from _rose(look, _kind(past, share), share, course, count, of)
        else:
            yield from _new_value(look, share, course, count, of)
    if place.filled and place.values is not None and is_choice(past, path):
        for share, course in courses.items():
            if share.stat is Stat.VALUE:
                yield from _collapsed(look, share, course, place.values.get(share.value, 0), place.filled)


def _fell(look: _Look, what: What, share: Share, course: Course, count: float, of: float) -> Iterator[Change]:
    before, now = course.share, count / of
    always = before >= ALWAYS
    enough = before - now >= look.small(share) and of - count >= 3 if always else now <= 0.6 * before
    if not always and (look.past.hours < CHOICE_HOURS_MIN or (look.brief and now > _BURST * before)):
        return
    if enough and before >= _SMALL:
        yield from _sure(look, what, share, course, (count, of), steady=always)


def _rose(look: _Look, what: What, share: Share, course: Course, count: float, of: float) -> Iterator[Change]:
    before, now = course.share, count / of
    never = before < max(_NEVER, 2 / (course.of + 1))
    if look.brief and not never:
        return
    if count >= 3 and now - before >= (look.small(share) if never else max(0.1, before)):
        known = course.hours >= CHOICE_HOURS_MIN or _is_always(look.past, share.path)
        yield from _sure(look, what, share, course, (count, of), steady=never and known)


def _is_always(past: Past, path: str) -> bool:
    course = past.courses[path].get(Share(path, Stat.PRESENT))
    return path == ROOT or (course is not None and course.share >= ALWAYS)


def _collapsed(look: _Look, share: Share, course: Course, count: float, of: float) -> Iterator[Change]:
    most = _BURST if look.brief else _COLLAPSED
    if course.share >= _SMALL and count / of <= most * course.share and of - count >= 5:
        yield from _sure(look, What.VALUE_COLLAPSED, share, course, (count, of), steady=False)


def _new_value(look: _Look, share: Share, course: Course, count: float, of: float) -> Iterator[Change]:
    if course.count < 1 and count >= _UNHEARD_MIN and count / of >= _SMALL:
        yield from _sure(look, What.VALUE_NEW, share, course, (count, of), steady=False, least=_UNHEARD_SURPRISE_MIN)


def _appeared(look: _Look, path: str, place: Place) -> Iterator[Change]:
    """A place nobody had: common at once, or not so common but again and again."""
    if not has_presence(path):
        return
    around = look.now.around(path, place.parent)
    parent = look.past.courses.get(place.parent, {}).get(Share(place.parent, Stat.TYPE, Type.OBJECT))
    if parent is None or parent.count < DOCUMENTS_LEARNED_MIN or parent.hours < CHOICE_HOURS_MIN or not around:
        return  # what is inside something new is told by what is around it
    if _is_loose(look.past, place.parent):
        return
    count = place.present - place.loose
    common = count >= 5 and count / around >= 0.1
    again = count >= 15 and count / around >= _SMALL and look.spans >= 6
    if common or again:
        course, counts = Course.never(parent, parent.count), (count, around)
        share = Share(path, Stat.PRESENT)
        yield from _sure(look, What.APPEARED, share, course, counts, steady=count / around >= ALWAYS)


def _is_loose(past: Past, parent: str) -> bool:
    """Whether an object holds several keys of which none is always there: what else may come to it is not known."""
    inside = [path for path, above in past.parents.items() if above == parent != path and has_presence(path)]
    shares = [course.share for path in inside if (course := past.courses[path].get(Share(path, Stat.PRESENT)))]
    return parent != ROOT and len(shares) >= _KEYS_MIN and max(shares) < ALWAYS


def _sure(
    look: _Look,
    what: What,
    share: Share,
    course: Course,
    counts: tuple[float, float],
    *,
    steady: bool,
    least: float = SURPRISE_MIN,
) -> Iterator[Change]:
    """What was always so, or never, needs no days to be known by; what is so now and then does."""
    if course.of < DOCUMENTS_LEARNED_MIN / 2:
        return
    count, of = counts
    surprise = ratio(course.count, course.of, count, of) / course.wandering(of, look.window_s)
    if not steady:
        surprise = course.sure(surprise)
    if surprise >= least:
        yield Change(what, share, course.count, course.of, count, of, surprise)


def _kind(past: Past, share: Share) -> What:
    """Text, a number or a truth that became an object is nested; anything else changed its type."""
    scalar = any(
        other.stat is Stat.TYPE and other.value in (Type.STRING, Type.NUMBER, Type.BOOL) and course.share > 0.5
        for other, course in past.courses[share.path].items()
    )
    return What.NESTED if scalar and share.value == Type.OBJECT else What.TYPE_CHANGED


def is_choice(past: Past, path: str) -> bool:
    """Few values, all of them known for long: one that is seldom new."""
    if path in past.free:
        return False
    courses = [course for share, course in past.courses[path].items() if share.stat is Stat.VALUE]
    filled = past.courses[path].get(Share(path, Stat.EMPTY))
    if not courses or filled is None or filled.of < CHOICE_FILLED_MIN or filled.hours < CHOICE_HOURS_MIN:
        return False
    once = sum(course.count < 1.5 for course in courses)
    return once / filled.of < _NEVER / 2 and once <= len(courses) / 4


def _topmost(changes: list[Change]) -> Iterator[Change]:
    """A place inside one that vanished or appeared says nothing new."""
    tops = {change.path for change in changes if change.what in (What.VANISHED, What.APPEARED, What.NESTED)}
    for change in changes:
        above = _above(change.path)
        if not any(path in tops for path in above):
            yield change


def _above(path: str) -> Iterator[str]:
    for end, char in enumerate(path):
        if char in ".[" and path[:end]:
            yield path[:end]


def ratio(count: float, of: float, count2: float, of2: float) -> float:
    """Twice the logarithm of how much better two shares explain the counts than one."""
    together = likelihood(count + count2, of + of2)
    return max(0.0, 2 * (likelihood(count, of) + likelihood(count2, of2) - together))


def ends(change: Change, count: float, of: float) -> float:
    """Twice the logarithm of how much better counts fit the share as it was before than as it has become."""
    before = Course(change.before_count, change.before_of).share
    now = Course(change.now_count, change.now_of).share
    if max(before, now) >= 1:
        return 0.0  # names that are folded into one can be there twice
    return 2 * (count * log(before / now) + (of - count) * log((1 - before) / (1 - now)))


def likelihood(count: float, of: float) -> float:
    """The logarithm of how likely counts are by the share that explains them best."""
    rest = of - count
    return (count * log(count / of) if count > 0 else 0.0) + (rest * log(rest / of) if rest > 0 else 0.0)
