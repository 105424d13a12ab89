"""What is wrong with a rule, in words: where, what was expected, what was found, what comes near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from botwatch import limits
from botwatch.detect.rule import Aggregation, Kind, NoData, Operand, Rule, Severity
from botwatch.measure.query import near

FIELDS: Final = tuple((field.alias or name) for name, field in Rule.model_fields.items() if name != "source")
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "kind": tuple(Kind),
    "aggregation": tuple(Aggregation),
    "operand": tuple(Operand),
    "severity": tuple(Severity),
    "no_data": tuple(NoData),
}
_OURS: Final = ("source", "hold")  # what a rule calls its own, and documents do not
_FOUND_CHARS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` is its name, or its place in the list where it has none; `source` the file or whoever gave it."""

    source: str
    rule: str
    field: str
    text: str
    line: int | None = None

    def __post_init__(self) -> None:
        """One line that a terminal or a log shows and does not obey: a file may say anything."""
        for name in ("source", "rule", "field", "text"):
            plain = "".join(char if char.isprintable() else "?" for char in getattr(self, name))
            object.__setattr__(self, name, plain)

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line is not None else self.source
        return ": ".join(filter(None, (place, f"rule {self.rule!r}" if self.rule else "", self.field, self.text)))

    @property
    def words(self) -> str:
        """Without its source: for whoever sent the rule."""
        return ": ".join(filter(None, (f"rule {self.rule!r}" if self.rule else "", self.field, self.text)))


class Misfits(Exception):
    """A rule, or a document of rules, that cannot be used as it is."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems[: limits.RULE_PROBLEMS_TOLD_MAX])))


def read_rule(given: object, source: str, place: str = "", lines: Mapping[str, int] | None = None) -> Rule:
    """A rule out of what a document holds, or `Misfits` that tells all that is wrong with its shape.

    `lines` says where its fields stand in the document, and under the empty name where the rule begins.
    """
    lines = lines or {}
    if not isinstance(given, Mapping):
        text = f"expected a rule with name, field and value, found {found(given)}"
        raise Misfits([Problem(source, place, "", text, lines.get(""))])
    named = given.get("name")
    name = named.strip()[: limits.RULE_NAME_CHARS_MAX] if isinstance(named, str) else ""
    if ours := [word for word in _OURS if word in given]:
        text = f"rules have no such field{near(ours[0], FIELDS)}"
        raise Misfits([Problem(source, name or place, ours[0], text, lines.get(ours[0]))])
    try:
        return Rule.model_validate({**given, "source": source})
    except ValidationError as error:
        raise Misfits(
            Problem(source, name or place, field, text, lines.get(field, lines.get("")))
            for field, text in map(_told, error.errors(include_url=False))
        ) from None
    except RecursionError:
        raise Misfits([Problem(source, name or place, "", "it is nested too deeply", lines.get(""))]) from None


def found(value: Any) -> str:
    """A value as an error shows it: short, and harmless on a terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= _FOUND_CHARS_MAX else f"{text[:_FOUND_CHARS_MAX]}…"


def unknown(what: str, word: str, known: Sequence[str]) -> str:
    return f"there is no {what} {found(word)}{near(word, known)}"


def _told(error: ErrorDetails) -> tuple[str, str]:
    """The field, by the name a document has for it, and what is wrong."""
    field = ".".join(str(part) for part in error["loc"])[: limits.RULE_NAME_CHARS_MAX]
    context, given = error.get("ctx", {}), error["input"]
    match error["type"]:
        case "rule":
            return context["field"], context["text"]
        case "extra_forbidden":
            return field, f"rules have no such field{near(field, FIELDS)}"
        case "enum":
            words = _WORDS[field]
            close = near(given, words) if isinstance(given, str) else ""
            return field, f"expected one of {', '.join(words)}, found {found(given)}{close}"
        case "missing":
            return field, "expected one, found none"
        case "value_error":
            return field, str(context["error"])
    return field, f"{error['msg'][:1].lower()}{error['msg'][1:]}, found {found(given)}"
