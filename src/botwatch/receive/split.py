"""Cutting a large protobuf request into pieces before anything parses it.

A parsed message takes more memory than its bytes: an empty span is 2 bytes on the wire and 172 in
memory, so that 64 MiB, which fit into 64 KiB of gzip, would take 5 GiB. Parsed piece by piece, the
same body takes what one piece takes. Requests of a usual size are one piece and are not looked at.

The three requests of OTLP have one shape, which is all that is known here:

    request  { 1: container* }
    container{ 1: resource, 2: scope*, 3: schema_url }
    scope    { 1: scope,    2: item*,  3: schema_url }
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from botwatch import limits
from botwatch.errors import InvalidBody, TooLarge
from botwatch.receive import wire

_REPEATED = {0: 1, 1: 2, 2: 2}  # the field that repeats, by depth
_ITEM_DEPTH = 2
_VARINT, _BYTES = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_VARINT_BYTES_MAX = 10
_HEAD_BYTES_MAX = limits.PIECE_BYTES_MAX // 4


class _Run(NamedTuple):
    """Elements that lie next to each other; `inner` is where the content of a single one begins."""

    start: int
    end: int
    inner: int


@dataclass(slots=True)
class Cut:
    """Pieces of a body that parse on their own, and how many items were too large for one."""

    oversized: int = 0
    _hops: int = field(default=0)

    def pieces(self, body: bytes) -> Iterator[bytes]:
        if len(body) <= limits.PIECE_BYTES_MAX:
            yield body
        else:
            yield from self._cut(memoryview(body), 0)

    def _cut(self, message: memoryview, depth: int) -> Iterator[bytes]:
        """Runs of this message's repeated field, each with all the other fields in front."""
        head, runs = self._runs(message, _REPEATED[depth])
        packed: list[memoryview] = []
        size = len(head)
        for run in runs:
            length = run.end - run.start
            if packed and size + length > limits.PIECE_BYTES_MAX:
                yield b"".join((head, *packed))
                packed, size = [], len(head)
            if length <= limits.PIECE_BYTES_MAX:
                packed.append(message[run.start : run.end])
                size += length
            elif depth < _ITEM_DEPTH:
                for piece in self._cut(message[run.inner : run.end], depth + 1):
                    yield head + wire.field(_REPEATED[depth], piece)
            elif length <= limits.ITEM_BYTES_MAX:
                yield b"".join((head, message[run.start : run.end]))
            else:
                self.oversized += 1
        if packed:
            yield b"".join((head, *packed))

    def _runs(self, message: memoryview, repeated: int) -> tuple[bytes, list[_Run]]:
        """The bytes of all other fields, and where the elements of the repeated one lie."""
        head = bytearray()
        runs: list[_Run] = []
        start, inner_start, end = 0, 0, 0  # of the run that is growing
        at = 0
        while at < len(message):
            tag, inner, after = self._hop(message, at)
            if tag != (repeated << 3 | _BYTES):
                head += message[at:after]
                if len(head) > _HEAD_BYTES_MAX:
                    raise TooLarge(
                        f"A resource or scope is larger than {_HEAD_BYTES_MAX} bytes.",
                        hint="send fewer attributes on it",
                    )
            elif at == end and after - start <= limits.PIECE_BYTES_MAX:
                end = after
            else:
                if end > start:
                    runs.append(_Run(start, end, inner_start))
                start, inner_start, end = at, inner, after
            at = after
        if end > start:
            runs.append(_Run(start, end, inner_start))
        return bytes(head), runs

    def _hop(self, message: memoryview, at: int) -> tuple[int, int, int]:
        """The tag of the field here, where its content begins, and where the next field does."""
        self._hops += 1
        if self._hops > limits.ITEMS_PER_REQUEST_MAX:
            raise TooLarge(
                f"The request has more than {limits.ITEMS_PER_REQUEST_MAX} parts.",
                hint="send fewer items in one request",
            )
        tag, inner = _varint(message, at)
        wire_type = tag & 7
        if wire_type == _BYTES:
            length, inner = _varint(message, inner)
            after = inner + length
        elif wire_type == _VARINT:
            _, after = _varint(message, inner)
        elif wire_type in _FIXED_BYTES:
            after = inner + _FIXED_BYTES[wire_type]
        else:
            raise not_protobuf()
        if after > len(message):
            raise not_protobuf()
        return tag, inner, after


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 7 * _VARINT_BYTES_MAX, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise not_protobuf()


def not_protobuf() -> InvalidBody:
    return InvalidBody(
        "The body is not the protobuf message it should be.",
        hint="check that Content-Type says what is sent, and that the body is complete",
    )
