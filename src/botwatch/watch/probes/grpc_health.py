"""gRPC: the standard health check, `grpc.health.v1.Health/Check`; the path of the address names one service."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import grpc

from botwatch.limits import SERVICE_LINE_BYTES_MAX
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status

_METHOD: Final = "/grpc.health.v1.Health/Check"
_TLS: Final = "grpcs"
_SERVING, _NOT_SERVING, _NOT_KNOWN = 1, 2, 3
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", SERVICE_LINE_BYTES_MAX),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


class GRPCHealth:
    def __init__(self, service: Service) -> None:
        self._service = service
        name = unquote(service.target.path.strip("/")).encode()
        self._request = b"\x0a" + bytes((len(name),)) + name if name else b""
        token = service.token.get_secret_value()
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._channel: grpc.aio.Channel | None = None

    async def ask(self) -> Finding:
        channel = self._channel = self._channel or self._open()
        began_s = time.monotonic()
        try:
            answer: bytes = await channel.unary_unary(_METHOD, request_serializer=bytes, response_deserializer=bytes)(
                self._request, timeout=self._service.timeout_s * 0.9, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            return self._why(error.code())
        took_s = time.monotonic() - began_s
        status = answer[1] if len(answer) >= 2 and answer[0] == 0x08 else 0
        if status == _SERVING:
            return Finding(Status.RUNNING, headline="serving", latency_s=took_s)
        reason = "it says that it does not serve" if status == _NOT_SERVING else "it does not say whether it serves"
        return Finding(Status.STOPPED if status == _NOT_SERVING else Status.UNKNOWN, reason, latency_s=took_s)

    def _why(self, code: grpc.StatusCode) -> Finding:
        match code:
            case grpc.StatusCode.UNIMPLEMENTED:
                return Finding(Status.UNKNOWN, "it answers, and does not offer the standard health check")
            case grpc.StatusCode.NOT_FOUND:
                return Finding(Status.UNKNOWN, "it answers, and does not know the service the address names")
            case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
                return Finding(Status.UNKNOWN, "it answers, and does not accept the token")
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                raise Trouble(Reason.TIMEOUT, f"there was no answer within {self._service.timeout_s:g} s")
            case grpc.StatusCode.UNAVAILABLE:
                raise Trouble(Reason.REFUSED, "there is no gRPC connection: is it running, and is the port right?")
            case grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise Trouble(Reason.TOO_LARGE, "the answer is too large: it was not read")
        return Finding(Status.DEGRADED, f"it answers the health check with {code.name}")

    def _open(self) -> grpc.aio.Channel:
        target = self._service.target
        host = f"[{target.host}]" if ":" in target.host else target.host
        tls = target.scheme == _TLS
        address = f"{host}:{target.port or (443 if tls else 80)}"
        if not tls:
            return grpc.aio.insecure_channel(address, options=_OPTIONS)
        ca = Path(self._service.ca_file).read_bytes() if self._service.ca_file else None
        return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(ca), options=_OPTIONS)

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close(None)
