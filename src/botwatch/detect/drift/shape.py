"""The shape of one document: which places it has, and what stands in each.

A place is written as a path: `order.total`, `items[].id`, and `users.*.name` where the keys of an object are
data (ids, dates, addresses) and not names. Every document is foreign, so that depth, width and the number
of places are bounded; what goes beyond is folded into the place above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from botwatch import limits

ROOT: Final = ""
ANY_KEY: Final = "*"

# Keys that are data: numbers, UUIDs and other hexadecimal, coded ids, dates, addresses.
_DATA_KEY = re.compile(
    r"\d+|[0-9a-f]{8}-[0-9a-f-]{27}|(?=[0-9a-f]*\d)[0-9a-f]{12,}|(?=\w*\d)[A-Z0-9]{8,}"
    r"|\d{4}-\d\d-\d\d\S*|\S+@\S+|[\w-]*\d{5,}[\w-]*",
    re.IGNORECASE,
)
_CODED = re.compile(r"(?=.*\d)[A-Z0-9]{8,}")


class Type(StrEnum):
    NULL = "null"
    BOOL = "bool"
    NUMBER = "number"
    STRING = "string"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Seen:
    """What stood in one place of a document, once. `value` is set for what may be one of few values.

    It is `loose` where the object around it was not gone through to its end: that object says nothing of what it lacks.
    """

    parent: str
    path: str
    type: Type
    empty: bool = False
    value: str | None = None
    loose: bool = False


class _Full(Exception):
    """As many places were seen as are looked at in one document."""


def shape(document: object) -> list[Seen]:
    """Everything in the document. A place inside an array comes once for each element looked at.

    Of a document with too many places the first are told, and nothing of the objects they are in: not even that those
    are there, as what they lack is not known.
    """
    found: list[Seen] = []
    with suppress(_Full):
        _walk(found, "", ROOT, document, 0)
    return found


def _walk(found: list[Seen], parent: str, path: str, value: object, depth: int) -> None:
    if isinstance(value, Mapping):
        if depth < limits.DRIFT_DEPTH_MAX:
            _walk_object(found, path, value, depth)
        _add(found, Seen(parent, path, Type.OBJECT, empty=not value))
    elif isinstance(value, (list, tuple)):
        if depth < limits.DRIFT_DEPTH_MAX:
            for child in islice(value, limits.DRIFT_ELEMENTS_PER_ARRAY_MAX):
                _walk(found, path, f"{path}[]", child, depth + 1)
        _add(found, Seen(parent, path, Type.ARRAY, empty=not value))
    else:
        _add(found, _leaf(parent, path, value))


def _walk_object(found: list[Seen], path: str, value: Mapping[str, object], depth: int) -> None:
    wide = len(value) > limits.DRIFT_KEYS_PER_OBJECT_MAX
    own: list[int] = []
    try:
        for key, child in islice(value.items(), limits.DRIFT_KEYS_PER_OBJECT_MAX):
            name = ANY_KEY if wide or is_data(key) else _name(key)
            _walk(found, path, f"{path}.{name}" if path else name, child, depth + 1)
            own.append(len(found) - 1)
    except _Full:
        for place in own:
            found[place] = replace(found[place], loose=True)
        raise


def _add(found: list[Seen], seen: Seen) -> None:
    if len(found) >= limits.DRIFT_PLACES_PER_DOCUMENT_MAX:
        raise _Full
    found.append(seen)


def _leaf(parent: str, path: str, value: object) -> Seen:
    if value is None:
        return Seen(parent, path, Type.NULL)
    if isinstance(value, bool):
        return Seen(parent, path, Type.BOOL, value="true" if value else "false")
    if isinstance(value, str):
        short = len(value) <= limits.DRIFT_VALUE_CHARS_MAX
        return Seen(parent, path, Type.STRING, empty=not value.strip(), value=value if short else None)
    small = isinstance(value, int) and abs(value) < limits.DRIFT_NUMBERS_AS_VALUES_MAX
    return Seen(parent, path, Type.NUMBER, value=str(value) if small else None)


def is_data(key: str) -> bool:
    """Whether a key is one of many of its kind rather than the name of a field."""
    if len(key) > limits.DRIFT_KEY_CHARS_MAX or not key:
        return True
    if not any(char.isdigit() for char in key) and "@" not in key:
        return False
    return bool(_CODED.fullmatch(key)) or (bool(_DATA_KEY.fullmatch(key)) and not key.isalpha() and _looks_coded(key))


def _looks_coded(key: str) -> bool:
    """`address2` and `oauth2_token_1` are names; `u_8812734` and `2024-01-05` are not."""
    digits = sum(char.isdigit() for char in key)
    return key.isdigit() or digits >= 5 or digits * 2 >= len(key) or "@" in key


def _name(key: str) -> str:
    return re.sub(r"[.\[\]*]", "_", key)


def inside(path: str) -> list[str]:
    """A place and all around it."""
    return [path, *(path[:end] for end, char in enumerate(path) if char in ".[" and end)]


def at(document: Any, path: str) -> list[Any]:
    """What stands at a path of a document: nothing, one value, or several where the path goes through many."""
    found = [document]
    for step in re.findall(r"\[\]|[^.\[\]]+", path):
        found = list(islice(_below(found, step), limits.DRIFT_ELEMENTS_PER_ARRAY_MAX))
    return found


def _below(values: list[Any], step: str) -> Iterator[Any]:
    for value in values:
        if step == "[]" and isinstance(value, (list, tuple)):
            yield from value
        elif isinstance(value, Mapping):
            for key, child in value.items():
                if (step == ANY_KEY and is_data(key)) or _name(key) == step:
                    yield child
