"""OTLP/gRPC against a real client on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from botwatch import limits
from botwatch.errors import PortTaken, SpoolFull, TryAgain
from botwatch.nouns import Refusal, Signal
from botwatch.receive import otlp, otlp_grpc
from botwatch.receive.door import Capacity, Keys
from botwatch.receive.otlp import Otlp
from tests.receive.parts import MemoryIntake, OneKey, a_request, options, request, span, span_bytes

BODY = a_request(otlp.TRACES).SerializeToString()
SEND = (("grpc.max_send_message_length", -1),)


class Client:
    """Calls with bytes, so that a body can be anything."""

    def __init__(self, channel: aio.Channel) -> None:
        self._channel = channel

    async def export(self, signal: Otlp, body: bytes, key: str | None = None) -> bytes:
        metadata = () if key is None else (("authorization", key),)
        answer: bytes = await self._channel.unary_unary(signal.rpc, _same, _same)(body, metadata=metadata)
        return answer

    async def refused(self, signal: Otlp, body: bytes, key: str | None = None) -> tuple[grpc.StatusCode, Status]:
        with pytest.raises(aio.AioRpcError) as caught:
            await self.export(signal, body, key)
        trailing: Any = caught.value.trailing_metadata() or ()
        details = dict(trailing).get("grpc-status-details-bin", b"")
        return caught.value.code(), Status.FromString(details)

    async def refused_stream(self, messages: AsyncIterator[bytes]) -> grpc.StatusCode:
        with pytest.raises(aio.AioRpcError) as caught:
            await self._channel.stream_unary(otlp.TRACES.rpc, _same, _same)(messages)
        return caught.value.code()


def _same(message: bytes) -> bytes:
    return message


@asynccontextmanager
async def serving(
    intake: MemoryIntake,
    keys: Keys | None = None,
    *,
    compression: grpc.Compression = grpc.Compression.NoCompression,
    capacity: Capacity | None = None,
) -> AsyncIterator[Client]:
    server = await otlp_grpc.serve(intake, keys, options(), host="127.0.0.1", port=0, capacity=capacity)
    try:
        address = f"127.0.0.1:{server.port}"
        async with aio.insecure_channel(address, options=SEND, compression=compression) as channel:
            yield Client(channel)
    finally:
        await server.stop(0)


@pytest.mark.parametrize("signal", otlp.SIGNALS)
@pytest.mark.parametrize("compression", list(grpc.Compression))
async def test_a_request_is_taken(intake: MemoryIntake, signal: Otlp, compression: grpc.Compression) -> None:
    message = a_request(signal)
    async with serving(intake, compression=compression) as client:
        assert await client.export(signal, message.SerializeToString()) == b""
    assert intake.messages(signal) == message
    assert intake.parcels[0].items == 3


async def test_an_empty_request_is_fine(intake: MemoryIntake) -> None:
    async with serving(intake) as client:
        assert await client.export(otlp.TRACES, b"") == b""
    assert (intake.parcels, intake.refused) == ([], {})


async def test_a_retry_over_http_is_the_same_parcel(intake: MemoryIntake, app: Any) -> None:
    from tests.receive.parts import post

    await post(app, "/v1/traces", BODY)
    async with serving(intake) as client:
        await client.export(otlp.TRACES, BODY)
    assert len(intake.parcels) == 1


async def test_what_is_left_out_is_told(intake: MemoryIntake) -> None:
    body = request(otlp.TRACES, span(), span(trace_id=b"x")).SerializeToString()
    async with serving(intake) as client:
        answer: Any = otlp.TRACES.response.FromString(await client.export(otlp.TRACES, body))
    assert answer.partial_success.rejected_spans == 1
    assert "trace id" in answer.partial_success.error_message


async def test_bad_data_must_not_be_retried(intake: MemoryIntake) -> None:
    async with serving(intake) as client:
        code, status = await client.refused(otlp.LOGS, b"\xff\xff")
    assert (code, status.code, list(status.details)) == (grpc.StatusCode.INVALID_ARGUMENT, 3, [])
    assert intake.refused == {(Signal.LOGS, Refusal.INVALID): 1}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpoolFull("full", retry_after_s=7), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (TryAgain("away", retry_after_s=7), grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_a_full_house_says_when_to_try_again(
    intake: MemoryIntake, error: TryAgain, code: grpc.StatusCode
) -> None:
    intake.error = error
    async with serving(intake) as client:
        found, status = await client.refused(otlp.TRACES, BODY)
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert (found, status.code, retry.retry_delay.seconds) == (code, code.value[0], 7)
    assert intake.refused == {(Signal.TRACES, Refusal.FULL): 3}


@pytest.mark.parametrize("key", [None, "Bearer wrong"])
async def test_without_its_key_a_message_is_not_let_in(intake: MemoryIntake, key: str | None) -> None:
    async with serving(intake, OneKey("secret")) as client:
        code, status = await client.refused(otlp.TRACES, BODY, key)
        assert (code, "botwatch key" in status.message) == (grpc.StatusCode.UNAUTHENTICATED, True)
        assert await client.export(otlp.TRACES, BODY, "Bearer secret") == b""
    assert intake.refused == {(Signal.TRACES, Refusal.UNAUTHORISED): 1}


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_a_message_above_the_bound_is_refused_before_and_after_inflation(
    intake: MemoryIntake, compression: grpc.Compression
) -> None:
    async with serving(intake, compression=compression) as client:
        code, _ = await client.refused(otlp.TRACES, bytes(limits.BODY_INFLATED_BYTES_MAX + 1))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await client.export(otlp.TRACES, BODY) == b""
    assert len(intake.parcels) == 1
    assert intake.refused == {(Signal.TRACES, Refusal.TOO_LARGE): 1}


async def test_what_is_in_flight_is_bounded(intake: MemoryIntake) -> None:
    async with serving(intake, capacity=Capacity(bytes_max=10)) as client:
        code, status = await client.refused(otlp.TRACES, BODY)
    assert (code, len(status.details)) == (grpc.StatusCode.UNAVAILABLE, 1)


async def test_more_calls_than_are_served_are_asked_to_come_again(
    intake: MemoryIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GRPC_STREAMS_MAX", 1)
    first_is_in, let_go = asyncio.Event(), asyncio.Event()

    class Slow(MemoryIntake):
        async def put(self, parcel: Any) -> Any:
            first_is_in.set()
            await let_go.wait()
            return await super().put(parcel)

    async with serving(Slow()) as client:
        first = asyncio.create_task(client.export(otlp.TRACES, BODY))
        await first_is_in.wait()
        code, status = await client.refused(otlp.TRACES, BODY)
        assert (code, len(status.details)) == (grpc.StatusCode.UNAVAILABLE, 1)
        let_go.set()
        assert await first == b""


async def test_a_call_without_a_message_is_refused(intake: MemoryIntake) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        if intake.parcels:
            yield b""

    async with serving(intake) as client:
        assert await client.refused_stream(nothing()) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_message_that_does_not_come_is_given_up(intake: MemoryIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_READ_S_MAX", 0.05)

    async def late() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async with serving(intake) as client:
        assert await client.refused_stream(late()) is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_another_method_is_unimplemented(intake: MemoryIntake) -> None:
    other = replace(otlp.TRACES, rpc="/opentelemetry.proto.collector.trace.v1.TraceService/Import")
    async with serving(intake) as client:
        code, _ = await client.refused(other, BODY)
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def test_a_taken_port_is_told(intake: MemoryIntake) -> None:
    server = await otlp_grpc.serve(intake, None, options(), host="127.0.0.1", port=0)
    try:
        with pytest.raises(PortTaken, match=f"127.0.0.1:{server.port}"):
            await otlp_grpc.serve(intake, None, options(), host="127.0.0.1", port=server.port)
    finally:
        await server.stop(0)


async def test_what_only_the_engine_would_stumble_over_is_taken_out(intake: MemoryIntake) -> None:
    clean = a_request(otlp.TRACES, 1).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    async with serving(intake) as client:
        await client.export(otlp.TRACES, span_bytes(clean + b"\x38\x05"))
    assert intake.parcels[0].body == span_bytes(clean)
