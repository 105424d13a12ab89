"""Bring the state database to this version's schema: forward only, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from botwatch.errors import StateError

_FOLDER = Path(__file__).parent / "migrations"
WRITES = "botwatch_writes"  # execution option: this transaction will write
_LOCK = 0x626F7477  # any number, the same on every node


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Every node may call this at once: one does the work, the others find it done."""
    config = alembic_config()
    script = ScriptDirectory.from_config(config)
    with engine.connect() as plain, _foreign_keys_off(plain):
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            _wait_for_other_nodes(connection)
            current = MigrationContext.configure(connection).get_current_heads()
            _refuse_unknown(current, script)
            if set(current) != set(script.get_heads()):
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
                _check_foreign_keys(connection)


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_unknown(current: tuple[str, ...], script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    newer = sorted(set(current) - known)
    if newer:
        raise StateError(
            f"the state database was written by a newer Botwatch (its schema is {newer[0]}, "
            f"this version knows up to {script.get_current_head()})",
            hint="start the newer version, or go back to a copy of the database from before it",
        )


def _wait_for_other_nodes(connection: sa.Connection) -> None:
    # On SQLite, BEGIN IMMEDIATE has done it already.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


@contextmanager
def _foreign_keys_off(connection: sa.Connection) -> Iterator[None]:
    """SQLite changes a table by copying it; dropping the old one must not delete what points to it."""
    driver = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: sa.Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StateError(f"a migration would leave rows of {broken[0]} that point nowhere; nothing was changed")
