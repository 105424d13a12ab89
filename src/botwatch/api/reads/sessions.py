"""The list of sessions, the ones seen last first.

Which sessions are on a page is found by the hours they were seen in, from the newest back: a short
stretch of time first, a longer one while it does not fill the page. What is said of each comes from
its totals, looked up by id, so that a session of many hours is counted whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botwatch.api.asking import words_of
from botwatch.api.masking import Eyes
from botwatch.api.pages import cursor_of, parts_of
from botwatch.api.reads.values import known
from botwatch.api.shapes_monitoring import Feedback, SessionItem, SessionPage, SessionState
from botwatch.store.client import Store

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STRETCHES_S: Final = (300, 1_800, 10_800, 64_800, 388_800, 2_332_800)

EACH: Final = (
    *("session_id", "bot", "max(user_id)", "max(channel)", "max(host)", "min(first_seen)", "max(last_seen)"),
    *("min(first_message)", "max(last_message)", "sum(messages_in)", "sum(messages_out)", "max(ended)"),
    *("max(outcome)", "max(handed_off)", "sum(feedback_count)", "sum(feedback_sum)"),
)
COLUMNS: Final = ", ".join(EACH)
TIE: Final = "bitShiftRight(cityHash64(bot, session_id), 1)"
SEEN_US: Final = "toUnixTimestamp64Micro(max(last_seen))"
_ENDED: Final = "isNotNull(max(ended)) AND (isNull(max(last_message)) OR max(ended) >= max(last_message))"
_SPOKE: Final = (
    "isNotNull(max(last_message)) AND max(last_message) > fromUnixTimestamp64Micro({active_us:Int64}, 'UTC')"
)
_IN_STATE: Final = {
    SessionState.ENDED: f"({_ENDED})",
    SessionState.ACTIVE: f"NOT ({_ENDED}) AND {_SPOKE}",
    SessionState.IDLE: f"NOT ({_ENDED}) AND NOT ({_SPOKE})",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """One row of `COLUMNS`; its times are UTC, as the engine gives them."""

    session_id: str
    bot: str
    user: str
    channel: str
    host: str
    first_seen: datetime
    last_seen: datetime
    first_message: datetime | None
    last_message: datetime | None
    messages_in: int
    messages_out: int
    ended: datetime | None
    outcome: str
    handed_off: datetime | None
    feedback_count: int
    feedback_sum: float

    def state(self, active_us: int) -> SessionState:
        if self.ended is not None and (self.last_message is None or self.ended >= self.last_message):
            return SessionState.ENDED
        spoke = self.last_message is not None and micros(self.last_message) > active_us
        return SessionState.ACTIVE if spoke else SessionState.IDLE

    def item(self, active_us: int, eyes: Eyes) -> SessionItem:
        began, over = self.first_message or self.first_seen, self.last_message or self.last_seen
        return SessionItem(
            id=self.session_id,
            bot=self.bot,
            user=eyes.user(self.user),
            channel=self.channel,
            host=self.host,
            started=began.replace(tzinfo=UTC),
            last_seen=self.last_seen.replace(tzinfo=UTC),
            duration_seconds=(over - began).total_seconds(),
            messages=self.messages_in + self.messages_out,
            messages_in=self.messages_in,
            messages_out=self.messages_out,
            state=self.state(active_us),
            handed_off=self.handed_off is not None,
            outcome=known(self.outcome),
            feedback=self._feedback(),
        )

    def _feedback(self) -> Feedback | None:
        if not self.feedback_count:
            return None
        return Feedback(count=self.feedback_count, average=self.feedback_sum / self.feedback_count)


def micros(at: datetime) -> int:
    """A time of the engine in microseconds since 1970."""
    return (at.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions, as of when. `state` None: all."""

    state: SessionState | None
    bot: str | None
    channel: str | None
    search: str
    limit: int
    offset: int
    cursor: str | None
    now_us: int
    idle_s: int

    @property
    def active_us(self) -> int:
        return self.now_us - self.idle_s * 1_000_000


