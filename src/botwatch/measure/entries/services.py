"""What probes found of services: whether they do their work, how well, and how fast they answer."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import mean
from botwatch.measure.model import Counted, Direction, Measure, Unit
from botwatch.measure.sources_points import Counters, Gauges

_LABELS: Final = (("service", ("service",)), ("system", ("kind",)))


def _gauge(name: str, unit: Unit, what: str, metric: str, value: str, direction: Direction) -> Measure:
    return Measure(name, unit, what, Counted(Gauges((metric,), _LABELS), value), direction=direction)


MEASURES: Final = (
    _gauge(
        "service.up",
        Unit.COUNT,
        "1 where a service does its work, also where it is degraded; 0 where it is stopped or sealed; nothing where "
        "that is unknown; of several services, and over a longer time, the lowest",
        "service.up",
        "min[low]",
        Direction.LOW,
    ),
    _gauge(
        "service.status",
        Unit.COUNT,
        "3 running, 2 degraded, 1 sealed, 0 stopped, nothing where it is unknown; of several services, and over a "
        "longer time, the lowest",
        "service.status",
        "min[low]",
        Direction.LOW,
    ),
    _gauge(
        "service.availability",
        Unit.PERCENT,
        "share of the times it was asked that a service did its work",
        "service.up",
        mean("100 * sum[total]"),
        Direction.LOW,
    ),
    _gauge(
        "service.latency",
        Unit.MS,
        "average time in which a service answered its probe",
        "service.latency",
        mean("1000 * sum[total]"),
        Direction.HIGH,
    ),
    _gauge(
        "service.saturation",
        Unit.PERCENT,
        "share in use of what a service has a bound for: the connections of a database, the memory of a cache, the "
        "storage of an object store; of several services the fullest",
        "service.saturation",
        "100 * max[high]",
        Direction.HIGH,
    ),
    Measure(
        "service.flaps",
        Unit.COUNT,
        "times the answer of a service changed, those that were too short to be told included",
        Counted(Counters(("service.flaps",), _LABELS), "sum[risen]"),
        direction=Direction.HIGH,
    ),
)
