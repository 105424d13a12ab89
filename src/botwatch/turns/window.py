"""What one run looks at: what was received since the last, and whose deadline has passed since.

Everything is judged as of the end of the window, which is a time all of whose data the engine has:
a reply that was acknowledged before a deadline is never missed because it was still on its way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from botwatch import limits
from botwatch.settings import Settings

NS_PER_MS: Final = 1_000_000
US_PER_MS: Final = 1_000
US_PER_S: Final = 1_000_000
MS_PER_S: Final = 1_000


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings that decide what a turn and an active session are."""

    deadline_s: int
    late_s: int
    idle_s: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.turn_deadline_seconds, settings.late_hours * 3600, settings.idle_minutes * 60)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the runs have come: in what was received, and in the times at which users asked.

    They are two, because a changed deadline moves one against the other.
    """

    received_ms: int = 0
    asked_us: int = 0

    def write(self) -> str:
        return json.dumps({"received_ms": self.received_ms, "asked_us": self.asked_us})

    @classmethod
    def read(cls, text: str | None) -> Self:
        """A cursor that is missing or damaged starts again: what is settled already stays as it is."""
        try:
            found = json.loads(text or "{}")
            return cls(int(found["received_ms"]), int(found["asked_us"]))
        except (ValueError, KeyError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Window:
    """Both ranges leave out their beginning and take in their end."""

    received_from_ms: int
    received_to_ms: int
    asked_from_us: int
    asked_to_us: int

    @property
    def as_of_us(self) -> int:
        return self.received_to_ms * US_PER_MS

    def cursor(self) -> Cursor:
        return Cursor(self.received_to_ms, self.asked_to_us)

    def params(self) -> Mapping[str, int]:
        return {
            "received_from_ms": self.received_from_ms,
            "received_to_ms": self.received_to_ms,
            "asked_from_us": self.asked_from_us,
            "asked_to_us": self.asked_to_us,
        }


def next_window(cursor: Cursor, stored_through_ns: int, deadline_s: int) -> Window | None:
    """What to look at now; None when nothing can have become known since the last time."""
    # `received` is cut to the millisecond, so the one that contains the instant is not complete yet.
    to_ms = stored_through_ns // NS_PER_MS - 1
    from_ms = cursor.received_ms
    if to_ms == from_ms:
        return None
    if to_ms < from_ms:
        # The clock was set back. What came since then lies behind the cursor: look again, at no harm.
        from_ms = to_ms - limits.CLOCK_BACK_S_MAX * MS_PER_S
    asked_to_us = to_ms * US_PER_MS - deadline_s * US_PER_S
    return Window(from_ms, to_ms, min(cursor.asked_us, asked_to_us), asked_to_us)
