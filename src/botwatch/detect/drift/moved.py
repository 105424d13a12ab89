"""A value that is said in another place than before: the one change that few documents prove.

What was always there is missing in just as many documents as something nobody had has come. Either alone may be one
odd document; that both happen by chance in as many is as unlikely as both together, so their surprises add up. Where
the new place says a word the old one is known for, as `billing`, a single document can be enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from math import log
from typing import Final

from botwatch.detect.drift.compare import ALWAYS, CHOICE_HOURS_MIN, SURPRISE_MIN, Change, What, is_choice, ratio
from botwatch.detect.drift.course import Course
from botwatch.detect.drift.profile import Past, Place, Profile, Share, Stat, has_presence
from botwatch.detect.drift.shape import Type, inside

_DOCUMENTS_MIN: Final = 2  # unless the new place says what the old one said
_SHARE_MIN: Final = 0.005
_SAME_WORD: Final = 2 * log(1_000)  # of a thousand places that come as another goes, one says its word by accident
_VALUES: Final = (Type.STRING, Type.NUMBER, Type.BOOL)


def moved(past: Past, now: Profile, window_s: int) -> Iterator[Change]:
    """The places that came down from always because what they said is said elsewhere."""
    if past.hours < CHOICE_HOURS_MIN:
        return
    come = _come(past, now)
    for count, paths in _lost(past, now, come).items():
        # Documents that lack more than they bring are of another sort: nothing moved in them.
        if len(paths) <= len(come[count]):
            for path in paths:
                yield from _left(past, now, window_s, path, count, come[count])


def _lost(past: Past, now: Profile, counts: Collection[float]) -> dict[float, list[str]]:
    """The places that were always there and are missing in one of these counts of documents."""
    found: dict[float, list[str]] = defaultdict(list)
    if not counts:
        return found
    for path, courses in past.courses.items():
        course = courses.get(Share(path, Stat.PRESENT))
        if course is not None and course.share >= ALWAYS and has_presence(path):
            around, place = now.around(path, past.parents[path]), now.places.get(path)
            lacking = around - (place.present if place is not None else 0.0)
            if lacking >= max(1.0, _SHARE_MIN * around) and lacking in counts:
                found[lacking].append(path)
    return found


def _left(past: Past, now: Profile, window_s: int, path: str, lacking: float, come: Sequence[str]) -> Iterator[Change]:
    share = Share(path, Stat.PRESENT)
    course, around = past.courses[path][share], now.around(path, past.parents[path])
    present = around - lacking
    surprise = ratio(course.count, course.of, present, around) / course.wandering(around, window_s)
    to, more, word = max(
        ((to, _surprise(past, now, to, window_s), _said(past, path, now.places[to])) for to in come),
        key=lambda found: (found[2], found[1], found[0]),
    )
    if surprise + more + word >= SURPRISE_MIN and (lacking >= _DOCUMENTS_MIN or word):
        what = What.RARER if present else What.VANISHED
        yield Change(what, share, course.count, course.of, present, around, surprise + more + word, to)


def _come(past: Past, now: Profile) -> dict[float, list[str]]:
    """The places with values that nobody had, by how many documents have them."""
    found: dict[float, list[str]] = defaultdict(list)
    for path, place in now.places.items():
        if path not in past.courses and not place.loose and all(map(has_presence, inside(path))):
            count = sum(place.types.get(kind, 0) for kind in _VALUES)
            outermost = now.places.get(_outermost(past, path))
            if count and outermost is not None and count == outermost.present:
                found[count].append(path)
    return found


def _outermost(past: Past, path: str) -> str:
    """The first on the way to a new place that is new."""
    return next(above for above in sorted(inside(path), key=len) if above not in past.courses)


def _surprise(past: Past, now: Profile, path: str, window_s: int) -> float:
    top = _outermost(past, path)
    parent = now.places[top].parent
    known = past.courses.get(parent, {}).get(Share(parent, Stat.TYPE, Type.OBJECT))
    if known is None:
        return 0.0
    never, around = Course.never(known, known.count), now.around(top, parent)
    return ratio(never.count, never.of, now.places[top].present, around) / never.wandering(around, window_s)


def _said(past: Past, path: str, come: Place) -> float:
    """What it adds that all that the new place says are words of the old one."""
    if not come.values or not is_choice(past, path):
        return 0.0
    courses = past.courses[path]
    words = (courses.get(Share(path, Stat.VALUE, value)) for value in come.values if not _is_plain(value))
    known = [course is not None and course.count >= 1 for course in words]
    return _SAME_WORD if len(known) == len(come.values) and all(known) else 0.0


def _is_plain(value: str) -> bool:
    """Numbers and truths are said everywhere."""
    return value in ("true", "false") or not any(char.isalpha() for char in value)
