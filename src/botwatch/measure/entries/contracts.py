"""What had to follow, and whether it did."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import SAMPLES, mean, quantile, share
from botwatch.measure.model import Counted, Direction, Empty, Measure, Unit
from botwatch.measure.sources import CONTRACTS

_KEPT: Final = "detail = 'kept'"


def _count(name: str, what: str, only: str = "", direction: Direction = Direction.NEITHER) -> Measure:
    how = Counted(CONTRACTS, "sum[count]", only)
    return Measure(name, Unit.COUNT, what, how, empty=Empty.SEEN, direction=direction)


MEASURES: Final = (
    _count("contract.count", "what had to be followed by something, of which it is known whether it was"),
    _count("contract.kept", "what was followed in time", _KEPT),
    _count(
        "contract.breached",
        "what was not followed by its deadline, counted at the deadline",
        "detail != 'kept'",
        Direction.HIGH,
    ),
    _count("contract.late", "what was followed after its deadline", "detail = 'late'", Direction.HIGH),
    Measure(
        "contract.rate",
        Unit.PERCENT,
        "what was followed in time, of all of which it is known",
        Counted(CONTRACTS, share(f"sum[count | {_KEPT}]")),
        direction=Direction.LOW,
    ),
    Measure(
        "contract.time",
        Unit.MS,
        "average time until it was followed, in time or late",
        Counted(CONTRACTS, mean(count=SAMPLES)),
        direction=Direction.HIGH,
    ),
    Measure(
        "contract.time.p95",
        Unit.MS,
        "time until it was followed, in time or late, p95",
        Counted(CONTRACTS, quantile(0.95)),
        direction=Direction.HIGH,
    ),
)
