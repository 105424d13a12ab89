"""Committed bodies that are still in memory, for the writer who comes next."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence


class Kept:
    """Bounded. What does not fit is read from the file: the oldest stay, as they leave first."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._bodies: dict[int, bytes] = {}
        self._bytes = 0

    def add(self, bodies: Iterable[tuple[int, bytes]]) -> None:
        with self._lock:
            for parcel_id, body in bodies:
                if self._bytes + len(body) <= self._bytes_max:
                    self._bodies[parcel_id] = body
                    self._bytes += len(body)

    def take(self, ids: Sequence[int]) -> dict[int, bytes]:
        with self._lock:
            found = {parcel_id: self._bodies.pop(parcel_id) for parcel_id in ids if parcel_id in self._bodies}
            self._bytes -= sum(map(len, found.values()))
        return found
