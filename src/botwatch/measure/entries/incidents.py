"""How often something is wrong, and how long people take to notice it and to mend it."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import SUM_OF_MEANS, mean
from botwatch.measure.model import Counted, Direction, Measure, Unit
from botwatch.measure.sources_points import Gauges

_SEVERITY: Final = (("severity", ("severity",)),)
_LABELS: Final = (("rule", ("rule",)), *_SEVERITY)


def _time(name: str, metric: str, what: str) -> Measure:
    counted = Counted(Gauges((f"botwatch.incident.{metric}",), _LABELS), mean())
    return Measure(name, Unit.SECONDS, what, counted, direction=Direction.HIGH)


MEASURES: Final = (
    Measure(
        "incidents.open",
        Unit.COUNT,
        "incidents that are not over; on average where that changed",
        Counted(
            Gauges(("botwatch.incidents.open",), _SEVERITY),
            SUM_OF_MEANS,
        ),
        direction=Direction.HIGH,
    ),
    Measure(
        "incidents.count",
        Unit.COUNT,
        "incidents that opened; nothing where none did",
        Counted(Gauges(("botwatch.incident.time_to_detect",), _LABELS), "sum[count]"),
        direction=Direction.HIGH,
    ),
    _time(
        "incidents.time_to_detect",
        "time_to_detect",
        "average time from the first tick that was wrong to the incident",
    ),
    _time(
        "incidents.time_to_acknowledge",
        "time_to_acknowledge",
        "average time until somebody took care of an incident, of those somebody did; counted when it ends",
    ),
    _time("incidents.time_to_resolve", "time_to_resolve", "average time incidents were open; counted when they end"),
)
