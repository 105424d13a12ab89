from __future__ import annotations

import pytest

from botwatch.receive.keys import token_in


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("abc", "abc"),
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Basic abc", None),
        ("Bearer abc def", None),
    ],
)
def test_the_token_is_found_with_or_without_its_scheme(header: str | None, token: str | None) -> None:
    assert token_in(header) == token
