"""What the spool holds and has counted, readable from any thread without asking the file.

It mirrors facts that are already committed, refusals that wait for the next commit, and the one
commit that is under way.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from botwatch.clock import SECOND_NS, Clock
from botwatch.nouns import Inbox, Refusal, Signal
from botwatch.spool.batch import Batch, share_of_batch
from botwatch.spool.counts import Counts, Tally

AGE_STEP_NS: Final = SECOND_NS // 10


@dataclass(frozen=True, slots=True)
class Held:
    """Parcels of one inbox received at one time."""

    inbox: Inbox
    received_ns: int
    parcels: int
    items: int
    size: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the engine. `unsealed` parcels are in no batch yet."""

    parcels: int
    size: int
    unsealed: int
    oldest_ns: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Parcels of one inbox that are in no batch yet."""

    parcels: int = 0
    items: int = 0
    size: int = 0

    @property
    def share(self) -> float:
        """How many batches it would fill."""
        return share_of_batch(self.parcels, self.items, self.size)

    def plus(self, parcels: int, items: int, size: int) -> Waiting:
        return Waiting(self.parcels + parcels, self.items + items, self.size + size)


class Ages:
    """The oldest of many parcels, in memory that grows with the time they span and not with their
    number: parcels received within a tenth of a second share one entry."""

    def __init__(self) -> None:
        self._steps: dict[int, tuple[int, int]] = {}

    def add(self, received_ns: int, parcels: int) -> None:
        oldest_ns, count = self._steps.get(received_ns // AGE_STEP_NS, (received_ns, 0))
        count += parcels
        if count:
            self._steps[received_ns // AGE_STEP_NS] = (min(oldest_ns, received_ns), count)
        else:
            del self._steps[received_ns // AGE_STEP_NS]

    def oldest_ns(self) -> int | None:
        return min((oldest_ns for oldest_ns, _ in self._steps.values()), default=None)


class Standing:
    def __init__(self, clock: Clock, total: Tally, held: Iterable[Held], sealed: Iterable[Batch]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._total = total
        self._refused = Tally()
        self._ages = Ages()
        self._committing_ns: int | None = None
        self._spooled: Counter[Signal] = Counter()
        self._parcels = 0
        self._size = 0
        self._waiting = dict.fromkeys(Inbox, Waiting())
        for entry in held:
            self._hold(entry)
        for batch in sealed:
            self.seal(batch)

    def _hold(self, held: Held) -> None:
        self._ages.add(held.received_ns, held.parcels)
        self._spooled[held.inbox.signal] += held.items
        self._parcels += held.parcels
        self._size += held.size
        self._waiting[held.inbox] = self._waiting[held.inbox].plus(held.parcels, held.items, held.size)

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        if items > 0:
            with self._lock:
                self._refused.refuse(signal, reason, items)

    def begin_commit(self) -> tuple[int, Tally]:
        """The time a group is received at, and the refusals to write with it. The time is read
        under the lock: whoever asks for `stored_through_ns` later finds the group, or read an
        earlier clock."""
        with self._lock:
            self._committing_ns = self._clock.now_ns()
            return self._committing_ns, Tally(self._refused)

    def abandon_commit(self) -> None:
        with self._lock:
            self._committing_ns = None

    def end_commit(self, tally: Tally, refused: Tally, held: Iterable[Held]) -> None:
        with self._lock:
            self._committing_ns = None
            self._total.update(tally)
            self._refused.subtract(refused)
            self._refused = Tally(+self._refused)
            for entry in held:
                self._hold(entry)

    def seal(self, batch: Batch) -> None:
        with self._lock:
            before = self._waiting[batch.inbox]
            self._waiting[batch.inbox] = before.plus(-len(batch.parcels), -batch.items, -batch.size)

    def waiting(self, inbox: Inbox) -> Waiting:
        with self._lock:
            return self._waiting[inbox]

    def release(self, tally: Tally, held: Iterable[Held]) -> None:
        """Sealed parcels have left the spool."""
        with self._lock:
            self._total.update(tally)
            for entry in held:
                self._ages.add(entry.received_ns, -entry.parcels)
                self._spooled[entry.inbox.signal] -= entry.items
                self._parcels -= entry.parcels
                self._size -= entry.size

    @property
    def has_refused(self) -> bool:
        return bool(self._refused)

    def held(self) -> tuple[int, int]:
        """Parcels and bytes."""
        with self._lock:
            return self._parcels, self._size

    def stored_through_ns(self, now_ns: int) -> int:
        with self._lock:
            known = (self._ages.oldest_ns(), self._committing_ns, now_ns)
        return min(time_ns for time_ns in known if time_ns is not None)

    def backlog(self) -> Backlog:
        with self._lock:
            unsealed = sum(waiting.parcels for waiting in self._waiting.values())
            return Backlog(self._parcels, self._size, unsealed, self._ages.oldest_ns())

    def counts(self) -> Mapping[Signal, Counts]:
        with self._lock:
            total = Tally(self._total)
            total.update(self._refused)
            return {signal: total.counts(signal, self._spooled[signal]) for signal in Signal}
