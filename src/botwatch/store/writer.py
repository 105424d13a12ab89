"""From the spool into the engine: the one thread that writes telemetry.

A batch is sealed by the spool before the engine sees it and keeps its token for ever, so a crash at
any point replays the same bytes under the same token and the engine recognises them. Batches leave
the spool only after what the engine wrote has reached the disk.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, TypeVar

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import StoreAway, StoreError, TryAgain
from botwatch.nouns import Inbox
from botwatch.spool import Batch, Spool
from botwatch.store.client import Store
from botwatch.store.migrate import migrate, schema_folder
from botwatch.store.room import Room

log = logging.getLogger(__name__)

T = TypeVar("T")
_RECEIVED_NS_TAG: Final = b"\xc0\x3e"  # field 1000, varint
_ATTEMPTS_BEFORE_SPLIT: Final = 5
_OUT_OF_MEMORY: Final = 241
_PAUSE_S_MAX: Final = 2.0
_MUCH: Final = 0.5  # of a batch: after it there is no pause, for more may wait
_SHARE_OF_A_CORE: Final = 0.04  # what inserts of one inbox may take while batches are small

_NATIVE: Final = frozenset({Inbox.TURNS, Inbox.CONTRACTS})  # what the engine itself has put into its own format

_COMMON: Final[Mapping[str, str]] = {
    "deduplicate_blocks_in_dependent_materialized_views": "1",
    "materialize_skip_indexes_on_insert": "0",
    "optimize_on_insert": "0",  # rows of the rollups are counted together already; merges do the rest
    "max_block_size": "16384",  # what is worked on at once stays near the processor; tables get it as one
    "optimize_and_compare_chain": "0",  # no view has a chain of comparisons to shorten, and looking for one is dear
    "query_plan_enable_optimizations": "0",  # nor anything to push down: each reads the block it is given, whole
    "max_partitions_per_insert_block": "1000",
    "throw_on_max_partitions_per_insert_block": "0",
}


@cache
def _format_settings(inbox: Inbox) -> Mapping[str, str]:
    return {
        **_COMMON,
        "format_schema_source": "string",
        "format_schema": (schema_folder() / f"{inbox.value}.proto").read_text(encoding="utf-8"),
        "format_schema_message_name": "Request",
        "input_format_protobuf_oneof_presence": "1",
        "input_format_protobuf_flatten_google_wrappers": "0",
    }


def stamp(received_ns: int) -> bytes:
    """The field that tells the engine when a batch was received; the last one given wins."""
    out = bytearray(_RECEIVED_NS_TAG)
    while received_ns > 0x7F:
        out.append(received_ns & 0x7F | 0x80)
        received_ns >>= 7
    out.append(received_ns)
    return bytes(out)


class Disk:
    """Makes what the embedded engine wrote survive a power cut: one flush for many inserts."""

    def __init__(self, folder: str) -> None:
        self._fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._libc = ctypes.CDLL(None, use_errno=True)

    def flush(self) -> None:
        if self._libc.syncfs(self._fd) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")

    def close(self) -> None:
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class _Inserted:
    dead: Sequence[int]
    seconds: float


@dataclass(slots=True)
class WriterHealth:
    """What the writer knows of itself, read by readiness and self-metrics."""

    replaying: bool = True
    away_since_ns: int | None = None
    last_error: str = ""
    batches: int = 0
    items: int = 0
    dead: int = 0


class Writer:
    """A thread that empties the spool. `start`, then `stop`; `health` at any time.

    It seals and lets go; two helpers hand batches to the engine, one of them decoding while the other
    writes. Batches do not depend on each other, so their order does not matter.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        clock: Clock,
        *,
        node: str,
        pause_s_min: float = 0.3,
        flush_every_s: float = 1.0,
        retry_s_max: float = 5.0,
        room: Room | None = None,
    ) -> None:
        self._store = store
        self._room = room
        self._spool = spool
        self._clock = clock
        self._node = node
        self._pause_s_min = pause_s_min
        self._flush_every_s = flush_every_s
        self._retry_s_max = retry_s_max
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-write", daemon=True)
        self._hands = ThreadPoolExecutor(limits.STORE_WRITERS_MAX, thread_name_prefix="store-insert")
        self._flying: dict[Future[_Inserted], Batch] = {}
        self._due = dict.fromkeys(Inbox, 0.0)
        self._written: list[tuple[Batch, Sequence[int]]] = []
        self._written_bytes = 0
        self._flushed_s = clock.monotonic_s()
        self._asked = threading.Event()
        self._hurrying = False
        self._disk = Disk(str(store.embedded_path)) if store.embedded_path else None
        self.health = WriterHealth()
        self.prepared = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def hurry(self) -> None:
        """Write what waits now, without the pause that lets batches grow: somebody is about to read it."""
        self._asked.set()
        self._spool.wake()

    def stop(self, timeout_s: float = 60.0) -> bool:
        """Write what the spool still holds, then end. False when the time was not enough: the rest
        stays in the spool and is written at the next start."""
        self._stop.set()
        self._spool.wake()
        self._thread.join(timeout_s)
        ended = not self._thread.is_alive()
        if ended and self._disk:
            self._disk.close()
            self._disk = None
        return ended

    def _run(self) -> None:
        try:
            self._prepare()
            for batch in self._spool.unfinished():
                self._write(batch)
            self._settle(force=True)
            self.health.replaying = False
            stopping = wrote = False
            while wrote or not stopping:
                stopping = self._stop.is_set()
                wrote = self._turn(everything=stopping)
                self._settle(force=stopping)
        except _Stopped:
            log.warning("stopped with batches left in the spool; they are written at the next start")
        except StoreError as error:
            log.error("nothing is stored until a restart: %s", error.message)
            self._away(error.message)
        except Exception:
            log.exception("the writer ended; nothing is stored until a restart")
            self._away("what writes to the telemetry store ended, see the log; a restart goes on where it stood")
        finally:
            self.health.replaying = False
            self._hands.shutdown(wait=True, cancel_futures=True)

    def _prepare(self) -> None:
        """The schema first; an engine that is away at the start is waited for."""
        attempts = 0
        while True:
            try:
                self._store.create()
                migrate(self._store)
            except StoreAway as error:
                attempts += 1
                self._wait_for_engine(error, attempts)
            else:
                self.health.away_since_ns = None
                self.prepared.set()
                return

    def _turn(self, *, everything: bool) -> bool:
        """One round over the inboxes; whether anything was sealed.

        An insert costs tens of milliseconds before its first row. So what fills a batch is written at once, and
        less waits for its inbox's last insert to land, then for a pause that keeps the inbox's share of a core small.
        """
        wrote = False
        hurried = self._asked.is_set()
        if hurried:
            self._asked.clear()
            self._hurrying = True
        for inbox in Inbox:
            waiting = self._spool.waiting(inbox)
            if not waiting.parcels:
                continue
            full = waiting.share >= 1
            if not (full or everything or hurried or self._clock.monotonic_s() >= self._due[inbox]):
                continue
            batch = self._durably(partial(self._spool.seal, inbox))
            if batch is None:
                continue
            self._write(batch)
            self._due[inbox] = float("inf")  # until it has landed
            wrote = True
        if not wrote and not everything:
            self._spool.wait_for_work(self._pause_s_min / 3)
        return wrote

    def _write(self, batch: Batch) -> None:
        while len(self._flying) >= limits.STORE_WRITERS_MAX:
            self._land(wait_s=None)
        self._flying[self._hands.submit(self._insert_whole, batch)] = batch

    def _insert_whole(self, batch: Batch) -> _Inserted:
        began_s = self._clock.monotonic_s()
        dead = self._insert(batch, 0, len(batch.parcels), batch.token(self._node))
        return _Inserted(dead, self._clock.monotonic_s() - began_s)

    def _land(self, wait_s: float | None) -> None:
        """Take note of the batches the engine has taken by now."""
        landed, _ = wait(self._flying, timeout=wait_s, return_when=FIRST_COMPLETED)
        for future in landed:
            batch, inserted = self._flying.pop(future), future.result()
            self.health.batches += 1
            self.health.items += batch.items
            self.health.dead += len(inserted.dead)
            self._written.append((batch, inserted.dead))
            self._written_bytes += batch.size
            if all(other.inbox is not batch.inbox for other in self._flying.values()):
                self._due[batch.inbox] = self._clock.monotonic_s() + self._pause_s(batch, inserted.seconds)

    def _pause_s(self, batch: Batch, insert_s: float) -> float:
        if batch.share >= _MUCH:
            return 0.0
        return min(_PAUSE_S_MAX, max(self._pause_s_min, insert_s / _SHARE_OF_A_CORE))

    def _insert(self, batch: Batch, low: int, high: int, token: str) -> list[int]:
        """Insert parcels low…high; the ids of those the engine refused. A refusal of several is
        split until the ones it is about stand alone, so that a bad request takes no other with it."""
        attempts, suspected = 0, False
        while True:
            try:
                self._hand_over(batch, [parcel.body for parcel in batch.parcels[low:high]], token)
            except StoreError as error:
                attempts += 1
                if not (suspected and _may_be_the_data(error, attempts)):
                    suspected = self._data_is_at_fault(batch, error, attempts)
                    if not suspected:
                        self._wait_for_engine(error, attempts)
                    continue  # once more: the engine may have come back between the two
                if high - low == 1:
                    log.error(
                        "the engine refused a request; it is kept aside",
                        extra={"batch": batch.id, "code": error.engine_code},
                    )
                    return [batch.parcels[low].id]
                middle = (low + high) // 2
                return [
                    *self._insert(batch, low, middle, f"{token}:{low}-{middle}"),
                    *self._insert(batch, middle, high, f"{token}:{middle}-{high}"),
                ]
            self.health.away_since_ns = None
            return []

    def _data_is_at_fault(self, batch: Batch, error: StoreError, attempts: int) -> bool:
        """Only when the engine takes an empty request of the same kind: else it would refuse any data,
        and what was acknowledged must wait for it, whatever it says."""
        if not _may_be_the_data(error, attempts):
            return False
        try:
            self._hand_over(batch, [], f"{batch.token(self._node)}:empty:{attempts}")
        except StoreError:
            return False
        return True

    def _hand_over(self, batch: Batch, bodies: Sequence[bytes], token: str) -> None:
        if self._room is not None:
            self._room.check()
        if batch.inbox in _NATIVE:
            settings, fmt = _COMMON, "Native"
        else:
            settings, fmt = _format_settings(batch.inbox), "ProtobufSingle"
            bodies = [*bodies, stamp(batch.sealed_ns)]
        told = {**settings, "insert_deduplication_token": token}
        self._store.insert(batch.inbox.value, bodies, fmt=fmt, settings=told)

    def _durably(self, step: Callable[[], T]) -> T:
        """A step of the spool; while its disk takes no writes, it is tried again."""
        while True:
            try:
                return step()
            except TryAgain as error:
                self.health.last_error = error.message
                if self._stop.is_set():
                    raise _Stopped from None
                self._stop.wait(error.retry_after_s)

    def _wait_for_engine(self, error: StoreError, attempts: int) -> None:
        if self.health.away_since_ns is None:
            log.warning("nothing is stored, the spool holds it: %s", error.message, extra={"code": error.engine_code})
        self._away(error.message)
        # A stop does not wait for an engine that is away: what is left is safe in the spool.
        if self._stop.is_set() and attempts > 1:
            raise _Stopped
        self._stop.wait(min(self._retry_s_max, 0.1 * 2 ** min(attempts, 10)))

    def _away(self, why: str) -> None:
        self.health.last_error = why  # first: who sees since when finds the reason there
        if self.health.away_since_ns is None:
            self.health.away_since_ns = self._clock.now_ns()

    def _settle(self, *, force: bool = False) -> None:
        """Let go of what is safely in the engine."""
        self._land(wait_s=0)
        while force and self._flying:
            self._land(wait_s=None)
        landed = not self._flying
        now_hurry = self._hurrying and landed
        self._hurrying = self._hurrying and not landed
        if not self._written:
            return
        now_s = self._clock.monotonic_s()
        if (
            not (force or now_hurry)
            and now_s - self._flushed_s < self._flush_every_s
            and self._written_bytes < 4 * limits.BATCH_BYTES_MAX
        ):
            return
        if self._disk:
            self._disk.flush()
        while self._written:
            batch, dead = self._written[0]
            self._durably(partial(self._spool.done, batch, dead=dead, reason="the engine refused it"))
            del self._written[0]
        self._written_bytes = 0
        self._flushed_s = self._clock.monotonic_s()


def _may_be_the_data(error: StoreError, attempts: int) -> bool:
    too_big = error.engine_code == _OUT_OF_MEMORY and attempts >= _ATTEMPTS_BEFORE_SPLIT
    return too_big or not isinstance(error, StoreAway)


class _Stopped(Exception):
    """The writer was told to end while the engine was away."""
