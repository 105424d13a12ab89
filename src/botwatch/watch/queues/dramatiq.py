"""Dramatiq in Redis: a list of message ids for each queue, and a hash with the messages, which say when they were made.

The hash also holds what workers have fetched and not acknowledged. Whoever speaks to the broker leaves a
heartbeat, those that only send too: without any there is no worker, with one there may be. Delayed and dead
messages are not waiting and not counted. Dramatiq over RabbitMQ is watched as RabbitMQ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from botwatch.watch.asking import Target
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks
from botwatch.watch.queues.redis_client import Found, RedisClient, age_s, head, number
from botwatch.watch.queues.redis_lists import time_in
from botwatch.watch.queues.resp import Command

_HEARTBEAT_S: Final = 60
_NOT_QUEUES: Final = (".msgs", ".XQ", ".DQ")


class DramatiqQueues:
    def __init__(self, target: Target, choice: Choice, timeout_s: float, *, namespace: str = "dramatiq") -> None:
        self._client = RedisClient(target, timeout_s)
        self._namespace = namespace
        self._found = Found(choice)

    async def look(self, now_s: float) -> Looks:
        clock_s = await self._client.now_s()
        if self._found.due(now_s):
            keys = await self._client.scan(f"{self._namespace}:*", "list")
            names = {key.removeprefix(f"{self._namespace}:") for key in keys}
            self._found.add(name for name in names if not name.endswith(_NOT_QUEUES))
        names_, left_out = self._found.chosen()
        since_ms = int((clock_s - _HEARTBEAT_S) * 1_000)
        heartbeats = await self._client.ask("ZCOUNT", f"{self._namespace}:__heartbeats__", since_ms, "+inf")
        answers = await self._client.ask_many(command for name in names_ for command in self._questions(name))
        told = {name: answers[3 * i : 3 * i + 3] for i, name in enumerate(names_)}
        ages = await self._ages([(name, answer[1]) for name, answer in told.items() if answer[1]], clock_s)
        looks = [_look(name, answer, ages.get(name), bool(heartbeats)) for name, answer in told.items()]
        return Looks(looks, left_out)

    def _questions(self, name: str) -> Sequence[Command]:
        key = f"{self._namespace}:{name}"
        return [("LLEN", key), ("LINDEX", key, 0), ("HLEN", f"{key}.msgs")]

    async def _ages(self, firsts: Sequence[tuple[str, Any]], clock_s: float) -> dict[str, float | None]:
        answers = await self._client.ask_many(
            [("HGET", f"{self._namespace}:{name}.msgs", message) for name, message in firsts]
        )
        return {
            name: age_s(clock_s, time_in(head(answer), "message_timestamp"))
            for (name, _), answer in zip(firsts, answers, strict=True)
        }

    async def close(self) -> None:
        await self._client.close()


def _look(name: str, answers: Sequence[Any], age: float | None, heard: bool) -> Look:
    depth, _, kept = (number(answer) if i != 1 else None for i, answer in enumerate(answers))
    if depth is None or kept is None:
        return Look(name, None)
    pending = max(0, kept - depth)
    nobody = not heard and not pending
    return Look(name, depth, pending=pending, age_s=age if depth else 0.0, consumers=0 if nobody else None)
