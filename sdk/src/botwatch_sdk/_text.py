"""What the bot hands us becomes text and numbers that can be sent, whatever it was."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from botwatch_sdk import _limits

T = TypeVar("T")
Scalar = str | bool | int | float
_INT_MAX = 2**63 - 1


def text(value: object, chars_max: int = _limits.TEXT_CHARS_MAX) -> str:
    """Any value as text that UTF-8 can carry; None is empty, a lone surrogate becomes `?`."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        found = value[: 4 * chars_max].decode("utf-8", "replace")
    else:
        found = value if type(value) is str else str(value)
    if len(found) > chars_max:
        found = found[:chars_max]
    if found.isascii():
        return found
    try:
        found.encode()
    except UnicodeEncodeError:
        return found.encode("utf-8", "replace").decode()
    return found


def identifier(value: object) -> str:
    """An id as it came from a chat platform: often a number, sometimes hostile."""
    return text(value, _limits.ID_CHARS_MAX)


def number(value: object, *, name: str, least: float = 0.0) -> float:
    """A finite number of at least `least`; anything else is the caller's mistake and says so."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
        raise ValueError(f"{name}: expected a number of at least {least:g}, found {text(repr(value), 80)}")
    return float(value)


class Fields:
    """Values of log fields: what OpenTelemetry can carry stays what it is, the rest becomes text.

    One budget of nodes for a record, so that a huge object in a log call costs little.
    """

    def __init__(self) -> None:
        self._left = _limits.FIELD_NODES_MAX

    def take(self, value: object, depth: int = 0) -> object:
        self._left -= 1
        if self._left < 0 or depth > _limits.FIELD_DEPTH_MAX:
            return "…"
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if -_INT_MAX <= value <= _INT_MAX else str(value)
        if isinstance(value, Mapping):
            return {identifier(key): self.take(item, depth + 1) for key, item in self._some(value.items())}
        if isinstance(value, list | tuple):
            return [self.take(item, depth + 1) for item in self._some(value)]
        return text(value, _limits.NESTED_CHARS_MAX if depth else _limits.TEXT_CHARS_MAX)

    def _some(self, items: Iterable[T]) -> Iterator[T]:
        return islice(items, max(self._left, 0))
