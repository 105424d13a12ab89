"""Numbers about what a bot calls and keeps open, told with the heartbeat beside those of `_counters`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from botwatch_sdk import _limits, _names
from botwatch_sdk._guard import contained

Labels = tuple[tuple[str, str], ...]

GAUGES: Final = (
    (_names.DEPENDENCY_LIMIT, "{request}"),
    (_names.DEPENDENCY_REMAINING, "{request}"),
    (_names.DEPENDENCY_RETRY_AFTER, "s"),
    (_names.BREAKER_STATE, "1"),
    (_names.SOCKET_OPEN, "{connection}"),
)
COUNTS: Final = (
    (_names.BREAKER_REJECTED, "{call}"),
    (_names.BREAKER_OPENED, "{time}"),
    (_names.BREAKER_HEALED, "{time}"),
    (_names.SOCKET_DROPS, "{connection}"),
    (_names.SOCKET_RECONNECTS, "{connection}"),
    (_names.PAYLOAD_CHECKED, "{document}"),
    (_names.PAYLOAD_SCHEMA_FAILURES, "{document}"),
    (_names.PAYLOAD_INVALID_JSON, "{document}"),
)


class Keep(Enum):
    """Which of several readings between two heartbeats is told."""

    LAST = auto()
    LOWEST = auto()
    HIGHEST = auto()


@dataclass(frozen=True, slots=True)
class Told:
    gauges: Mapping[str, Mapping[Labels, float]]
    counts: Mapping[str, Mapping[Labels, int]]


class Teller(Protocol):
    def tell(self, tally: Tally) -> None:
        """Say how it stands, zeros included: what only grows must be seen at 0 before it grows."""

    def renew_lock(self) -> None:
        """After a fork: another thread of the parent may have held it."""


class Tally:
    """Thread-safe and re-entrant, as `Counters`. Gauges are told once, counts each time."""

    def __init__(self, full: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._full = full
        self._gauges: dict[str, dict[Labels, float]] = {name: {} for name, _ in GAUGES}
        self._counts: dict[str, dict[Labels, int]] = {name: {} for name, _ in COUNTS}

    def add(self, metric: str, labels: Labels, times: int = 1) -> None:
        with self._lock:
            counts = self._counts[metric]
            if self._room(counts, labels):
                counts[labels] = counts.get(labels, 0) + times

    def read(self, metric: str, labels: Labels, value: float, keep: Keep = Keep.LAST) -> None:
        with self._lock:
            gauges = self._gauges[metric]
            if not self._room(gauges, labels):
                return
            before = gauges.get(labels)
            if before is None or keep is Keep.LAST:
                gauges[labels] = value
            else:
                gauges[labels] = min(before, value) if keep is Keep.LOWEST else max(before, value)

    def take(self) -> Told:
        for teller in list(_tellers):
            try:
                teller.tell(self)
            except Exception as error:
                contained("heartbeat", error)
        with self._lock:
            told = Told(self._gauges, {name: dict(counts) for name, counts in self._counts.items()})
            self._gauges = {name: {} for name in self._gauges}
            return told

    def counts(self, metric: str) -> Mapping[Labels, int]:
        with self._lock:
            return dict(self._counts[metric])

    def gauges(self, metric: str) -> Mapping[Labels, float]:
        with self._lock:
            return dict(self._gauges[metric])

    def _room(self, named: Mapping[Labels, float], labels: Labels) -> bool:
        if labels in named or len(named) < _limits.READING_NAMES_MAX:
            return True
        self._full()
        return False


_tellers: list[Teller] = []


def tells(teller: Teller) -> None:
    """From now on it is asked before each heartbeat. Whoever makes tellers bounds how many there are."""
    _tellers.append(teller)


def _renew_locks() -> None:
    for teller in _tellers:
        teller.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
