"""The schema goes forward, with data in place, on one server and on a cluster."""

from __future__ import annotations

import re
import shutil
from importlib.resources import as_file
from pathlib import Path

import pytest

from botwatch.errors import StoreError
from botwatch.store.client import Store
from botwatch.store.migrate import migrate, render, schema_folder, statements, steps, stored_tables


def test_from_an_empty_store_every_step_is_applied_once(bare_store: Store) -> None:
    assert migrate(bare_store) == [name for name, _ in steps(schema_folder())]
    assert migrate(bare_store) == []


def test_an_earlier_version_is_brought_forward_with_its_data(bare_store: Store, tmp_path: Path) -> None:
    """Spans that stand in a store of the first steps are still there, and new ones still count."""
    with as_file(schema_folder()) as current:
        shutil.copytree(current, tmp_path / "schema")
    later = tmp_path / "schema" / "0003_logs.sql"
    text = later.read_text(encoding="utf-8")
    for file in (tmp_path / "schema").glob("*.sql"):
        if file.name >= "0003":
            file.unlink()
    migrate(bare_store, tmp_path / "schema")
    bare_store.command("INSERT INTO spans (bot, start, action) VALUES ('b', toDateTime64(1700000000, 9), 'a')")
    later.write_text(text, encoding="utf-8")
    (tmp_path / "schema" / "0099_new.sql").write_text(
        "ALTER TABLE spans {on_cluster} ADD COLUMN version LowCardinality(String);\n", encoding="utf-8"
    )
    assert migrate(bare_store, tmp_path / "schema") == ["0003_logs", "0099_new"]
    assert bare_store.read("SELECT bot, action, version FROM spans").rows == [("b", "a", "")]
    bare_store.command("INSERT INTO spans (bot, start, action) VALUES ('b', toDateTime64(1700000001, 9), 'a')")
    assert bare_store.read("SELECT sum(count) FROM ticks_10s WHERE kind = 'action'").first == (2,)


def test_a_step_that_was_interrupted_is_finished(bare_store: Store) -> None:
    name, text = steps(schema_folder())[0]
    for statement in list(statements(text))[:4]:
        for rendered in render(statement, "", frozenset()):
            bare_store.command(rendered)
    assert migrate(bare_store)[0] == name


def test_a_store_of_a_newer_version_is_refused(bare_store: Store) -> None:
    migrate(bare_store)
    bare_store.command("INSERT INTO schema_versions (name) VALUES ('9999_future')")
    with pytest.raises(StoreError, match=r"newer version \(it has 9999_future"):
        migrate(bare_store)


def test_a_store_in_which_a_step_did_something_else_is_refused(bare_store: Store, tmp_path: Path) -> None:
    with as_file(schema_folder()) as current:
        shutil.copytree(current, tmp_path / "schema")
    step = tmp_path / "schema" / "0003_logs.sql"
    text = step.read_text(encoding="utf-8")
    step.write_text(text + "CREATE TABLE more {on_cluster} (a UInt8) ENGINE = {engine}MergeTree ORDER BY a;\n", "utf-8")
    migrate(bare_store, tmp_path / "schema")
    with pytest.raises(StoreError, match=r"another build, whose schema differs \(0003_logs\)"):
        migrate(bare_store)
    step.write_text("-- told otherwise\n\n" + step.read_text("utf-8").replace("\n", "\n  "), "utf-8")
    assert migrate(bare_store, tmp_path / "schema") == []


def test_a_store_of_a_build_that_kept_no_digest_is_taken(bare_store: Store) -> None:
    migrate(bare_store)
    bare_store.command("ALTER TABLE schema_versions DROP COLUMN digest")
    assert migrate(bare_store) == []


def test_on_a_cluster_tables_are_local_and_read_through_distributed_ones(bare_store: Store) -> None:
    """The rendering alone: the names, and that the engine can parse what `test_cluster` has to leave out."""
    stored = stored_tables(schema_folder())
    assert {"spans", "ticks_10s", "turns", "names"} <= stored
    assert not {"ticks", "inbox_traces", "number_points"} & stored
    seen = 0
    for _, text in steps(schema_folder()):
        for statement in statements(text):
            for rendered in render(statement, "c1", stored):
                assert not re.search(r"\{(engine|on_cluster)", rendered)
                assert "ON CLUSTER 'c1'" in rendered
                bare_store.read("SELECT formatQuery({sql:String})", {"sql": rendered})
                seen += 1
    assert seen > len(stored)
    view = next(s for _, text in steps(schema_folder()) for s in statements(text) if "VIEW spans_to_ticks " in s)
    assert "TO ticks AS" in render(view, "c1", stored)[0]
    assert "FROM spans_local AS spans" in render(view, "c1", stored)[0]
    held = next(s for _, text in steps(schema_folder()) for s in statements(text) if "VIEW ticks_to_10s " in s)
    assert "FROM admitted_names)" in render(held, "c1", stored)[0], "what was decided for all is read from all"
    spans = next(
        s for _, text in steps(schema_folder()) for s in statements(text) if s.startswith("CREATE TABLE spans ")
    )
    assert "ENGINE = ReplicatedMergeTree" in render(spans, "c1", stored)[0]
    assert "replicated_deduplication_window_seconds" in render(spans, "c1", stored)[0]


def test_an_index_is_of_the_table_that_has_the_rows() -> None:
    index = "ALTER TABLE logs {on_cluster} ADD INDEX IF NOT EXISTS by_received received TYPE minmax GRANULARITY 1"
    (local,) = render(index, "c1", frozenset({"logs"}))
    assert local.startswith("ALTER TABLE logs_local ON CLUSTER 'c1' ADD INDEX")
    column = "ALTER TABLE logs {on_cluster} ADD COLUMN version String"
    assert [text.split()[2] for text in render(column, "c1", frozenset({"logs"}))] == ["logs_local", "logs"]
