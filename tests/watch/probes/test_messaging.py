"""RabbitMQ, NATS: the real ones. Kafka: librdkafka's own mock cluster. MongoDB: an endpoint with its protocol."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from typing import Any

import bson
import pytest

from botwatch.watch.probes.model import Status
from tests.real.parts import require_module
from tests.watch.probes.answering import Handler, serving
from tests.watch.probes.conftest import PASSWORD, Monitored
from tests.watch.probes.looking import Collected, described, fast, figure, look, until, until_status, watching


async def test_rabbitmq_lets_a_client_in(rabbitmq: Monitored) -> None:
    view = await look("rabbitmq", f"amqp://guest:guest@127.0.0.1:{rabbitmq.part.port}")
    assert (view.status, view.reason) == (Status.RUNNING, "")
    assert view.version.count(".") == 2


@pytest.mark.parametrize(
    ("login", "place", "reason"),
    [
        ("guest:wrong", "", "it answers, and does not accept the user or password"),
        ("guest:guest", "/nowhere", "it answers, and does not let this user into the virtual host"),
    ],
)
async def test_rabbitmq_that_does_not_let_us_in_is_unknown(
    rabbitmq: Monitored, login: str, place: str, reason: str
) -> None:
    view = await look("rabbitmq", f"amqp://{login}@127.0.0.1:{rabbitmq.part.port}{place}")
    assert (view.status, view.reason) == (Status.UNKNOWN, reason)


async def test_rabbitmq_tells_its_figures_by_its_management(rabbitmq: Monitored) -> None:
    async with watching(fast(described("rabbitmq", f"http://guest:guest@127.0.0.1:{rabbitmq.monitoring}"))) as services:
        # It notes by and by that the connections of other tests have ended.
        view = await until(services, "rabbitmq", lambda view: figure(view, "connections") == 0)
    assert (view.status, view.reason, view.headline) == (Status.RUNNING, "", "0 messages")
    assert figure(view, "queues") == 0


async def test_nats_answers_a_ping(nats: Monitored) -> None:
    view = await look("nats", f"nats://bot:{PASSWORD}@127.0.0.1:{nats.part.port}")
    assert (view.status, view.reason, view.version.count(".")) == (Status.RUNNING, "", 2)
    wrong = await look("nats", f"nats://bot:wrong@127.0.0.1:{nats.part.port}")
    assert (wrong.status, wrong.reason) == (
        Status.UNKNOWN,
        "it answers, and does not accept the user, password or token",
    )


async def test_nats_tells_its_figures_by_its_monitoring(nats: Monitored) -> None:
    async with watching(fast(described("nats", f"http://127.0.0.1:{nats.monitoring}"))) as services:
        view = await until(services, "nats", lambda view: figure(view, "connections") == 0)
        view = await until(services, "nats", lambda view: figure(view, "messages.rate") is not None)
    assert view.status is Status.RUNNING
    assert (figure(view, "memory") or 0) > 0
    assert figure(view, "messages.rate") == 0


async def test_nats_that_is_about_to_stop_is_degraded() -> None:
    async def leaving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"version":"2.10.1","ldm":true}\r\n')
        while await reader.readline():
            writer.write(b"PONG\r\n")

    async with serving(leaving) as port:
        view = await look("nats", f"nats://127.0.0.1:{port}")
    assert (view.status, view.version) == (Status.DEGRADED, "2.10.1")


@pytest.fixture(scope="module")
def kafka() -> Iterator[str]:
    producer = require_module("confluent_kafka", "confluent-kafka").Producer(
        {"bootstrap.servers": "nobody:1", "test.mock.num.brokers": 2, "log_level": 0}
    )
    metadata = producer.list_topics(timeout=60)
    producer.produce("orders", b"one")
    producer.flush(60)
    broker = metadata.brokers[min(metadata.brokers)]
    yield f"kafka://{broker.host}:{broker.port}"
    del producer


async def test_kafka_counts_brokers_topics_and_partitions(kafka: str) -> None:
    view = await look("kafka", kafka, times=2)
    assert (view.status, view.reason, view.headline) == (Status.RUNNING, "", "2 brokers, 1 topics")
    assert (figure(view, "partitions"), figure(view, "partitions.leaderless")) == (4, 0)


def mongod(status: dict[str, Any]) -> Handler:
    """Answers commands as a single MongoDB does. What it answers to `serverStatus` is given."""
    me: dict[str, Any] = {"isWritablePrimary": True, "maxWireVersion": 21, "minWireVersion": 0}
    me["maxBsonObjectSize"] = 16_777_216
    me |= {"maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "ok": 1.0}
    answers: dict[str, dict[str, Any]] = {"hello": me, "ismaster": me | {"ismaster": True}}
    answers["buildInfo"] = {"version": "7.0.14", "ok": 1.0}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            size, number, _, code = struct.unpack("<iiii", await reader.readexactly(16))
            body = await reader.readexactly(size - 16)
            if code == 2004:  # OP_QUERY, which greets
                name, document = "ismaster", bson.encode(answers["ismaster"])
                writer.write(struct.pack("<iiiiiqii", 36 + len(document), 1, number, 1, 8, 0, 0, 1) + document)
                continue
            name = next(iter(bson.decode(body[5:])))
            document = bson.encode(status if name == "serverStatus" else answers.get(name, {"ok": 1.0}))
            writer.write(struct.pack("<iiiiIB", 21 + len(document), 1, number, 2013, 0, 0) + document)

    return answer


async def test_mongodb_tells_its_connections_and_memory() -> None:
    status = {"connections": {"current": 30, "available": 70}, "mem": {"resident": 512}, "opcounters": {"query": 7}}
    async with serving(mongod(status | {"ok": 1.0})) as port:
        view = await look("mongodb", f"mongodb://127.0.0.1:{port}", times=2)
    assert (view.status, view.version, view.headline) == (Status.RUNNING, "7.0.14", "30/100 connections")
    assert (figure(view, "memory"), figure(view, "operations.rate")) == (512 * 2**20, 0)


async def test_mongodb_whose_connections_are_used_up_is_degraded() -> None:
    async with serving(mongod({"connections": {"current": 95, "available": 5}, "ok": 1.0})) as port:
        view = await look("mongodb", f"mongodb://127.0.0.1:{port}")
    assert (view.status, view.reason) == (Status.DEGRADED, "95 of 100 connections are in use")


async def test_mongodb_runs_without_figures_where_the_user_may_not_see_them() -> None:
    refused = {"ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "the secret text of a server"}
    async with serving(mongod(refused)) as port:
        view = await look("mongodb", f"mongodb://127.0.0.1:{port}")
    assert (view.status, view.reason, view.figures) == (
        Status.RUNNING,
        "its user may not read serverStatus: no figures",
        (),
    )


async def test_a_message_broker_is_followed_both_ways_it_is_asked(rabbitmq: Monitored, nats: Monitored) -> None:
    urls = {
        "rabbitmq": f"amqp://guest:guest@127.0.0.1:{rabbitmq.part.port}",
        "management": f"http://guest:guest@127.0.0.1:{rabbitmq.monitoring}",
        "nats": f"nats://bot:{PASSWORD}@127.0.0.1:{nats.part.port}",
    }
    kinds = {"management": {"kind": "rabbitmq"}}
    reporter = Collected()
    watched = [fast(described(name, url, **kinds.get(name, {})), timeout_s=2.0) for name, url in urls.items()]
    async with watching(*watched, reporter=reporter) as services:
        for name in urls:
            await until_status(services, name, Status.RUNNING)
        with rabbitmq.part.paused():
            for name in ("rabbitmq", "management"):
                view = await until_status(services, name, Status.STOPPED)
                assert view.reason == "there was no answer within 2 s"
        for name in ("rabbitmq", "management"):
            await until_status(services, name, Status.RUNNING)
        async with rabbitmq.part.stopped():
            for name in ("rabbitmq", "management"):
                assert (await until_status(services, name, Status.STOPPED)).reason
        for name in ("rabbitmq", "management"):
            await until_status(services, name, Status.RUNNING)
    assert set(reporter.values("service.up", "nats")) == {1}
