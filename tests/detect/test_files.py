from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.detect.files import Folder, read_text
from botwatch.detect.problems import Misfits
from botwatch.detect.rule import Rule
from tests.detect.botpress import NAMES, PASTED

TOML = '[[rules]]\nname = "Busy"\nfield = "cpu.usage"\nvalue = 80\ntimeframe = "2m"\nfor = "3m"\nby = ["host"]\n'
YAML = "rules:\n  - name: Busy\n    field: cpu.usage\n    value: 80\n    timeframe: 2m\n    for: 3m\n    by: host\n"
JSON = json.dumps(
    [{"name": "Busy", "field": "cpu.usage", "value": 80, "timeframe": "2m", "for": "3m", "by": ["host"]}], indent=2
)


def told(text: str, kind: str = "json") -> list[str]:
    with pytest.raises(Misfits) as error:
        read_text(text, kind, "f")
    return [str(problem) for problem in error.value.problems]


def names(folder: Folder) -> list[str]:
    return [rule.name for rule, _ in folder.rules]


def rule(name: str, **also: object) -> str:
    return json.dumps({"name": name, "field": "cpu.usage", "value": 1, **also})


class TestText:
    def test_the_three_formats_say_the_same(self) -> None:
        found = [read_text(text, kind, "f").rules for text, kind in ((TOML, "toml"), (YAML, "yaml"), (JSON, "json"))]
        assert found[0] == found[1] == found[2]
        assert found[0][0] == Rule.model_validate(
            {"name": "Busy", "field": "cpu.usage", "value": 80, "timeframe": 120, "for": 180, "source": "f"}
        )

    @pytest.mark.parametrize("around", ["one", "list", "rules", "alerting", "config"])
    def test_botpress_rules_are_found_wherever_they_are_pasted_from(self, around: str) -> None:
        every = ",\n".join(text.removesuffix(",") for text in PASTED)
        text = {
            "one": ",\n".join(PASTED[:2]) + ",\n" + PASTED[2],
            "list": f"[{every}]",
            "rules": f'{{"rules": [{every}]}}',
            "alerting": f'{{"enabled": true, "watcherInterval": "10s", "rules": [{every}]}}',
            "config": f'{{"appSecret": "s", "pro": {{"alerting": {{"enabled": true, "rules": [{every}]}}}}}}',
        }[around]
        rules = read_text(text, "json", "f").rules
        assert tuple(rule.name for rule in rules) == NAMES
        assert all(rule.enabled and rule.source == "f" for rule in rules)

    @pytest.mark.parametrize(
        "config",
        [
            {"pro": {"alerting": {"enabled": False, "rules": [json.loads(PASTED[0])]}}},
            {
                "pro": {
                    "monitoring": {"enabled": False},
                    "alerting": {"enabled": True, "rules": [json.loads(PASTED[0])]},
                }
            },
            {"enabled": False, "rules": [json.loads(PASTED[0])]},
        ],
        ids=["alerting", "monitoring", "block"],
    )
    def test_rules_that_are_switched_off_there_are_here(self, config: object) -> None:
        assert [rule.enabled for rule in read_text(json.dumps(config), "json", "f").rules] == [False]

    def test_every_problem_has_its_line_its_rule_and_its_field(self) -> None:
        text = JSON.replace("cpu.usage", "cpu.usag").replace('"value": 80', '"value": "x"')
        assert told(text) == [
            "f:5: rule 'Busy': value: input should be a valid number, unable to parse string as a number, found 'x'"
        ]
        [measure] = told(JSON.replace("cpu.usage", "cpu.usag"))
        assert measure.startswith("f:4: rule 'Busy': field: there is no measure 'cpu.usag'; did you mean cpu.usage or ")
        [label] = told(TOML.replace('["host"]', '["hosts"]'), "toml")
        assert label.startswith(
            "f:7: rule 'Busy': by: cpu.usage has no label 'hosts'; did you mean host?; it has bot, "
        )
        assert told(YAML.replace("for:", "fur:"), "yaml") == [
            "f:6: rule 'Busy': fur: rules have no such field; did you mean for?"
        ]

    def test_what_a_file_says_is_told_in_plain_lines(self) -> None:
        text = json.dumps({"name": "a\x1b[2J\nb", "field": "cpu.usage", "value": 1, "x\x1b]0;\ny": 1})
        assert all(line.isprintable() for line in told(text))
        assert len(told(text)) == 2

    def test_what_is_no_rules_says_what_was_expected(self) -> None:
        expected = "expected a rule, a list of rules, or an object with rules, found"
        assert told("7") == [f"f: {expected} 7"]
        assert told("", "yaml") == [f"f: {expected} nothing"]
        assert told('{"rules": {}}') == [f"f:1: {expected} an object"]
        assert "there is no key 'rulez'; did you mean rules?" in told('{"rules": [], "rulez": []}')[0]
        assert told("[7]") == ["f:1: rule 'number 1': expected a rule with name, field and value, found 7"]

    def test_a_name_stands_once_in_a_file(self) -> None:
        assert told(f"[{rule('a')},\n{rule('a')}]") == ["f:2: rule 'a': name: line 1 has that name already"]

    def test_a_configuration_without_rules_has_none(self) -> None:
        assert (
            read_text('{"pro": {"monitoring": {"enabled": true}, "alerting": {"enabled": true}}}', "json", "f").rules
            == ()
        )

    def test_ten_thousand_rules_are_read_in_a_moment(self) -> None:
        count = limits.RULES_MAX // 2
        text = "[" + ",\n".join(rule(f"r{place}") for place in range(count)) + "]"
        assert len(read_text(text, "json", "f").rules) == count


