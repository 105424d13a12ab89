"""Which bots talk, and what the calls of those carry that call models and say nothing: for 'no conversations'."""

from __future__ import annotations

import asyncio
from typing import Final

from botwatch.api.diagnosis.facts import ModelCalls, Talk
from botwatch.clock import SECOND_NS
from botwatch.measure.query import DAY_S, TICK_S
from botwatch.store.client import Store

_BOTS_MAX: Final = 1_000
_BOTS_LOOKED_AT_MAX: Final = 20
_CALLS_LOOKED_AT_MAX: Final = 100
_LOOK_BACK_S: Final = 600  # from the newest call
# In which instrumentations tell the messages of a call beside its span.
_EVENTS: Final = (
    "name = 'gen_ai.client.inference.operation.details' OR match(name, '^gen_ai\\\\.(.*\\\\.message|choice)$')"
)


async def talk(store: Store, now_ns: int) -> Talk:
    since_s = now_ns // SECOND_NS - DAY_S
    rows = await store.fetch(
        "SELECT if(label = 'bot', name, bot) AS who, countIf(label = 'message') > 0, "
        "toUnixTimestamp(maxIf(seen, label = 'model')) AS called, argMaxIf(name, seen, label = 'model'), "
        f"anyIf(name, label = 'log' AND ({_EVENTS})) FROM ("
        "SELECT label, bot, name, max(last_seen) AS seen FROM names WHERE label IN ('bot', 'message', 'model', 'log') "
        "GROUP BY label, bot, name HAVING seen >= toDateTime({since:Int64}, 'UTC')) "
        f"WHERE who != '' GROUP BY who ORDER BY called DESC, who LIMIT {_BOTS_MAX}",
        {"since": since_s},
    )
    mute = [(bot, called, model, event) for bot, talks, called, model, event in rows if called and not talks]
    looked = await asyncio.gather(*(_calls(store, *bot) for bot in mute[:_BOTS_LOOKED_AT_MAX]))
    return Talk(len(rows), sum(bool(talks) for _, talks, *_ in rows), tuple(looked))


async def _calls(store: Store, bot: str, called_s: int, model: str, event: str) -> ModelCalls:
    """The newest of them."""
    rows = await store.fetch(
        "SELECT count(), "
        "countIf(attributes['gen_ai.input.messages'] != '' OR attributes['gen_ai.output.messages'] != ''), "
        "countIf(JSONExtractString(toString(resource), 'bot.messages') = 'events') FROM ("
        "SELECT attributes, resource FROM spans WHERE bot = {bot:String} AND model != '' "
        "AND start >= toDateTime64({from_s:Int64}, 9, 'UTC') AND start < toDateTime64({to_s:Int64}, 9, 'UTC') "
        f"ORDER BY start DESC LIMIT {_CALLS_LOOKED_AT_MAX})",
        {"bot": bot, "from_s": called_s - _LOOK_BACK_S, "to_s": called_s + TICK_S},
    )
    count, with_messages, says_events = rows.first or (0, 0, 0)
    return ModelCalls(bot, model, event, int(count), int(with_messages), bool(says_events))
