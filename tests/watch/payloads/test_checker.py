"""Documents are held against schemas in a process that may hang or end: what it was asked is answered all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from botwatch import limits
from botwatch.clock import SystemClock
from botwatch.watch.payloads import checker as module
from botwatch.watch.payloads.checker import HUNG, Broken, Checker

LATER_S = 1e18


@pytest.fixture
def checker() -> Iterator[Checker]:
    checker = Checker(SystemClock())
    yield checker
    checker.close()


def written(folder: Path, schema: Any) -> Path:
    file = folder / "schema.json"
    file.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return file


ORDER = {
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "items": {"type": "array", "items": {"required": ["sku"], "properties": {"sku": {"type": "integer"}}}},
        "by": {"additionalProperties": {"type": "string"}},
    },
}


@pytest.mark.parametrize(
    "draft", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
def test_each_misfit_is_named_by_its_place_and_keyword(checker: Checker, tmp_path: Path, draft: str) -> None:
    checker.put("orders", written(tmp_path, {"$schema": draft, **ORDER}))
    documents = [
        '{"id": "1"}',
        "{}",
        '{"id": 5}',
        '{"id": "1", "items": [{"sku": 1}, {}]}',
        '{"id": "1", "items": [{"sku": "x"}]}',
        '{"id": "1", "u_8812734": 2}',
        '{"id": "1", "by": {"7f9c24e8-3b12-4fef-91e0-56a2d5ad6f4e": 1}}',
        '{"id": "\\ud800", "by": {"a": 123456789012345678901234567890}}',
        "nope",
    ]
    done, found = checker.check("orders", documents, LATER_S)
    assert done == len(documents)
    assert [(misfit.number, misfit.path, misfit.kind) for misfit in found] == [
        (1, "id", "required"),
        (2, "id", "type"),
        (3, "items[].sku", "required"),
        (4, "items[].sku", "type"),
        (5, "*", "additionalProperties"),
        (6, "by.*", "type"),
        (7, "by.a", "type"),
    ]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            {"properties": {"total": {"minimum": "3"}}},
            r"schema\.json: expected a JSON Schema, found at properties/total/minimum",
        ),
        ("{nope", r"at line 1, column 2: expected JSON"),
        ("[]", r"expected an object"),
        ({"$ref": "http://127.0.0.1:9/x.json"}, r"never fetched"),
        ({"$ref": "file:///etc/hostname"}, r"never fetched"),
        ({"$ref": "#/nowhere"}, r"/nowhere"),
        ('{"not":' * 3_000 + "{}" + "}" * 3_000, r"expected a JSON Schema"),
        (" " * (limits.RULE_FILE_BYTES_MAX + 1), r"at most 1048576 characters"),
    ],
    ids=["keyword", "no JSON", "no object", "remote", "file", "nowhere", "deep", "long"],
)
def test_a_broken_schema_is_told_and_the_one_before_stays(
    checker: Checker, tmp_path: Path, schema: Any, said: str
) -> None:
    checker.put("s", written(tmp_path, {"required": ["a"]}))
    with pytest.raises(Broken, match=said):
        checker.put("s", written(tmp_path, schema))
    assert len(checker.check("s", ["{}"], LATER_S)[1]) == 1


def test_a_file_that_is_not_there_is_told(checker: Checker, tmp_path: Path) -> None:
    with pytest.raises(Broken, match="found no such file"):
        checker.put("s", tmp_path / "none.json")


def test_the_time_the_process_takes_to_start_is_not_that_of_its_first_schema(
    checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = tmp_path / "late.py"
    child = f"runpy.run_path({str(module._CHILD)!r}, run_name='__main__')"
    late.write_text(f"import runpy, time\ntime.sleep(2)\n{child}\n")
    monkeypatch.setattr(module, "_CHILD", late)
    monkeypatch.setattr(module, "_SCHEMA_S", 1)
    checker.put("orders", written(tmp_path, {"required": ["id"]}))
    _, misfits = checker.check("orders", ["{}"], LATER_S)
    assert [one.kind for one in misfits] == ["required"]


def test_a_document_that_hangs_is_told_and_the_others_are_checked(
    checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each definition asks for the next one twice: 2⁴⁰ questions. Only these are given up, however busy it is here."""
    exchange = Checker._exchange

    def impatient(self: Checker, question: Mapping[str, object], seconds: float) -> dict[str, Any]:
        return exchange(self, question, 1 if '"slow":{}' in str(question.get("documents")) else seconds)

    monkeypatch.setattr(Checker, "_exchange", impatient)
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    schema = {"$defs": {**twice, "d40": {"type": "object"}}, "properties": {"slow": {"$ref": "#/$defs/d0"}}}
    checker.put("slow", written(tmp_path, {**schema, "required": ["name"]}))
    done, found = checker.check("slow", ['{"name":1}', '{"name":1,"slow":{}}', "{}"], LATER_S)
    assert (done, [(misfit.number, misfit.kind) for misfit in found]) == (3, [(1, HUNG), (2, "required")])
    assert checker.check("slow", ['{"name":1}'], 0.0) == (0, [])  # its time is over: not as if it were checked
