"""OTLP over gRPC. Sections are those of the OTLP specification, "OTLP/gRPC".

The handlers take raw bytes, which are parsed once, by the check. A unary call is served as a stream
of one message: so the key is looked at before the message is let in, and no more than
`GRPC_READS_MAX` messages are on their way in at once; the others wait at their senders, held back
by HTTP/2's own flow control.

"Failures": INVALID_ARGUMENT means do not retry. "OTLP/gRPC Throttling": UNAVAILABLE and
RESOURCE_EXHAUSTED mean retry when, and only when, a RetryInfo says after how long.
"""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from botwatch import errors, limits
from botwatch.receive import otlp
from botwatch.receive.body import too_large
from botwatch.receive.door import Capacity, Door, Held, Intake, Keys, Options
from botwatch.receive.keys import token_in
from botwatch.receive.otlp import Otlp
from botwatch.receive.otlp_http import response, status_of

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_RETRY_S = 1
_ENDED_S = 0.1
# grpcio bounds a message by this before and after inflation.
_OPTIONS = (
    ("grpc.max_receive_message_length", limits.BODY_INFLATED_BYTES_MAX),
    ("grpc.max_concurrent_streams", limits.GRPC_STREAMS_MAX),
    ("grpc.so_reuseport", 0),  # else a second process would silently get half of the calls
)

Context = aio.ServicerContext[Any, bytes]


class GrpcServer:
    """A listener that runs until it is stopped."""

    def __init__(self, server: aio.Server, port: int) -> None:
        self._server = server
        self.port = port

    async def stop(self, grace_s: float = 5.0) -> None:
        """Take nothing new, and let what is being taken end."""
        await self._server.stop(grace_s)


async def serve(
    intake: Intake,
    keys: Keys | None,
    options: Options,
    *,
    host: str,
    port: int,
    capacity: Capacity | None = None,
) -> GrpcServer:
    """Listen, on a free port when `port` is 0, or raise `PortTaken`."""
    door = Door(intake, keys, options, capacity)
    server = aio.server(options=_OPTIONS, compression=grpc.Compression.NoCompression)
    server.add_generic_rpc_handlers((_Receivers(door),))
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise errors.PortTaken(
            f"OTLP over gRPC cannot listen on {address}: the port is taken or the address is not ours.",
            hint="stop the other process or choose another --grpc-port",
        )
    await server.start()
    return GrpcServer(server, bound)


class _Receivers(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic only in its stubs
    def __init__(self, door: Door) -> None:
        export = Export(door)
        self._handlers = {signal.rpc: _handler(export, signal) for signal in otlp.SIGNALS}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._handlers.get(handler_call_details.method)


def _handler(export: Export, signal: Otlp) -> grpc.RpcMethodHandler[bytes, bytes]:
    async def handle(_: object, context: Context) -> bytes:
        return await export(signal, context)

    return grpc.stream_unary_rpc_method_handler(handle)


class Export:
    """The one method that each of the three services has."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._reads = asyncio.Semaphore(limits.GRPC_READS_MAX)
        self._calls = 0

    async def __call__(self, signal: Otlp, context: Context) -> bytes:
        self._calls += 1
        try:
            with self._door.capacity.hold() as held:
                return await self._export(signal, context, held)
        except errors.BotwatchError as error:
            await abort(context, error)
        finally:
            self._calls -= 1

    async def _export(self, signal: Otlp, context: Context, held: Held) -> bytes:
        with self._door.counting(signal.inbox.signal):
            if self._calls > limits.GRPC_STREAMS_MAX:
                raise errors.TryAgain(
                    f"More than {limits.GRPC_STREAMS_MAX} calls are open.", retry_after_s=_RETRY_S, hint="try again"
                )
            await self._door.admit(token_in(_authorization(context)))
            body = await self._read(signal, context)
            held.add(len(body))
        taken = await otlp.take(self._door, signal, body, as_json=False)
        return response(signal, taken, as_json=False)

    async def _read(self, signal: Otlp, context: Context) -> bytes:
        try:
            async with self._reads, asyncio.timeout(limits.BODY_READ_S_MAX):
                body = await context.read()
        except TimeoutError:
            raise errors.TooSlow(
                f"The message did not arrive within {limits.BODY_READ_S_MAX} seconds.", hint="send smaller requests"
            ) from None
        if isinstance(body, bytes):
            return body
        try:  # at the end of the stream in place of a message
            await asyncio.sleep(_ENDED_S)  # grpcio refuses a message that is too large by itself, and cancels us
        except asyncio.CancelledError:
            self._door.refuse(signal.inbox.signal, too_large("over gRPC", limits.BODY_INFLATED_BYTES_MAX), 1)
            raise
        raise errors.InvalidBody("The call ended without a message.", hint="send one request in each call")


def _authorization(context: Context) -> str | None:
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str):
            return value
    return None


async def abort(context: Context, error: errors.BotwatchError) -> NoReturn:
    """End the call with a `google.rpc.Status`, which may say when to try again."""
    code, message = status_of(error)
    status = Status(code=code, message=message)
    if isinstance(error, errors.TryAgain):
        retry = RetryInfo(retry_delay=Duration(seconds=max(1, error.retry_after_s)))
        status.details.add().Pack(retry)
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(_CODES[code], message, trailing)
