"""The documents tell what the code does: settings, refusals, errors, conventions, commands.

A test that fails shows the text it expects, ready to be pasted.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from botwatch import errors
from botwatch.nouns import Refusal
from botwatch.settings import Settings

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "src" / "botwatch" / "store" / "schema"
FIRST_COMMAND = "pip install uv && uv run botwatch demo"
TEST_COMMAND = "uv run pytest"


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the machine's"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value is None or value in ("", {}):
        return "unset"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings_table() -> str:
    rows = [f"| `{name}` | {default(field)} | {field.description} |" for name, field in Settings.model_fields.items()]
    return "\n".join(("| setting | default | what it does |", "|---|---|---|", *rows))


def error_classes(root: type[errors.BotwatchError]) -> list[type[errors.BotwatchError]]:
    return [root, *(error for child in root.__subclasses__() for error in error_classes(child))]


def rows_of(text: str, *headings: str) -> dict[str, list[str]]:
    """The table whose first columns have these headings: first cell to the other cells."""
    heading = r" *\| *".join(map(re.escape, headings))
    table = re.search(rf"^\| *{heading} *\|.*\n\|[-| :]+\n((?:\|.*\n?)*)", text, re.MULTILINE)
    assert table, f"expected a table with the headings {' | '.join(headings)}"
    rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in table[1].splitlines())
    return {first.strip("`"): others for first, *others in rows}


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_operations_lists_every_setting_and_no_other() -> None:
    if f"{settings_table()}\n\n" not in document("docs/operations.md") + "\n\n":
        pytest.fail(
            f"docs/operations.md: expected this table, and a blank line after it:\n\n{settings_table()}", pytrace=False
        )


def test_operations_explains_every_refusal_and_no_other() -> None:
    rows = rows_of(document("docs/operations.md"), "refusal", "what happened")
    assert sorted(rows) == sorted(Refusal)
    assert [name for name, (what, *_) in rows.items() if len(what) < 10] == []


def test_operations_lists_every_error_with_its_status_and_no_other() -> None:
    expected = {error.code: f"{error.status}" for error in error_classes(errors.BotwatchError)}
    rows = rows_of(document("docs/operations.md"), "error", "status", "what to do")
    assert {name: status for name, (status, *_) in rows.items()} == expected
    assert [name for name, (_, what, *_) in rows.items() if len(what) < 10] == []


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in error_classes(errors.BotwatchError)]
    assert sorted(codes) == sorted(set(codes))


def test_every_attribute_the_store_reads_is_a_convention() -> None:
    files = sorted(SCHEMA.glob("*.sql"))
    assert files
    read = {
        name
        for file in files
        for name in re.findall(r"'([a-z_]\w*(?:\.[a-z_]\w*)+)'", file.read_text(encoding="utf-8"))
    }
    assert read
    documented = document("docs/conventions.md")
    assert sorted(name for name in read if f"`{name}`" not in documented) == [], (
        "docs/conventions.md: expected these names"
    )


@pytest.mark.parametrize("command", [FIRST_COMMAND, TEST_COMMAND])
def test_the_readme_has_the_command(command: str) -> None:
    assert command in document("README.md")


def test_the_gate_runs_the_command_of_the_readme_with_every_real_part() -> None:
    gate = document(".ci/run")
    assert re.search(r"^export .*\bBOTWATCH_REAL=require\b", gate, re.MULTILINE)
    assert re.search(rf"^exec {TEST_COMMAND}\b", gate, re.MULTILINE)


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'^version = "([^"]+)"', document("pyproject.toml"), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in document("CHANGELOG.md")


def test_a_table_is_found_by_its_headings() -> None:
    text = "x\n\n| a | b | c |\n|---|---|---|\n| `one` | 1 | first |\n| `two` | 2 | second |\n\n| d |\n"
    assert rows_of(text, "a", "b") == {"one": ["1", "first"], "two": ["2", "second"]}
    with pytest.raises(AssertionError, match="headings b"):
        rows_of(text, "b")
