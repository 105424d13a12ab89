"""Incidents as the rooms hand them to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botwatch.detect.finding import Reason
from botwatch.detect.rule import Severity
from botwatch.incident.causes.change import Change as Changed
from botwatch.incident.causes.compare import Comparison
from botwatch.incident.causes.touched import Touched
from botwatch.incident.rows import ChangeRow, IncidentRow
from botwatch.incident.steps import Status, Step

OVERFLOW: Final = "Too many open incidents"  # the rule of the one incident that says no more are opened
DRILL_LOST: Final = "A drill did not come back"  # the rule of the incident that notify opens and ends
Evidence = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """`rule` is its name; `snapshot` the rule as it was when the incident opened."""

    id: str
    rule: str
    subject: str
    labels: Mapping[str, str]
    severity: Severity
    status: Status
    reason: Reason
    summary: str
    trigger_value: float | None
    peak_value: float | None
    last_value: float | None
    began_ns: int
    started_ns: int
    acknowledged_ns: int | None
    acknowledged_by: str | None
    resolved_ns: int | None
    snapshot: Mapping[str, Any]
    evidence: Evidence

    @classmethod
    def of(cls, row: IncidentRow) -> Incident:
        values = {name: getattr(row, name) for name in cls.__slots__}
        values["severity"] = Severity(row.severity)
        values["status"] = Status(row.status)
        values["reason"] = Reason(row.reason)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Change:
    id: int
    incident_id: str
    at_ns: int
    what: Step
    who: str
    why: str
    value: float | None
    told_ns: int | None

    @classmethod
    def of(cls, row: ChangeRow) -> Change:
        values = {name: getattr(row, name) for name in cls.__slots__}
        values["what"] = Step(row.what)
        return cls(**values)


@dataclass(slots=True)
class Live:
    """What the loop remembers of an incident that is not over; the rest stands in its row.

    `moved`: its peak or last value is another than the row's.
    """

    id: str
    rule: str
    labels: Mapping[str, str]
    severity: Severity
    peak: float | None
    last: float | None
    low_is_bad: bool = False
    moved: bool = False

    def note(self, last: float, worst: float) -> None:
        peak = worst if self.peak is None else (min if self.low_is_bad else max)(self.peak, worst)
        self.moved = self.moved or (peak, last) != (self.peak, self.last)
        self.peak, self.last = peak, last


@dataclass(frozen=True, slots=True)
class Found:
    """What the telemetry store tells of the days before an opening. Not `known`: it did not answer in time."""

    changes: tuple[Changed, ...] = ()
    measured: Mapping[Changed, Comparison] = field(default_factory=dict)
    touched: Touched | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Opening:
    id: str
    rule: str
    subject: str
    labels: Mapping[str, str]
    severity: Severity
    reason: Reason
    summary: str
    value: float | None
    began_ns: int
    started_ns: int
    snapshot: Mapping[str, Any]
    evidence: Evidence = field(default_factory=dict)
    found: Found = Found()


@dataclass(frozen=True, slots=True)
class Resolving:
    id: str
    at_ns: int
    reason: Reason
    why: str
    value: float | None
    peak: float | None
    points: tuple[tuple[int, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Worsening:
    """A rule became more severe while its incident is open."""

    id: str
    at_ns: int
    severity: Severity
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The last value of one that stays open, and the worst so far."""

    id: str
    peak: float | None
    last: float | None
