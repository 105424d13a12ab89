"""Whether the disk has room for more."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from botwatch.clock import Clock

_ASK_EVERY_S: Final = 1.0


def free_bytes(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


class Space:
    """Asks the file system at most once a second. A file system that does not answer is not
    called full: a write to it tells."""

    def __init__(
        self, folder: Path, free_bytes_min: int, clock: Clock, ask: Callable[[Path], int] = free_bytes
    ) -> None:
        self._folder = folder
        self._free_bytes_min = free_bytes_min
        self._clock = clock
        self._ask = ask
        self._asked_s: float | None = None
        self._low = False

    def low(self) -> bool:
        now_s = self._clock.monotonic_s()
        if self._asked_s is None or now_s - self._asked_s >= _ASK_EVERY_S:
            try:
                self._low = self._ask(self._folder) < self._free_bytes_min
            except OSError:
                self._low = False
            self._asked_s = now_s  # last: another thread that finds it takes what was found for new
        return self._low
