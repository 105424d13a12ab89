from __future__ import annotations

from typing import Any

import pytest

from botwatch import limits
from botwatch.detect.drift.profile import Profile, Stat
from botwatch.detect.drift.shape import Type, at, is_data, shape


def types(document: Any) -> dict[str, Type]:
    return {seen.path: seen.type for seen in shape(document)}


def test_every_place_is_named_by_its_path() -> None:
    assert types({"a": {"b": [{"c": 1}, {"c": None, "d": "x"}]}, "e": True}) == {
        "": Type.OBJECT,
        "a": Type.OBJECT,
        "a.b": Type.ARRAY,
        "a.b[]": Type.OBJECT,
        "a.b[].c": Type.NULL,
        "a.b[].d": Type.STRING,
        "e": Type.BOOL,
    }


def test_empty_is_told_from_missing_and_from_null() -> None:
    empty = {seen.path for seen in shape({"a": "", "b": [], "c": {}, "d": "  ", "e": None, "f": 0}) if seen.empty}
    assert empty == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    "key", ["12345", "U012AB3CD", "7f9c24e8-3b12-4fef-91e0-56a2d5ad6f4e", "2024-01-05", "a@b.example", "u_8812734", ""]
)
def test_a_key_that_is_data_is_no_name(key: str) -> None:
    assert is_data(key)


@pytest.mark.parametrize("key", ["name", "address2", "oauth2_token", "HTTPStatus", "deadbeef", "v2", "ipv4", "x"])
def test_a_name_with_digits_stays_a_name(key: str) -> None:
    assert not is_data(key)


def test_maps_keyed_by_id_are_one_place() -> None:
    users = {f"U{number:09d}": {"name": "x"} for number in range(100)}
    assert set(types({"users": users})) == {"", "users", "users.*", "users.*.name"}


def test_an_object_with_very_many_keys_is_a_map_whatever_they_are() -> None:
    profile = Profile()
    for number in range(50):
        profile.add(
            shape({f"key{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + number % 26)}": n for n in range(400)})
        )
    assert len(profile.places) <= 2 + 1


def test_depth_width_and_length_are_bounded() -> None:
    deep: Any = "end"
    for _ in range(1_000):
        deep = {"a": deep}
    wide = {"a" * (n % 50) + "b" * (n // 50): [n] * 100 for n in range(100_000)}
    assert len(shape(deep)) == limits.DRIFT_DEPTH_MAX + 1
    assert len(shape(wide)) <= limits.DRIFT_PLACES_PER_DOCUMENT_MAX
    assert len(shape([wide] * 30)) <= limits.DRIFT_PLACES_PER_DOCUMENT_MAX


def test_of_a_document_with_too_many_places_nothing_is_said_to_be_missing() -> None:
    """The objects that were not gone through to their end are not told, and what was seen in them is loose."""
    one = {"id": 1, **{letter * 3: {"a": 1} for letter in "bcdefghij"}}
    large = {"id": "x", "rows": {f"row_{chr(97 + n // 26)}{chr(97 + n % 26)}": one for n in range(190)}, "last": 2}
    seen = shape(large)
    places = {found.path: found for found in seen}
    assert len(seen) == limits.DRIFT_PLACES_PER_DOCUMENT_MAX
    assert not {"", "rows", "last"} & places.keys()
    assert places["id"].loose
    assert places["rows.row_aa"].loose
    assert not places["rows.row_aa.id"].loose
    profile = Profile()
    for document in (large, {"id": "y", "rows": {}, "last": 1}):
        profile.add(shape(document))
    shares = {share.stat: (count, of) for share, count, of in profile.shares("id")}
    assert shares[Stat.PRESENT] == (1, 1)
    assert (profile.documents, profile.places[""].present) == (2, 1)  # one was looked at only in part


def test_a_flood_of_places_leaves_the_ones_that_were_first() -> None:
    profile = Profile()
    for number in range(limits.DRIFT_PLACES_PER_PROFILE_MAX):
        profile.add(
            shape(
                {
                    "id": 1,
                    "abcdefghij"[number % 10] * (1 + number // 10 % 60)
                    + "xyz"[number // 600 % 3] * (number // 1800 + 1): 1,
                }
            )
        )
    assert len(profile.places) <= limits.DRIFT_PLACES_PER_PROFILE_MAX
    assert profile.places["id"].present == limits.DRIFT_PLACES_PER_PROFILE_MAX


def test_one_odd_document_does_not_keep_the_others_from_being_counted() -> None:
    profile = Profile()
    one = {letter * 3: {"a": 1} for letter in "bcdefghij"}
    profile.add(shape({"rows": {f"row_{chr(97 + n // 26)}{chr(97 + n % 26)}": one for n in range(190)}}))
    for number in range(50):
        profile.add(shape({"id": number, "total": 1}))
    assert [profile.places[path].present for path in ("", "id", "total")] == [50, 50, 50]


def test_hostile_keys_and_values_have_a_shape() -> None:
    document = {"a.b": 1, "c[]": 2, "": 3, "\ud800": "\udfff", "n": 10**40, "f": float("inf")}
    assert set(types(document)) == {"", "a_b", "c__", "*", "\ud800", "n", "f"}


def test_what_stands_at_a_path_is_found_again() -> None:
    document = {"a": {"b": [{"c": 1}, {"c": 2}]}, "m": {"U012AB3CD": 7, "name": 8}}
    assert at(document, "a.b[].c") == [1, 2]
    assert at(document, "m.*") == [7]
    assert at(document, "a.x") == []
