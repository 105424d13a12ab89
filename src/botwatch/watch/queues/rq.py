"""RQ: a list of job ids for each queue, a hash for each job that says when it was enqueued, and the workers' names.

A worker that is killed is believed to be there until its key expires, which RQ lets happen after some minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from botwatch.watch.asking import Target
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks
from botwatch.watch.queues.redis_client import RedisClient, age_s, number, text
from botwatch.watch.queues.resp import Command

_PREFIX: Final = "rq:queue:"
_WORKERS_MAX: Final = 1_000  # of one queue


class RqQueues:
    def __init__(self, target: Target, choice: Choice, timeout_s: float) -> None:
        self._client = RedisClient(target, timeout_s)
        self._choice = choice

    async def look(self, now_s: float) -> Looks:
        del now_s
        clock_s = await self._client.now_s()
        keys = [text(key) for key in await self._client.ask("SMEMBERS", "rq:queues")]
        names, left_out = self._choice.of(
            (*self._choice.named, *(key.removeprefix(_PREFIX) for key in keys if key.startswith(_PREFIX)))
        )
        answers = await self._client.ask_many(command for name in names for command in _questions(name))
        told = {name: answers[4 * i : 4 * i + 4] for i, name in enumerate(names)}
        ages = await self._ages([(name, text(answer[1])) for name, answer in told.items() if answer[1]], clock_s)
        workers = await self._workers([(name, text(key)) for name, answer in told.items() for key in _keys(answer[3])])
        looks = [
            Look(
                name,
                number(depth),
                pending=number(pending),
                age_s=ages.get(name) if depth else 0.0,
                consumers=workers.get(name, 0),
            )
            for name, (depth, _, pending, _) in told.items()
        ]
        return Looks(looks, left_out)

    async def _ages(self, firsts: list[tuple[str, str]], clock_s: float) -> dict[str, float | None]:
        answers = await self._client.ask_many([("HGET", f"rq:job:{job}", "enqueued_at") for _, job in firsts])
        return {
            name: age_s(clock_s, _seconds(answer)) for (name, _), answer in zip(firsts, answers, strict=True) if answer
        }

    async def _workers(self, keys: list[tuple[str, str]]) -> dict[str, int]:
        """Those whose key has not expired."""
        alive: dict[str, int] = {}
        answers = await self._client.ask_many([("EXISTS", key) for _, key in keys])
        for (name, _), answer in zip(keys, answers, strict=True):
            alive[name] = alive.get(name, 0) + (number(answer) or 0)
        return alive

    async def close(self) -> None:
        await self._client.close()


def _questions(name: str) -> tuple[Command, ...]:
    return (
        ("LLEN", _PREFIX + name),
        ("LINDEX", _PREFIX + name, 0),
        ("ZCARD", f"rq:wip:{name}"),
        ("SMEMBERS", f"rq:workers:{name}"),
    )


def _keys(members: Any) -> list[Any]:
    return [] if isinstance(members, Exception) else list(members)[:_WORKERS_MAX]


def _seconds(written: Any) -> float | None:
    """As RQ writes it: ISO 8601 in UTC."""
    try:
        at = datetime.fromisoformat(text(written))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
