"""The query of `/api/logs`, the one with names of its own making: `attr.NAME=value`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import ConfigDict, Field, model_validator

from botwatch.api.asking import Hex128, Listed, Name, Search, Timed
from botwatch.limits import FILTER_CHARS_MAX, FILTER_WORDS_MAX, HISTOGRAM_BUCKETS_MAX

ATTRIBUTE: Final = "attr."


class Level(StrEnum):
    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"


class LogsAsked(Listed, Timed):
    """Any other parameter is `attr.NAME=value`: records whose attribute NAME has that value."""

    model_config = ConfigDict(extra="allow", frozen=True)

    q: Search = Field(default="", description='all words, or "a phrase", in the text or the event')
    level: list[Level] = Field(default_factory=list, description="one of these", max_length=len(Level))
    event: Name | None = None
    bot: Name | None = None
    host: Name | None = None
    session: Name | None = Field(default=None, description="also records of the traces of that session")
    trace: Hex128 | None = None
    correlation: Name | None = None
    buckets: int | None = Field(
        default=None, ge=1, le=HISTOGRAM_BUCKETS_MAX, description="also count by level in so many steps"
    )

    @property
    def attributes(self) -> tuple[tuple[str, str], ...]:
        return tuple((name.removeprefix(ATTRIBUTE), value) for name, value in (self.model_extra or {}).items())

    @model_validator(mode="after")
    def _only_attributes(self) -> LogsAsked:
        extra = self.model_extra or {}
        for name, value in extra.items():
            if not name.startswith(ATTRIBUTE) or name == ATTRIBUTE:
                raise ValueError("expected only the parameters of this list, and attr.NAME=value")
            if not isinstance(value, str):
                raise ValueError("expected one value for each attr.NAME")
            if max(len(name), len(value)) > FILTER_CHARS_MAX:
                raise ValueError(f"expected at most {FILTER_CHARS_MAX} characters in attr.NAME=value")
        if len(extra) > FILTER_WORDS_MAX:
            raise ValueError(f"expected at most {FILTER_WORDS_MAX} attributes")
        return self
