"""What stands between bots and others: announced limits, circuit breakers, long-lived connections, stored state."""

from __future__ import annotations

from typing import Final

from botwatch.measure.model import Counted, Direction, Measure, Unit
from botwatch.measure.sources_points import Counters, Gauges

_DEPENDENCY: Final = ("dependency", ("bot.dependency.name",))
_QUOTA: Final = ("quota", ("bot.dependency.limit.name",))
_BREAKER: Final = (("breaker", ("bot.breaker.name",)),)
_SOCKET: Final = (("socket", ("bot.socket.name",)),)
_STATE: Final = (("state", ("bot.state.name",)),)


def _times(
    name: str, metric: str, what: str, label: tuple[tuple[str, tuple[str, ...]], ...], bad: Direction
) -> Measure:
    return Measure(name, Unit.COUNT, what, Counted(Counters((metric,), label), "sum[risen]"), direction=bad)


MEASURES: Final = (
    Measure(
        "dependency.retry_after",
        Unit.SECONDS,
        "how long others asked the bot to wait when it called too often (Retry-After); of several the longest",
        Counted(Gauges(("bot.dependency.retry_after",), (_DEPENDENCY,)), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "dependency.limit",
        Unit.COUNT,
        "calls or tokens others allow, as their answers announce it; of several the lowest",
        Counted(Gauges(("bot.dependency.limit",), (_DEPENDENCY, _QUOTA)), "min[low]"),
        direction=Direction.LOW,
    ),
    Measure(
        "dependency.remaining",
        Unit.COUNT,
        "calls or tokens that are left of such a limit; of several the lowest",
        Counted(Gauges(("bot.dependency.remaining",), (_DEPENDENCY, _QUOTA)), "min[low]"),
        direction=Direction.LOW,
    ),
    Measure(
        "breaker.state",
        Unit.COUNT,
        "a circuit breaker of the bot: 0 closed, 1 half-open, 2 open; of several the worst",
        Counted(Gauges(("bot.breaker.state",), _BREAKER), "max[high]"),
        direction=Direction.HIGH,
    ),
    _times(
        "breaker.rejections",
        "bot.breaker.rejected",
        "calls that were not made because their circuit breaker was open",
        _BREAKER,
        Direction.HIGH,
    ),
    _times("breaker.opens", "bot.breaker.opened", "times a circuit breaker opened", _BREAKER, Direction.HIGH),
    _times(
        "breaker.heals",
        "bot.breaker.healed",
        "times a circuit breaker closed again after a trial that succeeded",
        _BREAKER,
        Direction.NEITHER,
    ),
    Measure(
        "sockets.open",
        Unit.COUNT,
        "long-lived connections of the bot that stand, on average over the step; of several their sum",
        Counted(
            Gauges(("bot.socket.open",), _SOCKET),
            "arraySum(arrayMap((total, n) -> total / n, mapValues(sumMap[totals]), mapValues(sumMap[counts])))",
        ),
        direction=Direction.LOW,
    ),
    _times(
        "sockets.drops",
        "bot.socket.drops",
        "long-lived connections of the bot that ended and should not have",
        _SOCKET,
        Direction.HIGH,
    ),
    _times(
        "sockets.reconnects",
        "bot.socket.reconnects",
        "times the bot was back after such a drop",
        _SOCKET,
        Direction.NEITHER,
    ),
    Measure(
        "state.invalid_items",
        Unit.COUNT,
        "items of something the bot stores that do not hold, as a declared query counts them; of several the most",
        Counted(Gauges(("bot.state.invalid_items",), _STATE), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "state.watched",
        Unit.COUNT,
        "1 where what the bot stores answers the query declared for it, 0 where it does not; of several the least",
        Counted(Gauges(("bot.state.watched",), _STATE), "min[low]"),
        direction=Direction.LOW,
    ),
)
