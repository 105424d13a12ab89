"""A PostgreSQL of our own: a private cluster on a free port, an empty database for each test."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.real.parts import Process, free_port, missing, require_part

PACKAGE = "postgresql"
_USER = "botwatch"
_UNPRIVILEGED = ("postgres", "nobody")  # the server refuses to run as root


class Postgres(Process):
    """Listens on loopback with a password; durable on disk only as far as a test needs."""

    def __init__(self, folder: Path) -> None:
        initdb, server = require_part("initdb", PACKAGE), require_part("postgres", PACKAGE)
        self._password = secrets.token_hex(16)
        self.port = free_port()
        user = _unprivileged_user()
        data = folder / "data"
        self._init(initdb, folder, data, user)
        # Unix sockets are put in the folder too: two runs on one machine never meet.
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": folder,
            "fsync": "off",
        }
        flags = [f"-c{name}={value}" for name, value in options.items()]
        super().__init__([server, "-D", data, *flags], folder / "postgres.log", user=user, cwd=folder)
        self.wait_for_line("ready to accept connections")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{_USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database, gone afterwards."""
        name = f"test_{secrets.token_hex(8)}"
        self._run(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def closed(self, url: str) -> Iterator[None]:
        """Nobody gets into that database, and whoever was in is put out."""
        name = url.rpartition("/")[2]
        self._run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self.cut(url)
        try:
            yield
        finally:
            self._run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def cut(self, url: str) -> None:
        """End every connection to that database."""
        name = url.rpartition("/")[2]
        self._run(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")

    def _run(self, sql: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.encode())

    def _init(self, initdb: Path, folder: Path, data: Path, user: str | None) -> None:
        password_file = folder / "password"
        password_file.write_text(self._password, encoding="utf-8")
        if user is not None:
            shutil.chown(folder, user)
            shutil.chown(password_file, user)
        options = [f"-U{_USER}", f"--pwfile={password_file}", "-Ascram-sha-256", "--no-sync", "-EUTF8", "--locale=C"]
        subprocess.run(
            [initdb, "-D", data, *options],
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
            extra_groups=[] if user else None,
        )


class Replica(Process):
    """A copy of a running cluster that follows it."""

    def __init__(self, folder: Path, primary: str) -> None:
        copier, server = require_part("pg_basebackup", PACKAGE), require_part("postgres", PACKAGE)
        user = _unprivileged_user()
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        copying = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--wal-method=stream"]
        subprocess.run(
            [copier, "--dbname", primary, "--pgdata", data, *copying],
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
            extra_groups=[] if user else None,
        )
        self.port = free_port()
        self.url = f"{primary.rpartition(':')[0]}:{self.port}/postgres"
        options = {
            "port": self.port,
            "unix_socket_directories": folder,
            "wal_receiver_status_interval": "1s",
            "wal_retrieve_retry_interval": "100ms",
        }
        flags = [f"-c{name}={value}" for name, value in options.items()]
        super().__init__([server, "-D", data, *flags], folder / "postgres.log", user=user, cwd=folder)
        self.wait_for_line("ready to accept read-only connections")

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Its primary cannot be reached."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            (address,) = connection.execute("SHOW primary_conninfo").fetchone() or ("",)
            for told in ("host=127.0.0.1 port=1", address):
                quoted = told.replace("'", "''")
                connection.execute(f"ALTER SYSTEM SET primary_conninfo = '{quoted}'".encode())
                connection.execute("SELECT pg_reload_conf()")
                if told != address:
                    yield


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    missing("an account other than root to run PostgreSQL as", PACKAGE)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    # Not in pytest's folder: that is closed to the account the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="botwatch-postgres-"))
    try:
        with Postgres(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_replica(primary: str) -> Iterator[Replica]:
    """Of the cluster at that URL."""
    folder = Path(tempfile.mkdtemp(prefix="botwatch-replica-"))
    try:
        with Replica(folder, primary) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
