"""Which bots there are, and which hosts they run on."""

from __future__ import annotations

from botwatch.api.pages import moment
from botwatch.api.shapes_measures import BotItem
from botwatch.clock import SECOND_NS
from botwatch.store.client import Store

_SHOWN = 1_000  # values of a label beside one bot


async def bots(store: Store) -> list[BotItem]:
    rows = await store.fetch(
        "SELECT if(label = 'bot', name, bot) AS owner, toUnixTimestamp(minIf(first_seen, label = 'bot')), "
        "toUnixTimestamp(maxIf(last_seen, label = 'bot')), "
        f"arraySort(groupUniqArrayIf({_SHOWN})(name, label = 'host')), "
        f"arraySort(groupUniqArrayIf({_SHOWN})(name, label = 'channel')) "
        "FROM names WHERE label IN ('bot', 'host', 'channel') "
        "AND owner != '' GROUP BY owner ORDER BY owner"
    )
    return [
        BotItem(
            name=name,
            first_seen=moment(first_s * SECOND_NS),
            last_seen=moment(last_s * SECOND_NS),
            hosts=hosts,
            channels=channels,
        )
        for name, first_s, last_s, hosts, channels in rows
    ]
