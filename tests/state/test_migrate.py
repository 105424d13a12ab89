from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import botwatch
from botwatch.errors import StateError
from botwatch.nouns import Role
from botwatch.settings import Settings
from botwatch.state import Database, migrate, open_database, tokens, users
from botwatch.state.database import _engine, _make_file, state_url
from botwatch.state.rows import Base
from tests.state.conftest import NOW_NS

GROWS = '''
"""A later version: users get a new column in a table that is copied, as SQLite does it."""
import sqlalchemy as sa
from alembic import op
revision = "later"
down_revision = "{head}"

def upgrade():
    with op.batch_alter_table("users") as table:
        table.alter_column("role", type_=sa.String(32))  # what SQLite can do only by copying
        table.add_column(sa.Column("mood", sa.String(16), server_default="calm", nullable=False))
    {then}
'''


def bare_engine(settings: Settings) -> sa.Engine:
    url = state_url(settings)
    if url.get_backend_name() == "sqlite":
        _make_file(Path(url.database or ""))
    return _engine(url)


def revisions() -> list[str]:
    script = ScriptDirectory.from_config(migrate.alembic_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def version(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose migrations count as those of a later version."""
    folder = tmp_path / "later"
    folder.mkdir()
    ours = Path(migrate.__file__).parent / "migrations" / "versions"
    plain = migrate.alembic_config

    def config() -> Config:
        config = plain()
        config.set_main_option("version_locations", f"{ours}:{folder}")
        return config

    monkeypatch.setattr(migrate, "alembic_config", config)
    return folder


def test_the_migrated_schema_is_the_model(database: Database) -> None:
    rooms = Path(botwatch.__file__).parent
    for file in rooms.glob("*/rows*.py"):  # each room has its own tables
        import_module(f"botwatch.{file.parent.name}.{file.stem}")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_revisions_are_one_line_without_a_way_back() -> None:
    script = ScriptDirectory.from_config(migrate.alembic_config())
    assert len(script.get_heads()) == len(script.get_bases()) == 1
    for revision in script.walk_revisions():
        assert not hasattr(revision.module, "downgrade"), revision.path


def test_from_the_first_version_with_data_to_this_one(settings: Settings) -> None:
    engine = bare_engine(settings)
    migrate.migrate(engine, revisions()[0])
    assert version(engine) == "0001"
    with engine.execution_options(botwatch_writes=True).begin() as connection:
        connection.exec_driver_sql("INSERT INTO users VALUES (7, 'ann', 'admin', 'scrypt$x', 1, NULL)")
        connection.exec_driver_sql("INSERT INTO audit VALUES (3, 1, 'cli', 'user.add', 'ann', '{\"role\": \"admin\"}')")
    engine.dispose()
    database = open_database(settings)
    assert version(database.engine) == revisions()[-1]
    assert [user.name for user in database.read_now(lambda session: users.listed(session, count=9))] == ["ann"]
    database.close()


def test_a_later_version_copies_tables_and_loses_nothing_that_points_to_them(settings: Settings, later: Path) -> None:
    engine = bare_engine(settings)
    migrate.migrate(engine)
    database = Database(engine)
    ann = database.write_now(lambda session: users.add(session, NOW_NS, "cli", "ann", Role.ADMIN, "x"))
    database.write_now(
        lambda session: tokens.add_api(session, NOW_NS, "cli", label="t", role=Role.ADMIN, user=ann, days=None)
    )
    (later / "later.py").write_text(GROWS.format(head=revisions()[-1], then="pass"), encoding="utf-8")
    migrate.migrate(engine)
    assert version(engine) == "later"
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT name, mood FROM users").all() == [("ann", "calm")]
        assert connection.exec_driver_sql("SELECT user_id FROM tokens").all() == [(ann.id,)]
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


def test_a_migration_that_fails_changes_nothing(settings: Settings, later: Path) -> None:
    engine = bare_engine(settings)
    migrate.migrate(engine)
    head = revisions()[-1]
    (later / "later.py").write_text(GROWS.format(head=head, then="raise RuntimeError('no')"), encoding="utf-8")
    with pytest.raises(RuntimeError, match="no"):
        migrate.migrate(engine)
    assert version(engine) == head
    assert "mood" not in {column["name"] for column in sa.inspect(engine).get_columns("users")}
    engine.dispose()


def test_a_migration_that_leaves_rows_pointing_nowhere_is_undone(tmp_path: Path, later: Path) -> None:
    engine = bare_engine(Settings(data=tmp_path))
    migrate.migrate(engine)
    database = Database(engine)
    ann = database.write_now(lambda session: users.add(session, NOW_NS, "cli", "ann", Role.ADMIN, "x"))
    database.write_now(
        lambda session: tokens.add_api(session, NOW_NS, "cli", label="t", role=Role.ADMIN, user=ann, days=None)
    )
    head = revisions()[-1]
    (later / "later.py").write_text(GROWS.format(head=head, then='op.execute("DELETE FROM users")'), encoding="utf-8")
    with pytest.raises(StateError, match="rows of tokens that point nowhere"):
        migrate.migrate(engine)
    assert version(engine) == head
    assert len(database.read_now(lambda session: users.listed(session, count=9))) == 1
    database.close()


def test_a_database_of_a_newer_version_is_refused_untouched(settings: Settings) -> None:
    open_database(settings).close()
    engine = bare_engine(settings)
    with engine.execution_options(botwatch_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(
        StateError, match=r"newer Botwatch \(its schema is 9999, this version knows up to \d+\)"
    ) as error:
        open_database(settings)
    assert error.value.hint is not None
    assert version(engine) == "9999"
    engine.dispose()


def test_nodes_that_start_together_migrate_once(settings: Settings) -> None:
    engines = [bare_engine(settings) for _ in range(4)]
    failures: list[BaseException] = []
    together = threading.Barrier(len(engines))

    def start(engine: sa.Engine) -> None:
        try:
            together.wait(60)
            migrate.migrate(engine)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert version(engines[0]) == revisions()[-1]
    for engine in engines:
        engine.dispose()
