"""A real RabbitMQ, by its management API and by AMQP alone, against its own tool."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from botwatch.errors import SettingError
from tests.real.parts import START_S, require_module
from tests.watch.queues.parts import Eye, Rabbit, settled


async def publish(rabbit: Rabbit, queue: str, count: int, *, made_s_ago: float | None = None) -> None:
    aio_pika = require_module("aio_pika", "aio-pika")
    made = None if made_s_ago is None else datetime.now(UTC) - timedelta(seconds=made_s_ago)
    async with await aio_pika.connect(rabbit.amqp) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True)
        for i in range(count):
            message = aio_pika.Message(str(i).encode(), timestamp=made)
            await channel.default_exchange.publish(message, routing_key=queue)


async def never_done(message: object) -> None:
    """Taken, and not acknowledged."""


async def test_depth_age_and_consumers_are_what_rabbitmqctl_says(rabbit: Rabbit) -> None:
    aio_pika = require_module("aio_pika", "aio-pika")
    await publish(rabbit, "told", 5, made_s_ago=3_600)
    async with await aio_pika.connect(rabbit.amqp) as connection, Eye(rabbit.url, include=["told"]) as eye:
        await settled(rabbit.url, "told", messages_ready=5, consumers=0)
        began_s = time.time()
        found = (await eye.look()).last("told")
        looked_s = time.time()
        assert found["depth"] == (await rabbit.ctl("messages_ready"))["told"] == 5
        assert (found["consumers"], found["unattended"], found["pending"]) == (0, 5, 0)
        head_s = (await rabbit.ctl("head_message_timestamp"))["told"]
        assert began_s - head_s - 2 <= found["age"] <= looked_s - head_s + 2  # whole seconds
        assert found["age"] == pytest.approx(3_600, abs=START_S)
        assert "age" not in eye.told.at_least("told")

        channel = await connection.channel()  # stuck: it takes two and never acknowledges
        await channel.set_qos(prefetch_count=2)
        await (await channel.declare_queue("told", passive=True)).consume(never_done)
        await settled(rabbit.url, "told", messages_ready=3, consumers=1)
        found = (await eye.look()).last("told")
        assert found["pending"] == (await rabbit.ctl("messages_unacknowledged"))["told"] == 2
        assert (found["depth"], found["consumers"], found["unattended"], found["growth"]) == (3, 1, 0, 0)
        assert (await eye.look()).last("told")["stalled"] == pytest.approx(20)


async def test_rates_come_from_what_was_published(rabbit: Rabbit) -> None:
    """And where messages have no time, what was published tells for how long the oldest has waited at least."""
    aio_pika = require_module("aio_pika", "aio-pika")
    await publish(rabbit, "counted", 10)
    async with await aio_pika.connect(rabbit.amqp) as connection, Eye(rabbit.url, include=["counted"]) as eye:
        channel = await connection.channel()
        queue = await channel.declare_queue("counted", passive=True)
        await settled(rabbit.url, "counted", messages_ready=10, publish=10)
        assert (await eye.look()).last("counted")["depth"] == 10
        for _ in range(10):
            await (await queue.get(timeout=START_S)).ack()
        await publish(rabbit, "counted", 4)
        await settled(rabbit.url, "counted", messages_ready=4, messages_unacknowledged=0, publish=14)
        told = await eye.look()
        found = told.last("counted")
        assert (found["in_rate"], found["out_rate"]) == pytest.approx((0.4, 1.0))
        assert found["growth"] == pytest.approx(-0.6)
        assert found["time_to_drain"] == pytest.approx(4 / 0.6)
        assert told.at_least("counted") == {"age"}
        assert found["age"] == 0
        assert (await eye.look(30)).last("counted")["age"] == pytest.approx(30)


async def test_without_the_management_amqp_tells_depth_and_consumers(rabbit: Rabbit) -> None:
    await publish(rabbit, "plain", 3)
    async with Eye(rabbit.amqp, include=["plain", "not there"]) as eye:
        told = await eye.look()
        assert told.queues == {"plain"}
        found = told.last("plain")
        assert found["depth"] == (await rabbit.ctl("messages_ready"))["plain"] == 3
        assert (found["consumers"], found["unattended"]) == (0, 3)
        assert (await eye.look()).last("plain")["depth"] == 3  # over the same connection


async def test_a_virtual_host_is_named_before_its_queues(rabbit: Rabbit) -> None:
    httpx = require_module("httpx", "httpx")
    api = f"{rabbit.url}/api"
    httpx.put(f"{api}/vhosts/other", timeout=60).raise_for_status()
    httpx.put(
        f"{api}/permissions/other/guest", json=dict.fromkeys(("configure", "write", "read"), ".*"), timeout=60
    ).raise_for_status()
    httpx.put(f"{api}/queues/other/mail", json={"durable": True}, timeout=60).raise_for_status()
    async with Eye(rabbit.url, include=["other/*"]) as eye:
        await eye.seen("other/mail", {"depth": 0})
    async with Eye(f"{rabbit.url}/other") as eye:
        await eye.seen("other/mail", {"depth": 0})


@pytest.mark.parametrize(("scheme", "port"), [("http", "web"), ("amqp", "port")])
async def test_a_wrong_password_is_told_without_telling_it(rabbit: Rabbit, scheme: str, port: str) -> None:
    async with Eye(f"{scheme}://guest:hush-hush@127.0.0.1:{getattr(rabbit, port)}", include=["x"]) as eye:
        told = await eye.look()
        (reading,) = told.reports[-1]
        assert (reading.name, reading.value, reading.attributes["queue.reason"]) == ("queue.watched", 0, "login")
        assert "hush-hush" not in repr(told)


def test_amqp_needs_the_names_of_its_queues() -> None:
    with pytest.raises(SettingError, match=r"queues\.it\.include: AMQP cannot list queues"):
        Eye("amqp://localhost", include=["a*"])