async def page(store: Store, wanted: Wanted, eyes: Eyes) -> SessionPage:
    rows: Sequence[Sequence[Any]] = ()
    before = parts_of(wanted.cursor, int, int) if wanted.cursor is not None else None
    for from_us in _stretches(wanted, int(before[0]) if before else wanted.now_us):
        sql, params = _query(wanted, eyes, from_us, before)
        rows = (await store.fetch(sql, params)).rows
        if len(rows) > wanted.limit:
            break
    shown = rows[: wanted.limit]
    more = len(rows) > wanted.limit
    return SessionPage(
        items=[Totals(*row[: len(EACH)]).item(wanted.active_us, eyes) for row in shown],
        next=cursor_of(*shown[-1][len(EACH) : len(EACH) + 2]) if more else None,
        total=await _total(store, wanted, eyes, rows) if wanted.state is SessionState.ACTIVE else None,
    )


def _stretches(wanted: Wanted, newest_us: int) -> Iterator[int]:
    """Where to begin to look, in microseconds. What is active was seen since the idle time began; a
    search by text reads all sessions once, which is less than reading ever longer stretches."""
    if wanted.state is SessionState.ACTIVE:
        yield wanted.active_us
        return
    if not wanted.search:
        yield from (newest_us - stretch_s * 1_000_000 for stretch_s in _STRETCHES_S)
    yield 0


def _query(wanted: Wanted, eyes: Eyes, from_us: int, before: list[int | str] | None) -> tuple[str, dict[str, Any]]:
    grouped, params = grouped_by(wanted, eyes, from_us, before)
    params |= {"limit": wanted.limit + 1, "offset": wanted.offset}
    later = "(seen_us, tie) < ({before_us:Int64}, {before_tie:UInt64})" if before is not None else "1"
    counted = ", count() OVER () AS total" if wanted.state is SessionState.ACTIVE else ""
    sql = (
        f"SELECT * FROM (SELECT {COLUMNS}, {SEEN_US} AS seen_us, {TIE} AS tie{counted} {grouped}"
        f") WHERE {later} ORDER BY seen_us DESC, tie DESC LIMIT {{limit:UInt32}} OFFSET {{offset:UInt32}}"
    )
    return sql, params


def grouped_by(
    wanted: Wanted, eyes: Eyes, from_us: int = 0, before: list[int | str] | None = None
) -> tuple[str, dict[str, Any]]:
    """FROM … the sessions that were seen since then, each a group."""
    params: dict[str, Any] = {"from_us": max(0, from_us), "active_us": wanted.active_us}
    seen = ["hour >= toStartOfHour(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))"]
    seen.append("last_seen >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC')")
    kept = [f"{SEEN_US} >= {{from_us:Int64}}"]
    those = []
    if before is not None:
        params |= {"before_us": before[0], "before_tie": before[1]}
        seen.append("hour <= toStartOfHour(fromUnixTimestamp64Micro({before_us:Int64}, 'UTC'))")
    if wanted.bot is not None:
        params["bot"] = wanted.bot
        seen.append("bot = {bot:String}")
        those.append("bot = {bot:String}")
    if wanted.state is not None:
        kept.append(_IN_STATE[wanted.state])
    if wanted.channel is not None:
        params["channel"] = wanted.channel
        kept.append("max(channel) = {channel:String}")
    if wanted.search:
        those.append(_found(wanted.search, eyes, params))
    if from_us > 0:
        those.append(f"session_id IN (SELECT session_id FROM session_hours WHERE {' AND '.join(seen)})")
    where, having = " AND ".join(those) or "1", " AND ".join(kept)
    return f"FROM sessions WHERE {where} GROUP BY session_id, bot HAVING {having}", params


def _found(search: str, eyes: Eyes, params: dict[str, Any]) -> str:
    """The id of a session or of its user holds every word. Who may not see users cannot find them."""
    columns = ("session_id", "user_id") if eyes.users else ("session_id",)
    words = []
    for number, word in enumerate(words_of(search)):
        params[f"word{number}"] = word
        there = (f"positionCaseInsensitiveUTF8({column}, {{word{number}:String}}) > 0" for column in columns)
        words.append(f"({' OR '.join(there)})")
    return f"(session_id, bot) IN (SELECT session_id, bot FROM sessions WHERE {' AND '.join(words) or '1'})"


async def _total(store: Store, wanted: Wanted, eyes: Eyes, rows: Sequence[Sequence[Any]]) -> int:
    if rows:
        return int(rows[0][-1])
    if not wanted.offset and wanted.cursor is None:
        return 0
    start = Wanted(wanted.state, wanted.bot, wanted.channel, wanted.search, 1, 0, None, wanted.now_us, wanted.idle_s)
    return (await page(store, start, eyes)).total or 0
