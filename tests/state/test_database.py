from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import stat
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.errors import SettingError, StateAway, StateError
from botwatch.settings import Settings
from botwatch.state import Database, audit, meta, open_database
from botwatch.state.database import state_url
from tests.real.postgres import Postgres
from tests.state.conftest import NOW_NS


async def test_what_was_written_is_there_after_opening_again(settings: Settings) -> None:
    first = open_database(settings)
    await first.write(lambda session: meta.put(session, "color", "green"))
    first.close()
    second = open_database(settings)
    assert await second.read(lambda session: meta.get(session, "color")) == "green"
    second.close()


async def test_work_that_fails_leaves_nothing(database: Database) -> None:
    def half(session: Session) -> None:
        meta.put(session, "half", "done")
        session.flush()
        raise ValueError("then it broke")

    with pytest.raises(ValueError, match="then it broke"):
        await database.write(half)
    assert await database.read(lambda session: meta.get(session, "half")) is None


async def test_many_writers_wait_for_each_other_and_none_is_lost(database: Database) -> None:
    def add(number: int) -> None:
        database.write_now(lambda session: audit.record(session, NOW_NS, "cli", "test", str(number)))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    found = await database.read(lambda session: audit.entries(session, before_id=None, count=100))
    assert sorted(int(entry.subject) for entry in found) == list(range(24))


async def test_more_work_than_the_bound_is_told_to_come_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STATE_WORK_WAITING_MAX", 1)
    hold = threading.Event()

    def slow(_: Session) -> None:
        assert hold.wait(60)

    first = asyncio.create_task(database.read(slow))
    await asyncio.sleep(0)
    with pytest.raises(StateAway, match="does not keep up"):
        await database.read(lambda session: None)
    hold.set()
    await first
    assert await database.read(lambda session: meta.get(session, "nothing")) is None


async def test_a_connection_that_was_cut_is_replaced_unnoticed(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.database() as url:
        database = open_database(Settings(data=tmp_path, state=url))
        await database.write(lambda session: meta.put(session, "color", "green"))
        postgres.cut(url)
        assert await database.read(lambda session: meta.get(session, "color")) == "green"
        database.close()


async def test_a_database_that_is_away_is_said_so_and_found_again(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.database() as url:
        database = open_database(Settings(data=tmp_path, state=url))
        with postgres.closed(url), pytest.raises(StateAway) as away:
            await database.read(lambda session: meta.get(session, "color"))
        assert away.value.message == "The state database is away or busy; try again in a moment."
        assert await database.read(lambda session: meta.get(session, "color")) is None
        database.close()


@pytest.mark.parametrize("state", ["", "sqlite:///here/state.db"])
def test_the_file_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    monkeypatch.chdir(tmp_path)
    database = open_database(Settings(data=Path("here"), state=state))
    database.write_now(lambda session: meta.put(session, "color", "green"))
    database.engine.dispose()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert database.read_now(lambda session: meta.get(session, "color")) == "green"
    database.close()


def test_while_someone_else_writes_reading_goes_on_and_writing_waits_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STATE_BUSY_S_MAX", 0.1)
    database = open_database(Settings(data=tmp_path))
    with contextlib.closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO meta VALUES ('color', 'red')")
        assert database.read_now(lambda session: meta.get(session, "color")) is None
        with pytest.raises(StateAway):
            database.write_now(lambda session: meta.put(session, "color", "green"))
        other.execute("ROLLBACK")
    database.write_now(lambda session: meta.put(session, "color", "green"))
    assert database.read_now(lambda session: meta.get(session, "color")) == "green"
    database.close()


def test_without_its_driver_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingError, match=r"pip install 'botwatch\[postgres\]'"):
        open_database(Settings(data=tmp_path, state="postgresql://u@h/d"))


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    open_database(Settings(data=tmp_path / "new" / "data")).close()
    path = tmp_path / "new" / "data" / "state.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_sqlite_is_durable_and_holds_its_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STATE_BUSY_S_MAX", 5)
    database = open_database(Settings(data=tmp_path))
    with database.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@pytest.mark.parametrize(
    "given",
    ["postgres://u:hush-hush@h/d", "postgresql://u:hush-hush@h/d", "postgresql+psycopg://u:hush-hush@h/d"],
)
def test_postgresql_is_named_as_people_name_it(given: str) -> None:
    assert state_url(Settings(state=given)).drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "given",
    ["mysql://u:hush-hush@h/d", "nonsense", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://h/d", "://"],
)
def test_another_database_is_refused_and_no_password_is_said(given: str) -> None:
    with pytest.raises(SettingError, match=r"^state: expected") as refused:
        state_url(Settings(state=given))
    assert "hush-hush" not in str(refused.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(SettingError, match=r"file/state\.db cannot be written .*--data"):
        open_database(Settings(data=tmp_path / "file"))


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is a shopping list, not a database" * 100)
    with pytest.raises(StateError, match="cannot be used"):
        open_database(Settings(data=tmp_path))


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"postgresql\+psycopg://u:\*\*\*@127\.0\.0\.1:1/d cannot be used") as error:
        open_database(Settings(data=tmp_path, state="postgresql://u:hush-hush@127.0.0.1:1/d"))
    assert "hush-hush" not in str(error.value)
