"""HTTP to receivers that are strangers: checked address, no redirects, bounded answer, bounded time.

A client of our own, because it must connect to the very address that was checked, and because the usual ones look at
every connection they hold for every request, which is too slow for many at once.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

import httptools

from botwatch import limits
from botwatch.notify.targets import TargetRefused, Targets

_IDLE_S: Final = 15.0
_READ_BYTES: Final = 65_536
_LINE: Final = re.compile(r"[\x20-\x7e\t]*")
_PORTS: Final = {"http": 80, "https": 443}


class Unreached(Exception):
    """It could not be connected to, broke off, or does not speak HTTP."""


class BadAddress(Exception):
    """The address or a header is none that can be sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # its beginning

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Place:
    tls: bool
    host: str
    port: int


@dataclass(slots=True)
class _Line:
    """A connection. `idle_s`: since when nobody uses it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    fresh: bool = True
    idle_s: float = 0.0


class Http:
    """Connections are kept for a while, by place. Neither cookies nor the environment's proxies are used."""

    def __init__(self, targets: Targets, trust: ssl.SSLContext | None = None) -> None:
        self.targets = targets
        self._trust = trust or ssl.create_default_context()
        self._idle: dict[_Place, list[_Line]] = {}

    async def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Raises `TargetRefused`, `Unreached`, `BadAddress` and TimeoutError; an answer of any status is one."""
        place, head = _request(method, url, headers or {}, len(body))
        async with asyncio.timeout(limits.DELIVERY_S_MAX):
            while True:
                line = self._kept(place) or await self._connect(place)
                reader = _Reader()
                try:
                    line.writer.write(head + body)
                    return await self._read(place, line, reader)
                except (OSError, EOFError, httptools.HttpParserError) as error:
                    if line.fresh or reader.began:
                        raise Unreached(_why(error)) from None
                finally:
                    if line.idle_s == 0.0:
                        line.writer.close()

    async def close(self) -> None:
        lines = [line for each in self._idle.values() for line in each]
        self._idle.clear()
        for line in lines:
            line.writer.close()
        await asyncio.gather(*(line.writer.wait_closed() for line in lines), return_exceptions=True)

    def _kept(self, place: _Place) -> _Line | None:
        lines, now_s = self._idle.get(place, []), asyncio.get_running_loop().time()
        while lines:
            line = lines.pop()
            if now_s - line.idle_s < _IDLE_S and not line.reader.at_eof() and not line.writer.is_closing():
                line.fresh, line.idle_s = False, 0.0
                return line
            line.writer.close()
        return None

    async def _connect(self, place: _Place) -> _Line:
        try:
            addresses = await self.targets.resolve(place.host, place.port)
        except (OSError, UnicodeError):
            raise Unreached("the name is not known") from None
        problem = Unreached("the name has no address")
        for address in addresses:
            trust, name = (self._trust, place.host) if place.tls else (None, None)
            try:
                async with asyncio.timeout(limits.DELIVERY_CONNECT_S_MAX):
                    made = await asyncio.open_connection(address, place.port, ssl=trust, server_hostname=name)
                    return _Line(*made)
            except (OSError, TimeoutError) as error:
                problem = Unreached(_why(error))
        raise problem

    async def _read(self, place: _Place, line: _Line, found: _Reader) -> Answer:
        parser = httptools.HttpResponseParser(found)
        while not found.complete:
            chunk = await line.reader.read(_READ_BYTES)
            if not chunk:
                if not found.ends_by_closing:
                    raise EOFError
                found.complete = True
                break
            found.began = True
            parser.feed_data(chunk)
            if found.too_long:
                return found.answer(parser.get_status_code())
        if found.stays and parser.get_http_version() == "1.1":
            self._keep(place, line)
        return found.answer(parser.get_status_code())

    def _keep(self, place: _Place, line: _Line) -> None:
        lines = self._idle.setdefault(place, [])
        if len(lines) < limits.DELIVERIES_AT_ONCE_MAX:
            line.idle_s = asyncio.get_running_loop().time()
            lines.append(line)


class _Reader:
    """What the parser calls as it reads."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.size = 0
        self.began = False
        self.complete = False
        self._headed = False

    def on_message_begin(self) -> None:
        """Also after an answer that only says to go on."""
        self.headers.clear()
        self._headed = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.size += len(name) + len(value)
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._headed = True

    def on_body(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.body += chunk[: limits.DELIVERY_ANSWER_BYTES_MAX - len(self.body)]

    def on_message_complete(self) -> None:
        self.complete = True

    @property
    def too_long(self) -> bool:
        return self.size > limits.DELIVERY_ANSWER_BYTES_MAX

    @property
    def ends_by_closing(self) -> bool:
        return self._headed and "content-length" not in self.headers and "transfer-encoding" not in self.headers

    @property
    def stays(self) -> bool:
        """Whether the connection may be used again."""
        return not self.ends_by_closing and "close" not in self.headers.get("connection", "").lower()

    def answer(self, status: int) -> Answer:
        return Answer(status, self.headers, bytes(self.body))


def _request(method: str, url: str, headers: Mapping[str, str], size: int) -> tuple[_Place, bytes]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise BadAddress("it is no address") from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme not in _PORTS or not host or not re.fullmatch(r"[\x21-\x7e]+", target):
        raise BadAddress("expected an address such as https://example.com/path")
    name = f"[{host}]" if ":" in host else host
    known = {"host": name if port == _PORTS[parts.scheme] else f"{name}:{port}", "user-agent": "botwatch"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        known["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    known |= {"accept": "*/*", "content-length": str(size), **{key.lower(): text for key, text in headers.items()}}
    lines = [f"{method} {target} HTTP/1.1", *_lines(known.items())]
    return _Place(parts.scheme == "https", host, port), "\r\n".join([*lines, "", ""]).encode("ascii")


def _lines(headers: Iterable[tuple[str, str]]) -> Iterable[str]:
    for name, text in headers:
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not _LINE.fullmatch(text):
            raise BadAddress(f"the header {name[:40]!r} cannot be sent")
        yield f"{name}: {text}"


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not right: {error.verify_message}"
    if isinstance(error, httptools.HttpParserError):
        return "it does not speak HTTP"
    if isinstance(error, EOFError):
        return "it hung up without an answer"
    if isinstance(error, TimeoutError):
        return "it did not take the connection in time"
    return getattr(error, "strerror", None) or type(error).__name__


__all__ = ["Answer", "BadAddress", "Http", "TargetRefused", "Unreached"]
