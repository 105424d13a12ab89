"""What must follow what, as people write it in the options of a rule of kind `contract`.

    when: handoff
    then: message human
    within: 15m
    terms:
      - {bot: shop, channel: whatsapp, within: 5m}
      - {channel: email, within: 4h, hours: {days: mon-fri, from: "09:00", to: "17:30", zone: Europe/Berlin}}

Of the terms the first that fits a bot and channel counts, else what stands outside of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from botwatch import limits
from botwatch.detect.durations import duration_s
from botwatch.detect.hours import US_PER_S, Calendar, Hours

ANY: Final = "*"
_SAMPLE_US: Final = 1_767_571_200 * US_PER_S  # a Monday; where calendars are tried
_DAY_US: Final = 86_400 * US_PER_S
_MONTH_US: Final = 30 * _DAY_US
_NEVER_US: Final = 4_000 * _DAY_US


class What(StrEnum):
    """What can happen. Each is looked for in one place of the store."""

    MESSAGE = "message"
    EVENT = "event"
    ACTION = "action"
    PAYLOAD = "payload"
    PUT = "put"  # into a queue
    DONE = "done"  # what was put into it, without an error
    EXPECTED = "expected"  # what a bot said must follow
    MET = "met"  # and that it did


class Same(StrEnum):
    """What both have in common: by that they belong together."""

    SESSION = "session"
    CORRELATION = "correlation"
    TRACE = "trace"
    JOB = "job"
    EXPECTED = "expected"


MESSAGES: Final = ("in", "out", "bot", "human")
_SHORT: Final = {"handoff": (What.EVENT, "bot.handoff"), "expected": (What.EXPECTED, ANY), "met": (What.MET, ANY)}
_OWN: Final = {What.PUT: Same.JOB, What.EXPECTED: Same.EXPECTED}
_ENDS: Final = {Same.JOB: (What.PUT, What.DONE), Same.EXPECTED: (What.EXPECTED, What.MET)}
_FORMS: Final = (
    "expected message in, message out, message bot, message human, handoff, event NAME, action NAME, payload SOURCE, "
    "put QUEUE, done QUEUE or expected NAME"
)
Text = Annotated[str, Field(min_length=1, max_length=limits.RULE_NAME_CHARS_MAX)]
Within = Annotated[int, BeforeValidator(duration_s), Field(ge=1, le=limits.RULE_TIMEFRAME_S_MAX, strict=True)]


class Pattern(BaseModel):
    """`where` are attributes that must have these values, of a payload the fields of its document by dotted path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: What
    name: Text
    where: Annotated[dict[Text, Annotated[str, Field(max_length=limits.RULE_TEXT_CHARS_MAX)]], Field(max_length=8)] = {}

    @model_validator(mode="before")
    @classmethod
    def _in_words(cls, given: Any) -> Any:
        given = {"what": given} if isinstance(given, str) else given
        if not isinstance(given, Mapping) or not isinstance(given.get("what"), str) or "name" in given:
            raise ValueError(f"{_FORMS}, or an object with that as what, and where")
        words = given["what"].strip()
        first, _, rest = words.partition(" ")
        what, name = _SHORT.get(words, (first, rest.strip()))
        if what not in list(What) or not name or (what == What.MESSAGE and name not in MESSAGES):
            raise ValueError(f"{_FORMS}, found {words[:60]!r}")
        return {**given, "what": what, "name": name}

    @model_validator(mode="after")
    def _fits(self) -> Pattern:
        if self.where and self.what is What.MESSAGE:
            raise ValueError("messages have no attributes to look at: leave where out")
        return self

    def meets(self, other: Pattern) -> bool:
        """Whether one thing may be both."""
        if self.what is not other.what:
            return False
        if self.what is What.MESSAGE:
            return (self.name == "in") == (other.name == "in")
        return self.name == other.name or ANY in (self.name, other.name)


