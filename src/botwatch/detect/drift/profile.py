"""Counting shapes: a profile of some time, and the past that is learned from many of them.

Everything drift looks at is a share: of the objects that could have had a place, how many had it; of those
that had it, how many were null; of the rest, how many were text, and how many of them said `billing`. A
profile holds the counts. The past holds, for each share, what is needed to say how far it wanders from hour
to hour by itself, so that what is only the rhythm of a day is not taken for a change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from botwatch import limits
from botwatch.detect.drift.course import SCALES_S, Course
from botwatch.detect.drift.shape import ROOT, Seen, Type, inside

HALF_LIFE_HOURS: Final = 7 * 24
_DECAY: Final = 0.5 ** (1 / HALF_LIFE_HOURS)
_FORGOTTEN: Final = 0.05  # a value whose weight has decayed below this is let go


class Stat(StrEnum):
    """What share of a place is counted."""

    PRESENT = "present"  # of the objects around it
    NULL = "null"  # of those present
    EMPTY = "empty"  # of those not null
    TYPE = "type"  # of those not null
    VALUE = "value"  # of those not null


class Share(NamedTuple):
    """Names one share: of which place, of what kind, and for a type or a value, which."""

    path: str
    stat: Stat
    value: str = ""


@dataclass(slots=True)
class Place:
    """The counts of one place. `values` is None where there were too many to be a choice."""

    parent: str
    types: dict[Type, float] = field(default_factory=dict)
    empty: float = 0
    values: dict[str, float] | None = field(default_factory=dict)
    loose: float = 0  # of those present, in objects that were not gone through to their end

    @property
    def present(self) -> float:
        return sum(self.types.values())

    @property
    def filled(self) -> float:
        return self.present - self.types.get(Type.NULL, 0)

    def add(self, seen: Seen) -> None:
        self.types[seen.type] = self.types.get(seen.type, 0) + 1
        self.empty += seen.empty
        self.loose += seen.loose
        if seen.value is not None and self.values is not None:
            self.values[seen.value] = self.values.get(seen.value, 0) + 1
        elif seen.type in (Type.STRING, Type.NUMBER):
            self.values = None  # more than a choice is
        self._bound()

    def copy(self) -> Place:
        values = None if self.values is None else dict(self.values)
        return Place(self.parent, dict(self.types), self.empty, values, self.loose)

    def merge(self, other: Place) -> None:
        for kind, count in other.types.items():
            self.types[kind] = self.types.get(kind, 0) + count
        self.empty += other.empty
        self.loose += other.loose
        if other.values is None:
            self.values = None
        elif self.values is not None:
            for value, count in other.values.items():
                self.values[value] = self.values.get(value, 0) + count
        self._bound()

    def _bound(self) -> None:
        if self.values is not None and len(self.values) > limits.DRIFT_VALUES_PER_PLACE_MAX:
            self.values = None


@dataclass(slots=True)
class Profile:
    """The counts of all places of some documents. `folded` counts what found no room."""

    documents: int = 0
    places: dict[str, Place] = field(default_factory=dict)
    folded: int = 0

    def add(self, document: Iterable[Seen]) -> None:
        self.documents += 1
        for seen in document:
            place = self._place(seen.path, seen.parent)
            if place is not None:
                place.add(seen)

    def merge(self, other: Profile) -> None:
        self.documents += other.documents
        self.folded += other.folded
        for path, theirs in other.places.items():
            place = self.places.get(path)
            if place is not None:
                place.merge(theirs)
            elif self._has_room():
                self.places[path] = theirs.copy()

    def _place(self, path: str, parent: str) -> Place | None:
        place = self.places.get(path)
        if place is None and self._has_room():
            place = self.places[path] = Place(parent)
        return place

    def _has_room(self) -> bool:
        if len(self.places) < limits.DRIFT_PLACES_PER_PROFILE_MAX or self._make_room():
            return True
        self.folded += 1
        return False

    def _make_room(self) -> bool:
        """What came once gives way to what comes: one odd document must not keep the others from being counted."""
        once = [path for path, place in self.places.items() if place.present <= 1]
        for path in once:
            del self.places[path]
        self.folded += len(once)
        return bool(once)

    def around(self, path: str, parent: str) -> float:
        """How many objects could have had this place."""
        if path == ROOT:
            return self.documents
        above = self.places.get(parent)
        return above.types.get(Type.OBJECT, 0) if above else 0

    def count(self, share: Share, parent: str) -> tuple[float, float]:
        """How many show this share, and out of how many; of a place that did not come, too."""
        place = self.places.get(share.path) or Place(parent)
        if share.stat is Stat.PRESENT:
            return place.present - place.loose, self.around(share.path, parent)
        if share.stat is Stat.NULL:
            return place.types.get(Type.NULL, 0), place.present
        if share.stat is Stat.EMPTY:
            return place.empty, place.filled
        if share.stat is Stat.TYPE:
            return place.types.get(Type(share.value), 0), place.filled
        return (place.values or {}).get(share.value, 0), place.filled

    def shares(self, path: str) -> Iterator[tuple[Share, float, float]]:
        """Every share of a place that was there, as (share, count, out of)."""
        place = self.places[path]
        if has_presence(path):
            yield Share(path, Stat.PRESENT), place.present - place.loose, self.around(path, place.parent)
        yield Share(path, Stat.NULL), place.types.get(Type.NULL, 0), place.present
        filled = place.filled
        if not filled:
            return
        yield Share(path, Stat.EMPTY), place.empty, filled
        for kind, count in place.types.items():
            if kind is not Type.NULL:
                yield Share(path, Stat.TYPE, kind), count, filled
        for value, count in (place.values or {}).items():
            yield Share(path, Stat.VALUE, value), count, filled


def has_presence(path: str) -> bool:
    """Elements of an array and keys that are data come in any number: there is no share that has them."""
    return path != ROOT and not path.endswith(("[]", "*"))


def _seldom(path: str, courses: Mapping[Share, Course]) -> bool:
    """What came about once in all that is remembered."""
    seen = courses.get(Share(path, Stat.NULL))
    return path != ROOT and (seen is None or seen.of < 1.5)


@dataclass(slots=True)
class Past:
    """What has been learned of one variant of a source, older hours counting less."""

    documents: float = 0.0
    hours: float = 0.0
    courses: dict[str, dict[Share, Course]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)  # places whose values are no choice
    learned_s: int = 0  # the hour that was added last

    def learn(self, hour: Profile, hour_s: int, but: frozenset[str] = frozenset()) -> None:
        """Add an hour that is over, `but` these places and what is inside them. Hours come in their order."""
        self._fade()
        self._close(hour_s)
        self.documents += hour.documents
        self.hours += 1
        if len(self.courses) + len(hour.places) > limits.DRIFT_PLACES_PER_PROFILE_MAX:
            self.forget([path for path, courses in self.courses.items() if _seldom(path, courses)])
        for path, place in hour.places.items():
            if path not in self.courses and len(self.courses) < limits.DRIFT_PLACES_PER_PROFILE_MAX:
                if but and not but.isdisjoint(inside(path)):
                    continue
                self.courses[path] = {}
                self.parents[path] = place.parent
        # All that is new begins before anything is added, since it begins with the counts of what is around it.
        now = {
            path: self._counts(path, courses, hour)
            for path, courses in self.courses.items()
            if not but or but.isdisjoint(inside(path))
        }
        for path, counts in now.items():
            courses = self.courses[path]
            begun = {share: self.never(share) for share in counts if share not in courses}
            courses.update(begun)
        for path, counts in now.items():
            for share, (count, of) in counts.items():
                self.courses[path][share].add(count, of)

    def copy(self) -> Past:
        courses = {
            path: {share: course.copy() for share, course in held.items()} for path, held in self.courses.items()
        }
        return Past(self.documents, self.hours, courses, dict(self.parents), set(self.free), self.learned_s)

    def _close(self, hour_s: int) -> None:
        """Stretches that were over before this hour began."""
        quarter, day = (hour_s // scale_s != self.learned_s // scale_s for scale_s in SCALES_S)
        self.learned_s = hour_s
        if not quarter:
            return
        for courses in self.courses.values():
            for course in courses.values():
                course.quarters.close()
                if day:
                    course.days.close()

    def _counts(self, path: str, courses: dict[Share, Course], hour: Profile) -> dict[Share, tuple[float, float]]:
        """What an hour says about a place, zeros included."""
        place = hour.places.get(path)
        if place is None:
            around = hour.around(path, self.parents[path]) if has_presence(path) else 0
            return {Share(path, Stat.PRESENT): (0, around)} if around else {}
        now = {share: (count, of) for share, count, of in hour.shares(path) if of > 0}
        for share in courses:  # known kinds and values that did not come this hour
            if share not in now and share.stat in (Stat.TYPE, Stat.VALUE) and place.filled:
                now[share] = (0, place.filled)
        values = sum(share.stat is Stat.VALUE for share in now)
        if place.values is None or values > limits.DRIFT_VALUES_PER_PLACE_MAX:
            self.free.add(path)
        if path in self.free:
            for share in [share for share in courses if share.stat is Stat.VALUE]:
                del courses[share]
            now = {share: count for share, count in now.items() if share.stat is not Stat.VALUE}
        return now

    def forget(self, paths: Collection[str]) -> None:
        """These are no places any more."""
        for path in paths:
            self.courses.pop(path, None)
            self.parents.pop(path, None)
            self.free.discard(path)

    def begin_anew(self, share: Share) -> None:
        """Forget what this share was: what it is from now on is right."""
        self.courses.setdefault(share.path, {})[share] = Course(said=True)
        self.parents.setdefault(share.path, self.parent(share.path))

    def parent(self, path: str) -> str:
        return self.parents.get(path, path.rpartition(".")[0])

    def never(self, share: Share) -> Course:
        """The course of what has not been seen yet: out of how many it was not."""
        around: Course | None
        if share.stat is not Stat.PRESENT:
            around = self.courses.get(share.path, {}).get(Share(share.path, Stat.EMPTY))
            return Course.never(around, around.of if around else 0.0)
        parent = self.parents.get(share.path, "")
        around = self.courses.get(parent, {}).get(Share(parent, Stat.TYPE, Type.OBJECT))
        return Course.never(around, around.count if around else 0.0)

    def _fade(self) -> None:
        self.documents *= _DECAY
        self.hours *= _DECAY
        for courses in self.courses.values():
            for share, course in list(courses.items()):
                course.fade(_DECAY)
                if share.stat is Stat.VALUE and course.count < _FORGOTTEN:
                    del courses[share]
