"""SQS, against moto's server: what boto3 itself is told of the same queues."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.real.parts import Process, require_module
from tests.watch.queues.parts import Eye

SERVE = (
    "import sys; from moto.server import ThreadedMotoServer; from threading import Event; "
    "server = ThreadedMotoServer(ip_address='127.0.0.1', port=0); server.start(); "
    "print('listening on', server.get_host_and_port()[1], flush=True); Event().wait()"
)
KEYS = {"aws_access_key_id": "bot", "aws_secret_access_key": "hush-hush", "region_name": "eu-west-1"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import sys

    require_module("moto", "moto")
    with Process([sys.executable, "-c", SERVE], Path(tmp_path_factory.mktemp("moto")) / "moto.log") as server:
        yield f"127.0.0.1:{server.wait_for_line('listening on (.+)')[1]}"


def client(kind: str, address: str) -> Any:
    return require_module("boto3", "boto3").client(kind, endpoint_url=f"http://{address}", **KEYS)


def url(address: str) -> str:
    return f"sqs+http://bot:hush-hush@{address}/?region=eu-west-1"


async def test_depth_and_age_are_what_aws_says(address: str) -> None:
    sqs, cloudwatch = client("sqs", address), client("cloudwatch", address)
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.create_queue(QueueName="orders-dead")
    for i in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=str(i))
    sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=2, VisibilityTimeout=3_600)  # taken for as long as we look
    cloudwatch.put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": "orders"}],
                "Timestamp": datetime.now(UTC),
                "Value": 84.0,
            }
        ],
    )
    async with Eye(url(address), include=["orders*"], exclude=["*-dead"]) as eye:
        told = await eye.look()
        assert told.queues == {"orders"}
        found = told.last("orders")
        asked = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        says = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=asked)["Attributes"]
        assert [found["depth"], found["pending"]] == [int(says[name]) for name in asked] == [3, 2]
        assert found["age"] == 84
        assert "consumers" not in found
        for i in range(10):
            sqs.send_message(QueueUrl=queue, MessageBody=str(i))
        found = (await eye.look(60)).last("orders")
        assert (found["growth"], found["growing"]) == pytest.approx((10 / 60, 60))
        assert "hush-hush" not in repr(eye.told)


async def test_an_empty_queue_has_no_age(address: str) -> None:
    client("sqs", address).create_queue(QueueName="empty")
    async with Eye(url(address), include=["empty"]) as eye:
        found = (await eye.look()).last("empty")
        assert (found["depth"], found["pending"], found["age"]) == (0, 0, 0)


async def test_a_service_that_is_away_is_told() -> None:
    from tests.real.parts import free_port

    require_module("boto3", "boto3")
    async with Eye(url(f"127.0.0.1:{free_port()}")) as eye:
        (reading,) = (await eye.look()).reports[-1]
        assert reading.attributes["queue.reason"] == "refused"
