"""The job that settles turns and counts active sessions, every few seconds.

What it writes is decided by comparing what is stored with what should be, so a run that is done
again changes nothing. The one danger is to compare while changes are still on their way to the
engine: a run begins only when the spool holds no turns any more, also those an earlier process left.
The cursor moves after that. So it does not matter where a crash falls:

    before the put                     nothing happened; the window is looked at again
    after the put, before it is stored the next run waits until it is, then finds nothing to change
    stored, cursor not yet moved       the window is looked at again, and finds nothing to change
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import BotwatchError
from botwatch.nouns import Inbox, Parcel, Receipt, Signal
from botwatch.receive.door import digest
from botwatch.spool import Counts
from botwatch.state.lease import Lease
from botwatch.store.client import Store
from botwatch.turns import pairing, plan, sweep
from botwatch.turns.block import counted
from botwatch.turns.window import MS_PER_S, US_PER_S, Cursor, Terms, Window, next_window

log = logging.getLogger(__name__)

CURSOR_KEY: Final = "turns.cursor"
_MINUTE_S: Final = 60


class Durable(Protocol):
    """What settling needs of the spool."""

    async def put(self, parcel: Parcel) -> Receipt: ...

    def stored_through_ns(self, now_ns: int) -> int: ...

    def intake(self) -> Mapping[Signal, Counts]: ...

    def meta_get(self, key: str) -> str | None: ...

    def meta_set(self, key: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did. `waiting`: nothing yet, what an earlier one put is not stored."""

    turns: int = 0  # settled for the first time
    corrected: int = 0
    unpaired: int = 0  # inbound messages received without a session
    oversized: int = 0  # sessions too busy to be paired
    minutes: int = 0  # of concurrency, counted again
    waiting: bool = False


@dataclass(slots=True)
class _Paired:
    turns: int = 0
    corrected: int = 0
    unpaired: int = 0
    oversized: int = 0
    cut: bool = False  # more may have changed than a parcel holds


