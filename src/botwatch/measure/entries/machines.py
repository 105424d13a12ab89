"""What bots use: queues and state, and the machines they run on."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import mean
from botwatch.measure.model import Counted, Direction, Fold, Measure, Preferred, Thresholds, Unit
from botwatch.measure.sources_points import Counters, Gauges

_STATE: Final = (("state", ("bot.state.name",)),)
_MODE: Final = ("mode", ("cpu.mode", "state", "system.cpu.state"))
_CPU: Final = ("cpu", ("cpu.logical_number", "system.cpu.logical_number", "cpu"))
_MEMORY: Final = ("state", ("system.memory.state", "state"))
_PAGING: Final = ("state", ("system.paging.state", "state"))
_INTERFACE: Final = ("interface", ("network.interface.name", "device"))
_WAY: Final = ("way", ("network.io.direction", "direction"))
_CONNECTION: Final = ("state", ("network.connection.state", "state"))
_DEVICE: Final = ("device", ("system.device", "device"))
_DISK: Final = (("state", ("system.filesystem.state", "state")), ("fs", ("system.filesystem.type", "type")))
_AT_REST: Final = "mode IN ('idle', 'iowait', 'wait')"  # waiting for a disk is not work
# Always full, or not a disk at all.
_REAL_DISK: Final = "fs NOT IN ('squashfs', 'iso9660', 'erofs', 'tmpfs', 'devtmpfs', 'ramfs', 'overlay')"


def _part(name: str, what: str, counted: Counted, unit: Unit = Unit.PERCENT) -> Measure:
    return Measure(name, unit, what, counted, public=False)


_READINGS: Final = (
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
        "share of the processors of a host that is at work; of several hosts their average",
        Preferred(("cpu.usage.gauge", "cpu.usage.time"), ("host",), Fold.MEAN),
        direction=Direction.HIGH,
        thresholds=Thresholds(70, 85),
        colours=Thresholds(80, 95),
        remedy="scale up, or find what keeps the processors busy",
    ),
    _part(
        "cpu.usage.gauge",
        "from system.cpu.utilization",
        Counted(
            Gauges(("system.cpu.utilization",), (_CPU,), inner=(_MODE,)),
            "100 * (1 - sum[total] / nullIf(sum[count | mode = 'idle'], 0))",
            _AT_REST,
        ),
    ),
    _part(
        "cpu.usage.time",
        "from system.cpu.time",
        Counted(
            Counters(("system.cpu.time",), (_CPU,), inner=(_MODE,)),
            f"100 * (1 - sum[risen | {_AT_REST}] / nullIf(sum[risen], 0))",
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
        remedy="add memory, or reduce caches",
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
        remedy="clean up, or add storage",
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
        remedy="queue requests, or add a GPU",
    ),
)

_MORE: Final = (
    Measure(
        "gpu.memory",
        Unit.PERCENT,
        "share of the memory of a GPU that is in use; of several the fullest",
        Counted(Gauges(("hw.gpu.memory.utilization",), (("gpu", ("hw.id",)),)), "100 * max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "swap.usage",
        Unit.PERCENT,
        "share of the swap space of a host that is in use; of several hosts their average",
        Counted(Gauges(("system.paging.utilization",), inner=(_PAGING,)), mean("100 * sum[total]"), "state = 'used'"),
        direction=Direction.HIGH,
    ),
    *(
        Measure(
            f"load.{over}",
            Unit.COUNT,
            f"tasks of a host that run or want to, over {over}; of several hosts their average",
            Counted(Gauges((f"system.cpu.load_average.{over}",)), mean()),
            direction=Direction.HIGH,
        )
        for over in ("1m", "5m", "15m")
    ),
    *(
        Measure(
            f"network.{name}",
            Unit.BYTES,
            f"bytes that hosts {what}",
            Counted(Counters(("system.network.io",), (_INTERFACE,), inner=(_WAY,)), "sum[risen]", f"way = '{way}'"),
        )
        for name, way, what in (("in", "receive", "received"), ("out", "transmit", "sent"))
    ),
    Measure(
        "network.errors",
        Unit.COUNT,
        "packets of hosts that were broken or dropped",
        Counted(
            Counters(
                ("system.network.errors", "system.network.packet.dropped", "system.network.dropped"), (_INTERFACE,)
            ),
            "sum[risen]",
        ),
        direction=Direction.HIGH,
    ),
    Measure(
        "connections.open",
        Unit.COUNT,
        "established TCP connections of a host; of several hosts the most",
        Counted(
            Gauges(("system.network.connection.count", "system.network.connections"), inner=(_CONNECTION,)),
            "max[high]",
            "lower(state) = 'established'",
        ),
        direction=Direction.HIGH,
    ),
    Measure(
        "files.open",
        Unit.COUNT,
        "open files of a host; of several hosts the most",
        Counted(Gauges(("system.open_files",)), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "memory.kills",
        Unit.COUNT,
        "processes the kernel of a host killed because memory ran out",
        Counted(Counters(("system.memory.oom_kills",)), "sum[risen]"),
        direction=Direction.HIGH,
        thresholds=Thresholds(0.5, 4),
        remedy="raise the memory limit, add memory, or find what leaks",
    ),
    Measure(
        "host.uptime",
        Unit.SECONDS,
        "how long a host has been running; of several the shortest",
        Counted(Gauges(("system.uptime",)), "min[low]"),
        direction=Direction.LOW,
    ),
)

MEASURES: Final = (*_READINGS, *_HOSTS, *_MORE)
