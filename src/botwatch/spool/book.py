"""The spool's file as transactions: each writes a fact together with its count.

One thread calls it. A method that raises has changed nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from botwatch import limits
from botwatch.errors import SpoolError
from botwatch.nouns import Inbox, Parcel, Signal
from botwatch.spool.batch import Batch, Bodies, Dead, LoadBodies, SpooledParcel
from botwatch.spool.counts import Tally
from botwatch.spool.standing import AGE_STEP_NS, Held

_SHRINK_PAGES: Final = 1_024
_HIGHEST_ID: Final = (
    "select max(id) from (select max(id) as id from parcels union all select max(id) from digests"
    " union all select max(id) from dead union all select max(last_id) from batches)"
)
_FORGET_BEYOND: Final = "delete from digests where id <= (select id from digests order by id desc limit 1 offset ?)"
_BURY: Final = (
    "insert into dead select id, inbox, items, size, received_ns, ?, ?, body"
    " from parcels join bodies using (id) where id = ?"
)
_DROP_OLD_DEAD: Final = (
    "delete from dead where id in (select id from (select id, sum(size) over newest as bytes,"
    " row_number() over newest as place from dead window newest as (order by dead_ns desc, id desc))"
    " where bytes > ? or place > ?)"
)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did with each parcel it was given, in their order: its id, or None for one
    that was already known."""

    ids: tuple[int | None, ...]
    tally: Tally
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What came into the spool or left it, but not from or to a sender."""

    tally: Tally
    held: tuple[Held, ...]


class Book:
    def __init__(self, db: sqlite3.Connection, keep_digests: int, load_bodies: LoadBodies) -> None:
        self._db = db
        self._keep_digests = keep_digests
        self._load_bodies = load_bodies
        self._digests = self._recall_digests()
        self._next_id = 1 + (db.execute(_HIGHEST_ID).fetchone()[0] or 0)
        self.open: dict[int, Batch] = {}
        self._sealed_to = dict.fromkeys(Inbox, 0)
        for batch_id, inbox, first_id, last_id, sealed_ns in db.execute("select * from batches order by id").fetchall():
            self._remember(self._batch(batch_id, Inbox(inbox), first_id, last_id, sealed_ns))

    def _recall_digests(self) -> int:
        """Fill the table in memory; how many there are."""
        with self._transaction():
            count = int(self._db.execute("select count(*) from digests").fetchone()[0])
            if count > self._keep_digests:
                self._db.execute(_FORGET_BEYOND, (self._keep_digests,))
            self._db.execute("insert or ignore into memory.known select digest from digests")
        return min(count, self._keep_digests)

    def _batch(self, batch_id: int, inbox: Inbox, first_id: int, last_id: int, sealed_ns: int) -> Batch:
        rows = self._db.execute(
            "select id, items, size, received_ns from parcels where inbox = ? and id between ? and ? order by id",
            (inbox.value, first_id, last_id),
        ).fetchall()
        bodies = Bodies([row[0] for row in rows], self._load_bodies)
        parcels = tuple(SpooledParcel(key, items, size, time_ns, bodies) for key, items, size, time_ns in rows)
        return Batch(batch_id, inbox, sealed_ns, parcels)

    def _remember(self, batch: Batch) -> None:
        self.open[batch.id] = batch
        self._sealed_to[batch.inbox] = batch.parcels[-1].id

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("begin immediate")
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise

    # --- what the file holds

    def total(self) -> Tally:
        rows = self._db.execute("select signal, line, items from counts")
        return Tally({(Signal(signal), line): items for signal, line, items in rows})

    def held(self) -> list[Held]:
        rows = self._db.execute(
            "select inbox, min(received_ns), count(*), sum(items), sum(size) from parcels"
            " group by inbox, received_ns / ?",
            (AGE_STEP_NS,),
        )
        return [Held(Inbox(inbox), *numbers) for inbox, *numbers in rows]

    def bodies(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        found = {}
        for parcel_id in ids:
            row = self._db.execute("select body from bodies where id = ?", (parcel_id,)).fetchone()
            if row is None:
                raise SpoolError(f"The body of parcel {parcel_id} is no longer in the spool: its batch was ended.")
            found[parcel_id] = row[0]
        return found

    # --- in

    def commit(self, parcels: Sequence[Parcel], refused: Tally, received_ns: int) -> Committed:
        tally = Tally(refused)
        ids: list[int | None] = []
        new: list[tuple[int, Parcel]] = []
        with self._transaction():
            for parcel in parcels:
                if parcel.dedup and not self._is_new(parcel.digest):
                    tally.repeat(parcel)
                    ids.append(None)
                else:
                    tally.arrive(parcel)
                    ids.append(self._next_id + len(new))
                    new.append((self._next_id + len(new), parcel))
            digests = self._insert(new, received_ns)
            forgotten = self._forget_digests(digests)
            self._count(tally)
        self._next_id += len(new)
        self._digests += digests - forgotten
        return Committed(tuple(ids), tally, tuple(_held(parcel, received_ns) for _, parcel in new))

    def _is_new(self, digest: bytes) -> bool:
        return self._db.execute("insert or ignore into memory.known values (?)", (digest,)).rowcount == 1

    def _insert(self, new: Sequence[tuple[int, Parcel]], received_ns: int) -> int:
        self._db.executemany(
            "insert into parcels values (?, ?, ?, ?, ?)",
            [(key, parcel.inbox.value, parcel.items, len(parcel.body), received_ns) for key, parcel in new],
        )
        self._db.executemany("insert into bodies values (?, ?)", [(key, parcel.body) for key, parcel in new])
        digests = [(key, parcel.digest) for key, parcel in new if parcel.dedup]
        self._db.executemany("insert into digests values (?, ?)", digests)
        return len(digests)

    def _forget_digests(self, added: int) -> int:
        """The oldest, at most twice as many as came, so that no commit pays for a long catch-up."""
        excess = min(self._digests + added - self._keep_digests, 2 * added)
        if excess <= 0:
            return 0
        oldest = self._db.execute("select id, digest from digests order by id limit ?", (excess,)).fetchall()
        self._db.executemany("delete from memory.known where digest = ?", [(digest,) for _, digest in oldest])
        self._db.execute("delete from digests where id <= ?", (oldest[-1][0],))
        return len(oldest)

    def _count(self, tally: Tally) -> None:
        self._db.executemany(
            "insert into counts values (?, ?, ?) on conflict do update set items = items + excluded.items",
            [(signal.value, line, items) for (signal, line), items in tally.items() if items],
        )

    # --- out

    def seal(self, inbox: Inbox, now_ns: int) -> Batch | None:
        rows = self._db.execute(
            "select id, size, items, received_ns from parcels where inbox = ? and id > ? order by id limit ?",
            (inbox.value, self._sealed_to[inbox], limits.BATCH_PARCELS_MAX),
        ).fetchall()
        if not rows:
            return None
        size, items, fitting = 0, 0, 0
        for _, parcel_size, parcel_items, _ in rows:
            size += parcel_size
            items += parcel_items
            if fitting and (size > limits.BATCH_BYTES_MAX or items > limits.BATCH_ITEMS_MAX):
                break
            fitting += 1
        first_id, last_id = rows[0][0], rows[fitting - 1][0]
        # A batch is never older than what it holds, also when the clock was set back.
        sealed_ns = max(now_ns, *(row[-1] for row in rows[:fitting]))
        with self._transaction():
            self._db.execute(
                "insert into batches (inbox, first_id, last_id, sealed_ns) values (?, ?, ?, ?)",
                (inbox.value, first_id, last_id, sealed_ns),
            )
            batch_id = self._db.execute("select last_insert_rowid()").fetchone()[0]
            batch = self._batch(batch_id, inbox, first_id, last_id, sealed_ns)
        self._remember(batch)
        return batch

    def release(self, batch_id: int, dead: frozenset[int], reason: str, now_ns: int) -> Moved:
        """The engine has the batch, without the parcels it refused: those are kept aside."""
        batch = self.open.get(batch_id)
        if batch is None:
            raise SpoolError(f"Batch {batch_id} is not open: it was ended before, or never sealed.")
        if strangers := dead.difference(parcel.id for parcel in batch.parcels):
            raise SpoolError(f"Batch {batch_id} does not hold the parcels {sorted(strangers)}.")
        refused = sum(parcel.items for parcel in batch.parcels if parcel.id in dead)
        tally = Tally()
        tally.store(batch.inbox, batch.items - refused)
        tally.bury(batch.inbox, refused)
        reach = (batch.inbox.value, batch.parcels[0].id, batch.parcels[-1].id)
        with self._transaction():
            if dead:
                self._bury(dead, reason, now_ns)
            self._db.execute(
                "delete from bodies where id in (select id from parcels where inbox = ? and id between ? and ?)", reach
            )
            self._db.execute("delete from parcels where inbox = ? and id between ? and ?", reach)
            self._db.execute("delete from batches where id = ?", (batch_id,))
            self._count(tally)
        del self.open[batch_id]
        return Moved(tally, _by_time(batch))

    def _bury(self, dead: frozenset[int], reason: str, now_ns: int) -> None:
        self._db.executemany(
            _BURY,
            [(now_ns, reason[: limits.SPOOL_DEAD_REASON_CHARS_MAX], parcel_id) for parcel_id in sorted(dead)],
        )
        self._db.execute(_DROP_OLD_DEAD, (limits.SPOOL_DEAD_BYTES_MAX, limits.SPOOL_DEAD_PARCELS_MAX))

    def dead(self) -> list[Dead]:
        rows = self._db.execute("select id, inbox, items, size, received_ns, dead_ns, reason from dead order by id")
        return [Dead(key, Inbox(inbox), *rest) for key, inbox, *rest in rows]

    def dead_body(self, parcel_id: int) -> bytes | None:
        row = self._db.execute("select body from dead where id = ?", (parcel_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def revive(self, now_ns: int, bytes_max: int) -> Moved:
        """Put what the engine refused in line again, the oldest first and as much as there is room for, as if it came
        now: where it stood before was passed long ago."""
        tally, size = Tally(), 0
        held: list[Held] = []
        with self._transaction():
            for dead in self.dead():
                size += dead.size
                if size > bytes_max:
                    break
                key = self._next_id + len(held)
                given = (key, dead.inbox.value, dead.items, dead.size, now_ns)
                self._db.execute("insert into parcels values (?, ?, ?, ?, ?)", given)
                self._db.execute("insert into bodies select ?, body from dead where id = ?", (key, dead.id))
                self._db.execute("delete from dead where id = ?", (dead.id,))
                tally.bury(dead.inbox, -dead.items)
                held.append(Held(dead.inbox, now_ns, 1, dead.items, dead.size))
            self._count(tally)
        self._next_id += len(held)
        return Moved(tally, tuple(held))

    # --- keeping house

    def meta(self) -> dict[str, str]:
        return dict(self._db.execute("select key, value from meta").fetchall())

    def write_meta(self, key: str, value: str) -> None:
        with self._transaction():
            self._db.execute(
                "insert into meta values (?, ?) on conflict do update set value = excluded.value", (key, value)
            )

    def try_write(self) -> None:
        """Raise as long as the disk takes no writes."""
        with self._transaction():
            self._db.execute("pragma user_version=1")

    def shrink(self) -> None:
        """Give some of the unused pages back to the file system, when there are too many."""
        free_pages, page_bytes = (
            self._db.execute(f"pragma {name}").fetchone()[0] for name in ("freelist_count", "page_size")
        )
        if free_pages * page_bytes <= limits.SPOOL_FREE_BYTES_MAX:
            return
        # One step frees one page, and only a script is stepped to its end.
        self._db.executescript(f"pragma incremental_vacuum({_SHRINK_PAGES})")

    def close(self) -> None:
        self._db.close()


def _held(parcel: Parcel, received_ns: int) -> Held:
    return Held(parcel.inbox, received_ns, 1, parcel.items, len(parcel.body))


def _by_time(batch: Batch) -> tuple[Held, ...]:
    times = groupby(batch.parcels, key=lambda parcel: parcel.received_ns)
    return tuple(
        Held(batch.inbox, received_ns, len(group), sum(p.items for p in group), sum(p.size for p in group))
        for received_ns, group in ((received_ns, list(parcels)) for received_ns, parcels in times)
    )
