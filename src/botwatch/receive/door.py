"""The door: what every protocol needs to hand a request on, and the bounds they share.

The rooms behind the door implement `Intake`, whoever keeps the keys implements `Keys`. Nothing
here knows a wire format.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from botwatch import errors, limits
from botwatch.clock import SECOND_NS, Clock, SystemClock
from botwatch.nouns import Inbox, Parcel, Receipt, Refusal, Signal

DAY_NS = 86_400 * SECOND_NS
DIGEST_BYTES = 16
CAPACITY_RETRY_S = 1
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

T = TypeVar("T")


class Intake(Protocol):
    async def put(self, parcel: Parcel) -> Receipt:
        """Answer once the parcel is durable. `TryAgain` and `SpoolFull` leave it with the client.

        The parcel's own `rejected` are counted here, with its items. A parcel that is not taken
        is counted by the door, through `refuse`.
        """
        ...

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        """Count what never became a parcel. A body that cannot be read counts as one item."""
        ...


class Keys(Protocol):
    async def admits(self, token: str | None) -> bool:
        """Whether this token may write. None: the request carried no token."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one request: when it came, and which times are kept."""

    now_ns: int
    oldest_ns: int
    newest_ns: int
    keep_text: bool


@dataclass(frozen=True, slots=True)
class Options:
    """`kept_ns` says for each signal how long it is kept: older items are refused at the door."""

    kept_ns: Mapping[Signal, int]
    keep_text: bool = True
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def of_days(
        cls, *, traces: int, logs: int, points: int, keep_text: bool = True, clock: Clock | None = None
    ) -> Options:
        days = {Signal.TRACES: traces, Signal.LOGS: logs, Signal.POINTS: points}
        kept_ns = {signal: count * DAY_NS for signal, count in days.items()}
        return cls(kept_ns, keep_text, clock or SystemClock())

    def terms(self, signal: Signal) -> Terms:
        now_ns = self.clock.now_ns()
        return Terms(
            now_ns=now_ns,
            oldest_ns=now_ns - self.kept_ns.get(signal, 0),
            newest_ns=now_ns + limits.CLOCK_AHEAD_S_MAX * SECOND_NS,
            keep_text=self.keep_text,
        )


class Capacity:
    """How many bytes of bodies are in the house at once, over all listeners that share it.

    Large bodies also take turns: one is inflated and one is checked at a time, in a thread, so
    that the memory a hostile body takes while it is parsed is taken once.
    """

    def __init__(self, bytes_max: int = limits.BODIES_IN_FLIGHT_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.used_bytes = 0
        self.inflating = asyncio.Lock()
        self.checking = asyncio.Lock()

    def hold(self) -> Held:
        return Held(self)


class Held:
    """The bytes one request holds, given back when it leaves."""

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._bytes = 0

    def add(self, count: int) -> None:
        if self._capacity.used_bytes + count > self._capacity.bytes_max:
            raise errors.TryAgain(
                f"Requests of more than {self._capacity.bytes_max} bytes together are being read just now.",
                retry_after_s=CAPACITY_RETRY_S,
                hint="send it again in a moment",
            )
        self._capacity.used_bytes += count
        self._bytes += count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capacity.used_bytes -= self._bytes
        self._bytes = 0


class Door:
    """One way in for every protocol: keys, bounds, counting, and the intake behind it."""

    def __init__(self, intake: Intake, keys: Keys | None, options: Options, capacity: Capacity | None = None) -> None:
        self.intake = intake
        self.options = options
        self.capacity = capacity or Capacity()
        self._keys = keys

    async def admit(self, token: str | None, *, origin: str = "") -> None:
        """A door without keys is open to programs on this machine, and not to the pages its browsers show: a page of
        anywhere can give its own address this machine's number, and only its `origin` tells."""
        if self._keys is None:
            if origin and not _is_here(origin):
                raise errors.Unauthorised(
                    "A page of another address may send only with an ingest key, and no key is needed here yet.",
                    hint="set ingest_auth to true, make a key with 'botwatch key add' and send it along",
                )
            return
        if await self._keys.admits(token):
            return
        found = "the request carries none" if token is None else "the one it carries is not known or was revoked"
        raise errors.Unauthorised(
            f"Sending needs an ingest key; {found}.",
            hint="make one with 'botwatch key add' and send it as 'authorization: Bearer KEY'",
        )

    async def put(self, parcel: Parcel) -> Receipt:
        """Hand a checked parcel on. One without items is only counted."""
        signal = parcel.inbox.signal
        if not parcel.items:
            for reason, count in parcel.rejected.items():
                self.intake.refuse(signal, reason, count)
            return Receipt(duplicate=False)
        try:
            return await self.intake.put(parcel)
        except errors.BotwatchError as error:
            self.refuse(signal, error, parcel.items + sum(parcel.rejected.values()))
            raise

    @contextmanager
    def counting(self, signal: Signal) -> Iterator[None]:
        """Around all that comes before `put`: a request turned away there counts as one item."""
        try:
            yield
        except errors.BotwatchError as error:
            self.refuse(signal, error, 1)
            raise

    def refuse(self, signal: Signal, error: errors.BotwatchError, items: int) -> None:
        reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)
        if reason is not None:
            self.intake.refuse(signal, reason, items)

    async def check(self, size_bytes: int, inline_bytes_max: int, work: Callable[[], T]) -> T:
        """Run a check here when the body is small, and in a thread, one at a time, when it is not."""
        if size_bytes <= inline_bytes_max:
            return work()
        async with self.capacity.checking:
            return await asyncio.to_thread(work)


def _is_here(origin: str) -> bool:
    try:
        return urlsplit(origin).hostname in _HERE
    except ValueError:
        return False


_REASONS: tuple[tuple[type[errors.BotwatchError], Refusal], ...] = (
    (errors.TryAgain, Refusal.FULL),
    (errors.TooLarge, Refusal.TOO_LARGE),
    (errors.UnsupportedMedia, Refusal.UNSUPPORTED),
    (errors.Unauthorised, Refusal.UNAUTHORISED),
    (errors.InvalidBody, Refusal.INVALID),
    (errors.BadRequest, Refusal.INVALID),
    (errors.TooSlow, Refusal.INVALID),
)


def digest(inbox: Inbox, *parts: bytes) -> bytes:
    """The fingerprint by which a client's retry is known from a new request.

    Each part goes in with its length, so that no two lists of parts read alike.
    """
    mark = hashlib.sha256(inbox.encode())
    for part in parts:
        mark.update(b"%d:" % len(part))
        mark.update(part)
    return mark.digest()[:DIGEST_BYTES]
