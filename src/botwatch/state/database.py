"""The state database: SQLite in the data folder, or PostgreSQL by URL. One transaction a call.

The engine is synchronous and used from a few threads: the state is small, and one code path
serves the server, the command line and the tests.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.errors import SettingError, StateAway, StateError
from botwatch.settings import Settings
from botwatch.state.migrate import WRITES, migrate

T = TypeVar("T")
FILE_NAME = "state.db"
_DISK_FULL = "53100"  # PostgreSQL's word for it

_log = logging.getLogger(__name__)


class Database:
    """Runs work in a transaction: all of it is kept, or none of it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(**{WRITES: True})
        self._threads = ThreadPoolExecutor(limits.STATE_THREADS_MAX, thread_name_prefix="state")
        self._waiting = 0

    async def read(self, work: Callable[[Session], T]) -> T:
        return await self._in_thread(self.read_now, work)

    async def write(self, work: Callable[[Session], T]) -> T:
        return await self._in_thread(self.write_now, work)

    def read_now(self, work: Callable[[Session], T]) -> T:
        with _told_plainly(), Session(self.engine) as session:
            return work(session)

    def write_now(self, work: Callable[[Session], T]) -> T:
        with _told_plainly(), Session(self._writing) as session, session.begin():
            return work(session)

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self.engine.dispose()

    async def _in_thread(self, run: Callable[[Callable[[Session], T]], T], work: Callable[[Session], T]) -> T:
        if self._waiting >= limits.STATE_WORK_WAITING_MAX:
            raise StateAway("The state database does not keep up; try again in a moment.")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, run, work)
        future.add_done_callback(self._done)
        return await future

    def _done(self, _: object) -> None:
        self._waiting -= 1


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn what the driver says into one of our errors; its words stay in our log."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        _log.warning("state database: %s", str(error).splitlines()[0])
        if isinstance(error, exc.DBAPIError) and _is_full(error.orig):
            hint = "free space on it; /readyz tells what is not written meanwhile"
            raise StateAway("The disk of the state database is full.", hint=hint) from None
        raise StateAway("The state database is away or busy; try again in a moment.") from None


def _is_full(error: BaseException | None) -> bool:
    sqlite_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return sqlite_full or getattr(error, "sqlstate", None) == _DISK_FULL


def open_database(settings: Settings) -> Database:
    """Connect, and bring the schema to this version."""
    url = state_url(settings)
    where = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        _make_file(Path(url.database or ""))
    engine = _engine(url)
    try:
        migrate(engine)
    except (exc.DBAPIError, exc.TimeoutError) as error:
        engine.dispose()
        reason = str(error).splitlines()[0]
        raise StateError(
            f"the state database {where} cannot be used: {reason}",
            hint="see that --state is right, that it runs, and that its file or account can be written",
        ) from None
    except StateError:
        engine.dispose()
        raise
    return Database(engine)


def state_url(settings: Settings) -> sa.URL:
    if not settings.state:
        return sa.URL.create("sqlite", database=str((settings.data / FILE_NAME).absolute()))
    try:
        url = sa.make_url(settings.state)
    except exc.ArgumentError:
        raise SettingError("state: expected a URL such as postgresql://user:password@host/botwatch") from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        # Connections are opened later too, when the process may have gone to another folder.
        return url.set(database=str(Path(url.database).absolute()))
    raise SettingError(
        f"state: expected postgresql://… or sqlite:///path, found {url.render_as_string(hide_password=True)}"
    )


def _make_file(path: Path) -> None:
    """Create the file ourselves, so that only its owner can read the hashes in it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SettingError(
            f"state: {path} cannot be written ({error.strerror}); choose another folder with --data"
        ) from None


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            pool_size=limits.STATE_THREADS_MAX,
            connect_args={"timeout": limits.STATE_BUSY_S_MAX, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return sa.create_engine(
            url,
            hide_parameters=True,
            pool_size=limits.STATE_THREADS_MAX,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": limits.STATE_CONNECT_S_MAX,
                "tcp_user_timeout": 1000 * limits.STATE_CONNECT_S_MAX,
                "options": f"-c lock_timeout={limits.STATE_BUSY_S_MAX}s",
                "prepare_threshold": None,  # a pooler between us may hand each statement to another session
            },
        )
    except ImportError:
        raise SettingError(
            "state: PostgreSQL needs the driver psycopg; install it with: pip install 'botwatch[postgres]'"
        ) from None


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    # The driver's own transaction control would commit in the middle of a migration.
    connection.isolation_level = None
    cursor = connection.cursor()
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _write_ahead(cursor: sa.engine.interfaces.DBAPICursor) -> None:
    """The file remembers it. Two that switch a new file at once are not made to wait by SQLite."""
    give_up_s = time.monotonic() + limits.STATE_BUSY_S_MAX
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_s:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its place at once: a reader that turns writer would fail without waiting.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
