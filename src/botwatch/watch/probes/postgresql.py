"""PostgreSQL: one query over its statistics views, on a connection of its own, so that it meets what a client meets.

A user without the role `pg_monitor` sees the connections, and not how long the transactions of others take: then
that figure is missing.
"""

from __future__ import annotations

import logging
import time
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
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8,
       (SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication),
       CASE WHEN pg_has_role('pg_read_all_stats', 'usage') THEN
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8 FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) END
"""
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


class PostgreSQL:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._transactions = Pace()

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        row = await self._row()
        if isinstance(row, Finding):
            return row
        version, most, reserved, used, transactions, standby, behind_s, replica_s, longest_s = row
        lag_s = behind_s if standby else replica_s
        free = most - used
        reason = ""
        if used >= _FULL * most or free <= reserved:
            reason = f"{used} of {most} connections are in use: the next may find none"
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            version=clean_version(version.split(" ")[0]),
            headline=f"{used}/{most} connections",
            figures=figures(
                ("connections", used, "{connection}"),
                ("connections.max", most, "{connection}"),
                ("transactions.rate", self._transactions.per_s(transactions or 0, began_s), "{transaction}/s"),
                ("replication.lag", lag_s, "s"),
                ("transaction.longest", longest_s, "s"),
            ),
            latency_s=time.monotonic() - began_s,
            saturation=used / most if most else None,
        )

    async def _row(self) -> tuple[Any, ...] | Finding:
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
        except psycopg.errors.InsufficientPrivilege:
            raise Trouble(Reason.FORBIDDEN, "this user is not allowed to read its statistics") from None
        except psycopg.Error:
            raise Trouble(Reason.CLOSED, "the connection was closed before there was an answer") from None
        finally:
            await connection.close()
        if row is None:
            raise Trouble(Reason.ANSWER, "expected one row of statistics, found none")
        return row

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
