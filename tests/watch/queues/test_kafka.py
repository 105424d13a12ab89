"""Kafka, against the cluster that librdkafka carries for tests: it keeps records, offsets and commits as a broker does.

It cannot list or describe groups; what is asked of a broker that can is not tried here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from botwatch.watch.asking import Target
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.kafka import KafkaQueues
from tests.real.parts import START_S, free_port, require_module
from tests.watch.queues.parts import Eye


@dataclass
class Kafka:
    library: Any
    keeper: Any  # the cluster lives as long as the client that was told to have one
    address: str

    @property
    def url(self) -> str:
        return f"kafka://{self.address}"

    def produce(self, topic: str, count: int, partition: int, *, s_ago: float = 0) -> None:
        producer = self.library.Producer({"bootstrap.servers": self.address, "log_level": 0})
        for i in range(count):
            made_ms = int((time.time() - s_ago) * 1000)
            producer.produce(topic, f"m{i}".encode(), partition=partition, timestamp=made_ms)
        assert producer.flush(60) == 0

    def commit(self, group: str, topic: str, *offsets: int) -> None:
        consumer = self.library.Consumer(
            {"bootstrap.servers": self.address, "group.id": group, "enable.auto.commit": False, "log_level": 0}
        )
        places = [self.library.TopicPartition(topic, i, offset) for i, offset in enumerate(offsets)]
        consumer.commit(offsets=places, asynchronous=False)
        consumer.close()

    def lag(self, group: str, topic: str, partition: int) -> int:
        """By the other library."""
        consumer = self.library.Consumer({"bootstrap.servers": self.address, "group.id": group, "log_level": 0})
        place = self.library.TopicPartition(topic, partition)
        (committed,) = consumer.committed([place], timeout=60)
        _, end = consumer.get_watermark_offsets(place, timeout=60)
        consumer.close()
        return int(end - committed.offset)


@pytest.fixture(scope="module")
def kafka() -> Kafka:
    library = require_module("confluent_kafka", "confluent-kafka")
    keeper = library.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "none", "log_level": 0})
    (broker,) = keeper.list_topics(timeout=60).brokers.values()
    return Kafka(library, keeper, f"{broker.host}:{broker.port}")


async def test_lag_and_age_are_told_by_group_and_partition(kafka: Kafka) -> None:
    kafka.produce("orders", 3, 0, s_ago=30_000)
    kafka.produce("orders", 2, 0, s_ago=6_000)
    kafka.produce("orders", 4, 1, s_ago=12_000)
    kafka.commit("shop", "orders", 3, 0)
    kafka.commit("audit", "orders", 5, 4)
    async with Eye(kafka.url, include=["orders"], groups=["shop", "audit", "never came"]) as eye:
        told = await eye.look()
        while not {"age", "partition.age"} <= {*told.last("orders", "shop"), *told.last("orders", "shop", "1")}:
            told = await eye.look()  # a record that is asked for may come too late for a look
        shop, audit = told.last("orders", "shop"), told.last("orders", "audit")
        assert shop["depth"] == kafka.lag("shop", "orders", 0) + kafka.lag("shop", "orders", 1) == 6
        assert shop["age"] == pytest.approx(12_000, abs=START_S)
        parts = [told.last("orders", "shop", str(i)) for i in (0, 1)]
        assert [part["partition.depth"] for part in parts] == [kafka.lag("shop", "orders", i) for i in (0, 1)] == [2, 4]
        assert [part["partition.age"] for part in parts] == [pytest.approx(s, abs=START_S) for s in (6_000, 12_000)]
        assert (audit["depth"], audit["age"], audit["time_to_drain"]) == (0, 0, 0)
        assert told.last("orders", "never came") == {}


async def test_rates_come_from_offsets(kafka: Kafka) -> None:
    kafka.produce("rates", 10, 0)
    kafka.commit("shop", "rates", 0)
    async with Eye(kafka.url, include=["rates"], groups=["shop"]) as eye:
        await eye.look()
        kafka.produce("rates", 5, 0)
        kafka.commit("shop", "rates", 12)
        told = await eye.look()
        found = told.last("rates", "shop")
        assert (found["in_rate"], found["out_rate"], found["growth"]) == (0.5, 1.2, -0.7)
        assert found["time_to_drain"] == pytest.approx(3 / 0.7)
        assert told.at_least("rates") == set()


async def test_a_group_that_stopped_falls_behind(kafka: Kafka) -> None:
    kafka.produce("stopped", 1, 0)
    kafka.commit("shop", "stopped", 0)
    async with Eye(kafka.url, include=["stopped"], groups=["shop"]) as eye:
        for _ in range(4):
            kafka.produce("stopped", 2, 0)
            found = (await eye.look()).last("stopped", "shop")
        assert (found["growing"], found["stalled"], found["out_rate"]) == pytest.approx((30, 30, 0))


async def test_a_group_that_consumes_is_behind_by_what_it_has_not_committed(kafka: Kafka) -> None:
    """It takes records and commits as it goes. That it is told its partition saves the three seconds of joining."""
    kafka.produce("work", 20, 0)
    settings = {"bootstrap.servers": kafka.address, "group.id": "bots", "auto.offset.reset": "earliest", "log_level": 0}
    consumer = kafka.library.Consumer({**settings, "enable.auto.commit": False})
    consumer.assign([kafka.library.TopicPartition("work", 0)])
    try:
        for _ in range(8):
            record = next(found for found in iter(lambda: consumer.poll(60), None) if not found.error())
            consumer.commit(record, asynchronous=False)
        async with Eye(kafka.url, include=["work"], groups=["bots"]) as eye:
            found = (await eye.look()).last("work", "bots")
            assert found["depth"] == 20 - 8 == kafka.lag("bots", "work", 0)
    finally:
        consumer.close()


class Describes:
    """A broker of today, of which the library asks DescribeGroups in version 3."""

    def __init__(self, groups: dict[str, tuple[str, int]]) -> None:
        self._groups = groups

    async def describe_consumer_groups(self, names: list[str]) -> list[Any]:
        admin = require_module("aiokafka.protocol.admin", "aiokafka")
        member = ("id", "bot", "/10.0.0.7", b"", b"")
        told = [
            (0, name, state, "consumer", "range", [member] * members, -(2**31))
            for name, (state, members) in self._groups.items()
            if name in names
        ]
        wire = admin.DescribeGroupsResponse_v3(0, told).encode()
        return [admin.DescribeGroupsRequest_v3.RESPONSE_TYPE.decode(wire)]

    async def close(self) -> None:
        """Nothing is open."""


async def test_consumers_are_counted_by_group_and_those_it_cannot_tell_of_are_not_known() -> None:
    groups = {"shop": ("Stable", 3), "left": ("Empty", 0), "newer": ("Dead", 0), "audit": ("Stable", 1)}
    source = KafkaQueues(Target.of("kafka://nowhere:1"), Choice(), 1.0)
    source._admin = Describes(groups)
    assert await source._members(list(groups)) == {"shop": 3, "left": 0, "audit": 1}
    assert await source._members([]) == {}


async def test_a_broker_that_cannot_list_its_groups_asks_for_their_names(kafka: Kafka) -> None:
    async with Eye(kafka.url) as eye:
        (reading,) = (await eye.look()).reports[-1]
        assert reading.attributes["queue.reason"] == "answer"
        assert "name them in groups" in eye.told.happenings[0].body


async def test_a_port_nobody_listens_on_is_told() -> None:
    require_module("aiokafka", "aiokafka")
    async with Eye(f"kafka://127.0.0.1:{free_port()}", groups=["shop"]) as eye:
        (reading,) = (await eye.look()).reports[-1]
        assert reading.attributes["queue.reason"] == "unreachable"
