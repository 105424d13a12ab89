"""Kafka: its brokers, topics and partitions, as a client sees them. Needs the extra `kafka`."""

from __future__ import annotations

import logging
import time
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status, amount, figures
from botwatch.watch.probes.stream import Stream
from botwatch.watch.probes.web import tls_context

PORT: Final = 9092
_WAIT, _SLOW = 0.9, 0.8  # of the time we wait: the library cleans up better than when it is given up
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells every failure as an error; we tell it as a state


class Kafka:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._admin: Any = None

    async def ask(self) -> Finding:
        try:
            from aiokafka import errors  # noqa: PLC0415 - an extra
        except ImportError:
            raise Trouble(Reason.LIBRARY, "needs the client aiokafka: pip install 'botwatch[kafka]'") from None
        began_s = time.monotonic()
        admin, self._admin = self._admin, None
        try:
            admin = admin or await self._open()
            cluster = await admin.describe_cluster()
            topics = await admin.describe_topics()
        except (errors.KafkaConnectionError, errors.NodeNotReadyError, errors.KafkaTimeoutError) as error:
            await _end(admin)
            return await self._why(error, time.monotonic() - began_s)
        except BaseException as error:
            await _end(admin)
            if isinstance(error, errors.KafkaError):
                raise Trouble(Reason.LOGIN, "it answers, and does not accept the user or password") from None
            raise
        self._admin = admin
        return _found(cluster, topics, time.monotonic() - began_s)

    async def _open(self) -> Any:
        from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415 - an extra

        service = self._service
        tls = service.target.scheme in ("kafkas", "kafka+ssl")
        login = service.target.login
        how: dict[str, Any] = {"security_protocol": ("SASL_" if login else "") + ("SSL" if tls else "PLAINTEXT")}
        if login:
            asked = parse_qs(urlsplit(service.target.url).query).get("mechanism", ["PLAIN"])[0]
            how |= {"sasl_mechanism": asked, "sasl_plain_username": login[0], "sasl_plain_password": login[1]}
        admin = AIOKafkaAdminClient(
            bootstrap_servers=f"{service.target.host}:{service.target.port or PORT}",
            client_id="botwatch",
            request_timeout_ms=int(1_000 * _WAIT * service.timeout_s),
            ssl_context=tls_context(service.ca_file) if tls else None,
            **how,
        )
        try:
            await admin.start()
        except BaseException:
            await _end(admin)
            raise
        return admin

    async def _why(self, error: Exception, took_s: float) -> Finding:
        """The library tells only that it has no connection: why is asked anew."""
        async with await Stream.open(self._service, PORT):
            pass
        if took_s > _SLOW * self._service.timeout_s:
            raise Trouble(Reason.TIMEOUT, "it takes connections, and does not answer as Kafka does") from None
        if self._service.target.login:
            return Finding(Status.UNKNOWN, "it answers, and does not let this user in as a Kafka broker would")
        return Finding(
            Status.UNKNOWN, f"something listens there, and does not answer as Kafka ({type(error).__name__})"
        )

    async def close(self) -> None:
        if self._admin is not None:
            await _end(self._admin)


async def _end(admin: Any) -> None:
    if admin is not None:
        await admin.close()


def _found(cluster: dict[str, Any], topics: list[dict[str, Any]], took_s: float) -> Finding:
    brokers = len(cluster.get("brokers", ()))
    partitions = [partition for topic in topics for partition in topic.get("partitions", ())]
    headless = sum(partition.get("leader", -1) < 0 for partition in partitions)
    behind = sum(len(partition.get("isr", ())) < len(partition.get("replicas", ())) for partition in partitions)
    reason = ""
    if headless:
        reason = f"{headless} partitions have no leader: they take and give nothing"
    elif behind:
        reason = f"{behind} partitions have copies that are behind"
    return Finding(
        Status.DEGRADED if reason else Status.RUNNING,
        reason,
        headline=f"{amount(brokers)} brokers, {amount(len(topics))} topics",
        figures=figures(
            ("brokers", float(brokers), "{broker}"),
            ("topics", float(len(topics)), "{topic}"),
            ("partitions", float(len(partitions)), "{partition}"),
            ("partitions.leaderless", float(headless), "{partition}"),
            ("partitions.under_replicated", float(behind), "{partition}"),
        ),
        latency_s=took_s,
    )
