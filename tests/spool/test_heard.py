"""When something was last taken, and when it was last turned away."""

from __future__ import annotations

import pytest

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.errors import SpoolFull
from botwatch.nouns import Inbox, Parcel, Receipt, Refusal, Signal
from botwatch.spool import Heard, Mark

NOW_NS = 1_800_000_000 * SECOND_NS


class Inner:
    def __init__(self) -> None:
        self.refused: list[tuple[Signal, Refusal, int]] = []
        self.full = False

    async def put(self, parcel: Parcel) -> Receipt:
        if self.full:
            raise SpoolFull("full", retry_after_s=1)
        return Receipt(duplicate=False)

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        self.refused.append((signal, reason, items))


async def test_what_came_is_marked_by_signal_and_reason() -> None:
    inner, clock = Inner(), ManualClock(NOW_NS)
    heard = Heard(inner, clock)
    assert heard.marks == ()
    await heard.put(Parcel(Inbox.TRACES, b"", 5, b"1", rejected={Refusal.CLOCK: 2}))
    clock.advance(10)
    await heard.put(Parcel(Inbox.TRACES, b"", 3, b"2"))
    heard.refuse(Signal.LOGS, Refusal.UNAUTHORISED, 1)
    assert set(heard.marks) == {
        Mark(Signal.TRACES, None, 8, NOW_NS + 10 * SECOND_NS),
        Mark(Signal.TRACES, Refusal.CLOCK, 2, NOW_NS),
        Mark(Signal.LOGS, Refusal.UNAUTHORISED, 1, NOW_NS + 10 * SECOND_NS),
    }
    assert inner.refused == [(Signal.LOGS, Refusal.UNAUTHORISED, 1)], "the account is kept by the spool"


async def test_what_was_not_taken_is_not_marked_as_taken() -> None:
    inner = Inner()
    heard = Heard(inner, ManualClock(NOW_NS))
    inner.full = True
    with pytest.raises(SpoolFull):
        await heard.put(Parcel(Inbox.TRACES, b"", 5, b"1"))
    assert heard.marks == ()
