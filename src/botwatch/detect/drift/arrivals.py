"""Which values came lately where values come and go: versions, who is on duty, days of the week.

What one value loses there another has, and that a further one comes is no news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from botwatch import limits
from botwatch.detect.drift.course import HOUR_S
from botwatch.detect.drift.profile import Profile

_LATE_S: Final = 12 * HOUR_S  # what comes earlier was there, and had not been seen yet
_LATELY_S: Final = 3 * 24 * HOUR_S
_REMEMBERED_S: Final = 14 * 24 * HOUR_S
_MANY: Final = 3  # of a value, in the hour it came
_MUCH: Final = 0.5  # it takes the place over


@dataclass(slots=True)
class _Known:
    """The values of one place: since when each, and which of them came late and took it over."""

    since_s: int
    values: dict[str, int] = field(default_factory=dict)
    great: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Arrivals:
    """`note` every hour that is over, in their order."""

    _places: dict[tuple[str, str], _Known] = field(default_factory=dict)

    def note(self, hour_s: int, profiles: Mapping[str, Profile]) -> None:
        for variant, profile in profiles.items():
            for path, place in profile.places.items():
                key = variant, path
                if place.values:
                    known = self._places.setdefault(key, _Known(hour_s))
                    self._note(known, hour_s, place.values, place.filled)
                elif place.values is None:
                    self._places.pop(key, None)

    @staticmethod
    def _note(known: _Known, hour_s: int, values: Mapping[str, float], filled: float) -> None:
        late = hour_s - known.since_s >= _LATE_S
        for value, count in values.items():
            if value not in known.values and late and count >= max(_MANY, _MUCH * filled):
                known.great[value] = hour_s
            known.values.setdefault(value, hour_s)
        while len(known.values) > 2 * limits.DRIFT_VALUES_PER_PLACE_MAX:
            del known.values[next(iter(known.values))]
        known.great = {value: at_s for value, at_s in known.great.items() if hour_s - at_s < _REMEMBERED_S}

    def lately(self, variant: str, path: str, now_s: int) -> frozenset[str]:
        """The values that came within the last days, and not at the beginning."""
        known = self._places.get((variant, path))
        if known is None:
            return frozenset()
        since_s = max(known.since_s + _LATE_S, now_s - _LATELY_S)
        return frozenset(value for value, at_s in known.values.items() if at_s >= since_s)

    def usual(self, variant: str, path: str, value: str) -> bool:
        """Whether another one came late before, and took the place over."""
        known = self._places.get((variant, path))
        return known is not None and any(other != value for other in known.great)