class Settler:
    """One at a time for a spool, and with a lease for a store. `terms` may be replaced between runs."""

    def __init__(self, store: Store, spool: Durable, clock: Clock, terms: Terms, *, lease: Lease | None = None) -> None:
        self.terms = terms
        self._store = store
        self._spool = spool
        self._clock = clock
        self._lease = lease
        self._settled: Cursor | None = None  # to be kept once all that was put is stored
        self._first = True
        self._oversized = 0

    async def run(self, stop: asyncio.Event) -> None:
        trouble = ""
        while not stop.is_set():
            pause_s: float = limits.SETTLE_EVERY_S
            try:
                report = Report()
                if self._lease is None or await self._lease.hold():
                    report = await self.run_once(self._clock.now_ns())
                if report.waiting:
                    pause_s /= 5
                if trouble:
                    log.info("turns are settled again")
                trouble = ""
            except BotwatchError as error:
                if trouble != error.message:
                    log.warning("turns cannot be settled just now: %s", error.message)
                trouble = error.message
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)

    async def run_once(self, now_ns: int) -> Report:
        """Settle what became known since the last time. May raise `StoreError` and `TryAgain`."""
        if self._spool.intake()[Signal.TURNS].spooled:
            return Report(waiting=True)
        await self._keep_cursor()
        cursor = Cursor.read(self._spool.meta_get(CURSOR_KEY))
        window = next_window(cursor, self._spool.stored_through_ns(now_ns), self.terms.deadline_s)
        if window is None:
            return Report()
        paired = await self._pair(window)
        minutes = await self._sweep(window)
        self._first = False
        if not paired.cut:
            self._settled = window.cursor()
        if not self._spool.intake()[Signal.TURNS].spooled:
            await self._keep_cursor()
        return Report(paired.turns, paired.corrected, paired.unpaired, paired.oversized, minutes)

    async def _keep_cursor(self) -> None:
        if self._settled is not None:
            await asyncio.to_thread(self._spool.meta_set, CURSOR_KEY, self._settled.write())
            self._settled = None

    # --- turns

    async def _pair(self, window: Window) -> _Paired:
        terms = self.terms
        params: dict[str, Any] = {
            **window.params(),
            "as_of_us": window.as_of_us,
            "late_s": terms.late_s,
            "skew_s": limits.TURN_SKEW_S_MAX,
            "reach_s": terms.late_s + limits.TURN_SKEW_S_MAX,
            "session_messages_max": limits.TURN_SESSION_MESSAGES_MAX,
            "bytes_max": limits.TURN_PARCEL_BYTES_MAX,
            "piece_messages_max": limits.TURN_PIECE_MESSAGES_MAX,
            "place_messages": -(-limits.TURN_PIECE_MESSAGES_MAX // limits.TURN_PIECE_PLACES_MAX),
            "parts": 1,
            "part": 0,
        }
        (sessions, low_us, high_us, unpaired), *_ = await self._store.fetch(plan.EXTENT, params)
        if not sessions:
            return _Paired(unpaired=unpaired)
        params["hours_from_us"] = low_us - params["reach_s"] * US_PER_S
        params["hours_to_us"] = high_us + params["reach_s"] * US_PER_S
        params["parts"] = sessions // limits.TURN_PLAN_SESSIONS_MAX + 1
        paired = _Paired(unpaired=unpaired)
        for part in range(params["parts"]):
            for piece, hours, places, oversized in await self._store.fetch(plan.PIECES, {**params, "part": part}):
                paired.oversized += oversized
                if piece >= 0:
                    await self._pair_piece(window, {**params, "hours": hours, "places": places}, paired)
        self._tell(paired.oversized)
        return paired

    async def _pair_piece(self, window: Window, params: Mapping[str, Any], paired: _Paired) -> None:
        body = await self._store.fetch_bytes(pairing.CHANGES, params, fmt="Native")
        if not body:
            return
        rows, taken_back = counted(body)
        await self._spool.put(_parcel(window, body, rows))
        paired.turns += rows - 2 * taken_back
        paired.corrected += taken_back
        # Where the bound cut something off, less than the longest ids are missing to it.
        paired.cut = paired.cut or len(body) > limits.TURN_PARCEL_BYTES_MAX // 2

    def _tell(self, oversized: int) -> None:
        if oversized and not self._oversized:
            log.warning("sessions have too many messages to be paired", extra={"sessions": oversized})
        self._oversized = oversized

    # --- concurrency

    async def _sweep(self, window: Window) -> int:
        """Count the affected minutes again; how many they were."""
        params: dict[str, int] = {
            "received_from_ms": window.received_from_ms,
            "received_to_ms": window.received_to_ms,
            "as_of_us": window.as_of_us,
            "idle_s": self.terms.idle_s,
            "until_s": _minute(window.received_to_ms // MS_PER_S),
            "ended_s": self._ended_s(window),
        }
        minutes = 0
        for from_s, to_s in await self._store.fetch(sweep.STRETCHES, params):
            end_us = min((to_s + _MINUTE_S) * US_PER_S, window.as_of_us + 1)
            stretch = {**params, "from_s": from_s, "to_s": to_s, "end_us": end_us}
            await asyncio.to_thread(self._store.command, sweep.SWEEP, stretch)
            minutes += (to_s - from_s) // _MINUTE_S + 1
        return minutes

    def _ended_s(self, window: Window) -> int:
        """The first minute that may have ended since the last run. A new process goes back a little: the
        cursor may have reached the disk before the last minutes did, and the power gone between."""
        if window.received_from_ms <= 0:
            return _minute(window.received_to_ms // MS_PER_S)
        back_s = limits.SWEEP_AGAIN_S if self._first else 0
        return _minute(window.received_from_ms // MS_PER_S - back_s)


def _minute(time_s: int) -> int:
    return time_s - time_s % _MINUTE_S


def _parcel(window: Window, body: bytes, rows: int) -> Parcel:
    mark = digest(Inbox.TURNS, repr(window).encode(), body)
    return Parcel(inbox=Inbox.TURNS, body=body, items=rows, digest=mark)
