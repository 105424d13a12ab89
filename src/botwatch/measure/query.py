"""What can be asked of a measure, and how it is written in a URL or a rule.

A condition is `label=value`, `label!=value` or `label~pattern`; `a|b` are several values of which one
is enough, `*` and `?` in a pattern stand for any text and any character, and a backslash takes the
meaning from the character after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from botwatch import limits
from botwatch.errors import BadRequest

METRIC: Final = "metric:"
TICK_S: Final = 10
DAY_S: Final = 86_400
TIME_S_MAX: Final = 2**32 - 1  # the last second the engine's DateTime knows

_LABEL = re.compile(r"[\w.:/\-]+")
_CONDITION = re.compile(r"([\w.:/\-]+)(!=|=|~)(.*)", re.DOTALL)
_DURATION = re.compile(r"(\d{1,9})(s|m|h|d|w|)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": DAY_S, "w": 7 * DAY_S}


class Op(StrEnum):
    IS = "="
    IS_NOT = "!="
    LIKE = "~"


@dataclass(frozen=True, slots=True)
class Condition:
    """`values` are alternatives. A pattern's wildcards are `*` and `?`."""

    label: str
    op: Op
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        _fits(self.label, "a label")
        if not 1 <= len(self.values) <= limits.MEASURE_CONDITION_VALUES_MAX:
            raise BadRequest(
                f"{self.label}: expected 1 to {limits.MEASURE_CONDITION_VALUES_MAX} values, found {len(self.values)}"
            )
        for value in self.values:
            _fits(value, f"a value of {self.label}", empty=True)


@dataclass(frozen=True, slots=True)
class Query:
    """One measure over one window, which begins at `start_s` and ends before `end_s` (seconds since 1970).

    Without `step_s` the whole window is one value. `by` says for which labels values are told apart,
    `where` which rows count at all. `aggregation` chooses among those of the measure; empty is its own. Who does not
    need to tell 0 from nothing asks for a count that is not `filled`, which spares looking where bots were seen.
    """

    measure: str
    start_s: int
    end_s: int
    step_s: int | None = None
    by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    aggregation: str = ""
    filled: bool = True

    def __post_init__(self) -> None:
        _fits(self.measure, "a measure")
        _fits(self.aggregation, "an aggregation", empty=True)
        if not 0 <= self.start_s < self.end_s <= TIME_S_MAX:
            raise BadRequest(
                f"expected a window that ends after it starts, between 0 and {TIME_S_MAX}, "
                f"found {self.start_s} to {self.end_s}"
            )
        if self.end_s - self.start_s > limits.DAYS_KEPT_MAX * DAY_S:
            raise BadRequest(f"expected a window of at most {limits.DAYS_KEPT_MAX} days: ask for less")
        if self.step_s is not None and (self.step_s < TICK_S or self.step_s % TICK_S):
            raise BadRequest(f"expected a step of whole ticks of {TICK_S} s, found {self.step_s} s")
        if len(self.by) > limits.MEASURE_BY_MAX or len(set(self.by)) < len(self.by):
            raise BadRequest(f"expected at most {limits.MEASURE_BY_MAX} different labels to group by")
        if len(self.where) > limits.MEASURE_WHERE_MAX:
            raise BadRequest(f"expected at most {limits.MEASURE_WHERE_MAX} conditions, found {len(self.where)}")
        for label in self.by:
            _fits(label, "a label")


def _fits(text: str, what: str, *, empty: bool = False) -> None:
    """Refuse what cannot be a name: too long, empty, or not to be written as UTF-8."""
    if len(text) > limits.MEASURE_TEXT_CHARS_MAX or not (text or empty):
        raise BadRequest(f"expected {what} of 1 to {limits.MEASURE_TEXT_CHARS_MAX} characters, found {len(text)}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequest(f"expected {what} in Unicode text, found half a surrogate pair") from None


def parse_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Each text is one condition, such as `bot=shop` or `action~send_*|notify_*`."""
    return tuple(map(parse_condition, texts))


def parse_condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if not found:
        raise BadRequest(
            "where: expected label=value, label!=value or label~pattern",
            hint="alternatives are parted by |, as in bot=shop|help",
        )
    label, op, values = found.groups()
    return Condition(label, Op(op), _split(values, keep_escapes=op == Op.LIKE))


def _split(text: str, *, keep_escapes: bool) -> tuple[str, ...]:
    values, current, escaped = [], "", False
    for char in text:
        if escaped:
            current += f"\\{char}" if keep_escapes and char != "|" else char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "|":
            values.append(current)
            current = ""
        else:
            current += char
    return (*values, current + "\\" * (1 + keep_escapes) * escaped)


def parse_labels(text: str) -> tuple[str, ...]:
    """`bot,host` as it stands in a URL."""
    labels = tuple(part for part in (piece.strip() for piece in text.split(",")) if part)
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise BadRequest("by: expected labels parted by commas, as in bot,host")
    return labels


def parse_duration_s(text: str) -> int:
    """`90`, `90s`, `5m`, `24h`, `7d` or `2w`, in seconds."""
    found = _DURATION.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise BadRequest("expected a duration such as 30s, 5m, 24h, 7d or 2w")
    return int(found[1]) * _SECONDS[found[2]]


def like(pattern: str) -> str:
    """A `LIKE` pattern for one with `*` and `?`; everything else stands for itself."""
    out, escaped = "", False
    for char in pattern:
        if escaped:
            out += _literal(char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out += {"*": "%", "?": "_"}.get(char) or _literal(char)
    return out + _literal("\\") * escaped


def _literal(char: str) -> str:
    return f"\\{char}" if char in "%_\\" else char


def near(word: str, known: Sequence[str]) -> str:
    """`; did you mean …` when something known is close to the word."""
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    found = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(found)}?" if found else ""
