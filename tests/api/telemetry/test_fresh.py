"""One computation for all who poll."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from botwatch import limits
from botwatch.api.fresh import Fresh
from botwatch.clock import ManualClock

Work = Callable[[], Awaitable[int]]


async def rest() -> None:
    """Until nothing that goes on has anything to do: nothing here waits for time."""
    for _ in range(20):
        await asyncio.sleep(0)


class Counter:
    """Work that answers how often it was begun, when it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()
        self.go.set()
        self.fails = False

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.go.wait()
        if self.fails:
            raise LookupError
        return number


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0)


async def test_an_answer_serves_until_its_time_is_over(clock: ManualClock) -> None:
    fresh, work = Fresh(clock), Counter()
    assert [await fresh.get("a", 1, work) for _ in range(3)] == [1, 1, 1]
    clock.advance(0.99)
    assert await fresh.get("a", 1, work) == 1
    assert await fresh.get("b", 1, work) == 2
    clock.advance(0.01)
    assert await fresh.get("a", 1, work) == 3


async def test_who_asks_meanwhile_waits_for_the_same_work(clock: ManualClock) -> None:
    fresh, work = Fresh(clock), Counter()
    work.go.clear()
    waiting = [asyncio.create_task(fresh.get("a", 1, work)) for _ in range(8)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    work.go.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [1] * 7


async def test_what_failed_is_tried_again(clock: ManualClock) -> None:
    fresh, work = Fresh(clock), Counter()
    work.fails = True
    with pytest.raises(LookupError):
        await fresh.get("a", 60, work)
    work.fails = False
    assert await fresh.get("a", 60, work) == 2


async def test_within_its_grace_an_old_answer_is_given_while_the_next_is_worked_out(clock: ManualClock) -> None:
    fresh, work = Fresh(clock), Counter()
    assert await fresh.get("a", 1, work, grace_s=5) == 1
    clock.advance(3)
    work.go.clear()
    assert [await fresh.get("a", 1, work, grace_s=5) for _ in range(3)] == [1, 1, 1]
    await rest()
    assert work.begun == 2
    work.go.set()
    await rest()
    assert await fresh.get("a", 1, work, grace_s=5) == 2
    clock.advance(6.5)
    assert await fresh.get("a", 1, work, grace_s=5) == 3, "too old to be given once more"


async def test_work_on_the_next_that_fails_leaves_the_old_one_for_its_grace(clock: ManualClock) -> None:
    fresh, work = Fresh(clock), Counter()
    assert await fresh.get("a", 1, work, grace_s=5) == 1
    work.fails = True
    clock.advance(2)
    assert await fresh.get("a", 1, work, grace_s=5) == 1
    await rest()
    work.fails = False
    assert await fresh.get("a", 1, work, grace_s=5) == 1
    await rest()
    assert await fresh.get("a", 1, work, grace_s=5) == 3


async def test_old_keys_make_room(clock: ManualClock) -> None:
    fresh, work = Fresh(clock), Counter()
    for key in range(limits.ANSWERS_KEPT_MAX + 1):
        await fresh.get(key, 60, work)
    assert await fresh.get(1, 60, work) == 2
    assert await fresh.get(0, 60, work) == limits.ANSWERS_KEPT_MAX + 2
