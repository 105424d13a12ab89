"""Time as something that is passed in, so that a test can hold it still."""

from __future__ import annotations

import time
from typing import Protocol

SECOND_NS = 1_000_000_000


class Clock(Protocol):
    def now_ns(self) -> int:
        """Wall-clock time, nanoseconds since 1970 in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only ever grow; for intervals."""
        ...


class SystemClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_s(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves when it is told to."""

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self._monotonic_s = 0.0

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        self._now_ns += round(seconds * SECOND_NS)
        self._monotonic_s += seconds
