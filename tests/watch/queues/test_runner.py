"""Brokers that hang, lie, vanish and come back; and none of them the others' trouble."""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from botwatch.clock import SystemClock
from botwatch.limits import (
    ASKED_ANSWER_BYTES_MAX,
    GROUPS_PER_BROKER_MAX,
    QUEUE_PARTS_PER_BROKER_MAX,
    QUEUES_PER_BROKER_MAX,
)
from botwatch.watch.queues.configured import Watched, watched
from botwatch.watch.queues.look import Look, Looks, Part
from botwatch.watch.queues.runner import QueueThread, QueueWatch, Watch, bounded
from tests.real.parts import POLL_S, START_S, free_port
from tests.watch.queues.parts import Eye, Nats, Redis, Steps, Told

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REDIS_KINDS = ("redis", "celery", "rq", "arq", "dramatiq")
ALL = (*(f"{kind}+redis" for kind in REDIS_KINDS), "nats", "http", "amqp", "kafka", "sqs+http")


@asynccontextmanager
async def listener(answer: Answer) -> AsyncIterator[int]:
    """Something that listens, and answers as it is told."""

    tasks: set[asyncio.Task[None]] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, EOFError, asyncio.CancelledError):
                await answer(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(POLL_S)  # the transports close in the loop's next turns


def url(scheme: str, port: int) -> str:
    more = {"sqs+http": "/?region=eu-west-1"}.get(scheme, "")
    return f"{scheme}://bot:hush-hush@127.0.0.1:{port}{more}"


def reason(told: Told) -> object:
    (reading,) = told.reports[-1]
    assert (reading.name, reading.value) == ("queue.watched", 0)
    assert "hush-hush" not in repr(told)
    return reading.attributes["queue.reason"]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(START_S):
        while not condition():
            await asyncio.sleep(POLL_S)


@pytest.mark.parametrize("scheme", ALL)
async def test_a_port_nobody_listens_on(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    async with Eye(url(scheme, free_port()), include=["x"], groups=["g"]) as eye:
        assert reason(await eye.look()) in ("refused", "unreachable")
    assert "hush-hush" not in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("scheme", ALL)
async def test_a_server_that_accepts_and_never_answers(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read(-1)

    async with listener(silent) as port, Eye(url(scheme, port), include=["x"], groups=["g"], timeout_s=0.5) as eye:
        async with asyncio.timeout(START_S):
            assert reason(await eye.look()) in ("timeout", "unreachable")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("scheme", ALL)
async def test_a_server_of_another_kind(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\nhello hush-hush")
        await writer.drain()

    async with listener(web) as port, Eye(url(scheme, port), include=["x"], groups=["g"], timeout_s=2) as eye:
        assert reason(await eye.look()) in ("answer", "closed", "timeout", "unreachable")
    assert "Traceback" not in caplog.text


async def test_an_answer_that_is_too_large_is_not_read_on() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" " * 65_536)
            await writer.drain()
            sent += 65_536

    async with listener(endless) as port, Eye(url("http", port)) as eye:
        assert reason(await eye.look()) == "too_large"
    assert sent < 3 * ASKED_ANSWER_BYTES_MAX


async def test_a_compressed_answer_nobody_asked_for_is_not_inflated() -> None:
    body = gzip.compress(b"0" * 10_000_000)

    async def bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    async with listener(bomb) as port, Eye(url("http", port)) as eye:
        assert reason(await eye.look()) == "answer"


async def test_a_plain_port_spoken_to_in_tls(redis: Redis) -> None:
    async with Eye(f"rediss://127.0.0.1:{redis.port}", timeout_s=1) as eye:
        assert reason(await eye.look()) in ("tls", "closed", "timeout")  # Redis waits for more, and says nothing


async def test_a_wrong_password_and_a_user_who_may_not_look(tmp_path: Path) -> None:
    with Redis(tmp_path, "--requirepass", "right") as redis:
        async with Eye(f"redis://:hush-hush@127.0.0.1:{redis.port}") as eye:
            assert reason(await eye.look()) == "login"
        async with Eye(redis.url) as eye:
            assert reason(await eye.look()) == "login"
        redis.cli("-a", "right", "ACL", "SETUSER", "blind", "on", ">pass", "+ping")
        async with Eye(f"redis://blind:pass@127.0.0.1:{redis.port}") as eye:
            assert reason(await eye.look()) == "forbidden"
        async with Eye(f"redis://:right@127.0.0.1:{redis.port}") as eye:
            assert (await eye.look()).reports[-1][0].value == 1


async def test_a_broker_that_goes_is_told_once_and_again_when_it_is_back(tmp_path: Path) -> None:
    """Stopped, paused, restarted: what was seen before is not told as if it were still true."""
    with Redis(tmp_path) as redis:
        redis.cli("LPUSH", "mail", "a")
        async with Eye(redis.url) as eye:
            assert (await eye.look()).last("mail")["depth"] == 1
            patient = eye.watch._watched
            os.kill(redis.pid, signal.SIGSTOP)
            eye.watch._watched = replace(patient, timeout_s=1)  # only now: a busy machine is late to answer too
            assert reason(await eye.look()) == "timeout"
            assert reason(await eye.look()) == "timeout"
            os.kill(redis.pid, signal.SIGCONT)
            eye.watch._watched = patient
            found = (await eye.look()).last("mail")
            assert (found["depth"], found["growth"]) == (1, 0)
            assert found["stalled"] == 30  # it waited all the time
            redis.stop()
            assert reason(await eye.look()) in ("refused", "closed")
            names = [happening.name for happening in eye.told.happenings]
            assert names == ["queue.broker.away", "queue.broker.back", "queue.broker.away"]


async def test_a_broker_that_hangs_holds_up_no_other(redis: Redis, nats: Nats) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read(-1)

    told, stop = Told(), asyncio.Event()
    async with listener(silent) as port:
        tables = {
            "hangs": {"url": f"redis://127.0.0.1:{port}", "timeout_s": 50, "every_s": 1},
            "list": {"url": redis.url, "include": ["mail"], "every_s": 1},
            "stream": {"url": nats.url, "every_s": 1},
        }
        running = asyncio.create_task(QueueWatch(watched(tables, this_host=""), told, SystemClock()).run(stop))

        def counted(name: str) -> int:
            firsts = [report[0] for report in told.reports]
            return sum(reading.attributes["queue.broker"] == name for reading in firsts)

        await until(lambda: counted("list") >= 2 and counted("stream") >= 2)
        assert counted("hangs") == 0
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_settings_read_again_start_and_stop_what_changed(redis: Redis) -> None:
    told, stop = Told(), asyncio.Event()

    def tables(*names: str) -> list[Watched]:
        return watched({name: {"url": redis.url, "include": [name], "every_s": 1} for name in names}, this_host="")

    watch = QueueWatch(tables("a", "b"), told, SystemClock())
    running = asyncio.create_task(watch.run(stop))

    def names() -> set[str]:
        return {str(reading.attributes["queue.broker"]) for report in told.reports for reading in report}

    await until(lambda: names() == {"a", "b"})
    watch.reload(tables("b", "c"))
    await until(lambda: "c" in names())
    told.reports.clear()
    await until(lambda: names() >= {"b", "c"})
    assert "a" not in names()
    stop.set()
    await running


async def test_an_agent_has_a_thread_for_it(redis: Redis) -> None:
    told = Told()
    thread = QueueThread(watched({"a": {"url": redis.url, "bot": "shop"}}, this_host="here"), told, SystemClock())
    thread.start()
    await until(lambda: bool(told.reports))
    thread.stop()
    assert told.resources[0] == {"bot.name": "shop", "host.name": "here"}


class Many:
    def __init__(self) -> None:
        self.left_out = 0

    async def look(self, now_s: float) -> Looks:
        del now_s
        return Looks([Look("a", 1)], left_out=self.left_out)

    async def close(self) -> None: ...


async def test_queues_beyond_the_bound_are_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told, source = Told(), Many()
    (found,) = watched({"it": {"url": "redis://h"}}, this_host="")
    watch = Watch(found, source, told, Steps())
    for left_out in (0, 3, 3, 5, 0):
        source.left_out = left_out
        await watch.once()
    assert [happening.attributes["queue.left_out"] for happening in told.happenings] == [3, 5]
    assert [report[0].attributes.get("queue.left_out", 0) for report in told.reports] == [0, 3, 3, 5, 0]


def test_what_a_broker_calls_its_queues_is_bounded() -> None:
    parts = tuple(Part(i, 1) for i in range(QUEUE_PARTS_PER_BROKER_MAX))
    told = [Look("x" * 300, 1), Look("q", 1, group="x" * 300), Look("a", 1, parts=parts), Look("b", 1, parts=parts)]
    kept = bounded(Looks(told, left_out=1))
    assert [(look.queue, len(look.parts)) for look in kept.queues] == [("a", len(parts)), ("b", 0)]
    assert kept.left_out == 3
    many = bounded(Looks([Look("q", 1, group=f"{i}") for i in range(GROUPS_PER_BROKER_MAX + 5)]))
    assert (len(many.queues), many.left_out) == (GROUPS_PER_BROKER_MAX, 5)


async def test_a_key_that_is_no_text_is_no_queue(redis: Redis) -> None:
    redis.cli("EVAL", "redis.call('LPUSH', string.char(255, 254), 'x')", "0")
    async with Eye(redis.url) as eye:
        assert (await eye.look()).queues == set()


async def test_a_redis_with_more_lists_than_are_watched(redis: Redis) -> None:
    redis.cli("EVAL", "for i = 1, 600 do redis.call('LPUSH', 'q' .. string.format('%04d', i), 'x') end", "0")
    async with Eye(redis.url, exclude=["q0001"]) as eye:
        told = await eye.look()
        assert len(told.queues) == QUEUES_PER_BROKER_MAX
        assert told.reports[-1][0].attributes["queue.left_out"] == 599 - QUEUES_PER_BROKER_MAX
