"""Which changes an incident may come from, and how sure that is: pure.

Nothing here is a proof. A change is suspected the more, the less likely it is that one like it stands so near by
chance: how near, how often such changes happen here, and whether it is about the same bot, host or source. Where two
versions ran side by side and what is wrong was measured of both, that decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp
from typing import Any, Final

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.detect.durations import written
from botwatch.incident.causes.change import (
    AFTER_NS,
    BEFORE_NS,
    KNOWN_NS,
    MINUTE_NS,
    Change,
    Kind,
)
from botwatch.incident.causes.compare import Comparison

_CHANCE_MAX: Final = 0.05  # of standing so near by accident, of what is likely
_LATE_NS: Final = MINUTE_NS  # a beginning is not known better
_EFFECTS: Final = (Kind.INCIDENT, Kind.BREAKER)  # rather than causes


class Sure(StrEnum):
    """How sure it is that a change is the cause."""

    MEASURED = "measured"  # two versions ran side by side, and what is wrong is wrong with the new one
    LIKELY = "likely"  # the same place, before it began, and seldom so near by chance
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"  # measured, and no difference


_ORDER: Final = tuple(Sure)


@dataclass(frozen=True, slots=True)
class Suspect:
    """`before_ns` is below 0 for what came after the beginning. `near` counts the places both have."""

    change: Change
    sure: Sure
    before_ns: int
    chance: float
    near: int
    told: str = ""  # what was measured

    @property
    def text(self) -> str:
        return f"{self.change.text} {away(self.before_ns)}" + (f"; {self.told}" if self.told else "")

    def row(self) -> dict[str, Any]:
        return {
            "what": self.change.kind.value,
            "text": self.change.text,
            "at_ns": self.change.at_ns,
            "link": self.change.link,
            "sure": self.sure.value,
            "chance": round(self.chance, 6),
            "told": self.told,
        }


def suspects(
    changes: Iterable[Change],
    labels: Mapping[str, Sequence[str]],
    began_ns: int,
    measured: Mapping[Change, Comparison] | None = None,
) -> list[Suspect]:
    """The one that explains most first. `changes` are those of some days: the others tell how often they happen.

    `labels`: the places of the incident, of some names several.
    """
    known = list(dict.fromkeys(changes))
    often = Counter((one.kind, one.subject) for one in known if not one.usual)
    found = [
        _suspect(one, labels, began_ns, often[one.kind, one.subject], (measured or {}).get(one))
        for one in known
        if -AFTER_NS <= began_ns - one.at_ns <= BEFORE_NS and not _itself(one, labels)
    ]
    # Elsewhere a first version, or another rule, has nothing to do with it.
    found = [one for one in found if one.near or not (one.change.usual or one.change.kind is Kind.RULE)]
    found.sort(key=lambda one: (_ORDER.index(one.sure), -one.near, one.chance, abs(one.before_ns), one.change.text))
    return found[: limits.RELATED_CHANGES_MAX]


def surer(found: Sequence[Suspect], known: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what is found now is to be told in place of what was `known`, as rows, from an earlier look."""
    if not found or not known:
        return bool(found)
    first = known[0]
    if _ORDER.index(found[0].sure) <= _ORDER.index(Sure(first["sure"])):
        return True
    doubted = (one for one in found if one.sure is Sure.UNLIKELY)  # by what was measured since
    return any((one.change.kind.value, one.change.link) == (first["what"], first["link"]) for one in doubted)


def _itself(change: Change, labels: Mapping[str, Sequence[str]]) -> bool:
    """That a service is down is no cause of that it is down."""
    return change.kind is Kind.SERVICE and any(("service", name) in change.places for name in labels.get("service", ()))


def _suspect(
    change: Change, labels: Mapping[str, Sequence[str]], began_ns: int, count: int, compared: Comparison | None
) -> Suspect:
    before_ns = began_ns - change.at_ns
    near = sum(any((name, value) in change.places for value in values) for name, values in labels.items())
    chance = by_chance(before_ns, max(1, count))
    sure = Sure.POSSIBLE
    if compared is not None and compared.known:
        sure = Sure.MEASURED if compared.worse else Sure.UNLIKELY
    elif near and not change.usual and change.kind not in _EFFECTS and before_ns >= -_LATE_NS and chance <= _CHANCE_MAX:
        sure = Sure.LIKELY
    told = compared.sentence if compared is not None and compared.known else ""
    return Suspect(change, sure, before_ns, chance, near, told)


def by_chance(before_ns: int, count: int, known_ns: int = KNOWN_NS) -> float:
    """How likely it is that one of `count` changes within the known days stands so near without being the cause.

    What came afterwards counts as twice as far away.
    """
    away_ns = max(before_ns, -2 * before_ns, MINUTE_NS)
    return 1.0 - exp(-count * away_ns / known_ns)


def away(before_ns: int) -> str:
    seconds = abs(before_ns) // SECOND_NS
    if seconds < 60:
        return "at the same time"
    return f"{written(seconds // 60 * 60)} {'before' if before_ns > 0 else 'after'}"


def sentence(found: Sequence[Suspect]) -> str:
    """The one that is most likely, if one is."""
    if not found or found[0].sure not in (Sure.MEASURED, Sure.LIKELY):
        return ""
    return f"{found[0].text} ({found[0].sure.value})"
