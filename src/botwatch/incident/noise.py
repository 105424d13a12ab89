"""Which rules nobody needs as they are: that fire often and nobody acknowledges, that never fired, that flap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.incident.rows import IncidentRow

OFTEN_A_DAY: Final = 5.0
IGNORED_SHARE: Final = 0.9
FLAP_S: Final = 600  # open again so soon after the end
FLAPPING_SHARE: Final = 0.3
FEW: Final = 3  # from which nothing is concluded


class Verdict(StrEnum):
    IGNORED = "ignored"  # it fires and nobody does anything about it
    FLAPS = "flaps"
    OFTEN = "often"
    SILENT = "silent"  # it never fired
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Noise:
    """What one rule did over a time. Shares are of its incidents; times None where there were none."""

    rule: str
    incidents: int
    acknowledged: int
    flapped: int
    subjects: int
    open_s: float
    detect_s: float | None
    acknowledge_s: float | None
    resolve_s: float | None
    days: float

    @property
    def a_day(self) -> float:
        return self.incidents / self.days

    @property
    def verdict(self) -> Verdict:
        if not self.incidents:
            return Verdict.SILENT
        if self.incidents >= FEW and self.flapped >= FLAPPING_SHARE * self.incidents:
            return Verdict.FLAPS
        if self.incidents >= FEW and self.acknowledged <= (1 - IGNORED_SHARE) * self.incidents:
            return Verdict.IGNORED
        return Verdict.OFTEN if self.a_day >= OFTEN_A_DAY else Verdict.FINE

    @property
    def advice(self) -> str:
        return _ADVICE[self.verdict]


_ADVICE: Final = {
    Verdict.SILENT: "it has not fired: see with a backtest that it can",
    Verdict.FLAPS: "it opens again soon after it ends: give it a recover value, a longer for, or a cooldown",
    Verdict.IGNORED: "nobody acknowledges it: raise its threshold, lower its severity, or remove it",
    Verdict.OFTEN: "it fires often: see with a backtest what another threshold would do",
    Verdict.FINE: "",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    rule: str
    subject: str
    began_ns: int
    started_ns: int
    acknowledged_ns: int | None
    resolved_ns: int | None


def noise(session: Session, rules: Iterable[str], from_ns: int, to_ns: int) -> list[Noise]:
    """Of every rule there is, and of those that had an incident; the noisiest first."""
    columns = (
        IncidentRow.rule,
        IncidentRow.subject,
        IncidentRow.began_ns,
        IncidentRow.started_ns,
        IncidentRow.acknowledged_ns,
        IncidentRow.resolved_ns,
    )
    query = (
        sa.select(*columns)
        .where(IncidentRow.started_ns >= from_ns, IncidentRow.started_ns < to_ns)
        .order_by(IncidentRow.started_ns.desc())
        .limit(limits.NOISE_INCIDENTS_MAX)
    )
    of_rule: dict[str, list[_Seen]] = {name: [] for name in rules}
    for row in session.execute(query):
        of_rule.setdefault(row[0], []).append(_Seen(*row))
    days = (to_ns - from_ns) / SECOND_NS / 86_400
    found = [_of(rule, seen[::-1], to_ns, days) for rule, seen in of_rule.items()]
    return sorted(found, key=lambda one: (-one.incidents, one.rule))


def _of(rule: str, seen: Sequence[_Seen], to_ns: int, days: float) -> Noise:
    return Noise(
        rule,
        len(seen),
        sum(one.acknowledged_ns is not None for one in seen),
        _flapped(seen),
        len({one.subject for one in seen}),
        sum(min(to_ns, one.resolved_ns or to_ns) - one.started_ns for one in seen) / SECOND_NS,
        _mean([one.started_ns - one.began_ns for one in seen]),
        _mean([one.acknowledged_ns - one.started_ns for one in seen if one.acknowledged_ns is not None]),
        _mean([one.resolved_ns - one.started_ns for one in seen if one.resolved_ns is not None]),
        days,
    )


def _flapped(seen: Sequence[_Seen]) -> int:
    """Incidents that opened soon after one of the same subject had ended; `seen` is in the order of time."""
    ended: dict[str, int] = {}
    count = 0
    for one in seen:
        before = ended.get(one.subject)
        count += before is not None and one.started_ns - before <= FLAP_S * SECOND_NS
        if one.resolved_ns is not None:
            ended[one.subject] = one.resolved_ns
    return count


def _mean(lengths_ns: Sequence[int]) -> float | None:
    return sum(lengths_ns) / len(lengths_ns) / SECOND_NS if lengths_ns else None
