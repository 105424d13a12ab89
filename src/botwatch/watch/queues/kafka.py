"""Kafka: a topic is a queue for each group that has committed an offset in it; its depth is the group's lag.

The age is that of the first record the group has not committed, read once for each offset. Lag and age are told
of the whole topic and of each partition.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from botwatch.limits import QUEUE_ITEM_BYTES_MAX, QUEUE_PARTS_PER_BROKER_MAX
from botwatch.watch.asking import Reason, Target, Trouble, trouble_of
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks, Part

_GROUPS_MAX: Final = 100
_AGES_READ_MAX: Final = 200  # partitions whose first record is read in one look; the others follow in the next
_POLL_MS: Final = 300
_POLLS_MAX: Final = 5
_LEAD_S: Final = 86_400  # a record dated further ahead has no believable time
Place = tuple[str, int]


class KafkaQueues:
    """`kafka://host:9092,other:9092`, `kafkas://` with TLS. `?mechanism=SCRAM-SHA-256` where it is not PLAIN."""

    def __init__(self, target: Target, choice: Choice, timeout_s: float, *, groups: Choice | None = None) -> None:
        self._target = target
        self._choice = choice
        self._groups = groups or Choice()
        self._timeout_s = timeout_s
        self._admin: Any = None
        self._consumer: Any = None
        self._dated: dict[tuple[Place, int], float | None] = {}

    async def look(self, now_s: float) -> Looks:
        try:
            return await self._look(now_s)
        except BaseException as error:
            await self.close()
            if isinstance(error, Exception):
                raise _trouble_of(error) from None
            raise

    async def _look(self, now_s: float) -> Looks:
        await self._connect()
        topics = {topic["topic"]: topic for topic in await self._admin.describe_topics() if not topic["is_internal"]}
        names, left_out = self._choice.of(topics)
        places = [(name, part["partition"]) for name in names for part in topics[name]["partitions"]]
        places = places[:QUEUE_PARTS_PER_BROKER_MAX]
        groups = await self._group_names()
        committed = {group: await self._committed(group, places) for group in groups}
        used = sorted({place for offsets in committed.values() for place in offsets})
        ends = await self._ends(used)
        members = await self._members([group for group, offsets in committed.items() if offsets])
        wanted = {
            (place, offset)
            for offsets in committed.values()
            for place, offset in offsets.items()
            if offset < ends[place]
        }
        await self._date(wanted)
        looks = [
            look
            for group, offsets in committed.items()
            for look in self._of_group(group, offsets, ends, members.get(group), now_s)
        ]
        return Looks(looks, left_out)

    async def _connect(self) -> None:
        if self._consumer is not None:
            return
        from aiokafka import AIOKafkaConsumer  # noqa: PLC0415 - an extra
        from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415

        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we say what is wrong, once and without addresses
        shared = _access(self._target, self._timeout_s)
        self._admin = AIOKafkaAdminClient(**shared)
        await self._admin.start()
        self._consumer = AIOKafkaConsumer(
            **shared,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=QUEUE_ITEM_BYTES_MAX,
        )
        await self._consumer.start()

    async def _group_names(self) -> Sequence[str]:
        """Named groups need no listing, which a user may not be allowed, or a broker not be able to do."""
        names: set[str] = set(self._groups.named)
        if self._groups.patterns:
            names.update(group[0] for group in await self._admin.list_consumer_groups())
        return self._groups.of(names)[0][:_GROUPS_MAX]

    async def _committed(self, group: str, places: Sequence[Place]) -> dict[Place, int]:
        if not places:
            return {}
        told = await self._admin.list_consumer_group_offsets(group, partitions=_partitions(places))
        return {(at.topic, at.partition): found.offset for at, found in told.items() if found.offset >= 0}

    async def _ends(self, places: Sequence[Place]) -> dict[Place, int]:
        if not places:
            return {}
        told = await self._consumer.end_offsets(_partitions(places))
        return {(at.topic, at.partition): offset for at, offset in told.items()}

    async def _members(self, groups: Sequence[str]) -> dict[str, int]:
        """How many consumers each group has; nothing where the broker does not describe groups.

        Each is asked for by itself: of an answer with several the library reads only the first one right.
        """
        from aiokafka import errors  # noqa: PLC0415 - an extra

        told: list[Any] = []
        try:
            for group in groups:
                told += await self._admin.describe_consumer_groups([group])
        except (errors.IncompatibleBrokerVersion, errors.GroupAuthorizationFailedError):
            return {}
        return dict(_counted(group) for answer in told for group in answer.groups if _is_described(group))

    async def _date(self, wanted: set[tuple[Place, int]]) -> None:
        """When the record at each offset was made. What is no longer asked for is forgotten."""
        self._dated = {key: dated for key, dated in self._dated.items() if key in wanted}
        missing = dict(sorted(wanted - self._dated.keys())[:_AGES_READ_MAX])
        if not missing:
            return
        partitions = {(at.topic, at.partition): at for at in _partitions(missing)}
        self._consumer.assign(list(partitions.values()))
        try:
            for place, offset in missing.items():
                self._consumer.seek(partitions[place], offset)
            for _ in range(_POLLS_MAX):
                for at, records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).items():
                    place = (at.topic, at.partition)
                    if records and place in missing:
                        self._dated[place, missing.pop(place)] = _seconds(records[0])
                if not missing:
                    break
        finally:
            self._consumer.unsubscribe()

    def _of_group(
        self, group: str, offsets: Mapping[Place, int], ends: Mapping[Place, int], members: int | None, now_s: float
    ) -> Iterable[Look]:
        topics: dict[str, list[Part]] = defaultdict(list)
        entered: dict[str, int] = defaultdict(int)
        for (topic, partition), offset in sorted(offsets.items()):
            end = ends[topic, partition]
            depth = max(0, end - offset)
            age_s = _age_s(self._dated.get(((topic, partition), offset)), now_s) if depth else 0.0
            topics[topic].append(Part(partition, depth, age_s))
            entered[topic] += end
        for topic, parts in topics.items():
            ages = [part.age_s for part in parts if part.age_s is not None]
            yield Look(
                topic,
                sum(part.depth for part in parts),
                group=group,
                age_s=max(ages) if len(ages) == len(parts) else None,
                consumers=members,
                entered=entered[topic],
                parts=tuple(parts),
            )

    async def close(self) -> None:
        admin, consumer, self._admin, self._consumer = self._admin, self._consumer, None, None
        for part in (consumer.stop() if consumer else None, admin.close() if admin else None):
            if part is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(part, self._timeout_s)


def _access(target: Target, timeout_s: float) -> dict[str, Any]:
    parts = urlsplit(target.url)
    tls = parts.scheme == "kafkas"
    login = target.login
    access: dict[str, Any] = {
        "bootstrap_servers": parts.netloc.split(","),
        "request_timeout_ms": int(timeout_s * 1_000),
        "client_id": "botwatch",
        "security_protocol": ("SASL_" if login else "") + ("SSL" if tls else "PLAINTEXT"),
    }
    if tls:
        from aiokafka.helpers import create_ssl_context  # noqa: PLC0415 - an extra

        access["ssl_context"] = create_ssl_context()
    if login:
        access["sasl_mechanism"] = parse_qs(parts.query).get("mechanism", ["PLAIN"])[0]
        access["sasl_plain_username"], access["sasl_plain_password"] = login
    return access


def _is_described(group: Sequence[Any]) -> bool:
    """A group of Kafka's newer protocol is told as dead, and that says nothing of its members."""
    error, _, state, *_ = group
    return not error and state != "Dead"


