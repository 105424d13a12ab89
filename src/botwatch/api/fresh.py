"""Answers that many clients poll for, worked out once for all of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from botwatch.clock import Clock
from botwatch.limits import ANSWERS_KEPT_MAX

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Answer:
    until_s: float
    task: asyncio.Task[Any]


class Fresh:
    """`get` gives the answer of that key if it was asked for less than `ttl_s` ago, also while it is
    still being worked out. What failed is not kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    async def get(self, key: Hashable, ttl_s: float, work: Callable[[], Awaitable[T]]) -> T:
        answer = self._answers.get(key)
        if answer is None or answer.until_s <= self._clock.monotonic_s() or _failed(answer.task):
            answer = self._ask(key, ttl_s, work)
        # Shielded: whoever asked first may hang up, the others still wait for it.
        return cast(T, await asyncio.shield(answer.task))

    def _ask(self, key: Hashable, ttl_s: float, work: Callable[[], Awaitable[T]]) -> _Answer:
        async def run() -> T:
            return await work()

        task = asyncio.create_task(run())
        task.add_done_callback(_failed)
        answer = _Answer(self._clock.monotonic_s() + ttl_s, task)
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > ANSWERS_KEPT_MAX:
            self._answers.popitem(last=False)
        return answer


def _failed(task: asyncio.Task[Any]) -> bool:
    """Also looks at the error, so that one nobody waited for is not complained about."""
    return task.done() and (task.cancelled() or task.exception() is not None)
