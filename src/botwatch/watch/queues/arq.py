"""arq: a sorted set of job ids by the time they are due. What is due later does not wait yet and is not counted.

A job stays in the set while it is being done; a key of its own says so. The worker leaves a note that it is there,
and takes it away when it stops; one that was killed is believed until the note expires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from botwatch.watch.asking import Target
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks
from botwatch.watch.queues.redis_client import Found, RedisClient, age_s, number, text
from botwatch.watch.queues.resp import Command

_DEFAULT: Final = "arq:queue"
_AT_WORK_MAX: Final = 200  # of the jobs due first, that are looked at whether they are being done


class ArqQueues:
    def __init__(self, target: Target, choice: Choice, timeout_s: float) -> None:
        self._client = RedisClient(target, timeout_s)
        self._patterns = choice.patterns if choice.include else (f"{_DEFAULT}*",)
        self._found = Found(choice)
        if not choice.include:
            self._found.add([_DEFAULT])

    async def look(self, now_s: float) -> Looks:
        clock_s = await self._client.now_s()
        if self._found.due(now_s):
            for pattern in self._patterns:
                self._found.add(await self._client.scan(pattern, "zset"))
        names, left_out = self._found.chosen()
        now_ms = int(clock_s * 1_000)
        commands: list[Command] = []
        for name in names:
            commands += [
                ("ZCOUNT", name, "-inf", now_ms),
                ("ZRANGEBYSCORE", name, "-inf", now_ms, "WITHSCORES", "LIMIT", 0, _AT_WORK_MAX),
                ("EXISTS", f"{name}:health-check"),
            ]
        answers = await self._client.ask_many(commands)
        looks = [await self._queue(name, answers[3 * i : 3 * i + 3], clock_s) for i, name in enumerate(names)]
        return Looks(looks, left_out)

    async def _queue(self, name: str, answers: Sequence[Any], clock_s: float) -> Look:
        due, first, worker = answers
        if isinstance(first, Exception):
            return Look(name, None)
        jobs = [(text(first[i]), float(first[i + 1]) / 1_000) for i in range(0, len(first), 2)]
        at_work = await self._client.ask_many([("EXISTS", f"arq:in-progress:{job}") for job, _ in jobs])
        waiting = [due_s for (_, due_s), busy in zip(jobs, at_work, strict=True) if not number(busy)]
        busy = len(jobs) - len(waiting)
        return Look(
            name,
            (number(due) or 0) - busy,
            pending=busy,
            age_s=age_s(clock_s, min(waiting)) if waiting else 0.0,
            consumers=number(worker),
        )

    async def close(self) -> None:
        await self._client.close()
