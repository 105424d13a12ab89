"""What a probe of any kind has seen: numbers and happenings, before they become OpenTelemetry.

Hosts, services and queues are all told in these; only the reporter knows how they travel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]


class Kind(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"  # monotonic and cumulative since the start that the reporter knows


@dataclass(frozen=True, slots=True)
class Reading:
    """One number, by its OpenTelemetry metric name and unit. What is not known is not reported."""

    name: str
    value: float
    unit: str
    attributes: Attributes = field(default_factory=dict)
    kind: Kind = Kind.GAUGE


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, by its name; it becomes a log record."""

    name: str
    body: str
    attributes: Attributes = field(default_factory=dict)
    warning: bool = False


class Reporter(Protocol):
    """Never blocks and never raises: what cannot be sent now is kept on disk within its bound, or counted."""

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None: ...
