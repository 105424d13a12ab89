from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch import limits
from botwatch.errors import TooLarge
from botwatch.nouns import Refusal
from botwatch.receive.lines import Bad, Document, documents

MAX = 100


def read(body: bytes) -> list[tuple[int, object]]:
    """Each document as (line, value), each bad one as (line, reason)."""
    return [(one.line, one.value if isinstance(one, Document) else one.reason) for one in documents(body, MAX)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", []),
        (b" \n\r\n ", []),
        (b'{"a":1}', [(1, {"a": 1})]),
        (b'{"a":1}\n{"a":2}\n', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'{"a":1}\r\n\r\n{"a":2}', [(1, {"a": 1}), (3, {"a": 2})]),
        (b'\xef\xbb\xbf{"a":1}', [(1, {"a": 1})]),
        (b'[{"a":1},{"a":2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'\n [\n{"a":1}\n]\n', [(1, {"a": 1})]),
        (b"[]", []),
        (b'{\n "a": 1\n}\n', [(1, {"a": 1})]),
        (b"[1]\n[2]\n", [(1, [1]), (2, [2])]),
        (b'{"a":1}\nnope\n{"a":2}', [(1, {"a": 1}), (2, Refusal.INVALID), (3, {"a": 2})]),
        (b'nope\n{"a":2}', [(1, Refusal.INVALID), (2, {"a": 2})]),
        (b'{"a":\n{"a":2}', [(1, Refusal.INVALID), (2, {"a": 2})]),
        (b'{"a":"' + b"x" * MAX + b'"}\n{"a":2}', [(1, Refusal.TOO_LARGE), (2, {"a": 2})]),
        (b'["' + b"x" * MAX + b'",2]', [(1, Refusal.TOO_LARGE), (2, 2)]),
        (b'{\n "a": "' + b"x" * MAX + b'"\n}', [(1, Refusal.TOO_LARGE)]),
        (b'{"a":"\\ud800"}', [(1, Refusal.INVALID)]),
        (b'{"a":NaN}', [(1, Refusal.INVALID)]),
        (b'{"a":1e999}', [(1, Refusal.INVALID)]),
        (b'{"a":"\xff"}', [(1, Refusal.INVALID)]),
        (b'{"a":1,"a":2}', [(1, {"a": 2})]),
    ],
    ids=lambda value: repr(value)[:24] if isinstance(value, bytes) else "",
)
def test_documents_of_a_body(body: bytes, found: list[tuple[int, object]]) -> None:
    assert read(body) == found


def test_deep_nesting_costs_its_own_line() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    found = list(documents(deep + b'\n{"a":1}', 100_000))
    assert [type(one) for one in found] == [Bad, Document]
    in_array = list(documents(b"[" + b"[" * 900 + b"]" * 900 + b',{"a":1}]', 100_000))
    assert [type(one) for one in in_array] == [Bad, Document]


def test_the_text_of_a_line_is_what_was_sent() -> None:
    (one,) = documents(b' {"a":  12345678901234567890123}\r\n', MAX)
    assert isinstance(one, Document)
    assert one.text == b'{"a":  12345678901234567890123}'


@pytest.mark.parametrize("body", [b"\n" * (limits.JSON_LINES_MAX + 1), b"[" + b"0," * limits.JSON_LINES_MAX + b"0]"])
def test_too_many_lines_are_refused(body: bytes) -> None:
    with pytest.raises(TooLarge, match="100001 lines"):
        list(documents(body, MAX))


@given(st.binary(max_size=300))
def test_any_bytes_are_documents_or_refused(body: bytes) -> None:
    for one in documents(body, MAX):
        assert one.line >= 1
        if isinstance(one, Document):
            assert orjson.loads(one.text) == one.value
