"""The list of sessions, the ones seen last first.

Which sessions are on a page is found by the hours they were seen in, from the newest back: a short
stretch of time first, a longer one while it does not fill the page. What is said of each comes from
its totals, looked up by id, so that a session of many hours is counted whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.masking import Eyes
from botwatch.api.pages import cursor_of, moment, parts_of
from botwatch.api.asking import words_of
from botwatch.api.reads.values import known
from botwatch.api.shapes_monitoring import Feedback, SessionItem, SessionPage, SessionState
from botwatch.store.client import Store

_STRETCHES_S: Final = (300, 1_800, 10_800, 64_800, 388_800, 2_332_800)

COLUMNS: Final = """
    session_id, bot, toValidUTF8(max(user_id)) AS user, max(channel) AS via, max(host) AS machine,
    toUnixTimestamp64Micro(min(first_seen)) AS began_us, toUnixTimestamp64Micro(max(last_seen)) AS seen_us,
    sum(messages_in) AS said_in, sum(messages_out) AS said_out,
    multiIf(isNotNull(max(ended)) AND (isNull(max(last_message)) OR max(ended) >= max(last_message)), 'ended',
            isNotNull(max(last_message)) AND max(last_message) > fromUnixTimestamp64Micro({active_us:Int64}, 'UTC'), 'active',
            'idle') AS state,
    toValidUTF8(max(outcome)) AS result, isNotNull(max(handed_off)) AS passed_on,
    sum(feedback_count) AS rated, sum(feedback_sum) AS rating,
    bitShiftRight(cityHash64(bot, session_id), 1) AS tie"""


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
        items=[item(row, eyes) for row in shown],
        next=cursor_of(shown[-1][6], shown[-1][14]) if more else None,
        total=await _total(store, wanted, eyes, rows) if wanted.state is SessionState.ACTIVE else None,
    )


def item(row: Sequence[Any], eyes: Eyes) -> SessionItem:
    id, bot, user, channel, host, began_us, seen_us, said_in, said_out, state, outcome, handed_off, rated, rating = row[:14]
    return SessionItem(
        id=id,
        bot=bot,
        user=eyes.user(user),
        channel=channel,
        host=host,
        started=moment(began_us * 1_000),
        last_seen=moment(seen_us * 1_000),
        duration_seconds=(seen_us - began_us) / 1e6,
        messages=said_in + said_out,
        messages_in=said_in,
        messages_out=said_out,
        state=SessionState(state),
        handed_off=bool(handed_off),
        outcome=known(outcome),
        feedback=Feedback(count=rated, average=rating / rated) if rated else None,
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
    params: dict[str, Any] = {
        "from_us": max(0, from_us), "active_us": wanted.active_us, "limit": wanted.limit + 1, "offset": wanted.offset,
    }  # fmt: skip
    seen = ["hour >= toStartOfHour(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))"]
    seen.append("last_seen >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC')")
    kept, later = ["seen_us >= {from_us:Int64}"], "1"
    those = []
    if before is not None:
        params |= {"before_us": before[0], "before_tie": before[1]}
        seen.append("hour <= toStartOfHour(fromUnixTimestamp64Micro({before_us:Int64}, 'UTC'))")
        later = "(seen_us, tie) < ({before_us:Int64}, {before_tie:UInt64})"
    if wanted.bot is not None:
        params["bot"] = wanted.bot
        seen.append("bot = {bot:String}")
        those.append("bot = {bot:String}")
    if wanted.state is not None:
        params["state"] = wanted.state.value
        kept.append("state = {state:String}")
    if wanted.channel is not None:
        params["channel"] = wanted.channel
        kept.append("via = {channel:String}")
    if wanted.search:
        those.append(_found(wanted.search, eyes, params))
    if from_us > 0:
        those.append(f"session_id IN (SELECT session_id FROM session_hours WHERE {' AND '.join(seen)})")
    counted = ", count() OVER () AS total" if wanted.state is SessionState.ACTIVE else ""
    sql = (
        f"SELECT * FROM (SELECT {COLUMNS}{counted} FROM sessions WHERE {' AND '.join(those) or '1'} "
        f"GROUP BY session_id, bot HAVING {' AND '.join(kept)}) WHERE {later} "
        "ORDER BY seen_us DESC, tie DESC LIMIT {limit:UInt32} OFFSET {offset:UInt32}"
    )
    return sql, params


def _found(search: str, eyes: Eyes, params: dict[str, Any]) -> str:
    """The id of a session or of its user holds every word. Who may not see users cannot find them."""
    columns = ("session_id", "user_id") if eyes.users else ("session_id",)
    words = []
    for number, word in enumerate(words_of(search)):
        params[f"word{number}"] = word
        words.append(
            "(" + " OR ".join(f"positionCaseInsensitiveUTF8({column}, {{word{number}:String}}) > 0" for column in columns) + ")"
        )
    return f"(session_id, bot) IN (SELECT session_id, bot FROM sessions WHERE {' AND '.join(words) or '1'})"


async def _total(store: Store, wanted: Wanted, eyes: Eyes, rows: Sequence[Sequence[Any]]) -> int:
    if rows:
        return int(rows[0][15])
    if not wanted.offset and wanted.cursor is None:
        return 0
    start = Wanted(
        wanted.state, wanted.bot, wanted.channel, wanted.search, 1, 0, None, wanted.now_us, wanted.idle_s
    )
    return (await page(store, start, eyes)).total or 0
