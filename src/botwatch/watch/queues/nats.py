"""NATS JetStream: a stream is a queue, and each of its consumers has its own view of it.

A pull consumer says how many requests wait for messages. Where none waits somebody may be at work; only
where nothing is being worked on, nobody is there.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

import orjson

from botwatch.watch.asking import Reason, Target, Trouble
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks

_PAGES_MAX: Final = 20
_CONSUMERS_MAX: Final = 100  # of one stream
_FILTERS_MAX: Final = 10  # of one consumer that are looked through for its oldest message
_LEVELS: Final = ("workqueue", "interest")  # where what was done leaves the stream: it is a queue and not a log


class NatsQueues:
    def __init__(self, target: Target, choice: Choice, timeout_s: float) -> None:
        self._target = target
        self._choice = choice
        self._timeout_s = timeout_s
        self._nats: Any = None

    async def look(self, now_s: float) -> Looks:
        try:
            await self._connect()
            streams = {stream["config"]["name"]: stream async for stream in self._all("STREAM.LIST", "streams")}
            names, left_out = self._choice.of(streams)
            looks = [look for name in names for look in await self._stream(name, streams[name], now_s)]
        except (KeyError, TypeError, ValueError):
            await self.close()
            raise Trouble(Reason.ANSWER, "the answers are not those of JetStream as we know it") from None
        except BaseException:
            await self.close()
            raise
        return Looks(looks, left_out)

    async def _connect(self) -> None:
        if self._nats is not None and self._nats.is_connected:
            return
        try:
            from nats.aio.client import Client  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            raise Trouble(Reason.LIBRARY, "the client library is missing: install botwatch[nats]") from None
        said: list[Exception] = []

        self._nats = client = Client()

        async def heard(error: Exception) -> None:
            said.append(error)
            if not client.is_connected:
                raise error  # the library would go on trying, for as long as we have

        login = self._target.login
        try:
            await client.connect(
                self._target.url,
                user=login[0] if login else None,
                password=login[1] if login else None,
                connect_timeout=ceil(self._timeout_s),
                allow_reconnect=False,
                error_cb=heard,
                name="botwatch",
            )
        except Exception as error:
            refused = any("authorization" in str(found).lower() for found in (error, *said))
            if refused:
                raise Trouble(Reason.LOGIN, "the user or password was not accepted") from None
            raise

    async def _ask(self, subject: str, **question: Any) -> Mapping[str, Any]:
        from nats import errors  # noqa: PLC0415 - an extra

        try:
            answer = await self._nats.request(
                f"$JS.API.{subject}", orjson.dumps(question) if question else b"", timeout=self._timeout_s
            )
        except errors.NoRespondersError:
            raise Trouble(Reason.ANSWER, "this server has no JetStream, or this user may not ask it") from None
        told: Mapping[str, Any] = orjson.loads(answer.data)
        if "error" in told:
            raise Trouble(Reason.ANSWER, f"JetStream refused to answer (code {int(told['error'].get('code', 0))})")
        return told

    async def _all(self, subject: str, what: str) -> AsyncIterator[Mapping[str, Any]]:
        """As many as a few pages hold."""
        offset = 0
        for _ in range(_PAGES_MAX):
            page = await self._ask(subject, offset=offset)
            items = page.get(what) or []
            for item in items:
                yield item
            offset += len(items)
            if not items or offset >= page["total"]:
                return

    async def _stream(self, name: str, stream: Mapping[str, Any], now_s: float) -> list[Look]:
        clock_s = _time_s(stream.get("ts")) or now_s
        consumers = [found async for found in self._all(f"CONSUMER.LIST.{name}", "consumers")][:_CONSUMERS_MAX]
        if not consumers:
            served = stream["config"].get("retention") in _LEVELS
            return [Look(name, int(stream["state"]["messages"]), consumers=0 if served else None)]
        return [await self._consumer(name, stream, consumer, clock_s) for consumer in consumers]

    async def _consumer(self, name: str, stream: Mapping[str, Any], told: Mapping[str, Any], clock_s: float) -> Look:
        depth, pending = int(told["num_pending"]), int(told["num_ack_pending"])
        filters = told["config"].get("filter_subjects") or [told["config"].get("filter_subject") or ">"]
        whole = filters == [">"] or sorted(filters) == sorted(stream["config"].get("subjects") or ())
        done = int(told["ack_floor"]["stream_seq"])
        oldest_s = await self._oldest_s(name, done + 1, filters) if depth + pending else None
        age_s = max(0.0, clock_s - oldest_s) if oldest_s is not None else None
        return Look(
            name,
            depth,
            group=told["name"],
            pending=pending,
            age_s=age_s if depth + pending else 0.0,
            consumers=_present(told, depth, pending),
            entered=int(stream["state"]["last_seq"]) if whole else None,
            head=str(done).encode() if depth + pending else None,
        )

    async def _oldest_s(self, stream: str, sequence: int, filters: Sequence[str]) -> float | None:
        """When the first message that is not done came in."""
        times = []
        for subject in filters[:_FILTERS_MAX]:
            with contextlib.suppress(Trouble):  # there is none of this subject, or reading it is not allowed
                found = await self._ask(f"STREAM.MSG.GET.{stream}", seq=sequence, next_by_subj=subject)
                times.append(_time_s(found["message"].get("time")))
        return min((time for time in times if time is not None), default=None)

    async def close(self) -> None:
        if self._nats is not None:
            with contextlib.suppress(Exception):
                await self._nats.close()
            self._nats = None


def _present(told: Mapping[str, Any], depth: int, pending: int) -> int | None:
    if told["config"].get("deliver_subject"):
        return int(bool(told.get("push_bound")))
    waiting = int(told.get("num_waiting") or 0)
    if waiting == 0 and (pending or not depth):
        return None
    return waiting


def _time_s(written: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(written)[:26].rstrip("Z")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
