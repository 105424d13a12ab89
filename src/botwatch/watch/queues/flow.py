"""From one look after the other to what flows: pure, with the time as an argument.

Growth is what the backlog rose by. Where the broker counts what enters, what left is what entered less the
growth. Where it does not, the rises and falls between looks are what came and went at least, and are told as that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from botwatch.limits import QUEUE_LOOKS_KEPT_MAX
from botwatch.watch.queues.look import Look

WINDOW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """`…_at_least`: the figure is a lower bound. `time_to_drain_s` is None while it is not draining.

    `growing_s` is for how long it has been growing, `stalled_s` for how long something has waited while nothing
    left; `unattended` is how many wait where nobody consumes.
    """

    age_s: float | None = None
    age_at_least: bool = False
    growth: float | None = None
    in_rate: float | None = None
    out_rate: float | None = None
    rates_at_least: bool = False
    time_to_drain_s: float | None = None
    growing_s: float | None = None
    stalled_s: float | None = None
    unattended: int | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    at_s: float
    backlog: int
    entered: int | None


class Flow:
    """The memory of one queue: its last looks, and since when some things have been true."""

    def __init__(self) -> None:
        self._looks: deque[_Seen] = deque(maxlen=QUEUE_LOOKS_KEPT_MAX)
        self._arrivals = Arrivals()
        self._head: tuple[bytes, float] | None = None
        self._growing_since_s: float | None = None
        self._stalled_since_s: float | None = None
        self._backlog_at_departure = 0

    def add(self, look: Look, at_s: float) -> Figures:
        head_moved = self._follow_head(look.head, at_s)
        unattended = look.depth if look.consumers == 0 else 0 if look.consumers is not None else None
        if look.backlog is None:
            return Figures(age_s=look.age_s, unattended=unattended)
        if self._looks and _restarted(self._looks[-1], look, at_s):
            self._forget()
        before = self._looks[-1] if self._looks else None
        now = _Seen(at_s, look.backlog, look.entered)
        self._looks.append(now)
        window = _within(self._looks, at_s)
        growth = _growth(window)
        in_rate, out_rate = _rates(window, growth)
        age_s, at_least = self._age(look, at_s)
        return Figures(
            age_s=age_s,
            age_at_least=at_least,
            growth=growth,
            in_rate=in_rate,
            out_rate=out_rate,
            rates_at_least=look.entered is None,
            time_to_drain_s=_time_to_drain(look.backlog, growth),
            growing_s=self._growing(growth, window),
            stalled_s=self._stalled(look, before, now, head_moved),
            unattended=unattended,
        )

    def _forget(self) -> None:
        self._looks.clear()
        self._arrivals = Arrivals()
        self._growing_since_s = None
        self._stalled_since_s = None

    def _follow_head(self, head: bytes | None, at_s: float) -> bool:
        """Whether another message is the oldest now."""
        if head is not None and self._head is not None and self._head[0] == head:
            return False
        moved = self._head is not None
        self._head = None if head is None else (head, at_s)
        return moved

    def _age(self, look: Look, at_s: float) -> tuple[float | None, bool]:
        """As the broker tells it; else for how long it must have waited at least."""
        counted_s = self._arrivals.oldest_s(look, at_s)
        if look.age_s is not None:
            return look.age_s, False
        if look.backlog == 0:
            return 0.0, False
        floors = [at_s - self._head[1]] if self._head else []
        floors += [counted_s] if counted_s is not None else []
        return (max(floors), True) if floors else (None, False)

    def _growing(self, growth: float | None, window: list[_Seen]) -> float | None:
        if growth is None:
            return None
        if growth <= 0:
            self._growing_since_s = None
            return 0.0
        if self._growing_since_s is None:
            self._growing_since_s = window[-2].at_s
        return window[-1].at_s - self._growing_since_s

    def _stalled(self, look: Look, before: _Seen | None, now: _Seen, head_moved: bool) -> float | None:
        """Something waits, or more is unfinished than when the last left, and nothing leaves."""
        if before is None:
            self._backlog_at_departure = now.backlog
        told = now.entered is not None or look.head is not None or now.backlog == 0
        waits = bool(look.depth) or now.backlog > self._backlog_at_departure
        if before is not None and _left(before, now, head_moved):
            self._backlog_at_departure = now.backlog
            self._stalled_since_s = None
        if not waits:
            self._stalled_since_s = None
            return 0.0 if told else None
        if self._stalled_since_s is None:
            self._stalled_since_s = now.at_s
        return now.at_s - self._stalled_since_s if told else None


class Arrivals:
    """When how many had entered. Of a queue that is served in order, this tells when the oldest at the latest came."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def oldest_s(self, look: Look, at_s: float) -> float | None:
        if look.entered is None or look.backlog is None:
            return None
        left = look.entered - look.backlog
        if not self._marks or self._marks[-1][1] != look.entered:
            self._marks.append((at_s, look.entered))
        while self._marks and self._marks[0][1] <= left:
            self._marks.popleft()
        if len(self._marks) > QUEUE_LOOKS_KEPT_MAX:
            first, *rest = self._marks
            self._marks = deque((first, *rest[1::2]))  # the first is what the age is told by
        return at_s - self._marks[0][0] if self._marks else None


def _restarted(before: _Seen, look: Look, at_s: float) -> bool:
    """The broker counts anew, its count was lost or found, or the clock was set back: nothing to compare with."""
    if at_s <= before.at_s:
        return True
    if (before.entered is None) != (look.entered is None):
        return True
    return before.entered is not None and look.entered is not None and look.entered < before.entered


def _within(looks: Iterable[_Seen], at_s: float) -> list[_Seen]:
    """The looks of the window, and never fewer than the last two."""
    found = list(looks)
    inside = [seen for seen in found if at_s - seen.at_s <= WINDOW_S]
    return inside if len(inside) > 1 else found[-2:]


def _growth(window: list[_Seen]) -> float | None:
    if len(window) < 2:
        return None
    first, last = window[0], window[-1]
    return (last.backlog - first.backlog) / (last.at_s - first.at_s)


def _rates(window: list[_Seen], growth: float | None) -> tuple[float | None, float | None]:
    if growth is None:
        return None, None
    first, last = window[0], window[-1]
    if first.entered is not None and last.entered is not None:
        came: float = last.entered - first.entered
    else:
        came = sum(max(0, later.backlog - earlier.backlog) for earlier, later in pairwise(window))
    in_rate = came / (last.at_s - first.at_s)
    return in_rate, max(0.0, in_rate - growth)


def _time_to_drain(backlog: int, growth: float | None) -> float | None:
    if backlog == 0:
        return 0.0
    return backlog / -growth if growth is not None and growth < 0 else None


def _left(before: _Seen, now: _Seen, head_moved: bool) -> bool:
    if before.entered is not None and now.entered is not None:
        return now.entered - now.backlog > before.entered - before.backlog
    return head_moved or now.backlog < before.backlog
