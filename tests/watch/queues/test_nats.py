"""A real NATS server with JetStream, against what it tells its own client."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.real.parts import START_S, require_module
from tests.watch.queues.parts import Eye, Nats


def jetstream(client: Any) -> Any:
    """Its client waits for five seconds, or one; a busy machine may take longer."""
    return client.jetstream(timeout=START_S)


async def connected(url: str) -> Any:
    return await require_module("nats", "nats-py").connect(url, connect_timeout=START_S)


async def test_a_consumer_of_a_stream_is_what_jetstream_says(nats: Nats) -> None:
    client = await connected(nats.url)
    js = jetstream(client)
    await js.add_stream(name="orders", subjects=["orders.>"])
    await js.add_stream(name="other", subjects=["other"])
    subscription = await js.pull_subscribe("orders.>", durable="shop", stream="orders")
    began_s = time.time()
    for i in range(10):
        await js.publish("orders.new", str(i).encode())
    published_s = time.time()
    first, second, *_ = await subscription.fetch(4, timeout=START_S)
    await first.ack()
    await second.ack_sync(timeout=START_S)
    async with Eye(nats.url, include=["orders"]) as eye:
        waited_s = time.time() - published_s
        told = await eye.look()
        assert told.queues == {"orders"}
        found = told.last("orders", "shop")
        info = await js.consumer_info("orders", "shop")
        assert found["depth"] == info.num_pending == 6
        assert found["pending"] == info.num_ack_pending == 2
        assert waited_s - 0.1 <= found["age"] <= time.time() - began_s + 0.1
        assert "age" not in told.at_least("orders")
        assert "consumers" not in found  # none waits, and somebody may be at work
        await js.publish("orders.new", b"more")
        found = (await eye.look()).last("orders", "shop")
        assert (found["in_rate"], found["out_rate"], found["growth"]) == (0.1, 0, 0.1)
        assert found["stalled"] == pytest.approx(10)
    await client.close()


async def test_a_filtered_consumer_is_as_old_as_its_own_oldest_message(nats: Nats) -> None:
    client = await connected(nats.url)
    js = jetstream(client)
    await js.add_stream(name="mixed", subjects=["mixed.*"])
    await js.pull_subscribe("mixed.b", durable="only-b", stream="mixed")
    await js.publish("mixed.a", b"old")
    await asyncio.sleep(1.0)
    new_s = time.time()
    await js.publish("mixed.b", b"new")
    async with Eye(nats.url, include=["mixed"]) as eye:
        found = (await eye.look()).last("mixed", "only-b")
        assert (found["depth"], found["consumers"], found["unattended"]) == (1, 0, 1)
        assert found["age"] < time.time() - new_s + 0.5, "the other one is a second older"
    await client.close()


async def test_a_work_queue_without_consumers_is_unattended(nats: Nats) -> None:
    api = require_module("nats.js.api", "nats-py")
    client = await connected(nats.url)
    js = jetstream(client)
    await js.add_stream(name="work", subjects=["work"], retention=api.RetentionPolicy.WORK_QUEUE)
    await js.publish("work", b"x")
    async with Eye(nats.url, include=["work"]) as eye:
        found = (await eye.look()).last("work")
        assert (found["depth"], found["consumers"], found["unattended"]) == (1, 0, 1)
        subscription = await js.pull_subscribe("work", durable="worker", stream="work")
        (message,) = await subscription.fetch(1, timeout=START_S)
        await message.ack_sync(timeout=START_S)
        found = (await eye.look()).last("work", "worker")
        assert (found["depth"], found["pending"], found["age"]) == (0, 0, 0)
    await client.close()


async def test_a_wrong_password_is_told_without_telling_it(tmp_path: Path) -> None:
    with Nats(tmp_path, "--user", "bot", "--pass", "right") as server:
        port = server.port
        async with Eye(f"nats://bot:hush-hush@127.0.0.1:{port}") as eye:
            (reading,) = (await eye.look()).reports[-1]
            assert reading.attributes["queue.reason"] == "login"
            assert "hush-hush" not in repr(eye.told)
        async with Eye(f"nats://bot:right@127.0.0.1:{port}") as eye:
            assert (await eye.look()).reports[-1][0].value == 1


async def test_a_server_without_jetstream_says_so(tmp_path: Path) -> None:
    with Nats(tmp_path, jetstream=False) as server:
        async with Eye(server.url) as eye:
            (reading,) = (await eye.look()).reports[-1]
            assert (reading.value, reading.attributes["queue.reason"]) == (0, "answer")
            assert "has no JetStream" in eye.told.happenings[0].body
