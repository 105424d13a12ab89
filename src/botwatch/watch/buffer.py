"""What the agent keeps on its disk until the server has it.

A parcel is the body of one request, exactly as it is sent: a server that took it and could not say so knows it
again by its bytes. One thread calls this.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from botwatch import limits
from botwatch.errors import SpoolError

_TABLE: Final = (
    "create table if not exists parcels"
    " (id integer primary key autoincrement, signal text not null, size integer not null, body blob not null)"
)
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(frozen=True, slots=True)
class Parcel:
    id: int
    signal: str
    body: bytes


class Buffer:
    """`warning` is for whoever runs the agent. Methods raise `sqlite3.Error` when the disk takes nothing."""

    def __init__(self, db: sqlite3.Connection, warning: str, bytes_max: int) -> None:
        self._db = db
        self._bytes_max = bytes_max
        self.warning = warning
        self.parcels: int
        self.size: int
        self.parcels, self.size = db.execute("select count(*), coalesce(sum(size), 0) from parcels").fetchone()

    @classmethod
    def open(cls, path: Path, bytes_max: int = limits.AGENT_BUFFER_BYTES_MAX) -> Self:
        """A damaged file is set aside; one that another process has open is an error."""
        warning = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                db = _connect(path)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                    raise
                aside = path.with_name(path.name + ".corrupt")
                os.replace(path, aside)
                warning = f"{path} was damaged ({error.sqlite_errorname}): it is now {aside.name}, and a new one begins"
                db = _connect(path)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(path, error) from None
        return cls(db, warning, bytes_max)

    def add(self, signal: str, body: bytes) -> int:
        """Keep one more; how many of the oldest had to go for it."""
        size, dropped = len(body), 0
        self._db.execute("begin immediate")
        try:
            while self.parcels and (
                self.size + size > self._bytes_max or self.parcels >= limits.AGENT_BUFFER_PARCELS_MAX
            ):
                self._drop_oldest()
                dropped += 1
            self._db.execute("insert into parcels (signal, size, body) values (?, ?, ?)", (signal, size, body))
            self._db.execute("commit")
        except BaseException:
            self._roll_back()
            raise
        self.parcels += 1
        self.size += size
        return dropped

    def oldest(self) -> Parcel | None:
        row = self._db.execute("select id, signal, body from parcels order by id limit 1").fetchone()
        return Parcel(*row) if row else None

    def done(self, parcel: Parcel) -> None:
        self._db.execute("delete from parcels where id = ?", (parcel.id,))
        self.parcels -= 1
        self.size -= len(parcel.body)

    def close(self) -> None:
        self._db.close()

    def _drop_oldest(self) -> None:
        key, size = self._db.execute("select id, size from parcels order by id limit 1").fetchone()
        self._db.execute("delete from parcels where id = ?", (key,))
        self.parcels -= 1
        self.size -= size

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("rollback")
        self.parcels, self.size = self._db.execute("select count(*), coalesce(sum(size), 0) from parcels").fetchone()


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
    try:
        # One process has the file; its pages are written in order, so that a power cut loses the newest at most.
        for pragma in (
            "locking_mode=exclusive",
            "auto_vacuum=full",
            "journal_mode=wal",
            "synchronous=normal",
            "cache_size=-512",
            f"journal_size_limit={limits.MIB}",
            "wal_autocheckpoint=64",
        ):
            db.execute(f"pragma {pragma}").fetchall()
        if db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
            raise _damaged()
        db.execute("begin immediate")
        db.execute(_TABLE)
        db.execute("commit")
    except BaseException:
        db.close()
        raise
    return db


def _damaged() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("its pages do not fit together")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    error.sqlite_errorname = "SQLITE_CORRUPT"
    return error


def _unusable(path: Path, error: Exception) -> SpoolError:
    busy = isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )
    why = "another agent has it open" if busy else type(error).__name__
    return SpoolError(
        f"{path}: the agent's buffer cannot be used ({why}).",
        hint="stop the other agent, or give this one a folder of its own with --data"
        if busy
        else "it must be a file this user may read and write, on a disk with room",
    )
