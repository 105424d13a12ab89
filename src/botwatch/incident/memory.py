"""What the loop remembers between two rounds: the incidents that are not over, and when others ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from botwatch.clock import SECOND_NS
from botwatch.detect.rule import Operand, Severity
from botwatch.incident.nouns import Live, Opening, Resolving, Standing, Worsening
from botwatch.incident.steps import subject_of

Changed = Opening | Resolving | Worsening
_NONE: Mapping[str, Live] = {}


class Memory:
    def __init__(self, live: Iterable[Live] = (), ended_s: Mapping[tuple[str, str], int] | None = None) -> None:
        self.ended_s: dict[tuple[str, str], int] = dict(ended_s or {})
        self._of_rule: dict[str, dict[str, Live]] = {}
        self._place: dict[str, tuple[str, str]] = {}
        for one in live:
            self._add(one)

    @property
    def count(self) -> int:
        return len(self._place)

    @property
    def by_severity(self) -> dict[Severity, int]:
        counts = dict.fromkeys(Severity, 0)
        for live in self._of_rule.values():
            for one in live.values():
                counts[one.severity] += 1
        return counts

    @property
    def rules(self) -> tuple[str, ...]:
        """Those with an incident that is not over."""
        return tuple(self._of_rule)

    def of(self, rule: str) -> Mapping[str, Live]:
        """The incidents of a rule, by subject."""
        return self._of_rule.get(rule, _NONE)

    def take(self, changes: Iterable[Changed]) -> None:
        """What has been written."""
        for change in changes:
            if isinstance(change, Opening):
                self._add(_live(change))
                continue
            rule, subject = self._place[change.id]
            if isinstance(change, Worsening):
                self._of_rule[rule][subject].severity = change.severity
                continue
            del self._of_rule[rule][subject], self._place[change.id]
            if not self._of_rule[rule]:
                del self._of_rule[rule]
            self.ended_s[rule, subject] = change.at_ns // SECOND_NS

    def forget(self, before_s: int) -> None:
        """Ends that no cooldown reaches back to."""
        self.ended_s = {key: at_s for key, at_s in self.ended_s.items() if at_s >= before_s}

    def standings(self) -> list[Standing]:
        """What has become other than the rows say."""
        return [
            Standing(one.id, one.peak, one.last)
            for live in self._of_rule.values()
            for one in live.values()
            if one.moved
        ]

    def written(self, standings: Iterable[Standing]) -> None:
        for standing in standings:
            place = self._place.get(standing.id)
            if place is not None:
                self._of_rule[place[0]][place[1]].moved = False

    def _add(self, one: Live) -> None:
        subject = subject_of(dict(one.labels))
        self._of_rule.setdefault(one.rule, {})[subject] = one
        self._place[one.id] = (one.rule, subject)


def _live(opening: Opening) -> Live:
    low = opening.snapshot.get("operand") == Operand.AT_MOST
    return Live(opening.id, opening.rule, opening.labels, opening.severity, opening.value, opening.value, low)
