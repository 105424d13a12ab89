"""Bodies, bounded twice: as they come over the wire, and after inflation.

A body is read as far as its bound and no further, and inflated as far as its bound and no
further: what a compressed body claims to hold never decides how much memory it gets.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Callable, Sequence
from typing import Protocol

from starlette.types import Receive

from botwatch import limits
from botwatch.errors import InvalidBody, TooLarge, TooSlow, UnsupportedMedia
from botwatch.receive.door import Capacity, Held

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP_WINDOW = 31
_ZLIB_WINDOW = 15
_RAW_WINDOW = -15
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: limits.ZSTD_WINDOW_LOG_MAX}


class Disconnected(Exception):
    """The client went away in the middle of its body: there is nobody to answer."""


class _Stream(Protocol):
    """What zlib and zstd streams have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def _deflate(data: bytes) -> _Stream:
    """'deflate' means a zlib stream (RFC 9110, 8.4.1.2), but some send it without its header."""
    has_header = len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return zlib.decompressobj(_ZLIB_WINDOW if has_header else _RAW_WINDOW)


_OPEN: dict[str, Callable[[bytes], _Stream]] = {
    "gzip": lambda _: zlib.decompressobj(_GZIP_WINDOW),
    "x-gzip": lambda _: zlib.decompressobj(_GZIP_WINDOW),
    "deflate": _deflate,
    "zstd": lambda _: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS),
}
_PLAIN = ("", "identity")
ENCODINGS: Sequence[str] = ("identity", "gzip", "deflate", "zstd")


def known_encoding(name: str) -> str:
    """The encoding, or `UnsupportedMedia`: found out before the body is read."""
    encoding = name.strip().lower()
    if encoding not in _PLAIN and encoding not in _OPEN:
        raise UnsupportedMedia(
            f"Content-Encoding: expected one of {', '.join(ENCODINGS)}, found another.",
            hint="send the body uncompressed or with gzip",
        )
    return encoding


def inflate(wire: bytes, encoding: str) -> bytes:
    """The body itself. An empty body is empty in every encoding."""
    if encoding in _PLAIN or not wire:
        return wire
    parts: list[bytes] = []
    left = limits.BODY_INFLATED_BYTES_MAX
    data = wire
    for _ in range(limits.COMPRESSED_STREAMS_MAX):
        stream = _OPEN[encoding](data)
        try:
            part = stream.decompress(data, left + 1)
        except (zlib.error, zstd.ZstdError, EOFError) as error:
            raise InvalidBody(f"The body is not {encoding}, as its Content-Encoding says.") from error
        if len(part) > left:
            raise too_large("after inflation", limits.BODY_INFLATED_BYTES_MAX)
        if not stream.eof:
            raise InvalidBody(f"The {encoding} body is cut short.", hint="send it again in full")
        parts.append(part)
        left -= len(part)
        data = stream.unused_data
        if not data:
            return parts[0] if len(parts) == 1 else b"".join(parts)
    raise InvalidBody(
        f"The body is made of more than {limits.COMPRESSED_STREAMS_MAX} {encoding} streams.",
        hint="compress the body as one stream",
    )


async def inflated(wire: bytes, encoding: str, capacity: Capacity, held: Held) -> bytes:
    """As `inflate`; a large body in a thread, and its size counted against what is in flight."""
    if encoding in _PLAIN:
        return wire
    if len(wire) <= limits.INFLATE_INLINE_BYTES_MAX:
        body = inflate(wire, encoding)
    else:
        async with capacity.inflating:
            body = await asyncio.to_thread(inflate, wire, encoding)
    held.add(len(body))
    return body


async def read(receive: Receive, declared_bytes: int | None, held: Held) -> bytes:
    """Everything the client sends, or `TooLarge` as soon as that is known.

    Waiting has an end: a body that dribbles in would hold its bytes for ever.
    """
    if declared_bytes is not None and declared_bytes > limits.BODY_WIRE_BYTES_MAX:
        raise too_large("on the wire", limits.BODY_WIRE_BYTES_MAX)
    try:
        async with asyncio.timeout(limits.BODY_READ_S_MAX):
            return await _read(receive, held)
    except TimeoutError:
        raise TooSlow(
            f"The body did not arrive within {limits.BODY_READ_S_MAX} seconds.", hint="send smaller requests"
        ) from None


async def _read(receive: Receive, held: Held) -> bytes:
    first, more = await _receive(receive, held)
    if not more:
        return first
    parts = [first]
    size = len(first)
    while more:
        part, more = await _receive(receive, held)
        size += len(part)
        if size > limits.BODY_WIRE_BYTES_MAX:
            raise too_large("on the wire", limits.BODY_WIRE_BYTES_MAX)
        parts.append(part)
    return b"".join(parts)


async def _receive(receive: Receive, held: Held) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    part: bytes = message.get("body", b"")
    held.add(len(part))
    return part, message.get("more_body", False)


def too_large(where: str, bytes_max: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {bytes_max} bytes {where}.",
        hint="send fewer items in one request; most exporters call it the maximum batch size",
    )
