"""What incidents are in numbers: how many are open, and how long it took to notice, to take care of, and to end them.

They are told after the change is written, and a crash in between loses them: the rows are what is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from botwatch.clock import SECOND_NS
from botwatch.detect.rule import Severity
from botwatch.incident.memory import Changed
from botwatch.incident.nouns import Incident, Opening

OPEN: Final = "botwatch.incidents.open"
DETECT: Final = "botwatch.incident.time_to_detect"
ACKNOWLEDGE: Final = "botwatch.incident.time_to_acknowledge"
BEHIND: Final = "botwatch.judging.behind"
RESOLVE: Final = "botwatch.incident.time_to_resolve"


@dataclass(frozen=True, slots=True)
class Figure:
    """One reading, by its OpenTelemetry name and unit."""

    name: str
    value: float
    unit: str
    attributes: Mapping[str, str]


def figures(
    changes: Iterable[Changed], ended: Iterable[Incident], open_: Mapping[Severity, int], behind_s: float
) -> Iterator[Figure]:
    """Of one round, which was done `behind_s` after the end of its last tick."""
    yield Figure(BEHIND, behind_s, "s", {})
    for severity, count in open_.items():
        yield Figure(OPEN, float(count), "{incident}", {"severity": severity})
    for change in changes:
        if isinstance(change, Opening):
            of = {"rule": change.rule, "severity": str(change.severity)}
            yield Figure(DETECT, (change.started_ns - change.began_ns) / SECOND_NS, "s", of)
    for incident in ended:
        of = {"rule": incident.rule, "severity": str(incident.severity)}
        if incident.acknowledged_ns is not None:
            yield Figure(ACKNOWLEDGE, (incident.acknowledged_ns - incident.started_ns) / SECOND_NS, "s", of)
        if incident.resolved_ns is not None:
            yield Figure(RESOLVE, (incident.resolved_ns - incident.started_ns) / SECOND_NS, "s", of)
