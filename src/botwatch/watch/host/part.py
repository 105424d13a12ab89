"""What every part of a machine has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from botwatch.watch.reading import Reading


class Unknown(Exception):
    """The part cannot be read here; the text says why, for people."""


class Part(Protocol):
    @property
    def name(self) -> str: ...

    def read(self, now_s: float) -> Sequence[Reading]:
        """What is known now; `now_s` only ever grows. Raises `Unknown` where there is nothing to read."""
        ...
