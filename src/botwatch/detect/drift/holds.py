"""Hours of a place that are not learned, because it drifted in them: else what is wrong would be normal by tomorrow.

That goes for what was put right, too: the next such failure has to be found as fast as the first. What came and went is
known from then on, and so is what was like that now and then before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from botwatch.detect.drift.course import HOUR_S

_HELD_S_MAX: Final = 7 * 24 * HOUR_S  # after a week, a change is how things are
_KEPT_S: Final = 26 * HOUR_S  # hours before were learned, or never will be

Where = tuple[str, str]  # variant and path


class Span(NamedTuple):
    """From the hour a place began to drift in to the one it was found to in last. `lasting`: also when it is over."""

    first_s: int
    last_s: int
    lasting: bool

    def has(self, hour_s: int) -> bool:
        return self.first_s <= hour_s <= min(self.last_s, self.first_s + _HELD_S_MAX)


@dataclass(slots=True)
class Holds:
    _spans: dict[str, dict[str, tuple[Span, ...]]] = field(default_factory=dict)  # by variant and path, the newest last

    def at(self, variant: str, hour_s: int) -> frozenset[str]:
        """The places that are not learned of this hour."""
        held = self._spans.get(variant, {}).items()
        return frozenset(path for path, spans in held if any(span.has(hour_s) for span in spans))

    def keep(self, where: Where, first_s: int, last_s: int, *, lasting: bool) -> None:
        """It drifted in these hours. What begins where the last one ended goes on."""
        variant, path = where
        places = self._spans.setdefault(variant, {})
        spans, new = places.get(path, ()), Span(first_s - first_s % HOUR_S, last_s - last_s % HOUR_S, lasting)
        if spans and new.first_s <= spans[-1].last_s + HOUR_S:
            last = spans[-1]
            spans, new = spans[:-1], Span(min(last.first_s, new.first_s), new.last_s, lasting or last.lasting)
        places[path] = (*spans, new)

    def drop(self, where: Where) -> None:
        variant, path = where
        self._spans.get(variant, {}).pop(path, None)

    def look(self, now_s: int, found: Sequence[tuple[Where, int, bool]]) -> set[str]:
        """What drifts now, since when, and if that is `lasting`. The variants of which other hours are held now."""
        going_on, before = {where for where, _, _ in found}, self._spans
        self._spans = {
            variant: {
                path: kept
                for path, spans in places.items()
                if (kept := tuple(span for span in spans if _stays(span, now_s, (variant, path) in going_on)))
            }
            for variant, places in before.items()
        }
        for where, since_s, lasting in found:
            self.keep(where, since_s, now_s, lasting=lasting)
        names = before.keys() | self._spans.keys()
        return {name for name in names if before.get(name, {}) != self._spans.get(name, {})}

    def forget(self) -> None:
        self._spans = {}


def _stays(span: Span, now_s: int, going_on: bool) -> bool:
    return span.last_s >= now_s - _KEPT_S and (span.lasting or going_on)
