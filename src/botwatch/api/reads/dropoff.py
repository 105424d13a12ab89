"""Where conversations stop that are over and were not done: the last thing the bot did in each, or the last it said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from botwatch.api.asking import Window
from botwatch.api.masking import Eyes
from botwatch.api.reads.insights import TEXT_CHARS, sql_phrase
from botwatch.api.shapes_insights import DropOff, DropOffItem, SessionName, Stop
from botwatch.clock import SECOND_NS
from botwatch.measure import window as measured
from botwatch.measure.done import Talking
from botwatch.measure.query import Condition, Op
from botwatch.measure.sources import Binder, Wanted
from botwatch.measure.sources_talks import COMPLETIONS
from botwatch.store.client import Store

_EXAMPLES: Final = 3
_SAID_BEFORE: Final = "INTERVAL 1 DAY"  # how long before the last message the bot's own may be


@dataclass(frozen=True, slots=True)
class Asked:
    window: Window
    stop: Stop
    bot: str | None
    channel: str | None
    limit: int


async def dropoff(store: Store, talking: Talking, asked: Asked, eyes: Eyes) -> DropOff:
    bind = Binder()
    wanted = _wanted(asked, talking)
    rows = COMPLETIONS.rows(wanted, bind)
    over, done = (await store.fetch(f"SELECT sum(closed), sum(completed) FROM ({rows})", bind.values)).rows[0]
    over, done = int(over or 0), int(done or 0)
    found = await store.fetch(_stops(asked, wanted, rows, bind), bind.values) if over > done else ()
    items = [
        DropOffItem(
            step=(eyes.text(step, user) if asked.stop is Stop.MESSAGE else step) or None,
            said=eyes.text(said, user) or None,
            sessions=sessions,
            share=100 * sessions / (over - done),
            examples=[SessionName(bot=bot, session_id=session_id) for _, bot, session_id in examples],
        )
        for step, said, user, sessions, examples in found
    ]
    return DropOff(stop=asked.stop, over=over, done=done, left=over - done, items=items)


def _wanted(asked: Asked, talking: Talking) -> Wanted:
    named = (("bot", asked.bot), ("channel", asked.channel))
    where = tuple(Condition(label, Op.IS, (value,)) for label, value in named if value is not None)
    start_s, end_s = asked.window.from_ns // SECOND_NS, -(-asked.window.to_ns // SECOND_NS)
    over = measured.window(start_s, end_s, None, kept=measured.Kept(), zone="UTC")
    return Wanted(over, where, (), "", talking)


def _stops(asked: Asked, wanted: Wanted, rows: str, bind: Binder) -> str:
    left = f"SELECT bot, session_id, at, last_action FROM ({rows}) WHERE closed AND NOT completed"
    start, end = bind.moment(wanted.window.start_s), bind.moment(wanted.window.end_s)
    last = (
        f"SELECT bot, session_id, argMax(toValidUTF8(leftUTF8(text, {TEXT_CHARS})), messages.at) AS said, "
        "argMax(user_id, messages.at) AS user FROM messages "
        f"WHERE direction = 'out' AND author = 'bot' AND at >= {start} - {_SAID_BEFORE} AND at < {end} "
        f"AND session_id IN (SELECT session_id FROM ({left})) GROUP BY bot, session_id"
    )
    step = "last_action" if asked.stop is Stop.ACTION else sql_phrase("said")
    return (
        f"SELECT {step} AS step, argMax(said, at), argMax(user, at), count() AS sessions, "
        f"groupArraySorted({_EXAMPLES})((-toUnixTimestamp64Micro(at), bot, session_id)) AS newest "
        f"FROM ({left}) AS l LEFT JOIN ({last}) AS m USING (bot, session_id) "
        f"GROUP BY step ORDER BY sessions DESC, step LIMIT {bind(asked.limit, 'UInt32')}"
    )
