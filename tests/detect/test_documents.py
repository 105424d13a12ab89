from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch import limits
from botwatch.detect import documents
from botwatch.detect.documents import Unreadable, read
from tests.detect.botpress import PASTED

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def refused(text: str, kind: str) -> Unreadable:
    with pytest.raises(Unreadable) as error:
        read(text, kind)
    return error.value


class TestJson:
    def test_rules_pasted_one_behind_the_other_are_a_list(self) -> None:
        document = read("\n".join((PASTED[0] + ",", PASTED[1] + ",", PASTED[2])) + "\n", "json")
        assert [rule["name"] for rule in document.value] == [
            *(" High CPU Usage ", "High number of errors", "No more incoming events"),
        ]
        assert [document.line((place, "name")) for place in range(3)] == [2, 11, 19]

    @given(VALUES)
    def test_the_line_of_every_key_is_where_it_stands(self, value: object) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=False)
        document = read(text, "json")
        assert document.value == value
        lines = text.split("\n")
        for path, line in document.lines.items():
            if path and isinstance(path[-1], str):
                assert lines[line - 1].lstrip().startswith(json.dumps(path[-1], ensure_ascii=False) + ":")

    @pytest.mark.parametrize(
        ("text", "told", "line"),
        [
            ("", "not JSON: Expecting value", 1),
            ('{"a": 1,\n "b" 2}', "not JSON: Expecting ':' delimiter (column 6)", 2),
            ('{"a": 1,\n "a": 2}', "the key 'a' stands twice", 2),
            ('{"a": NaN}', "not JSON: NaN", None),
            ("[" * 100_000, "nested too deeply", None),
            ('{"a": ' + "1" * 5_000 + "}", "a number or a date that cannot be read", None),
            ("[1] [2]", "not JSON: Extra data", 1),
        ],
    )
    def test_what_is_no_json_says_where(self, text: str, told: str, line: int | None) -> None:
        error = refused(text, "json")
        assert told in error.text
        assert error.line == line


class TestToml:
    def test_lines_are_found_past_texts_that_look_like_keys(self) -> None:
        document = read(
            '# rules\n[[rules]]\nname = "a"\nmessage = """\nname = 3\n[[rules]]\n"""\nvalue = 3\n\n[[rules]]\n'
            'name = "b"\n',
            "toml",
        )
        assert [rule["name"] for rule in document.value["rules"]] == ["a", "b"]
        assert document.fields(("rules", 0)) == {"": 2, "name": 3, "message": 4, "value": 8}
        assert document.fields(("rules", 1)) == {"": 10, "name": 11}

    def test_what_is_no_toml_says_where(self) -> None:
        error = refused('a = 1\nb = "\n', "toml")
        assert (error.line, error.text.startswith("not TOML: ")) == (2, True)
        assert "nested too deeply" in refused("a = " + "[" * 5_000, "toml").text


class TestYaml:
    def test_lines_merges_and_aliases(self) -> None:
        document = read("rules:\n  - &one\n    name: a\n    value: 3\n  - <<: *one\n    name: b\n", "yaml")
        assert document.value == {"rules": [{"name": "a", "value": 3}, {"name": "b", "value": 3}]}
        assert document.fields(("rules", 0)) == {"": 2, "name": 3, "value": 4}
        assert document.line(("rules", 1, "name")) == 6

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("a: !!python/object/apply:os.system [true]", "could not determine a constructor"),
            ("a: &a [*a]", "an alias stands within its own anchor"),
            ("a: 2024-13-45", "a number or a date that cannot be read"),
            ("[" * 100_000, "nested too deeply"),
            ("a: 1\n---\nb: 2", "found another document"),
            ("a: 1\nb: 2\na: 3", "the key 'a' stands twice"),
            ("a: \x07", "characters that no text has"),
            ("? {a: b}\n: 3", "unhashable"),
            ("a: [1", "not YAML"),
        ],
    )
    def test_what_is_no_plain_yaml_is_refused(self, text: str, told: str) -> None:
        assert told in refused(text, "yaml").text

    def test_aliases_count_for_all_they_stand_for(self) -> None:
        laughs = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
        laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
        error = refused("\n".join(laughs), "yaml")
        assert str(limits.RULE_FILE_VALUES_MAX) in error.text

    def test_an_empty_file_holds_nothing(self) -> None:
        assert read("# nothing yet\n", "yaml").value is None


@pytest.mark.parametrize("kind", sorted(set(documents.SUFFIXES.values())))
@given(text=st.text(max_size=60))
def test_no_text_breaks_it(kind: str, text: str) -> None:
    with suppress(Unreadable):
        assert all(line >= 1 for line in read(text, kind).lines.values())


def test_a_byte_order_mark_is_not_part_of_the_text() -> None:
    assert read('\ufeff{"a": 1}', "json").value == {"a": 1}
