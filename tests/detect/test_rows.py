"""Rows of rules on both databases: SQLite and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from botwatch.detect import rows
from botwatch.detect.book import RuleBook
from botwatch.detect.rule import Rule
from botwatch.settings import Settings
from botwatch.state import Database, audit, open_database
from tests.real.postgres import running_postgres

NOW_NS = 1_800_000_000 * 10**9


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = open_database(Settings(data=tmp_path / "data"))
        yield database
        database.close()
        return
    with running_postgres() as server, server.database() as url:
        database = open_database(Settings(data=tmp_path / "data", state=url))
        yield database
        database.close()


def given(**said: Any) -> Rule:
    return Rule.model_validate({"name": "CPU é", "field": "cpu.usage", "value": 1, "source": "import:a.json", **said})


def test_a_rule_is_kept_changed_deleted_and_each_change_is_stamped_and_audited(
    database: Database, tmp_path: Path
) -> None:
    stamps = [database.read_now(rows.stamp)]
    book = RuleBook(database, tmp_path / "rules", defaults=())
    book.reload()
    assert book.rules() == ()
    for rule in (given(), given(value=2, message="a\nb", where="host~web-*")):
        database.write_now(lambda session, rule=rule: rows.put(session, NOW_NS, "ann", rule))  # type: ignore[misc]
        stamps.append(database.read_now(rows.stamp))
        book.reload()
        assert book.rules() == (rule,)
        assert book.rules()[0].source == "import:a.json"
    kept = database.read_now(rows.listed)
    assert [(row.name, row.changed_ns, row.changed_by) for row in kept] == [("CPU é", NOW_NS, "ann")]
    assert database.write_now(lambda session: rows.delete(session, NOW_NS, "bob", "CPU é"))
    assert not database.write_now(lambda session: rows.delete(session, NOW_NS, "bob", "CPU é"))
    stamps.append(database.read_now(rows.stamp))
    assert len(set(stamps)) == 4
    book.reload()
    assert book.rules() == ()
    told = database.read_now(lambda session: audit.entries(session, before_id=None, count=10))
    assert [(entry.who, entry.what) for entry in told] == [
        ("bob", "rule.delete"),
        ("ann", "rule.put"),
        ("ann", "rule.put"),
    ]
