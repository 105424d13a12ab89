"""The job that settles contracts, every few seconds: what had to be followed, and whether it was.

Like turns: what it writes is decided by comparing what is kept with what should be, so a run that is done again
changes nothing. A run begins only when the spool holds no outcomes any more, also those an earlier process left,
and the cursor moves after they are stored. So it does not matter where a crash falls.

A contract that is new or says something else is looked at from an hour before on, by what it says now. What was
settled before that stays as it was promised then. One whose statements the engine refuses is told and looked at anew
each time; the others go on.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from botwatch import limits
from botwatch.clock import Clock
from botwatch.detect import contract as contracts
from botwatch.detect.rule import Kind, Rule
from botwatch.errors import BotwatchError, StoreRefused
from botwatch.nouns import Inbox, Parcel, Receipt, Signal
from botwatch.receive.door import digest
from botwatch.spool import Counts
from botwatch.state.lease import Lease
from botwatch.store.client import Store
from botwatch.turns.block import counted
from botwatch.watch.contracts.pairing import Pairing, Stretch

log = logging.getLogger(__name__)

CURSOR_KEY: Final = "contracts.cursor"
_US_PER_S: Final = 1_000_000
_US_PER_MS: Final = 1_000


class Durable(Protocol):
    """What settling needs of the spool."""

    async def put(self, parcel: Parcel) -> Receipt: ...

    def stored_through_ns(self, now_ns: int) -> int: ...

    def intake(self) -> Mapping[Signal, Counts]: ...

    def meta_get(self, key: str) -> str | None: ...

    def meta_set(self, key: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Way:
    """What the settings decide: the zone of hours that name none, and how late something still counts."""

    zone: str
    late_s: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the runs have come, and by which editions of the contracts."""

    through_ms: int = 0
    editions: tuple[str, ...] = ()

    def write(self) -> str:
        return json.dumps({"through_ms": self.through_ms, "editions": self.editions}, separators=(",", ":"))

    @classmethod
    def read(cls, text: str | None) -> Self:
        """One that is missing or damaged starts again: what is settled already stays as it is."""
        try:
            found = json.loads(text or "{}")
            return cls(int(found["through_ms"]), tuple(str(one) for one in found["editions"]))
        except (ValueError, KeyError, TypeError):
            return cls()


@dataclass(slots=True)
class Report:
    """What one run did. `waiting`: nothing yet, what an earlier one put is not stored."""

    settled: int = 0  # for the first time
    corrected: int = 0
    refused: tuple[str, ...] = ()  # contracts the engine would not answer for
    left_out: int = 0  # contracts beyond those that can be counted
    waiting: bool = False
    cut: bool = field(default=False, repr=False)  # more may have changed than a parcel holds

    @property
    def trouble(self) -> str:
        if self.refused:
            return f"the store refuses {', '.join(self.refused)}"
        return f"{self.left_out} more than {limits.CONTRACTS_MAX} are not counted" if self.left_out else ""


def enabled(rules: Iterable[Rule]) -> list[Rule]:
    """The contracts that are to be counted, by name: the first so many of them are."""
    return sorted((rule for rule in rules if rule.kind is Kind.CONTRACT and rule.enabled), key=lambda rule: rule.name)


class ContractSettler:
    """One at a time for a spool, and with a lease for a store. `way` may be replaced between runs."""

    def __init__(
        self,
        store: Store,
        spool: Durable,
        rules: Callable[[], Sequence[Rule]],
        clock: Clock,
        way: Way,
        *,
        lease: Lease | None = None,
    ) -> None:
        self.way = way
        self._store = store
        self._spool = spool
        self._rules = rules
        self._clock = clock
        self._lease = lease
        self._settled: Cursor | None = None  # to be kept once all that was put is stored

    async def run(self, stop: asyncio.Event) -> None:
        trouble = ""
        while not stop.is_set():
            pause_s: float = limits.CONTRACTS_EVERY_S
            try:
                told = ""
                if self._lease is None or await self._lease.hold():
                    report = await self.run_once(self._clock.now_ns())
                    pause_s = pause_s / 10 if report.waiting or report.cut else pause_s
                    told = report.trouble
            except BotwatchError as error:
                told = error.message
            except Exception:
                log.exception("settling contracts failed; it is tried again")
                told = "it failed"
            if told and told != trouble:
                log.warning("contracts cannot be settled just now: %s", told)
            trouble = told
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)

    async def run_once(self, now_ns: int) -> Report:
        """Settle what became known since the last time. May raise `StoreAway` and `TryAgain`."""
        if self._spool.intake()[Signal.CONTRACTS].spooled:
            return Report(waiting=True)
        await self._keep_cursor()
        cursor = Cursor.read(self._spool.meta_get(CURSOR_KEY))
        # `received` is cut to the millisecond, so the one that contains the instant is not complete yet.
        to_ms = self._spool.stored_through_ns(now_ns) // 1_000_000 - 1
        rules = enabled(self._rules())
        report, editions = Report(left_out=max(0, len(rules) - limits.CONTRACTS_MAX)), list[str]()
        for rule in rules[: limits.CONTRACTS_MAX]:
            name, contract = rule.name, contracts.read(rule.options)
            edition = contract.edition(name, f"{self.way.zone} {self.way.late_s}")
            stretch = _stretch(cursor, edition, to_ms)
            if stretch is None:
                editions.append(edition)
                continue
            pairing = Pairing(name, contract, self.way.zone, self.way.late_s * _US_PER_S, stretch.to_us)
            try:
                await self._settle(pairing, stretch, report)
            except StoreRefused:
                report.refused = (*report.refused, name)
            else:
                editions.append(edition)
        if not report.cut:
            self._settled = Cursor(to_ms, tuple(editions))
        if not self._spool.intake()[Signal.CONTRACTS].spooled:
            await self._keep_cursor()
        return report

    async def _keep_cursor(self) -> None:
        if self._settled is not None:
            await asyncio.to_thread(self._spool.meta_set, CURSOR_KEY, self._settled.write())
            self._settled = None

    async def _settle(self, pairing: Pairing, stretch: Stretch, report: Report) -> None:
        (keys, low, high), *_ = await self._store.fetch(*pairing.extent(stretch))
        parts = keys // limits.CONTRACT_KEYS_MAX + 1
        for part in range(parts if keys else 0):
            body = await self._store.fetch_bytes(*pairing.changes(stretch, low, high, part, parts), fmt="Native")
            if not body:
                continue
            rows, taken_back = counted(body)
            mark = digest(Inbox.CONTRACTS, repr(stretch).encode(), body)
            await self._spool.put(Parcel(inbox=Inbox.CONTRACTS, body=body, items=rows, digest=mark))
            report.settled += rows - 2 * taken_back
            report.corrected += taken_back
            # Where the bound cut something off, less than the longest ids are missing to it.
            report.cut = report.cut or len(body) > limits.TURN_PARCEL_BYTES_MAX // 2


def _stretch(cursor: Cursor, edition: str, to_ms: int) -> Stretch | None:
    """What to look at now; None when nothing can have become known since the last time."""
    from_ms = cursor.through_ms
    if edition not in cursor.editions:
        from_ms = to_ms - limits.CONTRACT_BACK_S * 1_000
    elif to_ms == from_ms:
        return None
    elif to_ms < from_ms:
        # The clock was set back. What came since then lies behind the cursor: look again, at no harm.
        from_ms = to_ms - limits.CLOCK_BACK_S_MAX * 1_000
    return Stretch(from_ms * _US_PER_MS, to_ms * _US_PER_MS)
