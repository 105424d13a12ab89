"""Redis or Valkey: lists, and streams with their groups.

A list carries no times: how long its oldest element has been the oldest is what it waited at least. With
`time_field` the elements are JSON and the field holds when each was made. The id of a stream's entry is its time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.watch.asking import Target
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks
from botwatch.watch.queues.redis_client import Found, RedisClient, age_s, fields, head, number, text
from botwatch.watch.queues.resp import Command, digest

ACTIVE_S: Final = 60  # a consumer that was heard of so lately is there
_GROUPS_MAX: Final = 100  # of one stream


class RedisQueues:
    """Which lists and streams there are is looked up once a minute; what was named needs no looking up."""

    def __init__(
        self, target: Target, choice: Choice, timeout_s: float, *, oldest: str = "right", time_field: str = ""
    ) -> None:
        self._client = RedisClient(target, timeout_s)
        self._patterns = choice.patterns
        self._found = Found(choice)
        self._oldest = -1 if oldest == "right" else 0
        self._time_field = time_field

    async def look(self, now_s: float) -> Looks:
        clock_s = await self._client.now_s()
        if self._found.due(now_s):
            for pattern in self._patterns:
                for kind in ("list", "stream"):
                    self._found.add(await self._client.scan(pattern, kind))
        names, left_out = self._found.chosen()
        kinds = [text(kind) for kind in await self._client.ask_many([("TYPE", name) for name in names])]
        lists = [name for name, kind in zip(names, kinds, strict=True) if kind in ("list", "none")]
        streams = [name for name, kind in zip(names, kinds, strict=True) if kind == "stream"]
        looks = [*await self._lists(lists, clock_s), *await look_at_streams(self._client, streams, clock_s)]
        return Looks(looks, left_out)

    async def _lists(self, names: Sequence[str], clock_s: float) -> list[Look]:
        commands: list[Command] = [("LLEN", name) for name in names]
        commands += [("LINDEX", name, self._oldest) for name in names]
        answers = await self._client.ask_many(commands)
        found = zip(names, answers[: len(names)], answers[len(names) :], strict=True)
        return [self._list(name, number(depth), first, clock_s) for name, depth, first in found]

    def _list(self, name: str, depth: int | None, first: Any, clock_s: float) -> Look:
        if depth == 0:
            return Look(name, 0, age_s=0.0)
        age = age_s(clock_s, time_in(head(first), self._time_field)) if self._time_field else None
        return Look(name, depth, age_s=age, head=digest(first))

    async def close(self) -> None:
        await self._client.close()


def time_in(message: bytes | None, path: str) -> float | None:
    """The time in a field of a JSON document, `a.b` for nested ones; in seconds, or in milliseconds if it is large."""
    try:
        value = json.loads(message or b"")
        for name in path.split("."):
            value = value[name]
        seconds = float(value)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return seconds / 1_000 if seconds > 1e11 else seconds


@dataclass(frozen=True, slots=True)
class _Group:
    stream: str
    entered: int | None
    last_id: str
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        return text(self.told["name"])

    @property
    def delivered_id(self) -> str:
        return text(self.told["last-delivered-id"])

    @property
    def depth(self) -> int | None:
        """`lag` came with Redis 7, and is unknown after some deletions; that all is delivered can still be seen."""
        lag = number(self.told.get("lag"))
        return 0 if lag is None and self.delivered_id == self.last_id else lag


async def look_at_streams(client: RedisClient, names: Sequence[str], clock_s: float) -> list[Look]:
    commands: list[Command] = [("XINFO", "STREAM", name) for name in names]
    commands += [("XINFO", "GROUPS", name) for name in names]
    answers = await client.ask_many(commands)
    looks: list[Look] = []
    groups: list[_Group] = []
    for name, stream, told in zip(names, answers[: len(names)], answers[len(names) :], strict=True):
        if isinstance(stream, Exception) or isinstance(told, Exception):
            continue  # it went between two questions
        facts = fields(stream)
        if not told:
            looks.append(Look(name, number(facts["length"])))
        entered, last_id = number(facts.get("entries-added")), text(facts["last-generated-id"])
        groups += [_Group(name, entered, last_id, fields(group)) for group in told[:_GROUPS_MAX]]
    return looks + await _look_at_groups(client, groups, clock_s)


async def _look_at_groups(client: RedisClient, groups: Sequence[_Group], clock_s: float) -> list[Look]:
    commands: list[Command] = []
    for group in groups:
        commands += [
            ("XPENDING", group.stream, group.name),
            ("XRANGE", group.stream, f"({group.delivered_id}", "+", "COUNT", 1),
            ("XINFO", "CONSUMERS", group.stream, group.name),
        ]
    answers = await client.ask_many(commands)
    return [
        _look_at_group(group, answers[3 * i : 3 * i + 3], clock_s)
        for i, group in enumerate(groups)
        if not any(isinstance(answer, Exception) for answer in answers[3 * i : 3 * i + 3])
    ]


def _look_at_group(group: _Group, answers: Sequence[Any], clock_s: float) -> Look:
    pending, waiting, consumers = answers
    taken = int(pending[0])
    ids = [text(pending[1])] if taken else []
    ids += [text(waiting[0][0])] if waiting else []
    oldest = min(ids, key=lambda found: tuple(map(int, found.split("-"))), default="")
    return Look(
        group.stream,
        group.depth,
        group=group.name,
        pending=taken,
        age_s=age_s(clock_s, int(oldest.partition("-")[0]) / 1_000) if oldest else 0.0,
        consumers=_present([fields(consumer) for consumer in consumers], group.depth),
        entered=group.entered,
        head=oldest.encode() or None,
    )


def _present(consumers: Sequence[Mapping[str, Any]], depth: int | None) -> int | None:
    """How many are there. A name outlives its consumer, and one at work is not heard of: then nobody knows."""
    active = [consumer for consumer in consumers if int(consumer["idle"]) < ACTIVE_S * 1_000]
    if active or not consumers:
        return len(active)
    if depth and not any(int(consumer["pending"]) for consumer in consumers):
        return 0
    return None
