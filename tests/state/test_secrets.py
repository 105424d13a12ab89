from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch.errors import BadRequest
from botwatch.state.secrets import (
    NOBODYS_PASSWORD,
    Prefix,
    check_password,
    digest_of,
    hash_password,
    new_secret,
    password_fits,
)


def test_a_password_fits_only_itself() -> None:
    kept = hash_password("correct horse battery")
    assert password_fits("correct horse battery", kept)
    assert not password_fits("correct horse batterz", kept)
    assert not password_fits("", kept)


def test_the_same_password_is_never_kept_the_same_way() -> None:
    first, second = hash_password("correct horse battery"), hash_password("correct horse battery")
    assert first != second
    assert "correct" not in first


def test_nobodys_password_fits_nothing_and_costs_what_a_real_one_costs() -> None:
    assert not password_fits("", NOBODYS_PASSWORD)
    assert NOBODYS_PASSWORD.split("$")[:2] == hash_password("correct horse battery").split("$")[:2]


def test_a_secret_says_what_it_is_and_has_256_random_bits() -> None:
    for prefix in Prefix:
        secret = new_secret(prefix)
        assert secret.startswith(prefix)
        assert len(secret.removeprefix(prefix)) == 43
        assert secret != new_secret(prefix)


@given(st.text(), st.text())
def test_any_text_has_a_digest_of_its_own(one: str, other: str) -> None:
    assert len(digest_of(one)) == 32
    assert (digest_of(one) == digest_of(other)) == (one == other)


def test_half_a_character_has_a_digest() -> None:
    assert len(digest_of("\ud800")) == 32


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(BadRequest, match="10 to 1024 characters") as refused:
        check_password(password)
    assert not password or password not in str(refused.value)
