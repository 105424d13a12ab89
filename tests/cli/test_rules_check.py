"""`botwatch rules check`, run as a command in this process, on real files and a real state database."""

from __future__ import annotations

from pathlib import Path

import pytest

from botwatch.detect import rows
from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.rule import Rule
from botwatch.settings import Settings
from botwatch.state import open_database
from tests.cli.command import Command
from tests.detect.botpress import NAMES, PASTED

NOW_NS = 1_800_000_000 * 10**9


def test_without_a_file_it_checks_all_there_are(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data" / "rules").mkdir(parents=True)
    (tmp_path / "data" / "rules" / "a.json").write_text(PASTED[0])
    database = open_database(Settings(data=tmp_path / "data"))
    mine = Rule.model_validate({"name": "Mine", "field": "errors.count", "value": 1})
    database.write_now(lambda session: rows.put(session, NOW_NS, "ann", mine))
    database.close()
    done = command("rules", "check", "--data", "data")
    assert done.code == 0
    lines = done.out.splitlines()
    assert len(lines) == 1 + len(DEFAULTS) + 2
    assert [line for line in lines if "file:a.json" in line] == [
        line
        for line in lines
        if line.startswith("High CPU Usage ") and "avg of cpu.usage over 2m >= 60, by host" in line
    ]
    assert any(line.startswith("Mine") and " api " in line for line in lines)
    enabled = sum(rule.enabled for rule in DEFAULTS)
    assert f"{enabled + 2} rules to judge every 10 s, by " in done.err


def test_botpress_own_examples_are_right(command: Command, tmp_path: Path) -> None:
    (tmp_path / "pasted.json").write_text(",\n".join(part.removesuffix(",") for part in PASTED) + ",")
    done = command("rules", "check", "pasted.json")
    assert done.code == 0
    assert [line.split("  ")[0] for line in done.out.splitlines()[1:]] == sorted(NAMES)
    assert done.err.startswith("3 rules to judge every 10 s, by 3 series in ")


def test_every_problem_is_a_line_with_its_place(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "- name: a\n  field: cpu.usge\n  value: 1\n- name: b\n  field: cpu.usage\n  value: 1\n  operand: more\n"
    )
    (tmp_path / "b.toml").write_text('name = "c"\nfield = "cpu.usage"\nvalue = 1\nnotify = "slack"\n')
    (tmp_path / "c.txt").write_text("")
    done = command("rules", "check", "a.yaml", "b.toml", "c.txt", "gone.json")
    assert done.code == 1
    told = done.err.splitlines()[1:]
    assert told[0].startswith("a.yaml:2: rule 'a': field: there is no measure 'cpu.usge'; did you mean cpu.usage")
    assert told[1].startswith(
        "a.yaml:7: rule 'b': operand: expected one of equalOrLessThan, equalOrMoreThan, found 'more'"
    )
    assert told[2:] == [
        "c.txt: expected a file that ends in .json, .toml, .yaml, .yml",
        "gone.json: it cannot be read: No such file or directory",
        "b.toml:4: rule 'c': notify: there is no channel 'slack'; there are no channels yet",
    ]


def test_what_a_file_says_does_not_steer_the_terminal(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name": "x", "field": "\\u001b[2J", "value": 1}')
    done = command("rules", "check", "a.json")
    assert done.code == 1
    assert "\x1b" not in done.err + done.out


@pytest.mark.parametrize("files", [["a.json"], []], ids=["file", "all"])
def test_nothing_is_written(command: Command, tmp_path: Path, files: list[str]) -> None:
    (tmp_path / "a.json").write_text(PASTED[1])
    assert command("rules", "check", *files).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json"]


def test_channels_of_the_settings_are_known_without_a_state(command: Command, tmp_path: Path) -> None:
    (tmp_path / "botwatch.toml").write_text(
        '[channels.ops]\nkind = "slack"\nwebhook_url = "https://hooks.slack.com/services/T/B/x"\n'
    )
    (tmp_path / "a.json").write_text('{"name": "x", "field": "cpu.usage", "value": 1, "notify": "op"}')
    done = command("rules", "check", "a.json")
    assert done.code == 1
    assert "a.json:1: rule 'x': notify: there is no channel 'op'; did you mean ops?" in done.err
