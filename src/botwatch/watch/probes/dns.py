"""DNS: whether a server answers for a name, as in dns://10.0.0.2/example.com?type=A. One packet each way."""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from typing import Final
from urllib.parse import parse_qs, urlsplit

from botwatch.errors import SettingError
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status, figures

PORT: Final = 53
_TYPES: Final = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
_CODES: Final = {
    1: "it could not read the question",
    2: "it could not find out (SERVFAIL)",
    3: "it says that there is no such name (NXDOMAIN)",
    4: "it does not answer this kind of question",
    5: "it refuses to answer us",
}
_PACKET_BYTES: Final = 1_232
_NAME_BYTES_MAX: Final = 255
_LABEL_BYTES_MAX: Final = 63


class DNS:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._question = question(service.target.url)

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        answer = await self._exchange()
        took_s = time.monotonic() - began_s
        flags, _, count = struct.unpack_from(">HHH", answer, 2)
        code = flags & 0x000F
        if code:
            return Finding(Status.DEGRADED, _CODES.get(code, f"it answers with error {code}"), latency_s=took_s)
        reason = "" if count else "it knows the name, and has no such record for it"
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            headline=f"{count} records" if count else "",
            figures=figures(("records", float(count), "{record}")),
            latency_s=took_s,
        )

    async def _exchange(self) -> bytes:
        loop = asyncio.get_running_loop()
        number = secrets.token_bytes(2)
        answered: asyncio.Future[bytes] = loop.create_future()
        address = (self._service.target.host, self._service.target.port or PORT)
        transport, _ = await loop.create_datagram_endpoint(lambda: _One(number, answered), remote_addr=address)
        try:
            transport.sendto(number + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + self._question)
            return await answered
        finally:
            transport.close()

    async def close(self) -> None:
        """Nothing is kept."""


class _One(asyncio.DatagramProtocol):
    """Waits for the packet that answers ours; others are left alone."""

    def __init__(self, number: bytes, answered: asyncio.Future[bytes]) -> None:
        self._number = number
        self._answered = answered

    def datagram_received(self, data: bytes, _: object) -> None:
        if self._answered.done() or data[:2] != self._number:
            return
        if len(data) < 12 or len(data) > _PACKET_BYTES or not data[2] & 0x80:
            self._answered.set_exception(Trouble(Reason.ANSWER, "the answer is not one of a DNS server"))
        else:
            self._answered.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(error)


def question(url: str) -> bytes:
    """The question in the address, as it stands in a packet."""
    parts = urlsplit(url)
    name = parts.path.strip("/").rstrip(".")
    asked = parse_qs(parts.query).get("type", ["A"])[0].upper()
    try:
        labels = [label.encode("idna") for label in name.split(".")] if name else []
    except UnicodeError:
        labels = [b""]
    wire = b"".join(bytes((len(label),)) + label for label in labels if len(label) <= _LABEL_BYTES_MAX) + b"\0"
    fits = labels and all(0 < len(label) <= _LABEL_BYTES_MAX for label in labels) and len(wire) <= _NAME_BYTES_MAX
    if not fits or asked not in _TYPES:
        raise SettingError(f"url: expected dns://server/name?type=TYPE, with a type of {', '.join(_TYPES)}")
    return wire + struct.pack(">HH", _TYPES[asked], 1)
