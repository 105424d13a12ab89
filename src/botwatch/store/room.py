"""Whether the disk has room for what the embedded engine writes.

Where the disk fills up while it writes, the engine may take a part for whole whose files are empty: what was in it is
lost, and after a merge all that was merged. So it stops before that, later than the door: what was let in may still
be written.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from botwatch.clock import Clock
from botwatch.errors import StoreAway
from botwatch.spool.space import Space
from botwatch.store.client import Store

log = logging.getLogger(__name__)

_SHARE: Final = 4  # of the free bytes below which the door takes nothing new


class Room:
    """`check` before an insert; `tend` once a second, for what the engine merges by itself."""

    def __init__(self, store: Store, space: Space) -> None:
        self._store = store
        self._space = space
        self._resting = False

    @classmethod
    def of(cls, store: Store, folder: Path, disk_free_bytes_min: int, clock: Clock) -> Room:
        return cls(store, Space(folder, disk_free_bytes_min // _SHARE, clock))

    def check(self) -> None:
        if self._space.low():
            raise StoreAway("the disk is nearly full, so nothing is written to the telemetry store")

    def tend(self) -> None:
        low = self._space.low()
        if low == self._resting:
            return
        self._store.command(f"SYSTEM {'STOP' if low else 'START'} MERGES")
        self._resting = low
        if low:
            log.error("the disk is nearly full: the telemetry store writes and merges nothing until some of it is free")
        else:
            log.warning("the disk has room again: the telemetry store writes and merges")
