"""Which bots there are, and which hosts they run on."""

from __future__ import annotations

from botwatch.api.pages import moment
from botwatch.api.shapes_measures import BotItem, HostItem
from botwatch.clock import SECOND_NS
from botwatch.store.client import Store

_SHOWN = 1_000  # values of a label beside one bot or host


async def bots(store: Store) -> list[BotItem]:
    rows = await store.fetch(
        "SELECT if(label = 'bot', name, bot) AS owner, toUnixTimestamp(minIf(first_seen, label = 'bot')), "
        "toUnixTimestamp(maxIf(last_seen, label = 'bot')), "
        f"arraySort(groupUniqArrayIf({_SHOWN})(name, label = 'host')), "
        f"arraySort(groupUniqArrayIf({_SHOWN})(name, label = 'channel')) "
        "FROM names WHERE label IN ('bot', 'host', 'channel') GROUP BY owner ORDER BY owner"
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


async def hosts(store: Store) -> list[HostItem]:
    rows = await store.fetch(
        "SELECT name, toUnixTimestamp(min(first_seen)), toUnixTimestamp(max(last_seen)), "
        f"arraySort(groupUniqArray({_SHOWN})(toString(bot))) FROM names WHERE label = 'host' "
        "GROUP BY name ORDER BY name"
    )
    return [
        HostItem(name=name, first_seen=moment(first_s * SECOND_NS), last_seen=moment(last_s * SECOND_NS), bots=bots)
        for name, first_s, last_s, bots in rows
    ]
