"""Queues, as their brokers tell them and as bots see them."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import SUM_OF_MEANS
from botwatch.measure.model import Counted, Direction, Measure, Thresholds, Unit
from botwatch.measure.sources_points import Gauges

_QUEUE: Final = (
    ("queue", ("messaging.destination.name", "bot.queue.name")),
    ("broker", ("queue.broker",)),
    ("group", ("messaging.consumer.group.name",)),
    ("system", ("messaging.system",)),
)
_PARTITION: Final = (*_QUEUE, ("partition", ("messaging.destination.partition.id",)))
_BROKER: Final = (("broker", ("queue.broker",)), ("system", ("messaging.system",)), ("reason", ("queue.reason",)))


def _queue(
    name: str,
    what: str,
    unit: Unit,
    value: str,
    direction: Direction,
    thresholds: Thresholds | None = None,
    *,
    also: str = "",
) -> Measure:
    counted = Counted(Gauges((name, also) if also else (name,), _QUEUE), value)
    return Measure(name, unit, what, counted, direction=direction, thresholds=thresholds)


MEASURES: Final = (
    _queue(
        "queue.depth",
        "messages waiting in a queue that nobody has taken; of several queues the deepest",
        Unit.COUNT,
        "max[high]",
        Direction.HIGH,
        Thresholds(100, 500),
        also="bot.queue.depth",
    ),
    _queue(
        "queue.age",
        "age of the oldest message of a queue that is not done; of several queues the oldest. Where the broker does "
        "not tell it: how long it has waited at least",
        Unit.SECONDS,
        "max[high]",
        Direction.HIGH,
        Thresholds(300, 1_800),
        also="bot.queue.age",
    ),
    _queue(
        "queue.pending",
        "messages of a queue that were taken and are not done; of several queues the most",
        Unit.COUNT,
        "max[high]",
        Direction.HIGH,
    ),
    _queue(
        "queue.consumers",
        "consumers of a queue; of several queues the fewest. Nothing where the broker does not tell",
        Unit.COUNT,
        "min[low]",
        Direction.LOW,
    ),
    _queue(
        "queue.in_rate",
        "messages that enter a queue in a second; of several queues their sum. Where the broker does not count them: "
        "what its depth rose by, which is what came at least",
        Unit.PER_SECOND,
        SUM_OF_MEANS,
        Direction.NEITHER,
    ),
    _queue(
        "queue.out_rate",
        "messages that leave a queue in a second; of several queues their sum. Where the broker does not count what "
        "enters: what its depth fell by, which is what left at least",
        Unit.PER_SECOND,
        SUM_OF_MEANS,
        Direction.NEITHER,
    ),
    _queue(
        "queue.growth",
        "what the unfinished messages of a queue grow by in a second, below 0 while it drains; of several queues "
        "their sum",
        Unit.PER_SECOND,
        SUM_OF_MEANS,
        Direction.HIGH,
    ),
    _queue(
        "queue.growing",
        "for how long a queue has been filling faster than it drains; of several queues the longest",
        Unit.SECONDS,
        "max[high]",
        Direction.HIGH,
        Thresholds(300, 1_800),
    ),
    _queue(
        "queue.time_to_drain",
        "how long it takes to empty a queue at its present pace; of several queues the longest. Nothing while it is "
        "not draining",
        Unit.SECONDS,
        "max[high]",
        Direction.HIGH,
    ),
    _queue(
        "queue.stalled",
        "for how long something has waited in a queue while nothing left it; of several queues the longest",
        Unit.SECONDS,
        "max[high]",
        Direction.HIGH,
        Thresholds(300, 900),
    ),
    _queue(
        "queue.unattended",
        "messages waiting in a queue that nobody consumes; of several queues the most",
        Unit.COUNT,
        "max[high]",
        Direction.HIGH,
    ),
    Measure(
        "queue.partition.depth",
        Unit.COUNT,
        "lag of a consumer group in one partition; of several the deepest",
        Counted(Gauges(("queue.partition.depth",), _PARTITION), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "queue.partition.age",
        Unit.SECONDS,
        "age of the first record of a partition that a consumer group has not committed; of several the oldest",
        Counted(Gauges(("queue.partition.age",), _PARTITION), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "queue.watched",
        Unit.COUNT,
        "1 where a broker tells of its queues, 0 where it does not answer; of several the lowest",
        Counted(Gauges(("queue.watched",), _BROKER), "min[low]"),
        direction=Direction.LOW,
    ),
)