class TestFolder:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "rules"
        path.mkdir()
        return path

    def test_files_of_the_three_kinds_are_read_and_others_are_not(self, path: Path) -> None:
        (path / "b.toml").write_text(TOML)
        (path / "a.json").write_text(rule("from json"))
        (path / "c.YML").write_text("- {name: from yaml, field: cpu.usage, value: 1}")
        for other in ("README.md", ".hidden.json", "a.json~", "a.json.swp"):
            (path / other).write_text("nothing of ours")
        (path / "folder.json").mkdir()
        folder = Folder(path)
        assert folder.look() == ("a.json", "b.toml", "c.YML")
        assert names(folder) == ["from json", "Busy", "from yaml"]
        assert [found.source for found, _ in folder.rules] == ["file:a.json", "file:b.toml", "file:c.YML"]
        assert folder.look() == ()

    def test_a_change_counts_when_it_can_be_used_and_else_the_old_rules_stay(self, path: Path) -> None:
        file = path / "a.json"
        file.write_text(f"[{rule('a')}, {rule('b')}]")
        folder = Folder(path)
        folder.look()
        file.write_text(f"[{rule('a', value=2)}, {rule('c', operand='more')}]")
        assert folder.look() == ("a.json",)
        assert names(folder) == ["a", "b"]
        assert [problem.field for problem in folder.files["a.json"].problems] == ["operand"]
        assert folder.look() == ()
        file.write_text(rule("c"))
        assert folder.look() == ("a.json",)
        assert names(folder) == ["c"]
        assert folder.files["a.json"].problems == ()

    def test_a_broken_file_that_never_was_right_brings_nothing_and_the_others_count(self, path: Path) -> None:
        (path / "a.json").write_text("{")
        (path / "b.json").write_text(rule("b"))
        folder = Folder(path)
        folder.look()
        assert names(folder) == ["b"]
        assert folder.files["a.json"].problems[0].source == "file:a.json"

    def test_the_rules_of_a_file_that_is_gone_go(self, path: Path) -> None:
        (path / "a.json").write_text(rule("a"))
        folder = Folder(path)
        folder.look()
        (path / "a.json").unlink()
        assert folder.look() == ("a.json",)
        assert names(folder) == []

    def test_a_file_that_is_swapped_for_another_of_the_same_age_and_size_is_seen(self, path: Path) -> None:
        file, other = path / "a.json", path / "other"
        file.write_text(rule("a"))
        folder = Folder(path)
        folder.look()
        other.write_text(rule("b"))
        found = file.stat()
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        other.replace(file)
        assert folder.look() == ("a.json",)
        assert names(folder) == ["b"]

    def test_no_folder_is_no_rules_but_one_that_is_lost_keeps_them(self, path: Path, tmp_path: Path) -> None:
        none = Folder(tmp_path / "none")
        assert (none.look(), names(none), none.problems) == ((), [], ())
        (path / "a.json").write_text(rule("a"))
        folder = Folder(path)
        folder.look()
        path.rename(tmp_path / "away")
        folder.look()
        assert names(folder) == ["a"]
        assert "the rules it had stay" in str(folder.problems[0])
        (tmp_path / "away").rename(path)
        assert folder.look() == ("a.json",)
        assert (names(folder), folder.problems) == (["a"], ())

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            (b"\xff\xfe{", "a.json:1: it is not text in UTF-8"),
            (b"x" * (limits.RULE_FILE_BYTES_MAX + 1), f"it is larger than {limits.RULE_FILE_BYTES_MAX} bytes"),
        ],
        ids=["bytes", "large"],
    )
    def test_what_is_no_file_of_rules_is_told(self, path: Path, body: bytes, text: str) -> None:
        (path / "a.json").write_bytes(body)
        folder = Folder(path)
        folder.look()
        assert text in str(folder.files["a.json"].problems[0])

    def test_a_file_that_may_not_be_read_is_told(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "no")

        (path / "a.json").write_text(rule("a"))
        folder = Folder(path)
        monkeypatch.setattr(Path, "open", refuse)
        folder.look()
        assert "it cannot be read: Permission denied" in str(folder.files["a.json"].problems[0])

    def test_there_is_a_bound_on_files_and_it_is_told(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "RULE_FILES_MAX", 2)
        for name in "abc":
            (path / f"{name}.json").write_text(rule(name))
        folder = Folder(path)
        folder.look()
        assert names(folder) == ["a", "b"]
        assert "it has 3 files; those behind the first 2 are left out" in str(folder.problems[0])
