"""What one insert into the engine holds, decided once and for ever."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from botwatch import limits
from botwatch.nouns import Inbox

LoadBodies = Callable[[Sequence[int]], Mapping[int, bytes]]


def share_of_batch(parcels: int, items: int, size: int) -> float:
    """How much of one insert this fills. Parcels count only where it may hold no more of them: each costs little."""
    return max(parcels // limits.BATCH_PARCELS_MAX, items / limits.BATCH_ITEMS_MAX, size / limits.BATCH_BYTES_MAX)


class Bodies:
    """Hands out the bodies of one batch and lets go of each, so that a batch which waits for its
    end does not hold its bytes in memory. The first that is asked for brings all the others."""

    def __init__(self, ids: Sequence[int], load: LoadBodies) -> None:
        self._ids = ids
        self._load = load
        self._loaded: dict[int, bytes] = {}

    def take(self, parcel_id: int) -> bytes:
        if parcel_id not in self._loaded:
            self._loaded.update(self._load(self._ids))
        return self._loaded.pop(parcel_id)


@dataclass(frozen=True, slots=True)
class SpooledParcel:
    """A parcel that is durable. Asking for its body again reads it again."""

    id: int
    items: int
    size: int
    received_ns: int
    _bodies: Bodies = field(repr=False, compare=False)

    @property
    def body(self) -> bytes:
        return self._bodies.take(self.id)


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive parcels of one inbox. Its id, time and parcels stay the same after any crash."""

    id: int
    inbox: Inbox
    sealed_ns: int
    parcels: tuple[SpooledParcel, ...]

    @property
    def size(self) -> int:
        return sum(parcel.size for parcel in self.parcels)

    @property
    def items(self) -> int:
        return sum(parcel.items for parcel in self.parcels)

    @property
    def share(self) -> float:
        return share_of_batch(len(self.parcels), self.items, self.size)

    def token(self, node: str) -> str:
        """The name by which the engine knows a batch it has already taken."""
        return f"{node}:{self.id}"

    def body(self) -> bytes:
        return b"".join(parcel.body for parcel in self.parcels)


@dataclass(frozen=True, slots=True)
class Dead:
    """A parcel the engine refused: its bytes are kept aside for a later replay."""

    id: int
    inbox: Inbox
    items: int
    size: int
    received_ns: int
    dead_ns: int
    reason: str
