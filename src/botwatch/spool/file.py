"""Opening the spool's file: one owner, the right settings, and a damaged file set aside.

The digests of what was received are written in the order they came, which costs a commit one page;
a unique index on disk would cost one page for every parcel. What is known is looked up in a table in
memory, attached to the same connection, so that both are committed and rolled back together.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Final

from botwatch import limits
from botwatch.errors import SpoolError

_APPLICATION_ID: Final = 0x426F7453  # "BotS"
_VERSION: Final = 1
_PAGE_BYTES: Final = 16 * limits.KIB  # bodies are large; larger pages make small commits dear
_BUSY_S: Final = 1.0
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIVATE: Final = 0o600

_TABLES: Final = (
    "create table parcels (id integer primary key, inbox text not null, items integer not null,"
    " size integer not null, received_ns integer not null)",
    "create table bodies (id integer primary key, body blob not null)",
    "create table digests (id integer primary key, digest blob not null)",
    "create table batches (id integer primary key autoincrement, inbox text not null,"
    " first_id integer not null, last_id integer not null, sealed_ns integer not null)",
    "create table counts (signal text not null, line text not null, items integer not null,"
    " primary key (signal, line)) without rowid",
    "create table dead (id integer primary key, inbox text not null, items integer not null,"
    " size integer not null, received_ns integer not null, dead_ns integer not null,"
    " reason text not null, body blob not null)",
    "create table meta (key text primary key, value text not null) without rowid",
)


class _Damaged(Exception):
    """The file is not, or is no longer, what we wrote."""


class Lock:
    """Held by the one process that owns the spool, until it ends in whatever way."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise SpoolError(
                f"{path}: the process {pid} has this spool open, and only one may.",
                hint="stop that process, or give this one a data folder of its own",
            ) from None
        except OSError:
            os.close(self._fd)
            raise
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        os.close(self._fd)


def lock(path: Path) -> Lock:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Lock(path.with_name(path.name + ".lock"))
    except OSError as error:
        raise SpoolError(
            f"{path}: the spool's folder cannot be written ({error.strerror}).",
            hint="give this user the right to write there, or choose another data folder",
        ) from None


def open_file(path: Path, now_ns: int) -> tuple[sqlite3.Connection, list[str]]:
    """The connection, and what the people who run the server must be told."""
    try:
        return _connect(path, now_ns), []
    except _Damaged as damage:
        aside = _set_aside(path, now_ns)
        warning = (
            f"{path}: the spool's file was damaged ({damage}) and a new one was started. Requests that were"
            f" acknowledged and not yet stored may be in {aside}; keep it if they matter."
        )
        return _connect(path, now_ns), [warning]


def _set_aside(path: Path, now_ns: int) -> Path:
    aside = path.with_name(f"{path.name}.corrupt-{now_ns}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _connect(path: Path, now_ns: int) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, str(error)) from None
    try:
        db.execute("pragma locking_mode=exclusive").fetchall()
        _check(db, path)
        _configure(db)
        _create(db, now_ns)
        _sync_folder(path.parent)
    except sqlite3.Error as error:
        db.close()
        if error.sqlite_errorcode & 0xFF in _DAMAGED:
            raise _Damaged(error.sqlite_errorname) from None
        raise _unusable(path, str(error)) from None
    except BaseException:
        db.close()
        raise
    return db


def _unusable(path: Path, why: str) -> SpoolError:
    return SpoolError(
        f"{path}: the spool's file cannot be used ({why}).",
        hint="it must be a file that this user may read and write, on a disk with room, open nowhere else",
    )


def _configure(db: sqlite3.Connection) -> None:
    for pragma in (
        f"page_size={_PAGE_BYTES}",
        "auto_vacuum=incremental",
        "journal_mode=wal",
        "synchronous=full",
        "secure_delete=off",
        "temp_store=memory",
        f"cache_size=-{limits.SPOOL_CACHE_BYTES_MAX // limits.KIB}",
        f"wal_autocheckpoint={limits.SPOOL_LOG_BYTES_MAX // _PAGE_BYTES}",
        f"journal_size_limit={limits.SPOOL_LOG_BYTES_MAX}",
    ):
        db.execute(f"pragma {pragma}").fetchall()


def _check(db: sqlite3.Connection, path: Path) -> None:
    found = db.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _Damaged("its pages do not fit together")
    owner, version = (db.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version"))
    empty = db.execute("select count(*) from sqlite_schema").fetchone()[0] == 0
    if not empty and owner != _APPLICATION_ID:
        raise SpoolError(f"{path}: expected a spool and found another database.", hint="move that file away")
    if version > _VERSION:
        raise SpoolError(
            f"{path}: this spool was written by a newer Botwatch (format {version}, this one reads {_VERSION}).",
            hint="start the newer version, or let it empty the spool first",
        )


def _create(db: sqlite3.Connection, now_ns: int) -> None:
    db.execute("attach ':memory:' as memory")
    db.execute("create table memory.known (digest blob primary key) without rowid")
    if db.execute("pragma user_version").fetchone()[0] == _VERSION:
        return
    db.execute("begin immediate")
    for table in _TABLES:
        db.execute(table)
    # Ids of batches are names the engine remembers: a new file never gives one of an older file again.
    db.execute("insert into sqlite_sequence (name, seq) values ('batches', ?)", (now_ns // 1_000,))
    db.execute(f"pragma application_id={_APPLICATION_ID}")
    db.execute(f"pragma user_version={_VERSION}")
    db.execute("commit")


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
