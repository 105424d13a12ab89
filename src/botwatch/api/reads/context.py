"""The messages around some moments of conversations, read together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.masking import Eyes
from botwatch.api.pages import moment
from botwatch.api.reads.values import known
from botwatch.api.shapes_insights import Uttered
from botwatch.nouns import Author, Direction
from botwatch.store.client import Store

_HOUR_US: Final = 3_600_000_000
_MESSAGES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Spot:
    """A moment in a conversation."""

    bot: str
    session_id: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Line:
    at_us: int
    direction: str
    author: str
    text: str
    message_id: str
    trace_id: str
    user: str
    channel: str

    def shape(self, eyes: Eyes) -> Uttered:
        return Uttered(
            at=moment(self.at_us * 1_000),
            direction=Direction(self.direction),
            author=Author(self.author),
            text=eyes.text(self.text, self.user),
            message_id=known(self.message_id),
        )

    @property
    def from_user(self) -> bool:
        return self.direction == Direction.IN


Talk = Sequence[Line]


async def around(store: Store, spots: Sequence[Spot]) -> Mapping[tuple[str, str], Talk]:
    """What was said in each spot's conversation in its hour, the one before and the one after, by bot and session."""
    talks: dict[tuple[str, str], list[Line]] = {}
    if not spots:
        return talks
    params: dict[str, Any] = {
        "hours": sorted(set(_hours(spots))),
        "bots": sorted({spot.bot for spot in spots}),
        "sessions": sorted({spot.session_id for spot in spots}),
    }
    rows = await store.fetch(
        "SELECT bot, session_id, toUnixTimestamp64Micro(at), direction, author, toValidUTF8(text), message_id, "
        "trace_id, user_id, channel FROM messages "
        "WHERE toStartOfHour(at) IN (SELECT toDateTime(arrayJoin({hours:Array(UInt32)}), 'UTC')) "
        "AND bot IN {bots:Array(String)} AND session_id IN {sessions:Array(String)} "
        f"ORDER BY at DESC, direction DESC, message_id DESC LIMIT {_MESSAGES_MAX}",
        params,
    )
    for bot, session_id, at_us, direction, author, text, message_id, trace_id, user, channel in reversed(rows.rows):
        line = Line(at_us, direction, author, text, message_id, trace_id.hex(), user, channel)
        talks.setdefault((bot, session_id), []).append(line)
    return talks


def _hours(spots: Sequence[Spot]) -> Iterable[int]:
    """Their starts, in seconds."""
    for spot in spots:
        hour = spot.at_us // _HOUR_US
        yield from (3_600 * number for number in (hour - 1, hour, hour + 1) if number >= 0)
