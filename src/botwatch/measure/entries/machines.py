"""What bots use: their processes, queues and state, and the machines they run on."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import mean
from botwatch.measure.model import Counted, Direction, Fold, Measure, Preferred, Thresholds, Unit
from botwatch.measure.sources_points import Counters, Gauges

_INSTANCE: Final = ("instance", ("service.instance.id",))
_QUEUE: Final = (("queue", ("bot.queue.name",)),)
_STATE: Final = (("state", ("bot.state.name",)),)
_MODE: Final = ("mode", ("cpu.mode", "state", "system.cpu.state"))
_CPU: Final = ("cpu", ("cpu.logical_number", "system.cpu.logical_number", "cpu"))
_MEMORY: Final = ("state", ("system.memory.state", "state"))
_DEVICE: Final = ("device", ("system.device", "device"))
_DISK: Final = (("state", ("system.filesystem.state", "state")), ("fs", ("system.filesystem.type", "type")))
# Always full, or not a disk at all.
_REAL_DISK: Final = "fs NOT IN ('squashfs', 'iso9660', 'erofs', 'tmpfs', 'devtmpfs', 'ramfs', 'overlay')"


def _process(name: str, metric: str, unit: Unit, what: str, value: str, direction: Direction) -> Measure:
    return Measure(name, unit, what, Counted(Gauges((metric,), (_INSTANCE,)), value), direction=direction)


def _part(name: str, what: str, counted: Counted, unit: Unit = Unit.PERCENT) -> Measure:
    return Measure(name, unit, what, counted, public=False)


_PROCESSES: Final = (
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
)

_READINGS: Final = (
    Measure(
        "queue.depth",
        Unit.COUNT,
        "messages waiting in a queue, as the bot sees it; of several queues the deepest",
        Counted(Gauges(("bot.queue.depth",), _QUEUE), "max[high]"),
        direction=Direction.HIGH,
        thresholds=Thresholds(100, 500),
    ),
    Measure(
        "queue.age",
        Unit.SECONDS,
        "age of the oldest message in a queue, as the bot sees it; of several queues the oldest",
        Counted(Gauges(("bot.queue.age",), _QUEUE), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "state.age",
        Unit.SECONDS,
        "time since something the bot stores was last made fresh; of several the oldest",
        Counted(Gauges(("bot.state.age",), _STATE), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "state.invalid",
        Unit.COUNT,
        "times something the bot stores failed its check",
        Counted(Counters(("bot.state.invalid",), _STATE), "sum[risen]"),
        direction=Direction.HIGH,
    ),
)

_HOSTS: Final = (
    Measure(
        "cpu.usage",
        Unit.PERCENT,
        "share of the processors of a host that is not idle; of several hosts their average",
        Preferred(("cpu.usage.gauge", "cpu.usage.time"), ("host",), Fold.MEAN),
        direction=Direction.HIGH,
        thresholds=Thresholds(70, 85),
        colours=Thresholds(80, 95),
    ),
    _part(
        "cpu.usage.gauge",
        "from system.cpu.utilization",
        Counted(Gauges(("system.cpu.utilization",), (_CPU,), inner=(_MODE,)), f"100 * (1 - {mean()})", "mode = 'idle'"),
    ),
    _part(
        "cpu.usage.time",
        "from system.cpu.time",
        Counted(
            Counters(("system.cpu.time",), (_CPU,), inner=(_MODE,)),
            "100 * (1 - sum[risen | mode = 'idle'] / nullIf(sum[risen], 0))",
        ),
    ),
    Measure(
        "mem.usage",
        Unit.PERCENT,
        "share of the memory of a host that is in use; of several hosts their average",
        Preferred(("mem.usage.gauge", "mem.usage.bytes"), ("host",), Fold.MEAN),
        direction=Direction.HIGH,
        thresholds=Thresholds(75, 85),
        colours=Thresholds(85, 95),
    ),
    _part(
        "mem.usage.gauge",
        "from system.memory.utilization",
        Counted(Gauges(("system.memory.utilization",), inner=(_MEMORY,)), mean("100 * sum[total]"), "state = 'used'"),
    ),
    _part(
        "mem.usage.bytes",
        "from system.memory.usage",
        Counted(
            Gauges(("system.memory.usage",), inner=(_MEMORY,)),
            "100 * sum[total | state = 'used'] / nullIf(sum[total], 0)",
            "state IN ('used', 'free', 'cached', 'buffered', 'buffers')",
        ),
    ),
    Measure(
        "mem.free",
        Unit.KIB,
        "free memory of a host in KB; of several hosts their average",
        Counted(Gauges(("system.memory.usage",), inner=(_MEMORY,)), mean("sum[total] / 1024"), "state = 'free'"),
        direction=Direction.LOW,
    ),
    Measure(
        "disk.usage",
        Unit.PERCENT,
        "share of a disk that is in use; of several disks the fullest",
        Preferred(("disk.usage.gauge", "disk.usage.bytes"), ("host", "device"), Fold.MAX),
        direction=Direction.HIGH,
        colours=Thresholds(80, 90),
    ),
    _part(
        "disk.usage.gauge",
        "from system.filesystem.utilization",
        Counted(
            Gauges(("system.filesystem.utilization",), (_DEVICE,), inner=_DISK),
            "100 * max[high]",
            f"state IN ('used', '') AND {_REAL_DISK}",
        ),
    ),
    _part(
        "disk.usage.bytes",
        "from system.filesystem.usage",
        Counted(
            Gauges(("system.filesystem.usage",), (_DEVICE,), inner=_DISK),
            "100 * sum[total | state = 'used'] / nullIf(sum[total | state IN ('used', 'free')], 0)",
            _REAL_DISK,
        ),
    ),
    Measure(
        "gpu.usage",
        Unit.PERCENT,
        "share of the time a GPU of a host is busy; of several their average",
        Counted(Gauges(("hw.gpu.utilization",), (("gpu", ("hw.id",)),)), mean("100 * sum[total]")),
        direction=Direction.HIGH,
        colours=Thresholds(90, 98),
    ),
)

MEASURES: Final = (*_PROCESSES, *_READINGS, *_HOSTS)
