"""What the bot counts about itself, and the readings it gives of its queues and its state."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from botwatch_sdk import _limits
from botwatch_sdk._tally import Tally


class Kind(StrEnum):
    IN = "in"
    OUT = "out"
    WARNING = "warning"
    ERROR = "error"


class Reason(StrEnum):
    """Why something was not sent."""

    QUEUE_FULL = "queue_full"
    REFUSED = "refused"  # the server answered that it does not take it
    TOO_LARGE = "too_large"
    UNENCODABLE = "unencodable"  # not to be written as OTLP or JSON
    NAMES = "names"  # more names of queues, states, dependencies and the like than are kept


@dataclass(frozen=True, slots=True)
class Reading:
    """The last that was said of one queue or one state since the heartbeat before."""

    depth: float | None = None
    age_s: float | None = None

    def updated(self, depth: float | None, age_s: float | None) -> Reading:
        return Reading(self.depth if depth is None else depth, self.age_s if age_s is None else age_s)


_UNREAD = Reading()


@dataclass(frozen=True, slots=True)
class Readings:
    queues: dict[str, Reading]
    states: dict[str, Reading]
    invalid: dict[str, int]


class Counters:
    """Thread-safe, and re-entrant: a log call in a `__del__` may come in the middle of any of these."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._events = dict.fromkeys(Kind, 0)
        self._dropped = dict.fromkeys(Reason, 0)
        self._queues: dict[str, Reading] = {}
        self._states: dict[str, Reading] = {}
        self._invalid: dict[str, int] = {}
        self.tally = Tally(lambda: self.drop(Reason.NAMES))

    def event(self, kind: Kind) -> None:
        with self._lock:
            self._events[kind] += 1

    def drop(self, reason: Reason, items: int = 1) -> None:
        with self._lock:
            self._dropped[reason] += items

    def queue(self, name: str, depth: float | None, age_s: float | None) -> None:
        with self._lock:
            if self._room(self._queues, name):
                self._queues[name] = self._queues.get(name, _UNREAD).updated(depth, age_s)

    def state(self, name: str, age_s: float | None, invalid: bool) -> None:
        with self._lock:
            if self._room(self._invalid, name):
                self._invalid[name] = self._invalid.get(name, 0) + invalid
                self._states[name] = self._states.get(name, _UNREAD).updated(None, age_s)

    def _room(self, named: dict[str, Reading] | dict[str, int], name: str) -> bool:
        if name in named or len(named) < _limits.READING_NAMES_MAX:
            return True
        self._dropped[Reason.NAMES] += 1
        return False

    @property
    def events(self) -> dict[Kind, int]:
        with self._lock:
            return dict(self._events)

    @property
    def dropped(self) -> dict[Reason, int]:
        with self._lock:
            return dict(self._dropped)

    @property
    def readings(self) -> Readings:
        with self._lock:
            return Readings(dict(self._queues), dict(self._states), dict(self._invalid))

    def take_readings(self) -> Readings:
        """Each reading of a gauge is told once: an old one repeated would pass for a fresh one."""
        with self._lock:
            taken = Readings(self._queues, self._states, dict(self._invalid))
            self._queues, self._states = {}, {}
            return taken
