"""Messages of users that a bot seems not to have understood, each once, with all that speaks for it.

Its turn failed, was handed off or had no reply; or what the bot did is called a fallback; or the user soon wrote the
same again; or negative feedback came after it. Feedback that names a message is about what was asked before that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch import limits
from botwatch.api.asking import Window
from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.reads.context import Spot, Talk, around
from botwatch.api.reads.insights import phrases_of, sql_words
from botwatch.api.reads.slices import slices
from botwatch.api.reads.values import known, known_trace, sql_inside, sql_time
from botwatch.api.rows_review import TreatedRow, key_of
from botwatch.api.shapes_insights import Misunderstood, Reason
from botwatch.measure.query import like
from botwatch.store.client import Store

_BEFORE: Final = 6
_AFTER: Final = 3
_REPEAT_S: Final = 600  # who writes the same later than this may mean it anew
_REPEAT_CHARS_MIN: Final = 4
_FEEDBACK_S: Final = 86_400
_FALLBACK_S: Final = 600
_NAMED_BY: Final = "if(event = 'bot.message', attributes['bot.intent'], event)"
Treated = Mapping[tuple[str, str], TreatedRow]
_KEY: Final = "bot, session_id, toUnixTimestamp64Micro({}) AS us"


@dataclass(frozen=True, slots=True)
class Wanted:
    window: Window
    bot: str | None
    reason: Reason | None
    fallbacks: tuple[str, ...] = ()  # in small letters
    treated: bool | None = None  # None: both


def patterns(names: str) -> tuple[str, ...]:
    """Those of the setting, parted by commas."""
    return tuple(filter(None, map(str.strip, names.lower().split(","))))[: limits.FALLBACK_NAMES_MAX]


async def page(
    store: Store,
    wanted: Wanted,
    limit: int,
    cursor: str | None,
    now_ns: int,
    eyes: Eyes,
    known: Treated,
) -> Page[Misunderstood]:
    """Newest first; of phrases that somebody has dealt with only if they are asked for."""
    items: list[Misunderstood] = []
    for _ in range(limits.TREATED_PAGES_LOOKED_AT_MAX):
        found = await _page(store, wanted, limit - len(items), cursor, now_ns, eyes)
        told = (_with_treatment(item, known) for item in found.items)
        items += [item for item in told if wanted.treated is None or (item.treated is not None) == wanted.treated]
        cursor = found.next
        if len(items) >= limit or cursor is None:
            break
    return Page(items=items, next=cursor)


def _with_treatment(item: Misunderstood, known: Treated) -> Misunderstood:
    row = known.get(key_of(item.bot, item.phrase))
    if row is None or not item.phrase:
        return item
    return item.model_copy(update={"treated": moment(row.at_ns), "treated_by": row.who, "note": row.note})


async def _page(
    store: Store, wanted: Wanted, limit: int, cursor: str | None, now_ns: int, eyes: Eyes
) -> Page[Misunderstood]:
    before = [int(part) for part in parts_of(cursor, int, int)] if cursor is not None else None
    rows: list[Sequence[Any]] = []
    for piece in slices(wanted.window, now_ns, before[0] * 1_000 if before else None, few=True):
        params: dict[str, Any] = {
            "lower": piece.from_ns, "upper": piece.to_ns, "bot": wanted.bot or "", "limit": limit + 1 - len(rows),
            "reason": wanted.reason.value if wanted.reason else "",
            "fallbacks": [like(name) for name in wanted.fallbacks],
            "before_us": before[0] if before else 2**62, "before_tie": before[1] if before else 0,
        }  # fmt: skip
        rows += (await store.fetch(_found(wanted), params)).rows
        if len(rows) > limit:
            break
    shown = rows[:limit]
    talks = await around(store, [Spot(*row[:3]) for row in shown])
    items = [_item(row, talks, eyes) for row in shown]
    phrases = await phrases_of(store, [item.text for item in items])
    items = [item.model_copy(update={"phrase": phrase}) for item, phrase in zip(items, phrases, strict=True)]
    return Page(items=items, next=cursor_of(*shown[-1][2:4]) if len(rows) > limit else None)


def _found(wanted: Wanted) -> str:
    of_bot = " AND bot = {bot:String}" if wanted.bot is not None else ""
    union = " UNION ALL ".join((_by_outcome(of_bot), _by_repeat(of_bot), _by_feedback(of_bot), _by_fallback(of_bot)))
    return (
        "SELECT bot, session_id, us, bitShiftRight(cityHash64(bot, session_id), 1) AS tie, "
        "arraySort(groupUniqArray(reason)) AS reasons "
        f"FROM ({union}) WHERE us >= intDiv({{lower:Int64}}, 1000) AND us < intDiv({{upper:Int64}}, 1000) "
        "GROUP BY bot, session_id, us "
        "HAVING (us, tie) < ({before_us:Int64}, {before_tie:UInt64}) "
        "AND ({reason:String} = '' OR has(reasons, {reason:String})) "
        "ORDER BY us DESC, tie DESC LIMIT {limit:UInt32}"
    )


def _by_outcome(of_bot: str) -> str:
    return (
        f"SELECT {_KEY.format('asked')}, toString(outcome) AS reason FROM turns FINAL "
        f"WHERE {sql_inside('asked')}{of_bot} AND outcome != 'answered'"
    )


def _by_repeat(of_bot: str) -> str:
    """The first of two in a row that say the same, by more than a yes or a number."""
    return (
        f"SELECT bot, session_id, us, 'repeated' AS reason FROM ("
        f"SELECT {_KEY.format('at')}, {sql_words('text')} AS words, "
        "leadInFrame(us) OVER (PARTITION BY bot, session_id, words ORDER BY us "
        "ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS again_us "
        f"FROM messages WHERE direction = 'in' AND author = 'user' AND text != '' AND {_until(_REPEAT_S)}{of_bot}"
        f") WHERE again_us > us AND again_us <= us + {_REPEAT_S * 1_000_000} "
        f"AND lengthUTF8(words) >= {_REPEAT_CHARS_MIN}"
    )


def _by_feedback(of_bot: str) -> str:
    """The last message of the user before what the feedback is about."""
    poor = (
        "SELECT bot, session_id, at, message_id FROM events WHERE event = 'bot.feedback' "
        f"AND {_until(_FEEDBACK_S)}{of_bot} AND toFloat64OrZero(attributes['bot.feedback.score']) < 0"
    )
    said = (
        f"FROM messages WHERE {_until(_FEEDBACK_S)}{of_bot} "
        f"AND (bot, session_id) IN (SELECT bot, session_id FROM ({poor}))"
    )
    return (
        "SELECT f.bot AS bot, f.session_id AS session_id, m.us AS us, 'feedback' AS reason FROM ("
        "SELECT p.bot AS bot, p.session_id AS session_id, toUnixTimestamp64Micro(p.at) AS felt_us, "
        "if(named.us > 0, least(named.us, felt_us), felt_us) AS until_us "
        f"FROM ({poor}) AS p LEFT JOIN ("
        f"SELECT bot, session_id, message_id, max(toUnixTimestamp64Micro(at)) AS us {said} AND message_id != '' "
        "GROUP BY bot, session_id, message_id) AS named "
        "ON p.bot = named.bot AND p.session_id = named.session_id AND p.message_id = named.message_id"
        f") AS f ASOF JOIN (SELECT {_KEY.format('at')} {said} AND direction = 'in') AS m "
        "ON f.bot = m.bot AND f.session_id = m.session_id AND f.until_us >= m.us"
    )


def _by_fallback(of_bot: str) -> str:
    """The last message of the user before an action, an event or an intent with such a name was over."""
    named = "arrayExists(pattern -> lower({}) LIKE pattern, {{fallbacks:Array(String)}})"
    reach = f"INTERVAL {_FALLBACK_S} SECOND"
    fell = (
        "SELECT bot, session_id, intDiv(toUnixTimestamp64Nano(start) + duration_ns, 1000) AS us "
        f"FROM spans WHERE start >= {sql_time('lower')} - {reach} AND start < {sql_time('upper')} + {reach}"
        f"{of_bot} AND session_id != '' AND action != '' AND {named.format('action')} "
        "UNION ALL SELECT bot, session_id, intDiv(toUnixTimestamp64Nano(at), 1000) AS us "
        f"FROM logs WHERE {_until(_FALLBACK_S)}{of_bot} AND session_id != '' AND event != '' AND "
        f"{named.format(_NAMED_BY)}"
    )
    return (
        "SELECT f.bot AS bot, f.session_id AS session_id, m.us AS us, 'fallback' AS reason "
        f"FROM ({fell}) AS f ASOF JOIN (SELECT {_KEY.format('at')} FROM messages "
        f"WHERE {_until(_FALLBACK_S)}{of_bot} AND direction = 'in' AND author = 'user') AS m "
        "ON f.bot = m.bot AND f.session_id = m.session_id AND f.us >= m.us"
    )


def _until(later_s: int) -> str:
    """What was said in the piece and a while after it."""
    return f"at >= {sql_time('lower')} AND at < {sql_time('upper')} + INTERVAL {later_s} SECOND"


def _item(row: Sequence[Any], talks: Mapping[tuple[str, str], Talk], eyes: Eyes) -> Misunderstood:
    bot, session_id, at_us, _, reasons = row[:5]
    talk = talks.get((bot, session_id), ())
    place = next((i for i, line in enumerate(talk) if line.at_us == at_us and line.from_user), None)
    line = talk[place] if place is not None else None
    return Misunderstood(
        at=moment(at_us * 1_000),
        bot=bot,
        session_id=session_id,
        channel=line.channel if line else "",
        user=eyes.user(line.user) if line else None,
        message_id=known(line.message_id) if line else None,
        text=eyes.text(line.text, line.user) if line else "",
        phrase="",
        trace_id=known_trace(line.trace_id) if line else None,
        reasons=[Reason(reason) for reason in reasons],
        treated=None,
        treated_by=None,
        note="",
        before=[said.shape(eyes) for said in talk[max(0, place - _BEFORE) : place]] if place is not None else [],
        after=[said.shape(eyes) for said in talk[place + 1 : place + 1 + _AFTER]] if place is not None else [],
    )