def _counted(group: Sequence[Any]) -> tuple[str, int]:
    _, name, _, _, _, members, *_ = group
    return name, len(members)


def _partitions(places: Iterable[Place]) -> list[Any]:
    from aiokafka import TopicPartition  # noqa: PLC0415 - an extra

    return [TopicPartition(topic, partition) for topic, partition in places]


def _seconds(record: Any) -> float | None:
    return record.timestamp / 1_000 if record.timestamp and record.timestamp > 0 else None


def _age_s(dated_s: float | None, now_s: float) -> float | None:
    return None if dated_s is None or dated_s > now_s + _LEAD_S else max(0.0, now_s - dated_s)


def _trouble_of(error: Exception) -> Trouble:
    if isinstance(error, ModuleNotFoundError):
        return Trouble(Reason.LIBRARY, "the client library is missing: install botwatch[kafka]")
    from aiokafka import errors  # noqa: PLC0415 - an extra

    found: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Trouble], ...] = (
        (
            (errors.AuthenticationFailedError, errors.SaslAuthenticationFailed),
            Trouble(Reason.LOGIN, "the user or password was not accepted"),
        ),
        (
            (errors.TopicAuthorizationFailedError, errors.GroupAuthorizationFailedError),
            Trouble(Reason.FORBIDDEN, "this user may not read these topics or groups"),
        ),
        (
            errors.IncompatibleBrokerVersion,
            Trouble(Reason.ANSWER, "this broker cannot list its groups: name them in groups"),
        ),
        (errors.RequestTimedOutError, trouble_of(TimeoutError())),
        (errors.KafkaConnectionError, trouble_of(OSError())),
    )
    return next((trouble for kinds, trouble in found if isinstance(error, kinds)), trouble_of(error))
