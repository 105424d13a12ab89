"""One question to a database or to Redis, answered by one value; nothing is ever written.

A SQL query runs as a part of `SELECT … LIMIT 1` in a read-only transaction; of Redis only commands that read are sent.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import shlex
import sqlite3
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol

from botwatch.errors import SettingError
from botwatch.watch.asking import Reason, Target, Trouble, trouble_of
from botwatch.watch.queues.redis_client import RedisClient

SQL: Final = frozenset({"postgresql", "postgres", "sqlite"})
REDIS: Final = frozenset({"redis", "rediss"})
_READS: Final = frozenset((
    *("EXISTS", "GET", "GETBIT", "HEXISTS", "HGET", "HLEN", "HSTRLEN", "LINDEX", "LLEN", "OBJECT", "PTTL", "SCARD"),
    *("SISMEMBER", "STRLEN", "TTL", "XLEN", "ZCARD", "ZCOUNT", "ZSCORE"),
))  # fmt: skip
_OPCODES_BETWEEN_LOOKS: Final = 10_000
_EPOCH_S_MIN: Final = 946_684_800  # a smaller number is a stretch of time, not a moment
_EPOCH_MS_MIN: Final = 1e11


class Asked(Protocol):
    async def value(self, question: str) -> Any:
        """The one value it answers; None where it answers nothing."""
        ...

    async def close(self) -> None: ...


def made(target: Target, timeout_s: float) -> Asked:
    if target.scheme in REDIS:
        return _Redis(target, timeout_s)
    return _Sqlite(target, timeout_s) if target.scheme == "sqlite" else _PostgreSQL(target, timeout_s)


def check(target: Target, question: str) -> None:
    """Refuse now what could never be asked."""
    if target.scheme in REDIS:
        _command(question)
    elif not question.strip().rstrip(";").strip():
        raise SettingError("expected a query that answers one value")


def seconds_of(value: Any, now_s: float) -> float | None:
    """How long ago: from a moment, as a date or since 1970, or said in seconds. None for what is neither."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, dt.timedelta):
        return max(value.total_seconds(), 0.0)
    if isinstance(value, str):
        value = _read(value)
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        return max(now_s - aware.timestamp(), 0.0)
    number = number_of(value)
    if number is None or number < 0:
        return None
    if number < _EPOCH_S_MIN:
        return number
    return max(now_s - (number / 1_000 if number > _EPOCH_MS_MIN else number), 0.0)


def number_of(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | Decimal | str | bytes) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _read(text: str) -> float | dt.datetime | None:
    number = number_of(text)
    if number is not None:
        return number
    try:
        return dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None


class _PostgreSQL:
    """A connection of its own each time, so that it meets what a client meets."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._address = "postgresql" + target.with_password[target.with_password.index("://") :]
        self._timeout_s = timeout_s

    async def value(self, question: str) -> Any:
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ImportError:
            raise Trouble(Reason.LIBRARY, "needs the driver psycopg: pip install 'botwatch[postgres]'") from None
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._address, connect_timeout=max(2, round(self._timeout_s)), application_name="botwatch"
            )
        except psycopg.OperationalError as error:
            raise _not_let_in(str(error)) from None
        try:
            await connection.set_read_only(True)
            asked = await connection.execute(_one(question).encode(), prepare=True)
            row = await asked.fetchone()
        except (psycopg.ProgrammingError, psycopg.DataError):
            raise Trouble(Reason.ANSWER, "the query is not one this database can run") from None
        except psycopg.Error:
            raise Trouble(Reason.CLOSED, "the connection was closed before there was an answer") from None
        finally:
            await connection.close()
        return row[0] if row else None

    async def close(self) -> None:
        """Nothing is kept."""


def _not_let_in(said: str) -> Trouble:
    """What the driver says may hold anything: two words of it are understood."""
    if "password" in said or "authentication" in said or "role " in said:
        return Trouble(Reason.LOGIN, "the user or password was not accepted")
    if "timeout expired" in said:
        return trouble_of(TimeoutError())
    return trouble_of(ConnectionRefusedError() if "refused" in said else OSError())


class _Sqlite:
    """In a thread; a query that takes too long is stopped there."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._file = Path(target.path[1:])  # sqlite:///here.db and sqlite:////var/lib/there.db, as others write it
        self._timeout_s = timeout_s

    async def value(self, question: str) -> Any:
        return await asyncio.to_thread(self._value, question)

    def _value(self, question: str) -> Any:
        if not self._file.is_file():
            raise Trouble(Reason.UNREACHABLE, "there is no such file")
        until_s = time.monotonic() + self._timeout_s
        try:
            with _opened(self._file, self._timeout_s) as connection:
                connection.set_progress_handler(lambda: time.monotonic() > until_s, _OPCODES_BETWEEN_LOOKS)
                row = connection.execute(_one(question)).fetchone()
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error) or "locked" in str(error):
                raise trouble_of(TimeoutError(), self._timeout_s) from None
            raise Trouble(Reason.ANSWER, "the query is not one this database can run") from None
        except sqlite3.Error:
            raise Trouble(Reason.ANSWER, "the file is not a database, or is damaged") from None
        return row[0] if row else None

    async def close(self) -> None:
        """Nothing is kept."""


class _opened:
    """Closed at the end, unlike sqlite3's own context."""

    def __init__(self, file: Path, timeout_s: float) -> None:
        self._connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=timeout_s)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class _Redis:
    def __init__(self, target: Target, timeout_s: float) -> None:
        self._client = RedisClient(target, timeout_s)

    async def value(self, question: str) -> Any:
        return await self._client.ask(*_command(question))

    async def close(self) -> None:
        await self._client.close()


def _command(question: str) -> list[str]:
    try:
        words = shlex.split(question)
    except ValueError:
        words = []
    if not words or words[0].upper() not in _READS:
        raise SettingError(f"expected a Redis command that reads: {', '.join(sorted(_READS))}")
    return words


def _one(question: str) -> str:
    """As a part of a query of ours, so that only what answers rows fits, and only one row comes."""
    return f"SELECT * FROM ({question.strip().rstrip(';')}) AS asked LIMIT 1"  # noqa: S608 - of the settings
