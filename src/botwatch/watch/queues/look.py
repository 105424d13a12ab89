"""What a broker tells of its queues at one moment. None always means: it does not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """One partition of a topic, for one group."""

    partition: int
    depth: int
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One queue, or one consumer group's view of one.

    `depth` is what waits and nobody has taken; `pending` what was taken and is not done. `entered` is the
    broker's own count of all that ever came in: it only grows. `head` tells the oldest message from any other.
    """

    queue: str
    depth: int | None
    group: str = ""
    pending: int | None = None
    age_s: float | None = None
    consumers: int | None = None
    entered: int | None = None
    head: bytes | None = None
    parts: tuple[Part, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.queue, self.group

    @property
    def backlog(self) -> int | None:
        """All that is not done."""
        return None if self.depth is None else self.depth + (self.pending or 0)


@dataclass(frozen=True, slots=True)
class Looks:
    """All queues of one broker. `left_out` says how many there were beyond the bound."""

    queues: Sequence[Look]
    left_out: int = 0


class Broker(Protocol):
    """One broker that is watched. It is asked again and again; between two questions it may keep its connection."""

    async def look(self, now_s: float) -> Looks: ...

    async def close(self) -> None: ...
