"""What the process uses and what the bot counted, as OpenTelemetry instruments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import psutil
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from botwatch_sdk import _limits, _names, _tally
from botwatch_sdk._counters import Counters, Reading, Readings
from botwatch_sdk._guard import contained
from botwatch_sdk._tally import Labels, Told

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pulse:
    """One look at the process and its counters; None is what could not be read."""

    cpu: float | None
    memory_bytes: int | None
    connections: int | None
    uptime_s: float | None
    events: dict[str, int]
    dropped: dict[str, int]
    readings: Readings
    told: Told


class Gauges:
    """Reads the process. Each reading stands alone: one that fails leaves the others."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cpu_s = time.process_time()
        self._wall_s = time.monotonic()
        self._connections: int | None = None
        self._connections_after_s = 0.0

    def read(self, counters: Counters) -> Pulse:
        told = counters.tally.take()  # before what it may drop is counted
        return Pulse(
            _tried(self._cpu),
            _tried(lambda: int(self._process.memory_info().rss)),
            _tried(self._open_connections),
            _tried(lambda: max(time.time() - self._process.create_time(), 0.0)),
            {str(kind): count for kind, count in counters.events.items()},
            {str(reason): count for reason, count in counters.dropped.items()},
            counters.take_readings(),
            told,
        )

    def _cpu(self) -> float | None:
        cpu_s, wall_s = time.process_time(), time.monotonic()
        spent, passed = cpu_s - self._cpu_s, wall_s - self._wall_s
        if passed < _limits.CPU_OVER_S_MIN:
            return None
        self._cpu_s, self._wall_s = cpu_s, wall_s
        return spent / passed

    def _open_connections(self) -> int | None:
        """On a machine with very many sockets the count is slow: then it is taken less often."""
        began = time.monotonic()
        if began >= self._connections_after_s:
            self._connections = len(self._process.net_connections(kind="inet"))
            ended = time.monotonic()
            self._connections_after_s = ended + (ended - began) / _limits.CONNECTIONS_COST_SHARE_MAX
        return self._connections


def _tried(read: Callable[[], T | None]) -> T | None:
    try:
        return read()
    except Exception as error:
        contained("heartbeat", error)
        return None


class Board:
    """Where the instruments, made once a process, find the pulse to tell.

    `collecting` is held while they are asked, and by a fork: a child must not inherit OpenTelemetry's locks taken.
    """

    def __init__(self) -> None:
        self.collecting = threading.Lock()
        self.pulse: Pulse | None = None


board: Final = Board()


def instruments(meter: Meter) -> None:

    def gauge(name: str, unit: str, read: Callable[[Pulse], float | None]) -> None:
        meter.create_observable_gauge(name, [_seen(lambda pulse: _one(read(pulse)))], unit)

    def reading(name: str, unit: str, read: Callable[[Pulse], Iterable[Observation]]) -> None:
        meter.create_observable_gauge(name, [_seen(read)], unit)

    def count(name: str, unit: str, label: str, read: Callable[[Pulse], dict[str, int]]) -> None:
        meter.create_observable_counter(name, [_seen(lambda pulse: _labelled(label, read(pulse)))], unit)

    gauge(_names.CPU, "1", lambda pulse: pulse.cpu)
    gauge(_names.MEMORY, "By", lambda pulse: pulse.memory_bytes)
    gauge(_names.CONNECTIONS, "{connection}", lambda pulse: pulse.connections)
    gauge(_names.UPTIME, "s", lambda pulse: pulse.uptime_s)
    reading(_names.QUEUE_DEPTH, "{message}", lambda pulse: _depths(pulse.readings.queues))
    reading(_names.QUEUE_AGE, "s", lambda pulse: _ages(_names.QUEUE_NAME, pulse.readings.queues))
    reading(_names.STATE_AGE, "s", lambda pulse: _ages(_names.STATE_NAME, pulse.readings.states))
    count(_names.EVENTS, "{event}", _names.EVENT_KIND, lambda pulse: pulse.events)
    count(_names.DROPPED, "{item}", _names.DROPPED_REASON, lambda pulse: pulse.dropped)
    count(_names.STATE_INVALID, "{check}", _names.STATE_NAME, lambda pulse: pulse.readings.invalid)
    for metric, unit in _tally.GAUGES:
        reading(metric, unit, lambda pulse, metric=metric: _told(pulse.told.gauges[metric]))  # type: ignore[misc]
    for metric, unit in _tally.COUNTS:
        observe = _seen(lambda pulse, metric=metric: _told(pulse.told.counts[metric]))  # type: ignore[misc]
        meter.create_observable_counter(metric, [observe], unit)


def _seen(read: Callable[[Pulse], Iterable[Observation]]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return () if board.pulse is None else read(board.pulse)

    return observe


def _one(value: float | None) -> Iterable[Observation]:
    return () if value is None else (Observation(value),)


def _labelled(label: str, counts: dict[str, int]) -> Iterable[Observation]:
    return [Observation(count, {label: name}) for name, count in counts.items()]


def _told(found: Mapping[Labels, float]) -> Iterable[Observation]:
    return [Observation(value, dict(labels)) for labels, value in found.items()]


def _depths(queues: dict[str, Reading]) -> Iterable[Observation]:
    found = ((name, reading.depth) for name, reading in queues.items())
    return [Observation(depth, {_names.QUEUE_NAME: name}) for name, depth in found if depth is not None]


def _ages(label: str, named: dict[str, Reading]) -> Iterable[Observation]:
    found = ((name, reading.age_s) for name, reading in named.items())
    return [Observation(age_s, {label: name}) for name, age_s in found if age_s is not None]
