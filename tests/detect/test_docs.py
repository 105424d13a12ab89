"""docs/rules.md says what rules are: its table has every field with its default, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from botwatch.cli.config_csv import KEYS, THRESHOLDS
from botwatch.cli.rules import _judges
from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.files import read_text
from botwatch.detect.problems import FIELDS
from botwatch.detect.rule import Rule

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
# Tests of rules are tried where they are run.
EXAMPLES = [
    (kind, text)
    for kind, text in re.findall(r"^```(json|toml|yaml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    if "\ntests:" not in text
]


def test_its_table_has_every_field() -> None:
    table = PAGE.partition("| field | default |")[2].partition("\n\n")[0]
    named = {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.partition("|")[2].partition("|")[0])
    }
    assert named == set(FIELDS)


@pytest.mark.parametrize(("field", "said"), [("timeframe", "1m"), ("cooldown", "0s"), ("for", "0s")])
def test_its_defaults_are_the_rules(field: str, said: str) -> None:
    rule = Rule.model_validate({"name": "x", "field": "cpu.usage", "value": 1})
    assert rule.model_dump(mode="json", by_alias=True)[field] == said
    assert re.search(rf"^\| `{field}` \| `{said}` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
def test_its_examples_run(place: int) -> None:
    kind, text = EXAMPLES[place]
    assert read_text(text, kind, "rules.md").rules


def test_there_are_examples_in_every_format() -> None:
    assert {kind for kind, _ in EXAMPLES} == {"json", "toml", "yaml"}


def test_it_lists_the_default_rules() -> None:
    rows = [f"| `{rule.name}` | {rule.severity.value} | {_judges(rule)} |" for rule in DEFAULTS]
    table = PAGE.partition("| there from the first minute | severity | opens where |\n|---|---|---|\n")[2]
    assert table.partition("\n\n")[0].splitlines() == rows, "expected:\n" + "\n".join(rows)


def test_every_key_of_a_config_csv_is_there_with_the_rule_it_changes() -> None:
    rows = dict(re.findall(r"^\| `(alert-[\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert set(rows) == set(KEYS)
    names = {rule.name for rule in DEFAULTS}
    for key, (critical, warning) in THRESHOLDS.items():
        assert f"`{critical}`" in rows[key]
        assert {critical, warning} <= names
