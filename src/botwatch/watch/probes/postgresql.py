"""PostgreSQL: one query over its statistics views, on a connection of its own, so that it meets what a client meets.

A user without the role `pg_monitor` sees the connections, and not how long the transactions of others take: then
that figure is missing. So are queries by the second where the extension `pg_stat_statements` does not count them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any, Final

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Pace, Service, Status, clean_version, figures
from botwatch.watch.probes.stream import Stream

PORT: Final = 5432
logging.getLogger("psycopg").setLevel(logging.ERROR)  # a question that is given up is no news of ours
_FULL: Final = 0.9  # of the connections: the next burst may find none
_ASK: Final = """
SELECT current_setting('server_version'),
       current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       (SELECT sum(xact_commit + xact_rollback)::float8 FROM pg_stat_database),
       pg_is_in_recovery(),
       CASE WHEN NOT pg_is_in_recovery() THEN NULL
            WHEN EXISTS (SELECT FROM pg_stat_wal_receiver)
                 AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END,
       CASE WHEN pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver) THEN
           (SELECT setting <> '' FROM pg_settings WHERE name = 'primary_conninfo') END,
       (SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication),
       CASE WHEN pg_has_role('pg_read_all_stats', 'usage') THEN
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8 FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) END,
       to_regprocedure('pg_stat_statements(boolean)') IS NOT NULL
"""
_QUERIES: Final = "SELECT sum(calls)::float8 FROM pg_stat_statements(false)"  # without their texts
_SAID: Final = (
    ("too many clients", Status.DEGRADED, "no connection is free: all are in use"),
    ("remaining connection slots", Status.DEGRADED, "no connection is free: what is left is reserved for superusers"),
    ("too many connections for", Status.DEGRADED, "no connection is free for this role or database"),
    ("starting up", Status.STOPPED, "it is starting up, and takes no connections yet"),
    ("shutting down", Status.STOPPED, "it is shutting down"),
    ("password authentication failed", Status.UNKNOWN, "it answers, and does not accept the user or password"),
    ("no password supplied", Status.UNKNOWN, "it answers, and asks for a password: none is configured"),
    ("authentication failed", Status.UNKNOWN, "it answers, and does not accept the user"),
    ("no pg_hba.conf entry", Status.UNKNOWN, "it answers, and does not let this user in from here (pg_hba.conf)"),
    ("role ", Status.UNKNOWN, "it answers, and does not know or admit this role"),
    ("database ", Status.UNKNOWN, "it answers, and does not have or open this database"),
    ("does not support ssl", Status.UNKNOWN, "it answers, and does not speak TLS, which the address asks for"),
    ("certificate", Status.UNKNOWN, "TLS failed: its certificate is not trusted here"),
    ("invalid response to ssl", Status.UNKNOWN, "what answers there is not PostgreSQL"),
    ("unexpected response", Status.UNKNOWN, "what answers there is not PostgreSQL"),
    ("expected authentication request", Status.UNKNOWN, "what answers there is not PostgreSQL"),
)


@dataclass(frozen=True, slots=True)
class _Told:
    """What it answers, in that order. A replica tells how far it is `behind_s` itself, whether its replay is `paused`
    and whether it is `cut` off its primary; a primary how far its slowest replica is. None: not known, or no matter."""

    version: str
    most: int
    reserved: int
    used: int
    transactions: float | None
    standby: bool
    behind_s: float | None
    paused: bool | None
    cut: bool | None
    replica_s: float | None
    longest_s: float | None
    queries_counted: bool

    @property
    def trouble(self) -> str:
        if self.used >= _FULL * self.most or self.most - self.used <= self.reserved:
            return f"{self.used} of {self.most} connections are in use: the next may find none"
        if self.cut:
            return "it is a replica, and nothing comes from its primary"
        return "it is a replica, and its replay is paused: what it answers grows old" if self.paused else ""


class PostgreSQL:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._transactions = Pace()
        self._queries = Pace()
        self._level_s: float | None = None  # when nothing waited to be replayed

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        answer = await self._row()
        if isinstance(answer, Finding):
            return answer
        told, queries = answer
        return Finding(
            Status.DEGRADED if told.trouble else Status.RUNNING,
            told.trouble,
            version=clean_version(told.version.split(" ")[0]),
            headline=f"{told.used}/{told.most} connections",
            figures=figures(
                ("connections", told.used, "{connection}"),
                ("connections.max", told.most, "{connection}"),
                ("transactions.rate", self._transactions.per_s(told.transactions or 0, began_s), "{transaction}/s"),
                ("queries.rate", None if queries is None else self._queries.per_s(queries, began_s), "{query}/s"),
                ("replication.lag", self._lag_s(told, began_s), "s"),
                ("transaction.longest", told.longest_s, "s"),
            ),
            latency_s=time.monotonic() - began_s,
            saturation=told.used / told.most if told.most else None,
        )

    def _lag_s(self, told: _Told, at_s: float) -> float | None:
        """The last transaction of a quiet primary is old: what waits now came after we last saw nothing wait."""
        if not told.standby:
            return told.replica_s
        if told.behind_s == 0:
            self._level_s = at_s
        since_level_s = None if self._level_s is None or told.cut else at_s - self._level_s
        return min((lag_s for lag_s in (told.behind_s, since_level_s) if lag_s is not None), default=None)

    async def _row(self) -> tuple[_Told, float | None] | Finding:
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ImportError:
            raise Trouble(Reason.LIBRARY, "needs the driver psycopg: pip install 'botwatch[postgres]'") from None
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._address(), autocommit=True, prepare_threshold=None, application_name="botwatch"
            )
        except psycopg.OperationalError as error:
            return await self._why(str(error))
        try:
            row = await (await connection.execute(_ASK.encode())).fetchone()
            told = _Told(*row) if row is not None else None
            queries = await _count(connection) if told is not None and told.queries_counted else None
        except psycopg.errors.InsufficientPrivilege:
            raise Trouble(Reason.FORBIDDEN, "this user is not allowed to read its statistics") from None
        except psycopg.Error:
            raise Trouble(Reason.CLOSED, "the connection was closed before there was an answer") from None
        finally:
            await connection.close()
        if told is None:
            raise Trouble(Reason.ANSWER, "expected one row of statistics, found none")
        return told, queries

    def _address(self) -> str:
        scheme, _, rest = self._service.target.with_password.partition("://")
        return f"postgresql://{rest}" if scheme else rest

    async def _why(self, text: str) -> Finding:
        """What the driver says may hold anything: only known words of it are understood, in words of our own."""
        said = text.lower()
        for words, status, reason in _SAID:
            if words in said:
                return Finding(status, reason)
        async with await Stream.open(self._service, PORT):  # raises what is wrong with the way there
            return Finding(Status.UNKNOWN, "something listens there, and does not let PostgreSQL's client in")

    async def close(self) -> None:
        """Nothing is kept."""


async def _count(connection: Any) -> float | None:
    """Queries since they are counted; None where the extension is there and not loaded."""
    import psycopg  # noqa: PLC0415 - an extra

    try:
        (found,) = await (await connection.execute(_QUERIES)).fetchone()
    except psycopg.DatabaseError:
        return None
    return None if found is None else float(found)
