"""The spool: what is acknowledged is in here until the engine has it.

`put` is called on an event loop, `seal`, `unfinished` and `done` by the store's writer in a thread
of its own, and the rest by anyone. All of them may raise `TryAgain` while the disk takes no writes:
nothing has changed then, and the spool works again as soon as the disk does.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import SpoolError, SpoolFull, TooLarge, TryAgain
from botwatch.nouns import Inbox, Parcel, Receipt, Refusal, Signal
from botwatch.spool import file
from botwatch.spool.batch import Batch, Dead
from botwatch.spool.book import Book
from botwatch.spool.counts import Counts, Tally
from botwatch.spool.kept import Kept
from botwatch.spool.owner import Owner
from botwatch.spool.space import Space
from botwatch.spool.standing import Backlog, Standing, Waiting

log = logging.getLogger(__name__)

T = TypeVar("T")


class Spool:
    """`warnings` are for the people who run the server; `trouble` is empty while writing works."""

    def __init__(self, path: Path, *, clock: Clock, bytes_max: int, space: Space, keep_digests: int) -> None:
        self._lock = file.lock(path)
        try:
            db, self.warnings = file.open_file(path, clock.now_ns())
            try:
                self._book = Book(db, keep_digests, self._load_bodies)
                self._standing = Standing(clock, self._book.total(), self._book.held(), self._book.open.values())
                self._meta = self._book.meta()
            except (sqlite3.Error, ValueError) as error:
                db.close()
                raise SpoolError(
                    f"{path}: the spool cannot be read ({error}).",
                    hint="it may be of another version of Botwatch; move the file away to start with an empty spool",
                ) from None
        except BaseException:
            self._lock.release()
            raise
        self._clock = clock
        self._bytes_max = bytes_max
        self._space = space
        self._kept = Kept(limits.SPOOL_KEPT_BYTES_MAX)
        self._work = threading.Event()
        self._closed = False
        self._crowded = False
        self.trouble = ""
        self._check_balance(path)
        if self._standing.backlog().unsealed:
            self._work.set()
        self._owner = Owner(self._commit, self._unable, self._tend)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        bytes_max: int,
        disk_free_bytes_min: int,
        keep_digests: int = limits.SPOOL_DIGESTS_MAX,
    ) -> Self:
        """Recover what an earlier process left. A damaged file is set aside and told in `warnings`."""
        space = Space(path.parent, disk_free_bytes_min, clock)
        return cls(path, clock=clock, bytes_max=bytes_max, space=space, keep_digests=keep_digests)

    def _check_balance(self, path: Path) -> None:
        for signal, counts in self._standing.counts().items():
            if counts.missing:
                self.warnings.append(
                    f"{path}: {counts.missing} items of {signal} that were received are neither stored, waiting,"
                    " duplicate nor rejected: the file was changed by something else."
                )

    # --- in

    async def put(self, parcel: Parcel) -> Receipt:
        """Answer once the parcel is durable. One that is not taken is not counted here: whoever
        answers the client counts it, with `refuse`."""
        if len(parcel.body) > self._bytes_max:
            raise TooLarge(
                f"A request of {len(parcel.body)} bytes does not fit the spool of {self._bytes_max} bytes.",
                hint="send smaller requests, or raise the setting spool_bytes_max",
            )
        if self.crowded:
            raise TryAgain(
                "The disk is nearly full, so nothing new is taken in.",
                retry_after_s=limits.SPOOL_RETRY_AFTER_S,
                hint="free disk space, or lower the setting disk_free_bytes_min",
            )

        def admit(waiting_parcels: int, waiting_bytes: int) -> None:
            self._admit(len(parcel.body), waiting_parcels, waiting_bytes)

        return await self._owner.enqueue(parcel, admit)

    def _admit(self, size: int, waiting_parcels: int, waiting_bytes: int) -> None:
        parcels, held_bytes = self._standing.held()
        full = held_bytes + waiting_bytes + size > self._bytes_max
        if full or parcels + waiting_parcels >= limits.SPOOL_PARCELS_MAX:
            raise SpoolFull(
                f"{parcels} requests of {held_bytes} bytes wait for the engine already.",
                retry_after_s=limits.SPOOL_RETRY_AFTER_S,
                hint="send it again later; the setting spool_bytes_max says how much may wait",
            )
        crowded = waiting_bytes and waiting_bytes + size > limits.SPOOL_WAITING_BYTES_MAX
        if crowded or waiting_parcels >= limits.SPOOL_WAITING_PARCELS_MAX:
            raise TryAgain(
                f"{waiting_parcels} requests wait for the disk already.", retry_after_s=limits.SPOOL_RETRY_AFTER_S
            )

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        """Count what is not taken. Durable within a second or two, with the next commit."""
        self._standing.refuse(signal, reason, items)

    # --- out: for the store's writer

    def waiting(self, inbox: Inbox) -> Waiting:
        """What the next batch of this inbox could hold, known without asking the file."""
        return self._standing.waiting(inbox)

    def seal(self, inbox: Inbox) -> Batch | None:
        """Decide for ever what the next insert of this inbox holds; None when nothing waits."""
        return self._ask(lambda: self._seal(inbox))

    def _seal(self, inbox: Inbox) -> Batch | None:
        batch = self._book.seal(inbox, self._clock.now_ns())
        if batch is not None:
            self._standing.seal(batch)
        return batch

    def unfinished(self) -> list[Batch]:
        """Batches that were sealed and not done, oldest first: after a crash, those to write again."""
        return self._ask(lambda: sorted(self._book.open.values(), key=lambda batch: batch.id))

    def done(self, batch: Batch, *, dead: Sequence[int] = (), reason: str = "") -> None:
        """The engine has the batch. The parcels it refused are named in `dead`: they are kept aside."""
        self._ask(lambda: self._done(batch, frozenset(dead), reason))

    def _done(self, batch: Batch, dead: frozenset[int], reason: str) -> None:
        released = self._book.release(batch.id, dead, reason, self._clock.now_ns())
        self._standing.release(released.tally, released.held)
        self._kept.take([parcel.id for parcel in batch.parcels])

    def wait_for_work(self, timeout_s: float) -> bool:
        """For one thread: whether anything was committed, or `wake` called, since the last time."""
        came = self._work.wait(timeout_s)
        self._work.clear()
        return came

    def wake(self) -> None:
        self._work.set()

    # --- what is known

    @property
    def crowded(self) -> bool:
        """The disk is nearly full, so nothing new is taken in."""
        return self._space.low()

    def stored_through_ns(self, now_ns: int) -> int:
        """Every parcel received or sealed before this instant is in the engine."""
        return self._standing.stored_through_ns(now_ns)

    def intake(self) -> Mapping[Signal, Counts]:
        """Always received = stored + spooled + duplicate + rejected."""
        return self._standing.counts()

    def backlog(self) -> Backlog:
        return self._standing.backlog()

    def dead(self) -> list[Dead]:
        return self._ask(self._book.dead)

    def dead_body(self, parcel_id: int) -> bytes | None:
        """None when it was dropped, to stay within what is kept aside."""
        return self._ask(lambda: self._book.dead_body(parcel_id))

    def revive(self) -> int:
        """Put what the engine refused in line again, for a version or a setting that can take it. How many requests."""
        return self._ask(self._revive)

    def _revive(self) -> int:
        now_ns, _ = self._standing.begin_commit()
        try:
            moved = self._book.revive(now_ns, self._bytes_max - self._standing.held()[1])
        except BaseException:
            self._standing.abandon_commit()
            raise
        self._standing.end_commit(moved.tally, Tally(), moved.held)
        if moved.held:
            self._work.set()
        return len(moved.held)

    def meta_get(self, key: str) -> str | None:
        return self._meta.get(key)

    def meta_set(self, key: str, value: str) -> None:
        """Durable on return: for a job's thread, not for an event loop."""
        if len(key) + len(value) > limits.SPOOL_META_CHARS_MAX:
            raise ValueError(f"{key[:80]!r}: expected at most {limits.SPOOL_META_CHARS_MAX} characters")
        if key not in self._meta and len(self._meta) >= limits.SPOOL_META_KEYS_MAX:
            raise ValueError(f"{key!r}: there are {limits.SPOOL_META_KEYS_MAX} keys already")
        self._ask(lambda: self._book.write_meta(key, value))
        self._meta[key] = value

    def close(self) -> None:
        """Commit what waits and let go of the file. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._owner.stop()
        self._work.set()
        self._book.close()
        self._lock.release()

    # --- on the owner's thread

    def _commit(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        received_ns, refused = self._standing.begin_commit()
        try:
            committed = self._book.commit(parcels, refused, received_ns)
        except BaseException:
            self._standing.abandon_commit()
            raise
        self._standing.end_commit(committed.tally, refused, committed.held)
        self._kept.add(
            (key, parcel.body) for key, parcel in zip(committed.ids, parcels, strict=True) if key is not None
        )
        if committed.held:
            self._work.set()
        self._recovered()
        return [Receipt(duplicate=key is None) for key in committed.ids]

    def _tend(self) -> None:
        try:
            if self.trouble:
                self._book.try_write()
                self._recovered()
            if self._standing.has_refused:
                self._commit(())
            self._book.shrink()
        except Exception as error:
            self._unable(error)
        self._tell_of_the_disk()

    def _unable(self, error: Exception) -> TryAgain:
        name = error.sqlite_errorname if isinstance(error, sqlite3.Error) else type(error).__name__
        if self.trouble != name:
            log.error("the spool cannot write; clients are asked to try again", extra={"error": name}, exc_info=error)
        self.trouble = name
        return TryAgain(
            "The spool cannot write to its disk just now.",
            retry_after_s=limits.SPOOL_RETRY_AFTER_S,
            hint=f"SQLite says {name}: see to the disk the data folder is on",
        )

    def _tell_of_the_disk(self) -> None:
        if self.crowded == self._crowded:
            return
        self._crowded = not self._crowded
        if self._crowded:
            log.error("the disk is nearly full, so nothing new is taken in; clients are asked to try again")
        else:
            log.warning("the disk has room again; what comes is taken in")

    def _recovered(self) -> None:
        if self.trouble:
            log.warning("the spool writes again")
        self.trouble = ""

    def _load_bodies(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        found = self._kept.take(ids)
        missing = [parcel_id for parcel_id in ids if parcel_id not in found]
        if missing:
            found.update(self._ask(lambda: self._book.bodies(missing)))
        return found

    def _ask(self, job: Callable[[], T]) -> T:
        try:
            return self._owner.ask(job)
        except sqlite3.Error as error:
            raise self._unable(error) from None
