"""What a Redis, or something that says it is one, may answer."""

from __future__ import annotations

import asyncio

import pytest

from botwatch.limits import ASKED_ANSWER_BYTES_MAX, QUEUE_ITEM_BYTES_MAX
from botwatch.watch.asking import Reason, Target, Trouble
from botwatch.watch.queues.redis_client import RedisClient
from botwatch.watch.queues.resp import Long, Refusal, Resp, digest
from tests.watch.queues.parts import Eye, Redis


def fed(data: bytes, *, ended: bool = True) -> Resp:
    """A connection on which this comes; what is asked goes nowhere."""

    class Nowhere:
        def write(self, data: bytes) -> None: ...
        async def drain(self) -> None: ...

    reader = asyncio.StreamReader(limit=64 * 1024)
    reader.feed_data(data)
    if ended:
        reader.feed_eof()
    return Resp(reader, Nowhere())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"+OK\r\n", b"OK"),
        (b":-7\r\n", -7),
        (b"$3\r\na\r\n\r\n", b"a\r\n"),
        (b"$-1\r\n", None),
        (b"*-1\r\n", []),
        (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", [b"a", [1]]),
    ],
)
async def test_answers(data: bytes, answer: object) -> None:
    assert await fed(data).round_trip([("X",)], 100) == [answer]


async def test_a_refused_command_is_told_by_its_code_alone() -> None:
    refused, fine = await fed(b"-NOPERM this hush-hush\r\n+OK\r\n").round_trip([("X",), ("Y",)], 100)
    assert isinstance(refused, Refusal)
    assert (refused.code, str(refused), fine) == ("NOPERM", "NOPERM", b"OK")


async def test_a_text_that_is_too_long_leaves_its_digest() -> None:
    long, after = await fed(b"$200\r\n" + b"x" * 200 + b"\r\n:1\r\n").round_trip([("X",), ("Y",)], 100)
    assert isinstance(long, Long)
    assert (digest(long), after) == (digest(b"x" * 200), 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"$%d\r\nxxx" % (5 * ASKED_ANSWER_BYTES_MAX), Reason.TOO_LARGE),
        (b"*1\r\n" * 100, Reason.TOO_LARGE),
        (b"*999999\r\n" + b":1\r\n" * 300_000, Reason.TOO_LARGE),
        (b"x" * 200_000, Reason.ANSWER),
        (b"HTTP/1.1 200 OK\r\n", Reason.ANSWER),
        (b":seven\r\n", Reason.ANSWER),
        (b":" + b"7" * 5_000 + b"\r\n", Reason.ANSWER),
        (b"\r\n", Reason.ANSWER),
    ],
)
async def test_what_no_redis_answers_is_trouble(data: bytes, reason: Reason) -> None:
    with pytest.raises(Trouble) as raised:
        await fed(data).round_trip([("X",)], 100)
    assert raised.value.reason is reason


async def test_a_list_of_huge_elements_is_still_watched(redis: Redis) -> None:
    redis.cli("EVAL", f"redis.call('LPUSH', 'huge', string.rep('x', {20 * QUEUE_ITEM_BYTES_MAX}), 'small')", "0")
    async with Eye(redis.url) as eye:
        assert (await eye.look()).last("huge")["depth"] == 2
        assert (await eye.look(10)).last("huge")["age"] == pytest.approx(10)


async def test_a_connection_that_ended_meanwhile_is_made_anew(redis: Redis) -> None:
    client = RedisClient(Target.of(redis.url), 60)
    before_s = await client.now_s()
    redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert await client.now_s() >= before_s
    await client.close()
