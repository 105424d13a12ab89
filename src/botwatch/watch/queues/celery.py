"""Celery in Redis: one list for each queue and priority, and who is bound to what. Over AMQP it is watched as RabbitMQ.

A task does not say when it was sent: how long the oldest has been the oldest is what it waited at least. What
workers have taken stands in one hash for all queues together, so it is told only where there is one queue or nothing
in it. Workers wait for their queues and listen to be spoken to: where no connection does either, there is none. How
many there are, and for which queue, Redis does not know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from botwatch.watch.asking import Reason, Target, Trouble
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks
from botwatch.watch.queues.redis_client import Found, RedisClient, number, text
from botwatch.watch.queues.resp import Command, digest

_SEPARATOR: Final = "\x06\x16"
_PRIORITIES: Final = (0, 3, 6, 9)  # the steps Celery has unless told otherwise; 0 is served first
_BINDINGS: Final = "_kombu.binding."
_BINDINGS_MAX: Final = 1_000
_OF_WORKERS: Final = (".pidbox", ".reply.celery.pidbox")  # how workers are spoken to
_DEFAULT: Final = "celery"
_LISTENS: Final = re.compile(r" cmd=brpop\b| p?sub=[1-9]")


class CeleryQueues:
    """`prefix` is Celery's `global_keyprefix`."""

    def __init__(self, target: Target, choice: Choice, timeout_s: float, *, prefix: str = "") -> None:
        self._client = RedisClient(target, timeout_s)
        self._prefix = prefix
        self._database = target.path.strip("/") or "0"
        self._found = Found(choice)
        if not choice.include:
            self._found.add([_DEFAULT])

    async def look(self, now_s: float) -> Looks:
        if self._found.due(now_s):
            self._found.add(await self._bound())
        names, left_out = self._found.chosen()
        commands = [command for name in names for command in self._questions(name)]
        commands += [
            ("HLEN", f"{self._prefix}unacked"),
        ]
        *answers, unacked = await self._client.ask_many(commands)
        taken = number(unacked)
        pending = taken if taken == 0 or len(names) == 1 else None
        workers = await self._workers()
        width = 2 * len(_PRIORITIES)
        looks = [_look(name, answers[width * i : width * (i + 1)], pending, workers) for i, name in enumerate(names)]
        return Looks(looks, left_out)

    async def _bound(self) -> set[str]:
        """The queues somebody has declared."""
        keys = sorted(await self._client.scan(f"{self._prefix}{_BINDINGS}*", "set"))[:_BINDINGS_MAX]
        answers = await self._client.ask_many([("SMEMBERS", key) for key in keys])
        members = [text(member) for answer in answers if not isinstance(answer, Exception) for member in answer]
        queues = {member.rpartition(_SEPARATOR)[2] for member in members}
        return {name for name in queues if not name.endswith(_OF_WORKERS) and not name.startswith("celeryev.")}

    async def _workers(self) -> int | None:
        """0 where nobody can be a worker."""
        try:
            clients = text(await self._client.ask("CLIENT", "LIST", "TYPE", "normal"))
        except Trouble as trouble:
            if trouble.reason is Reason.FORBIDDEN:
                return None
            raise
        here = f" db={self._database} "
        return None if any(here in line and _LISTENS.search(line) for line in clients.splitlines()) else 0

    def _questions(self, name: str) -> Sequence[Command]:
        keys = [f"{self._prefix}{name}{f'{_SEPARATOR}{priority}' if priority else ''}" for priority in _PRIORITIES]
        return [*(("LLEN", key) for key in keys), *(("LINDEX", key, -1) for key in keys)]

    async def close(self) -> None:
        await self._client.close()


def _look(name: str, answers: Sequence[Any], pending: int | None, workers: int | None) -> Look:
    depths = [number(answer) for answer in answers[: len(_PRIORITIES)]]
    if None in depths:
        return Look(name, None)
    depth = sum(found or 0 for found in depths)
    first = next((answer for answer in answers[len(_PRIORITIES) :] if answer), None)
    return Look(name, depth, pending=pending, age_s=None if depth else 0.0, consumers=workers, head=digest(first))
