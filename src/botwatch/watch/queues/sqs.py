"""Amazon SQS: its own approximate counts, and the age of the oldest message as CloudWatch tells it.

Every question costs money: ask once a minute. AWS signs by its own library, which blocks: it has threads of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

from botwatch.watch.asking import Reason, Target, Trouble, trouble_of
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks

T = TypeVar("T")
_THREADS: Final = 8
_NAMES_MAX: Final = 10_000
_ATTRIBUTES: Final = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
_AGE_WITHIN: Final = timedelta(minutes=10)
_LOGIN: Final = ("InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId", "UnrecognizedClientException")
_FORBIDDEN: Final = ("AccessDenied", "AccessDeniedException", "AuthorizationError")


class SqsQueues:
    """`sqs://eu-west-1`, or an address of something that speaks SQS, with `?region=`. Without user and password the
    usual places are looked in for credentials: environment, files, the machine's role."""

    def __init__(self, target: Target, choice: Choice, timeout_s: float) -> None:
        self._target = target
        self._choice = choice
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sqs")
        self._clients: tuple[Any, Any] | None = None

    async def look(self, now_s: float) -> Looks:
        sqs, cloudwatch = await self._run(self._connected)
        urls = await self._run(lambda: self._urls(sqs))
        names, left_out = self._choice.of(urls)
        ages = self._run(lambda: _ages(cloudwatch, names, now_s))
        told, found_ages = await asyncio.gather(
            asyncio.gather(*(self._run(partial(_counts, sqs, urls[name])) for name in names)), ages
        )
        looks = [
            Look(name, depth, pending=pending, age_s=found_ages.get(name) if depth + pending else 0.0)
            for name, (depth, pending) in zip(names, told, strict=True)
        ]
        return Looks(looks, left_out)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: _told(work))

    def _connected(self) -> tuple[Any, Any]:
        if self._clients is None:
            import boto3  # noqa: PLC0415 - an extra
            from botocore.config import Config  # noqa: PLC0415

            parts = urlsplit(self._target.url)
            own = parts.scheme in ("http", "https")
            region = parse_qs(parts.query).get("region", [""])[0] if own else parts.hostname
            login = self._target.login
            session = boto3.session.Session(
                aws_access_key_id=login[0] if login else None,
                aws_secret_access_key=login[1] if login else None,
                region_name=region or None,
            )
            config = Config(
                connect_timeout=self._timeout_s, read_timeout=self._timeout_s, retries={"total_max_attempts": 1}
            )
            endpoint = f"{parts.scheme}://{parts.netloc}" if own else None
            self._clients = (
                session.client("sqs", endpoint_url=endpoint, config=config),
                session.client("cloudwatch", endpoint_url=endpoint, config=config),
            )
        return self._clients

    def _urls(self, sqs: Any) -> dict[str, str]:
        """An answer without a request's id is none of SQS, whatever the library makes of it."""
        paginator = sqs.get_paginator("list_queues")
        pages = list(paginator.paginate(PaginationConfig={"PageSize": 1_000, "MaxItems": _NAMES_MAX}))
        if not all(page["ResponseMetadata"].get("RequestId") for page in pages):
            raise Trouble(Reason.ANSWER, "expected the API of SQS: is this its address?")
        return {url.rpartition("/")[2]: url for page in pages for url in page.get("QueueUrls", ())}

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _counts(sqs: Any, url: str) -> tuple[int, int]:
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_ATTRIBUTES)["Attributes"]
    depth, pending = (int(told[name]) for name in _ATTRIBUTES)
    return depth, pending


def _ages(cloudwatch: Any, names: Sequence[str], now_s: float) -> dict[str, float]:
    """Nothing where CloudWatch may not be read: depth is told all the same."""
    if not names:
        return {}
    now = datetime.fromtimestamp(now_s, UTC)
    try:
        told = cloudwatch.get_metric_data(
            MetricDataQueries=[_age_of(f"q{i}", name) for i, name in enumerate(names)],
            StartTime=now - _AGE_WITHIN,
            EndTime=now + timedelta(minutes=1),
            ScanBy="TimestampDescending",
        )
        return {
            names[int(found["Id"][1:])]: float(found["Values"][0])
            for found in told["MetricDataResults"]
            if found["Values"]
        }
    except Exception as error:
        if trouble_of_aws(error).reason in (Reason.FORBIDDEN, Reason.LOGIN, Reason.ANSWER):
            return {}
        raise


def _age_of(name: str, queue: str) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": queue}],
    }
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except Exception as error:
        raise trouble_of_aws(error) from None


def trouble_of_aws(error: Exception) -> Trouble:
    if isinstance(error, Trouble):
        return error
    if isinstance(error, ModuleNotFoundError):
        return Trouble(Reason.LIBRARY, "the client library is missing: install botwatch[aws]")
    from botocore import exceptions  # noqa: PLC0415 - an extra

    if isinstance(error, exceptions.ClientError):
        code = str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2]
        if code in _LOGIN:
            return Trouble(Reason.LOGIN, "AWS did not accept these credentials")
        if code in _FORBIDDEN:
            return Trouble(Reason.FORBIDDEN, "these credentials may not read the queues")
    for kinds, trouble in (
        (
            (exceptions.NoCredentialsError, exceptions.PartialCredentialsError),
            Trouble(Reason.LOGIN, "there are no AWS credentials: give user and password, or a role"),
        ),
        (exceptions.NoRegionError, Trouble(Reason.ANSWER, "expected a region, as in sqs://eu-west-1")),
        ((exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError), trouble_of(TimeoutError())),
        (exceptions.SSLError, Trouble(Reason.TLS, "TLS failed: is this an address of SQS?")),
        (exceptions.EndpointConnectionError, trouble_of(ConnectionRefusedError())),
    ):
        if isinstance(error, kinds):
            return trouble
    return trouble_of(error)
