"""The account of every item: received = stored + spooled + duplicate + rejected.

Three of the four are sums kept in the spool's file, written in the same transaction as what they
count; `spooled` is what the file holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from botwatch.nouns import Inbox, Parcel, Refusal, Signal

_RECEIVED: Final = "received"
_STORED: Final = "stored"
_DUPLICATE: Final = "duplicate"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the items of one signal, since the spool was made."""

    received: int = 0
    stored: int = 0
    spooled: int = 0
    duplicate: int = 0
    rejected: Mapping[Refusal, int] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Items nobody can account for: anything but 0 is a fault of ours."""
        return self.received - self.stored - self.spooled - self.duplicate - sum(self.rejected.values())


class Tally(Counter[tuple[Signal, str]]):
    """Items by signal and line of the account."""

    def arrive(self, parcel: Parcel) -> None:
        signal = parcel.inbox.signal
        self[signal, _RECEIVED] += parcel.items
        for reason, items in parcel.rejected.items():
            self.refuse(signal, reason, items)

    def repeat(self, parcel: Parcel) -> None:
        """Nothing of a retry counts under its own name again, its rejected items neither."""
        items = parcel.items + sum(parcel.rejected.values())
        self[parcel.inbox.signal, _RECEIVED] += items
        self[parcel.inbox.signal, _DUPLICATE] += items

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        self[signal, _RECEIVED] += items
        self[signal, reason.value] += items

    def store(self, inbox: Inbox, items: int) -> None:
        self[inbox.signal, _STORED] += items

    def bury(self, inbox: Inbox, items: int) -> None:
        """The engine refused what was already received."""
        self[inbox.signal, Refusal.ENGINE.value] += items

    def counts(self, signal: Signal, spooled: int) -> Counts:
        rejected = {reason: self[signal, reason.value] for reason in Refusal}
        return Counts(
            received=self[signal, _RECEIVED],
            stored=self[signal, _STORED],
            spooled=spooled,
            duplicate=self[signal, _DUPLICATE],
            rejected={reason: items for reason, items in rejected.items() if items},
        )