class Term(BaseModel):
    """For whom another deadline counts; what it does not say is as for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot: Text | None = None
    channel: Text | None = None
    within: Within | None = None
    hours: Hours | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Term:
        if (self.bot is None and self.channel is None) or (self.within is None and self.hours is None):
            raise ValueError("expected a bot or a channel, and for it within or hours")
        return self


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str | Mapping) else value


class Contract(BaseModel):
    """`within` counts only while `hours` are open, where these are said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Pattern
    then: Annotated[tuple[Pattern, ...], BeforeValidator(_several), Field(min_length=1, max_length=8)]
    within: Within
    same: Same = Same.SESSION
    hours: Hours | None = None
    terms: Annotated[tuple[Term, ...], Field(max_length=limits.CONTRACT_TERMS_MAX)] = ()

    @model_validator(mode="before")
    @classmethod
    def _belongs_together(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "same" not in given and isinstance(given.get("when"), str | Mapping):
            when = given["when"]
            first = str(when.get("what", "") if isinstance(when, Mapping) else when).split(" ")[0]
            return {**given, "same": next((same for what, same in _OWN.items() if what == first), Same.SESSION)}
        return given

    @model_validator(mode="after")
    def _can_be_kept(self) -> Contract:
        if self.same in _ENDS:
            when, then = _ENDS[self.same]
            if self.when.what is not when or any(one.what is not then for one in self.then):
                raise ValueError(f"same {self.same} joins {when} and {then}, and nothing else")
        if any(one.what is What.MET for one in self.then) and self.same is not Same.EXPECTED:
            raise ValueError("what is met is what was expected: expected when: expected NAME")
        for terms in self.all_terms():
            if terms.hours and terms.longest_us("UTC") > limits.CONTRACT_DUE_DAYS_MAX * _DAY_US:
                days = limits.CONTRACT_DUE_DAYS_MAX
                raise ValueError(f"hours: they are so few that a deadline may be more than {days} days away")
        return self

    def all_terms(self) -> tuple[Terms, ...]:
        """In the order in which they are tried; the last fits all."""
        said = [Terms(one.bot, one.channel, one.within or self.within, one.hours or self.hours) for one in self.terms]
        return (*said, Terms(None, None, self.within, self.hours))

    def terms_of(self, bot: str, channel: str) -> Terms:
        return next(one for one in self.all_terms() if one.fits(bot, channel))

    def edition(self, name: str, zone: str) -> str:
        """Another one when anything changes that decides what is kept."""
        said = orjson.dumps([name, zone, self.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(said).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Terms:
    """One deadline, and for whom; None is for anybody."""

    bot: str | None
    channel: str | None
    within_s: int
    hours: Hours | None

    @property
    def within_us(self) -> int:
        return self.within_s * US_PER_S

    def fits(self, bot: str, channel: str) -> bool:
        return self.bot in (None, bot) and self.channel in (None, channel)

    def calendar(self, zone: str, low_us: int, high_us: int) -> Calendar | None:
        """That knows the deadline of everything between the two."""
        if self.hours is None:
            return None
        return Calendar.of(self.hours, zone, low_us, high_us + limits.CONTRACT_DUE_DAYS_MAX * _DAY_US)

    def longest_us(self, zone: str, near_us: int = _SAMPLE_US) -> int:
        """The longest a deadline may be away, in the year around a time."""
        return self.within_us if self.hours is None else _longest_us(self, zone, near_us // _MONTH_US)


@lru_cache(maxsize=limits.CONTRACTS_MAX * limits.CONTRACT_TERMS_MAX)
def _longest_us(terms: Terms, zone: str, month: int) -> int:
    """Asked for every few seconds, and the same for a month."""
    from_us = max(0, month - 5) * _MONTH_US
    calendar = terms.calendar(zone, from_us, (month + 5) * _MONTH_US)
    if calendar is None or calendar.due((month + 5) * _MONTH_US, terms.within_us) is None:
        return _NEVER_US
    return calendar.longest_us(terms.within_us)


def due_us(at_us: int, terms: Terms, calendar: Calendar | None) -> int | None:
    """When it must have followed; at that very moment it is still in time."""
    return at_us + terms.within_us if calendar is None else calendar.due(at_us, terms.within_us)


class Outcome(StrEnum):
    """What became of one that had to be followed. Late is breached too: it came, after its deadline."""

    KEPT = "kept"
    LATE = "late"
    BREACHED = "breached"


def outcome(followed_us: int | None, due: int, now_us: int, late_us: int) -> Outcome | None:
    """None while it is not known yet. What follows later than `late_us` after its deadline is of something else."""
    if followed_us is not None and followed_us <= due:
        return Outcome.KEPT
    if due > now_us:
        return None
    return Outcome.LATE if followed_us is not None and followed_us <= due + late_us else Outcome.BREACHED


def read(options: Mapping[str, Any]) -> Contract:
    """Raises `ValueError` that says in one line what is wrong, and where."""
    try:
        return Contract.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        text = first["msg"].removeprefix("Value error, ")
        missing = f"expected when, then and within; {place} is missing" if first["type"] == "missing" else ""
        raise ValueError(missing or ": ".join(filter(None, (place, text)))) from None
