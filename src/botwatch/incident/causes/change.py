"""A change, as every source of changes tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from botwatch.clock import SECOND_NS

MINUTE_NS: Final = 60 * SECOND_NS
DAY_NS: Final = 86_400 * SECOND_NS
BEFORE_NS: Final = 30 * MINUTE_NS  # of what is looked at around the beginning of an incident
AFTER_NS: Final = 5 * MINUTE_NS
KNOWN_NS: Final = 14 * DAY_NS  # from which it is known how often such changes happen


class Kind(StrEnum):
    DEPLOY = "deploy"  # another version of a bot
    MODEL = "model"  # one that was not called before
    DEPENDENCY = "dependency"  # one that was not called before, or whose errors or latency changed
    LIMIT = "limit"  # announced by a provider
    BREAKER = "breaker"
    SERVICE = "service"  # its status
    DOCUMENT = "document"  # what comes in
    INCIDENT = "incident"
    RULE = "rule"  # and what else people set here


@dataclass(frozen=True, slots=True)
class Change:
    """`places` are labels of what it is about; several of a name are several places.

    `subject` is what it happened to, by which others of its kind are counted. `usual`: that such a thing happens says
    nothing, as with the first version that is seen of a bot.
    """

    kind: Kind
    at_ns: int
    text: str
    subject: str
    places: frozenset[tuple[str, str]]
    link: str = ""
    usual: bool = False
    detail: tuple[tuple[str, str], ...] = ()

    def said(self, name: str) -> str:
        return dict(self.detail).get(name, "")

    @property
    def bot(self) -> str:
        return next((value for name, value in sorted(self.places) if name == "bot"), "")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, its end outside."""

    from_ns: int
    to_ns: int

    @classmethod
    def around(cls, first_ns: int, last_ns: int) -> Self:
        """Of what began then: with the days that tell how often such changes happen."""
        return cls(max(0, first_ns - KNOWN_NS), last_ns + AFTER_NS)

    def params(self) -> dict[str, Any]:
        return {"from_ns": self.from_ns, "to_ns": self.to_ns}


def places(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in labels.items() if value)
