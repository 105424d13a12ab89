"""Lists and streams in a real Redis, against its own tool."""

from __future__ import annotations

import json
import time

import pytest

from tests.real.parts import START_S
from tests.watch.queues.parts import Eye, Redis


async def test_the_depth_of_a_list_is_what_redis_says(redis: Redis) -> None:
    redis.cli("LPUSH", "mail", *"abcdefg")
    redis.cli("LPUSH", "sms", "x")
    redis.cli("SET", "not a queue", "1")
    async with Eye(redis.url) as eye:
        told = await eye.look()
        assert told.queues == {"mail", "sms"}
        assert told.last("mail")["depth"] == int(redis.cli("LLEN", "mail")) == 7


async def test_a_list_that_was_drained_is_told_as_empty(redis: Redis) -> None:
    redis.cli("LPUSH", "mail", "a", "b")
    async with Eye(redis.url) as eye:
        await eye.look()
        redis.cli("RPOP", "mail", "2")
        told = await eye.look()
        assert redis.cli("EXISTS", "mail") == "0"
        found = told.last("mail")
        assert (found["depth"], found["age"], found["time_to_drain"], found["stalled"]) == (0, 0, 0, 0)
        assert "unattended" not in found  # a list does not say who waits for it


async def test_a_named_list_is_watched_before_it_is_there(redis: Redis) -> None:
    async with Eye(redis.url, include=["orders"]) as eye:
        assert (await eye.look()).last("orders")["depth"] == 0
        redis.cli("LPUSH", "orders", "a")
        assert (await eye.look()).last("orders")["depth"] == 1


async def test_patterns_choose_the_lists(redis: Redis) -> None:
    for name in ("jobs:a", "jobs:b", "jobs:dead", "other"):
        redis.cli("LPUSH", name, "x")
    async with Eye(redis.url, include=["jobs:*"], exclude=["*:dead"]) as eye:
        assert (await eye.look()).queues == {"jobs:a", "jobs:b"}


async def test_rates_of_a_list_are_lower_bounds_and_said_to_be(redis: Redis) -> None:
    async with Eye(redis.url, include=["mail"]) as eye:
        for pushed, popped in ((20, 0), (30, 0), (0, 40)):
            await eye.look()
            if pushed:
                redis.cli("LPUSH", "mail", *(f"m{time.monotonic_ns()}.{i}" for i in range(pushed)))
            if popped:
                redis.cli("RPOP", "mail", str(popped))
        told = await eye.look()
        found = told.last("mail")
        assert found["in_rate"] == pytest.approx(50 / 30)
        assert found["out_rate"] == pytest.approx(40 / 30)
        assert found["growth"] == pytest.approx(10 / 30)
        assert told.at_least("mail") == {"age", "rates"}
        assert "time_to_drain" not in found  # it is not draining


async def test_how_long_the_oldest_has_waited_is_told_from_when_it_was_first_seen(redis: Redis) -> None:
    redis.cli("LPUSH", "mail", "first", "second")
    async with Eye(redis.url) as eye:
        await eye.look()
        assert (await eye.look(30)).last("mail")["age"] == pytest.approx(30)
        redis.cli("RPOP", "mail")
        assert (await eye.look(10)).last("mail")["age"] == 0
        assert (await eye.look(10)).last("mail")["age"] == pytest.approx(10)


async def test_the_age_is_read_from_a_field_where_there_is_one(redis: Redis) -> None:
    for seconds_ago in (9_000, 6_000, 5):
        redis.cli("RPUSH", "mail", json.dumps({"meta": {"at": time.time() - seconds_ago}}))
    async with Eye(redis.url, oldest="left", time_field="meta.at") as eye:
        told = await eye.look()
        assert told.last("mail")["age"] == pytest.approx(9_000, abs=START_S)
        assert "age" not in told.at_least("mail")


async def test_a_group_of_a_stream_is_what_redis_says(redis: Redis) -> None:
    old_ms = int(time.time() * 1000) - 1_200_000
    for i in range(10):
        redis.cli("XADD", "orders", f"{old_ms + i * 1000}-0", "n", str(i))
    redis.cli("XGROUP", "CREATE", "orders", "shop", "0")
    redis.cli("XREADGROUP", "GROUP", "shop", "worker-1", "COUNT", "4", "STREAMS", "orders", ">")
    redis.cli("XACK", "orders", "shop", f"{old_ms}-0", f"{old_ms + 1000}-0")
    async with Eye(redis.url) as eye:
        found = (await eye.look()).last("orders", "shop")
        groups = redis.cli("XINFO", "GROUPS", "orders").splitlines()
        assert found["depth"] == int(groups[groups.index("lag") + 1]) == 6
        assert found["pending"] == int(redis.cli("XPENDING", "orders", "shop").splitlines()[0]) == 2
        assert found["consumers"] == 1
        assert found["age"] == pytest.approx(1_198, abs=START_S)


async def test_a_consumer_that_takes_and_never_finishes_is_seen(redis: Redis) -> None:
    """Stuck: nothing waits to be delivered, and still it all piles up."""
    redis.cli("XGROUP", "CREATE", "orders", "shop", "0", "MKSTREAM")
    async with Eye(redis.url) as eye:
        for _ in range(5):
            for _ in range(3):
                redis.cli("XADD", "orders", "*", "n", "1")
            redis.cli("XREADGROUP", "GROUP", "shop", "worker-1", "COUNT", "3", "STREAMS", "orders", ">")
            found = (await eye.look()).last("orders", "shop")
        assert (found["depth"], found["pending"], found["consumers"]) == (0, 15, 1)
        assert found["growing"] == pytest.approx(40)
        assert found["stalled"] == pytest.approx(30)
        assert (found["in_rate"], found["out_rate"]) == pytest.approx((0.3, 0))


async def test_a_stream_whose_consumers_never_came_is_unattended(redis: Redis) -> None:
    redis.cli("XGROUP", "CREATE", "orders", "shop", "0", "MKSTREAM")
    redis.cli("XADD", "orders", "*", "n", "1")
    async with Eye(redis.url) as eye:
        found = (await eye.look()).last("orders", "shop")
        assert (found["consumers"], found["unattended"]) == (0, 1)


async def test_a_stream_nobody_reads_in_a_group_has_a_depth_and_no_more(redis: Redis) -> None:
    redis.cli("XADD", "log", "*", "n", "1")
    async with Eye(redis.url) as eye:
        found = (await eye.look()).last("log")
        assert found["depth"] == int(redis.cli("XLEN", "log")) == 1
        assert "consumers" not in found
