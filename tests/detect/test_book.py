"""The book over a real state database and a real folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from botwatch import limits
from botwatch.detect import rows
from botwatch.detect.book import RuleBook
from botwatch.detect.rows import RuleRow
from botwatch.detect.rule import Rule
from botwatch.errors import Conflict, StateAway
from botwatch.settings import Settings
from botwatch.state import Database, open_database

NOW_NS = 1_800_000_000 * 10**9
CPU = Rule.model_validate({"name": "CPU", "field": "cpu.usage", "value": 85, "source": "default"})
MEM = Rule.model_validate({"name": "Memory", "field": "mem.usage", "value": 85, "source": "default"})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(Settings(data=tmp_path / "data"))
    yield database
    database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "rules"
    path.mkdir()
    return path


@pytest.fixture
def book(database: Database, folder: Path) -> RuleBook:
    book = RuleBook(database, folder, defaults=(CPU, MEM))
    book.reload()
    return book


def given(name: str = "CPU", source: str = "api", **said: Any) -> Rule:
    return Rule.model_validate({"name": name, "field": "cpu.usage", "value": 1, "source": source, **said})


def write(folder: Path, file: str, *rules: dict[str, Any]) -> None:
    body = [{"field": "cpu.usage", "value": 2, **rule} for rule in rules]
    (folder / file).write_text(json.dumps(body, indent=1))


def put(database: Database, rule: Rule) -> None:
    database.write_now(lambda session: rows.put(session, NOW_NS, "ann", rule))


def delete(database: Database, name: str) -> bool:
    return database.write_now(lambda session: rows.delete(session, NOW_NS, "ann", name))


def values(book: RuleBook) -> dict[str, tuple[str, float]]:
    return {rule.name: (rule.source, rule.value) for rule in book.rules()}


class TestOrder:
    def test_a_row_stands_before_a_file_and_a_file_before_a_default_and_deleting_brings_back(
        self, book: RuleBook, database: Database, folder: Path
    ) -> None:
        assert values(book) == {"CPU": ("default", 85), "Memory": ("default", 85)}
        write(folder, "a.json", {"name": "CPU"})
        book.reload()
        assert values(book)["CPU"] == ("file:a.json", 2)
        put(database, given())
        book.reload()
        entry = book.entries["CPU"]
        assert (entry.rule.source, entry.over, entry.changed_by) == ("api", "file:a.json", "ann")
        assert delete(database, "CPU")
        book.reload()
        assert (book.entries["CPU"].rule.source, book.entries["CPU"].over) == ("file:a.json", "default")
        (folder / "a.json").unlink()
        book.reload()
        assert values(book)["CPU"] == ("default", 85)
        assert not delete(database, "CPU")

    def test_changes_counts_changes_of_rules_and_nothing_else(
        self, book: RuleBook, database: Database, folder: Path
    ) -> None:
        before = book.changes
        book.reload()
        book.reload(again=True)
        (folder / "broken.json").write_text("{")
        book.reload()
        assert book.changes == before
        put(database, given())
        book.reload()
        assert book.changes == before + 1
        put(database, given(enabled=False))
        book.reload()
        assert book.changes == before + 2
        assert [rule.enabled for rule in book.rules()] == [False, True]

    def test_what_another_process_changes_is_seen(self, book: RuleBook, tmp_path: Path) -> None:
        other = open_database(Settings(data=tmp_path / "data"))
        put(other, given("Disk", field="disk.usage"))
        other.close()
        book.reload()
        assert "Disk" in values(book)

    def test_of_two_files_with_one_name_the_first_counts_and_it_is_told(self, book: RuleBook, folder: Path) -> None:
        write(folder, "b.json", {"name": "Disk", "value": 3}, {"name": "Other"})
        write(folder, "a.json", {"name": "Disk", "value": 4})
        book.reload()
        assert values(book)["Disk"] == ("file:a.json", 4)
        assert "Other" in values(book)
        assert [str(problem) for problem in book.problems] == [
            "file:b.json:5: rule 'Disk': name: file:a.json has a rule of that name, and that one counts",
        ]


class TestProblems:
    def test_a_broken_file_is_told_once_in_the_log_and_as_long_as_it_lasts_in_the_book(
        self, book: RuleBook, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(folder, "a.json", {"name": "Disk"})
        book.reload()
        with caplog.at_level(logging.INFO, "botwatch"):
            write(folder, "a.json", {"name": "Disk", "operand": "more"})
            for _ in range(3):
                book.reload()
        told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert len(told) == 1
        assert told[0].startswith("rules: file:a.json:6: rule 'Disk': operand: expected one of")
        assert values(book)["Disk"] == ("file:a.json", 2)
        assert len(book.problems) == 1
        write(folder, "a.json", {"name": "Disk", "value": 5})
        book.reload()
        assert not book.problems
        assert values(book)["Disk"] == ("file:a.json", 5)

    def test_a_row_that_does_not_fit_leaves_what_it_stood_for(self, book: RuleBook, database: Database) -> None:
        put(database, given())
        database.write_now(lambda session: session.execute(sa.update(RuleRow).values(rule={"name": "CPU", "old": 1})))
        database.write_now(lambda session: rows.delete(session, NOW_NS, "ann", "nothing"))
        book.reload()
        assert values(book)["CPU"] == ("default", 85)
        assert [(problem.field, problem.rule) for problem in book.problems] == [("old", "CPU")]
        assert all(problem.source == "api" for problem in book.problems)

    def test_a_row_over_a_measure_that_is_gone_is_shown_and_not_judged(
        self, book: RuleBook, database: Database
    ) -> None:
        put(database, given("Old", field="no.longer.there"))
        book.reload()
        assert "Old" not in values(book)
        assert not book.entries["Old"].judged
        assert "there is no measure 'no.longer.there'" in book.entries["Old"].problems[0].text

    def test_an_unknown_channel_or_dependency_is_told_and_the_rule_is_judged(
        self, database: Database, folder: Path
    ) -> None:
        book = RuleBook(database, folder, lambda session: frozenset({"slack"}), defaults=(CPU,))
        write(folder, "a.json", {"name": "Disk", "notify": ["slak"], "depends_on": ["CPUs"]})
        book.reload()
        assert "Disk" in values(book)
        assert [(problem.field, problem.line) for problem in book.problems] == [("depends_on", 9), ("notify", 6)]

    def test_a_channel_that_comes_later_mends_it(self, database: Database, folder: Path) -> None:
        there: set[str] = set()
        book = RuleBook(database, folder, lambda session: frozenset(there), defaults=(given(notify="slack"),))
        book.reload()
        assert len(book.problems) == 1
        there.add("slack")
        book.reload()
        assert not book.problems

    def test_rules_that_would_mute_each_other_mute_nobody(self, database: Database, folder: Path) -> None:
        pair = (given("a", depends_on="b"), given("b", depends_on="a"))
        book = RuleBook(database, folder, defaults=pair)
        book.reload()
        assert [rule.depends_on for rule in book.rules()] == [(), ()]
        assert len(book.problems) == 2

    def test_a_composite_without_its_part_is_not_judged_nor_what_stands_on_it(
        self, database: Database, folder: Path
    ) -> None:
        top, middle = ({"name": name, "any": [part]} for name, part in (("top", "middle"), ("middle", "gone")))
        whole = {"name": "whole", "all": ["CPU"]}
        (folder / "a.json").write_text(json.dumps([top, middle, whole]))
        book = RuleBook(database, folder, defaults=(CPU,))
        book.reload()
        assert set(values(book)) == {"CPU", "whole"}
        assert book.entries["whole"].rule.by == ("host",)
        assert [problem.text for problem in book.entries["top"].problems] == ["its part 'middle' cannot be judged"]

    def test_there_is_a_bound_on_rules(self, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "RULES_MAX", 3)
        write(folder, "a.json", *({"name": f"r{n}"} for n in range(3)))
        book = RuleBook(database, folder, defaults=(CPU, MEM))
        book.reload()
        assert len(book.rules()) == 3
        assert [problem.text for problem in book.problems] == ["there are 3 rules already"] * 2
        for name in ("a", "b", "c"):
            put(database, given(name))
        with pytest.raises(Conflict, match="There are 3 rules already"):
            put(database, given("d"))
        put(database, given("a", value=7))


class TestAway:
    def test_while_the_database_is_away_the_rows_stand_and_files_go_on(
        self, book: RuleBook, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(database, given())
        book.reload()

        def away(*_: object) -> None:
            raise StateAway("away")

        monkeypatch.setattr(database, "read_now", away)
        write(folder, "a.json", {"name": "Disk"})
        book.reload()
        assert values(book) == {"CPU": ("api", 1), "Memory": ("default", 85), "Disk": ("file:a.json", 2)}

    def test_without_ever_having_read_it_there_is_no_book(
        self, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise StateAway("away")

        monkeypatch.setattr(database, "read_now", away)
        with pytest.raises(StateAway):
            RuleBook(database, folder).reload()


def test_what_a_rule_leaves_out_is_not_kept(database: Database) -> None:
    put(database, given("x", timeframe="90s", where="host=a|b"))
    kept = database.read_now(lambda session: rows.find(session, "x"))
    assert kept is not None
    assert kept.rule == {
        "name": "x",
        "kind": "threshold",
        "field": "cpu.usage",
        "value": 1.0,
        "by": ["host"],
        "timeframe": "90s",
        "where": ["host=a|b"],
    }
