"""What a contract would have counted over stored history, before anybody saves it.

It is paired by the very statement that the job compares with what is kept, a day at a time, so that a month of it
takes no more memory than a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from botwatch import limits
from botwatch.detect.contract import Contract, Outcome
from botwatch.errors import BadRequest, StoreError
from botwatch.store.client import Store
from botwatch.watch.contracts.pairing import Pairing
from botwatch.watch.contracts.settler import Way

_US_PER_S: Final = 1_000_000
_DAY_US: Final = 86_400 * _US_PER_S
_EXAMPLES_LOOKED_AT: Final = 10_000  # of one day, among which the newest are found


def _counts(told: str) -> str:
    late, breached = (f"judged = '{outcome}'" for outcome in (Outcome.LATE, Outcome.BREACHED))
    example = "(bot, channel, session_id, id, us, due, follower, about, lower(hex(trace_id)), correlation_id)"
    some = f"groupArrayIf({_EXAMPLES_LOOKED_AT})({example}, {late} OR {breached})"
    return (
        f"SELECT countIf(judged = '{Outcome.KEPT}'), countIf({late}), countIf({breached}), countIf(judged = ''), "
        f"arraySlice(arrayReverseSort(one -> one.5, {some}), 1, {limits.CONTRACT_EXAMPLES_MAX}) FROM ({told})"
    )


@dataclass(frozen=True, slots=True)
class Breach:
    """Times are microseconds since 1970. `followed_us` None: nothing followed, as far as is known."""

    bot: str
    channel: str
    session_id: str
    id: str
    at_us: int
    due_us: int
    followed_us: int | None
    about: str
    trace_id: str
    correlation_id: str

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Self:
        bot, channel, session_id, id, at_us, due_us, followed_us, about, trace_id, correlation_id = row
        trace = trace_id if trace_id.strip("0") else ""
        return cls(bot, channel, session_id, id, at_us, due_us, followed_us or None, about, trace, correlation_id)


@dataclass(slots=True)
class Trial:
    """`open` is what is not due yet. `late` is breached too."""

    kept: int = 0
    late: int = 0
    breached: int = 0
    open: int = 0
    examples: tuple[Breach, ...] = ()

    @property
    def rate(self) -> float | None:
        """In percent; None where nothing had to be followed."""
        known = self.kept + self.late + self.breached
        return 100 * self.kept / known if known else None


async def tried(store: Store, way: Way, name: str, contract: Contract, from_us: int, to_us: int, now_us: int) -> Trial:
    """Of all that happened from the one to the other. May raise `BadRequest` and `StoreAway`."""
    if not 0 < to_us - from_us <= limits.CONTRACT_CHECK_DAYS_MAX * _DAY_US:
        raise BadRequest(f"period: expected at most {limits.CONTRACT_CHECK_DAYS_MAX} days, and more than none")
    pairing = Pairing(name, contract, way.zone, way.late_s * _US_PER_S, to_us)
    found = Trial()
    for low, high in _days(from_us, to_us):
        sql, params = pairing.told(low, high - 1, now_us)
        try:
            rows = await store.fetch(_counts(sql), params)
        except StoreError as error:
            if error.retryable:
                raise
            raise BadRequest(
                "contract: the store could not pair so much at once", hint="ask for a shorter period"
            ) from None
        _add(found, rows.rows[0])
    return found


def _days(from_us: int, to_us: int) -> Iterator[tuple[int, int]]:
    """The newest first, so that the examples are the newest."""
    while to_us > from_us:
        yield max(from_us, to_us - _DAY_US), to_us
        to_us -= _DAY_US


def _add(found: Trial, row: tuple[Any, ...]) -> None:
    kept, late, breached, open_, examples = row
    found.kept += kept
    found.late += late
    found.breached += breached
    found.open += open_
    some = (*found.examples, *map(Breach.of, examples))
    found.examples = some[: limits.CONTRACT_EXAMPLES_MAX]
