from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from botwatch import limits
from botwatch.errors import InvalidBody, TooLarge, TooSlow, TryAgain, UnsupportedMedia
from botwatch.receive.body import Disconnected, inflate, inflated, known_encoding, read
from botwatch.receive.door import Capacity

TEXT = b"a span " * 1_000
BOUND = limits.BODY_INFLATED_BYTES_MAX


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def zstd_stream(data: bytes) -> bytes:
    """A frame that does not say how long its content is."""
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return stream.compress(data) + stream.flush()


COMPRESS: dict[str, list[Callable[[bytes], bytes]]] = {
    "gzip": [gzip.compress],
    "deflate": [zlib.compress, raw_deflate],
    "zstd": [zstandard.compress, zstd_stream],
}
CASES = [(encoding, compress) for encoding, ways in COMPRESS.items() for compress in ways]


@pytest.mark.parametrize(("encoding", "compress"), CASES)
def test_every_encoding_comes_back(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    assert inflate(compress(TEXT), encoding) == TEXT


@pytest.mark.parametrize(("encoding", "compress"), CASES)
def test_streams_one_after_the_other_are_one_body(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    if compress is not raw_deflate:  # a raw stream has no end that could be told from its data
        assert inflate(compress(TEXT) + compress(b"end"), encoding) == TEXT + b"end"


def test_too_many_streams_are_refused() -> None:
    many = gzip.compress(b"a") * limits.COMPRESSED_STREAMS_MAX
    assert inflate(many, "gzip") == b"a" * limits.COMPRESSED_STREAMS_MAX
    with pytest.raises(InvalidBody, match="16 gzip streams"):
        inflate(many + gzip.compress(b"a"), "gzip")


@pytest.mark.parametrize(("encoding", "compress"), CASES)
def test_a_body_cut_short_is_refused(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    whole = compress(bytes(range(256)) * 20)
    with pytest.raises(InvalidBody):
        inflate(whole[:-3], encoding)


@pytest.mark.parametrize(("encoding", "compress"), CASES)
def test_the_bound_is_on_the_inflated_size_to_the_byte(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    exact = compress(bytes(BOUND))
    assert len(exact) < BOUND // 900
    assert len(inflate(exact, encoding)) == BOUND
    with pytest.raises(TooLarge, match="after inflation"):
        inflate(compress(bytes(BOUND + 1)), encoding)


def test_the_bound_holds_over_several_streams() -> None:
    half = gzip.compress(bytes(BOUND // 2))
    assert len(inflate(half + half, "gzip")) == BOUND
    with pytest.raises(TooLarge):
        inflate(half + half + gzip.compress(b"x"), "gzip")


def test_a_zstd_frame_that_wants_a_large_window_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=limits.ZSTD_WINDOW_LOG_MAX + 1, compression_level=1)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    with pytest.raises(InvalidBody):
        inflate(stream.compress(TEXT) + stream.flush(), "zstd")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "identity", ""])
def test_an_empty_body_is_empty(encoding: str) -> None:
    assert inflate(b"", encoding) == b""


@given(data=st.binary(max_size=200), encoding=st.sampled_from(["gzip", "deflate", "zstd"]))
def test_junk_is_refused_or_inflated(data: bytes, encoding: str) -> None:
    with suppress(InvalidBody):
        inflate(data, encoding)


@pytest.mark.parametrize("name", ["", "identity", "GZIP", " zstd ", "deflate", "x-gzip"])
def test_known_encodings(name: str) -> None:
    assert known_encoding(name) == name.strip().lower()


@pytest.mark.parametrize("name", ["br", "gzip, gzip", "compress", "*"])
def test_an_unknown_encoding_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedMedia, match="identity, gzip, deflate, zstd"):
        known_encoding(name)


async def test_a_large_compressed_body_is_counted_by_what_it_inflates_to() -> None:
    capacity = Capacity(bytes_max=limits.MIB)
    wire = gzip.compress(bytes(limits.MIB), compresslevel=0)
    assert len(wire) > limits.INFLATE_INLINE_BYTES_MAX
    with capacity.hold() as held:
        assert await inflated(wire, "gzip", capacity, held) == bytes(limits.MIB)
        assert capacity.used_bytes == limits.MIB
        with pytest.raises(TryAgain):
            await inflated(gzip.compress(b"x"), "gzip", capacity, held)
    assert capacity.used_bytes == 0


class Sender:
    """An ASGI `receive` that says what it was asked."""

    def __init__(self, *parts: bytes, ends: bool = True) -> None:
        self.parts = list(parts)
        self.ends = ends
        self.asked = 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if not self.parts:
            return {"type": "http.disconnect"}
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts) or not self.ends}


async def test_a_body_in_parts_is_put_together() -> None:
    with Capacity().hold() as held:
        assert await read(Sender(b"ab", b"", b"c"), 3, held) == b"abc"


async def test_a_body_declared_too_large_is_not_read_at_all() -> None:
    sender = Sender(b"x")
    with Capacity().hold() as held, pytest.raises(TooLarge, match="67108864 bytes on the wire"):
        await read(sender, limits.BODY_WIRE_BYTES_MAX + 1, held)
    assert sender.asked == 0


async def test_a_body_that_turns_out_too_large_is_read_no_further_than_the_bound() -> None:
    part = bytes(limits.BODY_WIRE_BYTES_MAX // 4)
    sender = Sender(*[part] * 12)
    with Capacity().hold() as held, pytest.raises(TooLarge):
        await read(sender, None, held)
    assert sender.asked == 5


async def test_what_is_in_flight_is_bounded_over_all_requests() -> None:
    capacity = Capacity(bytes_max=100)
    with capacity.hold() as first:
        await read(Sender(bytes(60)), None, first)
        with capacity.hold() as second, pytest.raises(TryAgain) as caught:
            await read(Sender(bytes(60)), None, second)
        assert caught.value.retry_after_s >= 1
        assert capacity.used_bytes == 60
    assert capacity.used_bytes == 0


async def test_a_client_that_goes_away_is_not_answered() -> None:
    with Capacity().hold() as held, pytest.raises(Disconnected):
        await read(Sender(b"half", ends=False), 8, held)


async def test_a_body_that_dribbles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_READ_S_MAX", 0.01)

    async def silent() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    with Capacity().hold() as held, pytest.raises(TooSlow):
        await read(silent, None, held)
