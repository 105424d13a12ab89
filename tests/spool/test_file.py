"""One owner, and a file that is not what we wrote."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from botwatch.errors import SpoolError
from botwatch.nouns import Signal
from botwatch.spool import Counts, Spool
from tests.spool.parcels import NOW_NS, balanced, drain, open_spool, parcel

ROOT = Path(__file__).parents[2]


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def written(folder: Path, count: int = 50) -> Path:
    spool = open_spool(folder)
    for n in range(count):
        await spool.put(parcel(str(n), size=30_000))
    spool.close()
    return folder / "spool.db"


def test_only_one_process_owns_a_spool_and_the_other_is_told_which(spool: Spool, tmp_path: Path) -> None:
    code = f"from pathlib import Path; from tests.spool.parcels import open_spool;open_spool(Path({str(tmp_path)!r}))"
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert f"SpoolError: {tmp_path}/spool.db.lock: the process {os.getpid()} has this spool open" in other.stderr


def test_a_spool_is_not_opened_twice_in_one_process_but_again_after_closing(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    with pytest.raises(SpoolError, match=f"the process {os.getpid()} has"):
        open_spool(tmp_path)
    spool.close()
    spool.close()
    open_spool(tmp_path).close()


def test_a_closed_spool_says_so(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.close()
    with pytest.raises(SpoolError, match="closed"):
        spool.unfinished()


async def test_what_bots_wrote_is_readable_only_by_its_owner(spool: Spool, tmp_path: Path) -> None:
    await spool.put(parcel("a"))
    assert modes(tmp_path) == {"spool.db": 0o600, "spool.db-wal": 0o600, "spool.db.lock": 0o600}


def test_every_commit_is_flushed_to_the_disk(spool: Spool) -> None:
    db = spool._book._db
    found = [
        spool._owner.ask(db.execute(f"pragma main.{name}").fetchone)[0] for name in ("journal_mode", "synchronous")
    ]
    assert found == ["wal", 2]  # 2 is FULL


@pytest.mark.parametrize("damage", ["garbage", "head", "cut", "middle"])
async def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path, damage: str) -> None:
    file = await written(tmp_path)
    data = bytearray(file.read_bytes())
    if damage == "garbage":
        data = bytearray(b"not a database at all " * 1_000)
    elif damage == "head":
        data[:100] = bytes(100)
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        third = len(data) // 3
        data[third : 2 * third] = bytes(third)
    file.write_bytes(data)

    spool = open_spool(tmp_path)
    aside = tmp_path / f"spool.db.corrupt-{NOW_NS}"
    (warning,) = spool.warnings
    assert str(file) in warning
    assert str(aside) in warning
    assert aside.read_bytes()[100:] == data[100:]  # opening a file counts up in its first 100 bytes
    assert not (await spool.put(parcel("0", size=30_000))).duplicate
    assert drain(spool) == ["0"]
    spool.close()
    again = open_spool(tmp_path)
    assert again.warnings == []
    again.close()


async def test_a_sound_file_is_opened_without_a_word(tmp_path: Path) -> None:
    await written(tmp_path, 3)
    spool = open_spool(tmp_path)
    assert spool.warnings == []
    assert drain(spool) == ["0", "1", "2"]
    spool.close()


async def test_a_file_whose_counts_were_changed_is_told(tmp_path: Path) -> None:
    file = await written(tmp_path, 3)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("delete from parcels where id = 2")
    db.close()
    spool = open_spool(tmp_path)
    (warning,) = spool.warnings
    assert "1 items of traces" in warning
    assert not balanced(spool)
    spool.close()


async def test_a_spool_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = await written(tmp_path, 1)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("pragma user_version=2")
    db.close()
    with pytest.raises(SpoolError, match=r"newer Botwatch \(format 2, this one reads 1\)"):
        open_spool(tmp_path)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("pragma user_version=1")
    db.close()
    spool = open_spool(tmp_path)  # the lock was let go of
    assert spool.intake()[Signal.TRACES] == Counts(received=1, spooled=1)
    spool.close()


async def test_a_spool_with_an_unknown_inbox_is_left_alone(tmp_path: Path) -> None:
    file = await written(tmp_path, 1)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("update parcels set inbox = 'inbox_dreams'")
    db.close()
    with pytest.raises(SpoolError, match=r"cannot be read .*inbox_dreams"):
        open_spool(tmp_path)
    assert file.exists()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "spool.db")) as db, db:
        db.execute("create table theirs (a)")
    db.close()
    with pytest.raises(SpoolError, match="expected a spool and found another database"):
        open_spool(tmp_path)


def test_a_place_that_cannot_hold_a_spool_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match=r"file/spool\.db: the spool's folder cannot be written"):
        open_spool(tmp_path / "file")
    (tmp_path / "spool.db").mkdir()
    with pytest.raises(SpoolError, match=r"spool\.db: the spool's file cannot be used"):
        open_spool(tmp_path)


async def test_a_file_another_program_holds_is_named(tmp_path: Path) -> None:
    file = await written(tmp_path, 1)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin exclusive")
    with pytest.raises(SpoolError, match="database is locked"):
        open_spool(tmp_path)
    other.close()
    open_spool(tmp_path).close()


async def test_the_log_is_folded_into_the_file_when_the_spool_closes(tmp_path: Path) -> None:
    file = await written(tmp_path, 10)
    assert sorted(modes(tmp_path)) == ["spool.db", "spool.db.lock"]
    assert file.stat().st_size > 10 * 30_000
