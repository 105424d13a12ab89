"""The processes of bots: what they use, how far they are from their limits, and whether they leak."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import mean
from botwatch.measure.model import Counted, Direction, Empty, Measure, Thresholds, Unit
from botwatch.measure.sources_points import Gauges
from botwatch.measure.sources_runs import STARTS

_INSTANCE: Final = ("instance", ("service.instance.id",))


def _process(name: str, metric: str, unit: Unit, what: str, value: str, direction: Direction) -> Measure:
    return Measure(name, unit, what, Counted(Gauges((metric,), (_INSTANCE,)), value), direction=direction)


MEASURES: Final = (
    _process(
        "process.cpu",
        "process.cpu.utilization",
        Unit.PERCENT,
        "share of one core that a process of the bot uses; of several processes their average",
        mean("100 * sum[total]"),
        Direction.HIGH,
    ),
    _process(
        "process.memory",
        "process.memory.usage",
        Unit.BYTES,
        "resident memory of a process of the bot; of several processes their average",
        mean(),
        Direction.HIGH,
    ),
    _process(
        "process.connections",
        "process.open_connections",
        Unit.COUNT,
        "open sockets of a process of the bot; of several processes their average",
        mean(),
        Direction.HIGH,
    ),
    _process(
        "process.uptime",
        "process.uptime",
        Unit.SECONDS,
        "how long the bot's process has been running; of several processes the shortest",
        "min[low]",
        Direction.LOW,
    ),
    _process(
        "process.threads",
        "process.thread.count",
        Unit.COUNT,
        "threads of a process of the bot and its children; of several processes their average",
        mean(),
        Direction.HIGH,
    ),
    _process(
        "process.open_files",
        "process.unix.file_descriptor.count",
        Unit.COUNT,
        "open files of a process of the bot and its children; of several processes the most",
        "max[high]",
        Direction.HIGH,
    ),
    _process(
        "process.memory_left",
        "process.memory.left",
        Unit.BYTES,
        "memory a process of the bot may still take before a limit, or the machine, stops it; of several the least",
        "min[low]",
        Direction.LOW,
    ),
    Measure(
        "process.starts",
        Unit.COUNT,
        "processes of the bot that were seen for the first time",
        Counted(STARTS, "sum[count]"),
        empty=Empty.SEEN,
    ),
    Measure(
        "process.restarts",
        Unit.COUNT,
        "processes of the bot that started again after one that had not lived for ten minutes",
        Counted(STARTS, "sum[again]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
        remedy="look at what it logs before it ends, and at what changed before the first of them",
    ),
    Measure(
        "processes.running",
        Unit.COUNT,
        "running processes of a bot that the agent was told to watch; of several bots the fewest",
        Counted(Gauges(("botwatch.processes",), (("process", ("process",)),)), "min[low]"),
        direction=Direction.LOW,
        thresholds=Thresholds(0.9, 0.1),
        remedy="start the bot: its process is gone",
    ),
    _process(
        "memory.growth",
        "process.memory.growth",
        Unit.BYTES,
        "bytes an hour by which a process of the bot grows and does not shrink again: a leak; of several the most",
        "max[high]",
        Direction.HIGH,
    ),
    Measure(
        "memory.time_left",
        Unit.SECONDS,
        "time until a leaking process of the bot has no memory left; of several the shortest",
        Counted(Gauges(("process.memory.time_left",), (_INSTANCE,)), "min[low]"),
        direction=Direction.LOW,
        thresholds=Thresholds(86_400, 14_400),
        remedy="restart the process before then, and find what it keeps",
    ),
    Measure(
        "limit.usage",
        Unit.PERCENT,
        "share of a limit that is used: memory, tasks or processors of a control group, open files, address space; "
        "of several the fullest",
        Counted(Gauges(("botwatch.limit.utilization",), (_INSTANCE, ("limit", ("limit",)))), "100 * max[high]"),
        direction=Direction.HIGH,
        thresholds=Thresholds(85, 95),
        remedy="raise the limit, or let the bot use less",
    ),
)
