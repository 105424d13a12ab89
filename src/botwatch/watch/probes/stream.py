"""Asking over a plain connection: lines and bytes, bounded, with or without TLS."""

from __future__ import annotations

import asyncio
import ssl
from typing import Self

from botwatch.limits import SERVICE_LINE_BYTES_MAX
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Service
from botwatch.watch.probes.web import tls_context


class Stream:
    """A connection that ends with the `async with` block, or when it is closed. It is never waited for."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, service: Service, port: int, *, tls: bool = False) -> Self:
        context = tls_context(service.ca_file) if tls else None
        host = service.target.host
        handshake_s = 0.9 * service.timeout_s if tls else None
        try:
            reader, writer = await asyncio.open_connection(
                host,
                service.target.port or port,
                limit=SERVICE_LINE_BYTES_MAX,
                ssl=context,
                ssl_handshake_timeout=handshake_s,
            )
        except ConnectionAbortedError:
            raise Trouble(
                Reason.TIMEOUT, "it takes connections and does not answer: it hangs, or does not speak TLS on this port"
            ) from None
        return cls(reader, writer)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def line(self) -> bytes:
        """One line without its end."""
        try:
            return (await self._reader.readuntil(b"\n")).rstrip(b"\r\n")
        except asyncio.LimitOverrunError:
            raise Trouble(
                Reason.TOO_LARGE, f"a line of the answer is longer than {SERVICE_LINE_BYTES_MAX} bytes: it was not read"
            ) from None

    async def exactly(self, count: int) -> bytes:
        if not 0 <= count <= SERVICE_LINE_BYTES_MAX:
            raise Trouble(
                Reason.TOO_LARGE, f"the answer is larger than {SERVICE_LINE_BYTES_MAX} bytes: it was not read"
            )
        return await self._reader.readexactly(count)

    async def start_tls(self, service: Service) -> None:
        await self._writer.start_tls(tls_context(service.ca_file), server_hostname=service.target.host)

    @property
    def tls(self) -> ssl.SSLObject | None:
        found = self._writer.get_extra_info("ssl_object")
        return found if found is not None else None

    def close(self) -> None:
        self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
