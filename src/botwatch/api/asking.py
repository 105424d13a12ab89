"""How things are asked for: parameters checked once, windows of time, durations.

Every route over telemetry takes one model as its query; a parameter it does not know is refused,
so that a misspelt filter is not taken for no filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from botwatch.api.pages import Cursor, Limit
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest
from botwatch.limits import DAYS_KEPT_MAX, FILTER_CHARS_MAX, FILTER_WORDS_MAX, SEARCH_CHARS_MAX
from botwatch.measure.query import DAY_S, TICK_S, parse_duration_s

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME: Final = datetime(2200, 1, 1, tzinfo=UTC)  # the engine's own ends in 2262
_TICK_NS: Final = TICK_S * SECOND_NS
_GRACE_S_MAX: Final = 30.0
_LENGTHS_PER_GRACE: Final = 3_000  # less than a third of a pixel of a chart
_SERVES_S: Final = (1.0, float(TICK_S))
_LENGTHS_PER_SERVING: Final = 8_640  # of a day a tick
_WORD: Final = re.compile(r'"([^"]+)"|(\S+)')


def end_of_tick(now_ns: int) -> int:
    """Now, moved to where the rollup's current tick ends: what is asked within it is the same question."""
    return -(-now_ns // _TICK_NS) * _TICK_NS


def words_of(search: str) -> tuple[str, ...]:
    """The words all of which must be found; a phrase in double quotes is one."""
    return tuple(dict.fromkeys(phrase or word for phrase, word in _WORD.findall(search)))


def _checked_duration(text: str) -> str:
    if parse_duration_s(text) > DAYS_KEPT_MAX * DAY_S:
        raise ValueError(f"expected at most {DAYS_KEPT_MAX}d")
    return text


def _checked_search(text: str) -> str:
    if len(words_of(text)) > FILTER_WORDS_MAX:
        raise ValueError(f"expected at most {FILTER_WORDS_MAX} words")
    return text


def _checked_time(time: datetime) -> datetime:
    if not _EPOCH <= time.replace(tzinfo=UTC) <= _END_OF_TIME:
        raise ValueError("expected a time between 1970 and 2200")
    return time


Name = Annotated[str, Field(min_length=1, max_length=FILTER_CHARS_MAX)]
Search = Annotated[str, Field(max_length=SEARCH_CHARS_MAX), AfterValidator(_checked_search)]
Duration = Annotated[str, AfterValidator(_checked_duration)]
Time = Annotated[datetime, AfterValidator(_checked_time)]
Hex128 = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{32}$", description="32 hexadecimal digits")]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, its end outside."""

    from_ns: int
    to_ns: int

    @property
    def grace_s(self) -> float:
        """How old an answer over so long a time may be while the next one is worked out."""
        return min(_GRACE_S_MAX, (self.to_ns - self.from_ns) / SECOND_NS / _LENGTHS_PER_GRACE)

    @property
    def serves_s(self) -> float:
        """How long an answer over so long a time serves all who ask, before the next one is worked out."""
        least_s, most_s = _SERVES_S
        return min(most_s, max(least_s, (self.to_ns - self.from_ns) / SECOND_NS / _LENGTHS_PER_SERVING))

    def within(self, other: Window) -> Window:
        """What both share; empty when that is nothing."""
        from_ns = max(self.from_ns, other.from_ns)
        return Window(from_ns, max(from_ns, min(self.to_ns, other.to_ns)))


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listed(Asked):
    limit: Limit = 100
    cursor: Cursor = None


class Timed(Asked):
    """A time without a zone is of the zone in the settings."""

    from_: Time | None = Field(default=None, alias="from", description="beginning of the window, ISO 8601")
    to: Time | None = Field(default=None, description="end of the window, itself outside; default: now")
    period: Duration | None = Field(default=None, description="length of the window instead: 15m, 24h, 7d")

    def window(self, now_ns: int, zone: ZoneInfo, default: str) -> Window:
        if self.from_ is not None and self.period is not None:
            raise BadRequest("A window has a beginning or a length, not both.", hint="give `from` or `period`")
        to_ns = now_ns if self.to is None else _ns(self.to, zone)
        length_ns = parse_duration_s(self.period or default) * SECOND_NS
        from_ns = max(0, to_ns - length_ns) if self.from_ is None else _ns(self.from_, zone)
        if from_ns >= to_ns:
            raise BadRequest("The window ends before it begins.", hint="give `from` a time before `to`")
        return Window(from_ns, to_ns)

    def reach(self, now_ns: int, zone: ZoneInfo) -> Window:
        """For lists from the newest back: unless it is said, they begin with whatever is newest,
        a sender's clock may be ahead, and end with what is oldest."""
        if self.from_ is None and self.period is None:
            return Window(0, _ns(_END_OF_TIME if self.to is None else self.to, zone))
        given = self.window(now_ns, zone, "1d")
        return given if self.to is not None else Window(given.from_ns, _ns(_END_OF_TIME, zone))


def _ns(time: datetime, zone: ZoneInfo) -> int:
    aware = time if time.tzinfo is not None else time.replace(tzinfo=zone)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000
