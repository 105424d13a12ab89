"""An intake that also remembers when it last took something and when it last turned something away.

The spool's account says how much; whoever asks why nothing arrives needs to know when. Kept in memory, since the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from botwatch.clock import Clock
from botwatch.nouns import Parcel, Receipt, Refusal, Signal


@dataclass(frozen=True, slots=True)
class Mark:
    """What came of one signal. `refusal` is None for what was taken."""

    signal: Signal
    refusal: Refusal | None
    items: int
    last_ns: int


class _Intake(Protocol):
    async def put(self, parcel: Parcel) -> Receipt: ...
    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None: ...


class Heard:
    """Stands before the spool for those who send from outside; what the house sends itself is not heard."""

    def __init__(self, intake: _Intake, clock: Clock) -> None:
        self._intake = intake
        self._clock = clock
        self._marks: dict[tuple[Signal, Refusal | None], Mark] = {}

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(self._marks.values())

    async def put(self, parcel: Parcel) -> Receipt:
        receipt = await self._intake.put(parcel)
        signal = parcel.inbox.signal
        self._mark(signal, None, parcel.items)
        for reason, items in parcel.rejected.items():
            self._mark(signal, reason, items)
        return receipt

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        self._intake.refuse(signal, reason, items)
        self._mark(signal, reason, items)

    def _mark(self, signal: Signal, refusal: Refusal | None, items: int) -> None:
        before = self._marks.get((signal, refusal))
        total = items + (before.items if before is not None else 0)
        self._marks[signal, refusal] = Mark(signal, refusal, total, self._clock.now_ns())
