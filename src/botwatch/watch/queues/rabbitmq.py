"""RabbitMQ by its management API: every queue in one question.

The age is that of the message at the head where publishers set a timestamp; where they do not, what was published
and what is left tell how long the oldest has waited at least, to the five seconds the management counts by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
import orjson

from botwatch.watch.asking import Reason, Target, Trouble, expect_ok, get
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks
from botwatch.watch.queues.redis_client import age_s

_COLUMNS: Final = (
    "name,vhost,messages_ready,messages_unacknowledged,consumers,head_message_timestamp,message_stats.publish"
)
_PAGE: Final = 500
_PAGES_MAX: Final = 20


class RabbitQueues:
    """All virtual hosts, or the one that the address names; a queue of any but `/` is called `vhost/queue`."""

    def __init__(self, target: Target, choice: Choice, timeout_s: float) -> None:
        self._choice = choice
        vhost = target.path.strip("/")
        base = httpx.URL(target.url).copy_with(path="/", query=None)
        self._url = f"{base}api/queues" + (
            f"/{quote(vhost.replace('%2F', '/').replace('%2f', '/'), safe='')}" if vhost else ""
        )
        self._client = httpx.AsyncClient(
            auth=target.login or ("guest", "guest"), timeout=timeout_s, follow_redirects=False, trust_env=False
        )

    async def look(self, now_s: float) -> Looks:
        found: dict[str, Mapping[str, Any]] = {}
        for page in range(1, _PAGES_MAX + 1):
            queues, pages = await self._page(page)
            found.update((_name(queue), queue) for queue in queues)
            if page >= pages:
                break
        names, left_out = self._choice.of(found)
        return Looks([_look(name, found[name], now_s) for name in names], left_out)

    async def _page(self, page: int) -> tuple[list[Mapping[str, Any]], int]:
        url = f"{self._url}?page={page}&page_size={_PAGE}&columns={_COLUMNS}"
        answer = expect_ok(await get(self._client, url))
        try:
            told = orjson.loads(answer.body)
            return [queue for queue in told["items"] if isinstance(queue["name"], str)], int(told["page_count"])
        except (ValueError, KeyError, TypeError):
            raise Trouble(Reason.ANSWER, "expected the management API of RabbitMQ: is this its port (15672)?") from None

    async def close(self) -> None:
        await self._client.aclose()


def _name(queue: Mapping[str, Any]) -> str:
    vhost = queue.get("vhost", "/")
    return queue["name"] if vhost == "/" else f"{vhost}/{queue['name']}"


def _look(name: str, queue: Mapping[str, Any], now_s: float) -> Look:
    depth, unacknowledged = _count(queue.get("messages_ready")), _count(queue.get("messages_unacknowledged"))
    stats = queue.get("message_stats")
    head_s = _count(queue.get("head_message_timestamp"))
    empty = depth == 0 and not unacknowledged
    return Look(
        name,
        depth,
        pending=unacknowledged,
        age_s=0.0 if empty else age_s(now_s, head_s),
        consumers=_count(queue.get("consumers")),
        entered=_count(stats.get("publish")) if isinstance(stats, dict) else None,
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
