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
import logging
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from botwatch import errors, limits
from botwatch.receive import otlp
from botwatch.receive.body import too_large
from botwatch.receive.door import Capacity, Crowded, Door, Held, Intake, Keys, Options
from botwatch.receive.keys import token_in
from botwatch.receive.otlp import Otlp
from botwatch.receive.otlp_http import response, status_of

_log = logging.getLogger(__name__)
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_RETRY_S = 1
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


class _Receivers(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    def __init__(self, door: Door) -> None:
        self._handlers = {signal.rpc: _handler(door, signal) for signal in otlp.SIGNALS}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._handlers.get(handler_call_details.method)


def _handler(door: Door, signal: Otlp) -> grpc.RpcMethodHandler[bytes, bytes]:
    export = Export(door, signal)

    async def handle(_: AsyncIterator[bytes], context: Context) -> bytes:
        return await export(context)

    return grpc.stream_unary_rpc_method_handler(handle)  # type: ignore[arg-type]


class Export:
    """The one method of each of the three services."""

    _reads = asyncio.Semaphore(limits.GRPC_READS_MAX)
    _open = 0

    def __init__(self, door: Door, signal: Otlp) -> None:
        self._door = door
        self._otlp = signal

    async def __call__(self, context: Context) -> bytes:
        try:
            with self._door.capacity.hold() as held:
                return await self._export(context, held)
        except errors.BotwatchError as error:
            self._door.refuse(self._otlp.inbox.signal, error)
            await abort(context, error)
