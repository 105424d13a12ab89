from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch.api.pages import ID_MAX, cursor_of, id_in, moment, page_of, parts_of
from botwatch.errors import BadRequest


@given(st.integers(0, ID_MAX), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cursor_gives_back_what_it_was_made_of(number: int, text: str) -> None:
    cursor = cursor_of(number, text)
    assert parts_of(cursor, int, str) == [number, text]
    assert cursor.isascii()


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_a_made_up_cursor_is_refused_and_never_breaks(cursor: str) -> None:
    try:
        (part,) = parts_of(cursor, int)
    except BadRequest:
        return
    assert isinstance(part, int)


@pytest.mark.parametrize("parts", [(), (1, 2), ("1",), (True,), (-1,), (ID_MAX + 1,), (1.5,), (None,)])
def test_a_cursor_of_another_list_is_refused(parts: tuple[int, ...]) -> None:
    with pytest.raises(BadRequest, match="not one that this list gave"):
        id_in(cursor_of(*parts))


def test_the_last_page_has_no_next() -> None:
    assert page_of([1, 2, 3], 3, str, int).model_dump() == {"items": ["1", "2", "3"], "next": None}
    more = page_of([1, 2, 3, 4], 3, str, int)
    assert more.items == ["1", "2", "3"]
    assert id_in(more.next) == 3
    assert page_of([], 3, str, int).model_dump() == {"items": [], "next": None}


def test_a_moment_is_exact_to_the_microsecond_and_in_utc() -> None:
    at = moment(1_800_000_000_123_456_789)
    assert at.isoformat() == "2027-01-15T08:00:00.123456+00:00"
    assert moment(None) is None
