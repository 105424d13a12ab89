"""Any AMQP 0-9-1 broker, where there is no management API: a passive declaration tells depth and consumers.

There is no way to ask for the names: those to watch have to be given.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from botwatch.watch.asking import Reason, Target, Trouble
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.look import Look, Looks


class AmqpQueues:
    def __init__(self, target: Target, choice: Choice, timeout_s: float) -> None:
        self._target = target
        self._names, self._left_out = choice.of(choice.named)
        self._timeout_s = timeout_s
        self._connection: Any = None
        self._transport: asyncio.BaseTransport | None = None

    async def look(self, now_s: float) -> Looks:
        del now_s
        try:
            connection = await self._connected()
            looks = [look for name in self._names if (look := await self._queue(connection, name))]
        except BaseException:
            await self.close()
            raise
        return Looks(looks, self._left_out)

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed:
            try:
                import aiormq  # noqa: PLC0415 - an extra
            except ModuleNotFoundError:
                raise Trouble(Reason.LIBRARY, "the client library is missing: install botwatch[amqp]") from None
            logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # we say what is wrong, once and without addresses
            connection = aiormq.Connection(
                self._target.with_password, transport_factory=self._opener(aiormq.connection)
            )
            try:
                await connection.connect()
            except (aiormq.exceptions.AuthenticationError, aiormq.exceptions.ProbableAuthenticationError):
                raise Trouble(Reason.LOGIN, "the user or password was not accepted") from None
            except aiormq.exceptions.ConnectionNotAllowed:
                raise Trouble(Reason.FORBIDDEN, "this user may not use this virtual host") from None
            self._connection = connection
        return self._connection

    def _opener(self, library: Any) -> Any:
        """What opens the connection; the library forgets it where the other side never greets."""
        tls = self._target.scheme == "amqps"
        factory = library.TLSTransportFactory() if tls else library.TCPTransportFactory()

        class Opener(library.TransportFactory):  # type: ignore[misc]
            async def create(_, url: Any, **more: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
                reader, writer = await factory.create(url, **more)
                self._transport = writer.transport
                return reader, writer

        return Opener()

    async def _queue(self, connection: Any, name: str) -> Look | None:
        """None where there is no such queue: that closes the channel, so each question has its own."""
        from aiormq import exceptions  # noqa: PLC0415 - an extra

        channel = await connection.channel()
        try:
            told = await channel.queue_declare(name, passive=True, timeout=self._timeout_s)
        except exceptions.ChannelNotFoundEntity:
            return None
        except exceptions.ChannelAccessRefused:
            raise Trouble(Reason.FORBIDDEN, "this user may not look at the queues") from None
        await channel.close()
        return Look(
            name,
            told.message_count,
            age_s=None if told.message_count else 0.0,
            consumers=told.consumer_count,
        )

    async def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                await self._connection.close()
            self._connection = None
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()
            self._transport = None
