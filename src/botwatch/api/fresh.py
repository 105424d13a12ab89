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


@dataclass(slots=True)
class _Kept:
    """The newest answer, when it was begun, how long it serves, and the work on the next one."""

    task: asyncio.Task[Any]
    begun_s: float
    serves_s: float
    next: asyncio.Task[Any] | None = None
    next_begun_s: float = 0.0


class Fresh:
    """`get` gives the answer for that key if the work on it began less than `ttl_s` ago, also while it
    is still under way. One that is older, but not by more than `grace_s`, is given once more while the
    next is worked out, so that whoever polls never waits. What failed is not kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def get(self, key: Hashable, ttl_s: float, work: Callable[[], Awaitable[T]], *, grace_s: float = 0.0) -> T:
        now_s = self._clock.monotonic_s()
        kept = self._kept.get(key)
        if kept is not None:
            _advance(kept)
        if kept is None or _failed(kept.task) or now_s - kept.begun_s >= kept.serves_s:
            task = kept.next if kept is not None and kept.next is not None else _start(work)
            kept = self._keep(key, _Kept(task, now_s, ttl_s + grace_s))
        elif now_s - kept.begun_s >= ttl_s and kept.next is None:
            kept.next, kept.next_begun_s = _start(work), now_s
        # Shielded: whoever asked first may hang up, the others still wait for it.
        return cast(T, await asyncio.shield(kept.task))

    def _keep(self, key: Hashable, kept: _Kept) -> _Kept:
        """What serves nobody any more gives its memory back."""
        now_s = kept.begun_s
        for old in [old for old, other in self._kept.items() if now_s - other.begun_s >= other.serves_s]:
            del self._kept[old]
        while len(self._kept) >= ANSWERS_KEPT_MAX:
            self._kept.popitem(last=False)
        self._kept[key] = kept
        return kept


def _advance(kept: _Kept) -> None:
    """The next answer takes the place of the old one when it is there, if it is one."""
    if kept.next is not None and kept.next.done():
        if not _failed(kept.next):
            kept.task, kept.begun_s = kept.next, kept.next_begun_s
        kept.next = None


def _start(work: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
    async def run() -> T:
        return await work()

    task = asyncio.create_task(run())
    task.add_done_callback(_failed)  # looks at the error, so that one nobody waited for is not complained about
    return task


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
