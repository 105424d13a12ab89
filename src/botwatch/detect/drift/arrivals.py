"""Which values came lately where values come and go: versions, who is on duty, days of the week; and which places.

What one value loses there another has, and that a further one comes is no news. It does not matter whether those before
were told: a value that came on the second day, when too little was known, shows as well that values come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from botwatch import limits
from botwatch.detect.drift.course import HOUR_S
from botwatch.detect.drift.profile import Profile, has_presence

_LATE_S: Final = 12 * HOUR_S  # what comes earlier was there, and had not been seen yet; or came with the others
_LATELY_S: Final = 3 * 24 * HOUR_S
_REMEMBERED_S: Final = 14 * 24 * HOUR_S
_MANY: Final = 3  # of a value, in the hour it came
_MUCH: Final = 0.5  # it takes the place over
_SOME: Final = 0.05  # it is not an odd one
TURNS: Final = 2  # so many that came one after the other show that they come


@dataclass(slots=True)
class _Known:
    """What came to one place: since when each, and which of it came late and was not odd, or took the place over."""

    since_s: int
    values: dict[str, int] = field(default_factory=dict)
    some: dict[str, int] = field(default_factory=dict)
    great: dict[str, int] = field(default_factory=dict)

    def note(self, hour_s: int, counts: Mapping[str, float], of: float, most: int) -> None:
        late = hour_s - self.since_s >= _LATE_S
        for value, count in counts.items():
            if value not in self.values and late and count >= max(_MANY, _SOME * of):
                self.some[value] = hour_s
                if count >= _MUCH * of:
                    self.great[value] = hour_s
            self.values.setdefault(value, hour_s)
        while len(self.values) > 2 * most:
            del self.values[next(iter(self.values))]
        self.some, self.great = _lately(self.some, hour_s), _lately(self.great, hour_s)

    def turns(self, value: str, now_s: int) -> bool:
        """Whether another one took the place over well before this came, or several came one after the other."""
        came_s = self.values.get(value, now_s)
        return came_before(self.great.values(), came_s) >= 1 or came_before(self.some.values(), came_s) >= TURNS


def came_before(times: Iterable[int], came_s: int) -> int:
    """How often something came well before: what came together came once."""
    count, last_s = 0, came_s
    for at_s in sorted(times, reverse=True):
        if at_s <= last_s - _LATE_S:
            count, last_s = count + 1, at_s
    return count


@dataclass(slots=True)
class Arrivals:
    """`note` every hour that is over, in their order."""

    _places: dict[tuple[str, str], _Known] = field(default_factory=dict)  # the values of each
    _objects: dict[tuple[str, str], _Known] = field(default_factory=dict)  # the places in each

    def note(self, hour_s: int, profiles: Mapping[str, Profile]) -> None:
        for variant, profile in profiles.items():
            inner: dict[str, dict[str, float]] = {}
            for path, place in profile.places.items():
                if has_presence(path):
                    inner.setdefault(place.parent, {})[path] = place.present
                if place.values:
                    known = self._places.setdefault((variant, path), _Known(hour_s))
                    known.note(hour_s, place.values, place.filled, limits.DRIFT_VALUES_PER_PLACE_MAX)
                elif place.values is None:
                    self._places.pop((variant, path), None)
            for parent, counts in inner.items():
                known = self._objects.setdefault((variant, parent), _Known(hour_s))
                around = profile.around(next(iter(counts)), parent)
                known.note(hour_s, counts, around, limits.DRIFT_KEYS_PER_OBJECT_MAX)

    def lately(self, variant: str, path: str, now_s: int) -> frozenset[str]:
        """The values that came within the last days, and not at the beginning."""
        known = self._places.get((variant, path))
        if known is None:
            return frozenset()
        since_s = max(known.since_s + _LATE_S, now_s - _LATELY_S)
        return frozenset(value for value, at_s in known.values.items() if at_s >= since_s)

    def usual(self, variant: str, path: str, value: str, now_s: int) -> bool:
        """Whether values come to this place now and then, so that one more is no news."""
        known = self._places.get((variant, path))
        return known is not None and known.turns(value, now_s)

    def usual_place(self, variant: str, parent: str, path: str, now_s: int) -> bool:
        """The same of places in an object, where one never takes it over."""
        known = self._objects.get((variant, parent))
        return known is not None and came_before(known.some.values(), known.values.get(path, now_s)) >= TURNS


def _lately(known: Mapping[str, int], hour_s: int) -> dict[str, int]:
    return {value: at_s for value, at_s in known.items() if hour_s - at_s < _REMEMBERED_S}
