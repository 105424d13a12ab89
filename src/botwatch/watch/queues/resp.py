"""The protocol of Redis, as far as questions need it: commands out, answers in, all of it bounded.

Spoken here because the usual client takes an answer of any size into memory. A text longer than it is wanted is read
past, and only its digest kept.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from botwatch.limits import ASKED_ANSWER_BYTES_MAX, REDIS_ANSWER_DEPTH_MAX, REDIS_ANSWER_VALUES_MAX
from botwatch.watch.asking import Reason, Target, Trouble

PORT: Final = 6379
_LINE_BYTES_MAX: Final = 64 * 1024
_PIECE_BYTES: Final = 64 * 1024
_READ_MAX: Final = 4 * ASKED_ANSWER_BYTES_MAX  # of one round trip, what is read past included
_DIGEST_BYTES: Final = 16

Command = Sequence[str | bytes | int]


class Refusal(Exception):
    """Redis refused one command. `code` is its first word; its text stays unread, it may repeat what we sent."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Long:
    """A text that was too long to keep."""

    digest: bytes


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class Resp:
    """One connection. After an exception it is of no more use."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._read = 0
        self._values = 0

    @classmethod
    async def open(cls, target: Target, timeout_s: float) -> Self:
        tls = target.scheme == "rediss"
        try:
            reader, writer = await asyncio.open_connection(
                target.host or "127.0.0.1",
                target.port or PORT,
                limit=_LINE_BYTES_MAX,
                ssl=_tls() if tls else None,
                ssl_handshake_timeout=0.9 * timeout_s if tls else None,
            )
        except ConnectionAbortedError:
            raise Trouble(
                Reason.TLS, "the TLS handshake was never answered: does the other side speak TLS on this port?"
            ) from None
        return cls(reader, writer)

    async def round_trip(self, commands: Sequence[Command], text_bytes_max: int) -> list[Any]:
        """One answer for each command; a `Refusal` where that command was refused."""
        self._read = self._values = 0
        self._writer.write(b"".join(map(_written, commands)))
        await self._writer.drain()
        return [await self._answer(text_bytes_max) for _ in commands]

    def close(self) -> None:
        self._writer.transport.abort()

    async def _answer(self, text_bytes_max: int, depth: int = 0) -> Any:
        self._values += 1
        if self._values > REDIS_ANSWER_VALUES_MAX or depth > REDIS_ANSWER_DEPTH_MAX:
            raise Trouble(Reason.TOO_LARGE, f"the answer has more than {REDIS_ANSWER_VALUES_MAX} values")
        line = await self._line()
        kind, rest = line[:1], line[1:]
        match kind:
            case b"+":
                return rest
            case b"-":
                return Refusal(rest.partition(b" ")[0][:32].decode("ascii", errors="replace"))
            case b":":
                return _number(rest)
            case b"$":
                size = _number(rest)
                return None if size < 0 else await self._text(size, text_bytes_max)
            case b"*":
                return [await self._answer(text_bytes_max, depth + 1) for _ in range(max(0, _number(rest)))]
        raise _not_redis()

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readuntil(b"\r\n")
        except asyncio.LimitOverrunError:
            raise _not_redis() from None
        self._count(len(line))
        return line[:-2]

    async def _text(self, size: int, bytes_max: int) -> bytes | Long:
        self._count(size)
        if size <= bytes_max:
            return (await self._reader.readexactly(size + 2))[:-2]
        found = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        while size:
            piece = await self._reader.readexactly(min(size, _PIECE_BYTES))
            found.update(piece)
            size -= len(piece)
        await self._reader.readexactly(2)
        return Long(found.digest())

    def _count(self, size: int) -> None:
        self._read += size
        if self._read > _READ_MAX:
            raise Trouble(Reason.TOO_LARGE, f"the answer is larger than {_READ_MAX} bytes: it was not read")


def digest(message: Any) -> bytes | None:
    """Tells one message from another, without keeping what it says."""
    if isinstance(message, Long):
        return message.digest
    return hashlib.blake2b(message, digest_size=_DIGEST_BYTES).digest() if isinstance(message, bytes) else None


def _written(command: Command) -> bytes:
    words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _number(digits: bytes) -> int:
    if not digits.removeprefix(b"-").isdigit() or len(digits) > 20:
        raise _not_redis()
    return int(digits)


def _not_redis() -> Trouble:
    return Trouble(Reason.ANSWER, "what answers there does not speak the protocol of Redis")
