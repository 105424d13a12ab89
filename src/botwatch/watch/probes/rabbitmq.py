"""RabbitMQ: by its own protocol (amqp://) whether it lets a client in; by its management API (http://) its figures too.

Of AMQP only the opening is spoken here: the server's greeting, our login, the virtual host. It needs no library.
"""

from __future__ import annotations

import struct
import time
from typing import Final
from urllib.parse import unquote

from botwatch.limits import SERVICE_LINE_BYTES_MAX
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Pace, Service, Status, amount, clean_version, figures, number
from botwatch.watch.probes.stream import Stream
from botwatch.watch.probes.web import Web, check, record

PORT: Final = 5672
PORT_TLS: Final = 5671
_HELLO: Final = b"AMQP\x00\x00\x09\x01"
_END: Final = 0xCE
_START, _START_OK, _TUNE, _TUNE_OK, _OPEN, _OPEN_OK, _CLOSE = 10, 11, 30, 31, 40, 41, 50
_CONNECTION: Final = 10  # the class all of these belong to
_FORBIDDEN: Final = 403


class AMQP:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        tls = self._service.target.scheme == "amqps"
        async with await Stream.open(self._service, PORT_TLS if tls else PORT, tls=tls) as stream:
            stream.write(_HELLO)
            version = _version(await _expect(stream, _START))
            took_s = time.monotonic() - began_s
            user, password = self._service.target.login or ("guest", "guest")
            stream.write(_frame(_START_OK, _start_ok(user, password)))
            refused = await self._open(stream)
        if refused:
            return Finding(Status.UNKNOWN, refused, version, latency_s=took_s)
        return Finding(Status.RUNNING, version=version, headline="takes connections", latency_s=took_s)

    async def _open(self, stream: Stream) -> str:
        """Why it does not let us in; empty: it does."""
        try:
            method, body = await _read(stream)
        except EOFError:
            return "it answers, and does not accept the user or password"
        if method == _CLOSE:
            forbidden = len(body) >= 2 and struct.unpack_from(">H", body)[0] == _FORBIDDEN
            return f"it answers, and does not accept the {'user or password' if forbidden else 'connection'}"
        if method != _TUNE:
            raise Trouble(Reason.ANSWER, "the answer is not one that RabbitMQ gives")
        stream.write(_frame(_TUNE_OK, body[:6] + b"\x00\x00"))  # its own bounds, and no heartbeats
        host = unquote(self._service.target.path[1:]) or "/"
        stream.write(_frame(_OPEN, _short(host.encode()[:255]) + b"\x00\x00"))
        method, _ = await _read(stream)
        return "" if method == _OPEN_OK else "it answers, and does not let this user into the virtual host"

    async def close(self) -> None:
        """Nothing is kept."""


class Management:
    def __init__(self, service: Service) -> None:
        self._web = Web(service)
        self._path = service.target.path.rstrip("/")
        self._published = Pace()

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        body, fetched = await self._web.json(f"{self._path}/api/overview")
        about = record(body)
        if "rabbitmq_version" not in about:
            raise Trouble(Reason.ANSWER, "expected the overview of RabbitMQ, found something else")
        alarms = await self._web.fetch(f"{self._path}/api/health/checks/alarms")
        objects, messages = record(about.get("object_totals")), record(about.get("queue_totals"))
        published = number(record(about.get("message_stats")).get("publish"))
        ready = number(messages.get("messages"))
        if ready is None and number(objects.get("queues")) == 0:
            ready = 0.0  # without a queue it gives no totals
        reason = ""
        if alarms.status == 503:
            reason = "it holds publishers back: an alarm of memory or disk is raised"
        elif alarms.status != 404:  # before version 3.8 there was no such check
            check(alarms)
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            version=clean_version(about["rabbitmq_version"]),
            headline=f"{amount(ready)} messages" if ready is not None else "",
            figures=figures(
                ("messages", ready, "{message}"),
                ("connections", number(objects.get("connections")), "{connection}"),
                ("consumers", number(objects.get("consumers")), "{consumer}"),
                ("queues", number(objects.get("queues")), "{queue}"),
                (
                    "publish.rate",
                    self._published.per_s(published, began_s) if published is not None else None,
                    "{message}/s",
                ),
            ),
            latency_s=fetched.took_s,
        )

    async def close(self) -> None:
        await self._web.close()


async def _expect(stream: Stream, wanted: int) -> bytes:
    method, body = await _read(stream)
    if method != wanted:
        raise Trouble(Reason.ANSWER, "the answer is not one that RabbitMQ gives")
    return body


async def _read(stream: Stream) -> tuple[int, bytes]:
    """The number and the arguments of the next method of the connection."""
    kind, channel, size = struct.unpack(">BHI", await stream.exactly(7))
    if kind != 1 or channel != 0 or not 4 <= size < SERVICE_LINE_BYTES_MAX:
        raise Trouble(Reason.ANSWER, "what answers there does not speak AMQP 0-9-1")
    payload = await stream.exactly(size + 1)
    room, method = struct.unpack_from(">HH", payload)
    if payload[-1] != _END or room != _CONNECTION:
        raise Trouble(Reason.ANSWER, "what answers there does not speak AMQP 0-9-1")
    return method, payload[4:-1]


def _frame(method: int, arguments: bytes) -> bytes:
    payload = struct.pack(">HH", _CONNECTION, method) + arguments
    return struct.pack(">BHI", 1, 0, len(payload)) + payload + bytes((_END,))


def _start_ok(user: str, password: str) -> bytes:
    capabilities = _short(b"authentication_failure_close") + b"t\x01"
    properties = _short(b"product") + b"S" + _long(b"Botwatch") + _short(b"capabilities") + b"F" + _long(capabilities)
    return _long(properties) + _short(b"PLAIN") + _long(f"\0{user}\0{password}".encode()) + _short(b"en_US")


def _version(start: bytes) -> str:
    """From the properties the server greets with; the texts among them come one after the other."""
    at = start.find(b"\x07versionS")
    if at < 0 or at + 13 > len(start):
        return ""
    (size,) = struct.unpack_from(">I", start, at + 9)
    return clean_version(start[at + 13 : at + 13 + min(size, 256)].decode("utf-8", "replace"))


def _short(text: bytes) -> bytes:
    return bytes((len(text),)) + text


def _long(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text
