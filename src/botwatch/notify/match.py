"""Whether labels fit conditions: the same conditions as a measure's, over what is known of an incident."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from botwatch import limits
from botwatch.errors import BadRequest
from botwatch.measure.query import Condition, Op, parse_condition, parse_duration_s


def _checked(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        try:
            parse_condition(text)
        except BadRequest as error:
            raise ValueError(f"{error.message}, found {text[:40]!r}") from None
    return texts


def _listed(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _seconds(value: Any) -> Any:
    if isinstance(value, str):
        if value.strip() in ("0", "0s"):
            return 0
        try:
            return parse_duration_s(value)
        except BadRequest as error:
            raise ValueError(f"{error.message}, found {value[:40]!r}") from None
    return value


Word = Annotated[str, Field(min_length=1, max_length=limits.RULE_NAME_CHARS_MAX)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_listed), Field(max_length=limits.RULE_WORDS_MAX)]
Where = Annotated[
    tuple[Annotated[str, Field(max_length=limits.OPTION_CHARS_MAX)], ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    AfterValidator(_checked),
    Field(max_length=limits.MEASURE_WHERE_MAX),
]
Seconds = Annotated[float, BeforeValidator(_seconds)]


def fits(where: Iterable[str], labels: Mapping[str, str]) -> bool:
    """All conditions hold. A label that is not there is empty."""
    return all(_holds(_parsed(text), labels.get(_parsed(text).label, "")) for text in where)


def like(patterns: Iterable[str], text: str) -> bool:
    return any(_pattern(each).fullmatch(text) is not None for each in patterns)


def _holds(condition: Condition, found: str) -> bool:
    if condition.op is Op.LIKE:
        return like(condition.values, found)
    return (found in condition.values) is (condition.op is Op.IS)


@functools.lru_cache(maxsize=1_024)
def _parsed(text: str) -> Condition:
    return parse_condition(text)


@functools.lru_cache(maxsize=1_024)
def _pattern(text: str) -> re.Pattern[str]:
    found, escaped = "", False
    for char in text:
        if escaped:
            found, escaped = found + re.escape(char), False
        elif char == "\\":
            escaped = True
        else:
            found += {"*": ".*", "?": "."}.get(char) or re.escape(char)
    return re.compile(found + (re.escape("\\") if escaped else ""), re.DOTALL)
