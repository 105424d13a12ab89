"""How anything outside is asked: where, for how long, how much it may answer, and why it did not.

Whatever goes wrong becomes a `Trouble` in our own words: what libraries and servers say may hold a password,
an address with one, or text that somebody else wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx
from pydantic import SecretStr

from botwatch.errors import SettingError
from botwatch.limits import ASKED_ANSWER_BYTES_MAX, SECRET_CHARS_MAX

T = TypeVar("T")
_NOBODY: Final = SecretStr("")


class Reason(StrEnum):
    """Why there is no answer. Stable, few, and safe to show and to count by."""

    REFUSED = "refused"  # nobody listens there
    UNREACHABLE = "unreachable"  # no such name, no way there
    TIMEOUT = "timeout"
    LOGIN = "login"  # wrong or missing user, password or key
    FORBIDDEN = "forbidden"  # signed in, and not allowed to look
    TLS = "tls"
    CLOSED = "closed"  # it hung up
    TOO_LARGE = "too_large"
    ANSWER = "answer"  # what came is not what such a server answers
    LIBRARY = "library"  # the client library is not installed here


class Trouble(Exception):
    """There is no answer. `message` is fit for people and holds nothing that came from outside."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Target:
    """An address and who we are there. Its text never holds the password."""

    url: str
    user: str = ""
    password: SecretStr = field(default=_NOBODY, repr=False)

    @classmethod
    def of(
        cls, url: str, *, user: str = "", password: SecretStr = _NOBODY, password_file: Path | None = None
    ) -> Target:
        """What the address carries is taken out of it; what is given beside it wins."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, "," in parts.netloc or parts.port  # a list of hosts has no port of its own
        except ValueError:
            raise SettingError("url: expected an address such as redis://host:6379/0") from None
        if not parts.scheme or not (host or parts.path):
            raise SettingError("url: expected an address with a scheme, such as redis://host:6379/0")
        _, _, place = parts.netloc.rpartition("@")
        secret = password.get_secret_value() or _secret_of(password_file) or unquote(parts.password or "")
        clean = urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
        return cls(clean, user or unquote(parts.username or ""), SecretStr(secret))

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int | None:
        return urlsplit(self.url).port

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def with_password(self) -> str:
        """For libraries that take everything in one address. Never log it."""
        parts = urlsplit(self.url)
        secret = self.password.get_secret_value()
        who = quote(self.user, safe="") + (f":{quote(secret, safe='')}" if secret else "")
        place = f"{who}@{parts.netloc}" if who else parts.netloc
        return urlunsplit((parts.scheme, place, parts.path, parts.query, ""))

    @property
    def login(self) -> tuple[str, str] | None:
        return (self.user, self.password.get_secret_value()) if self.user else None


def _secret_of(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(SECRET_CHARS_MAX).strip()
    except (OSError, UnicodeDecodeError):
        raise SettingError(f"password_file: {file} cannot be read") from None


async def asked(ask: Callable[[], Awaitable[T]], timeout_s: float) -> T:
    """The answer, or `Trouble` and nothing else."""
    try:
        async with asyncio.timeout(timeout_s):
            return await ask()
    except Exception as error:
        raise trouble_of(error, timeout_s) from None


def trouble_of(error: BaseException, timeout_s: float | None = None) -> Trouble:
    """What went wrong, by the kind of the exception and of those behind it."""
    if isinstance(error, Trouble):
        return error
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and len(chain) < 8:
        chain.append(cause)
    for kinds, reason in _REASONS:
        if any(isinstance(found, kinds) for found in chain):
            return Trouble(reason, _SAID[reason].format(f" within {timeout_s:g} s" if timeout_s else ""))
    return Trouble(Reason.ANSWER, f"{_SAID[Reason.ANSWER]} ({type(error).__name__})")


_REASONS: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Reason], ...]] = (
    (ModuleNotFoundError, Reason.LIBRARY),
    ((ssl.SSLError, ssl.CertificateError), Reason.TLS),
    ((TimeoutError, httpx.TimeoutException), Reason.TIMEOUT),
    (ConnectionRefusedError, Reason.REFUSED),
    (socket.gaierror, Reason.UNREACHABLE),
    ((ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError, httpx.RemoteProtocolError), Reason.CLOSED),
    ((httpx.ConnectError, OSError), Reason.UNREACHABLE),
    (zlib.error, Reason.ANSWER),
)
_SAID: Final = {
    Reason.REFUSED: "nobody listens at this address: is it running, and is the port right?",
    Reason.UNREACHABLE: "this address cannot be reached: is the name right, and is there a way to it?",
    Reason.TIMEOUT: "there was no answer{}",
    Reason.TLS: "TLS failed: does the other side speak TLS on this port, and is its certificate trusted here?",
    Reason.CLOSED: "the connection was closed before there was an answer: is this the right port?",
    Reason.ANSWER: "the answer is not one that a server of this kind gives",
    Reason.LIBRARY: "the client library for this kind is not installed here",
}


async def every(
    seconds: float, stop: asyncio.Event, work: Callable[[], Awaitable[None]], *, after_s: float = 0
) -> None:
    """Work by a steady beat until told to stop. What takes longer than a beat leaves beats out, never doubles them."""
    loop = asyncio.get_running_loop()
    next_s = loop.time() + after_s
    while not await stopped(stop, next_s - loop.time()):
        await work()
        next_s += seconds * max(1, -((next_s - loop.time()) // seconds))


async def stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Whether it was told to stop while waiting so long."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(0.0, seconds))
    return stop.is_set()


def offset_s(name: str, every_s: float) -> float:
    """When within the beat this one is asked: the same for a name, and spread over many."""
    return zlib.crc32(name.encode()) / 2**32 * every_s


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes


async def get(client: httpx.AsyncClient, url: str, *, bytes_max: int = ASKED_ANSWER_BYTES_MAX) -> Answer:
    """A GET whose answer is bounded, and taken as it is on the wire: nothing is inflated."""
    async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > bytes_max:
                raise Trouble(Reason.TOO_LARGE, f"the answer is larger than {bytes_max} bytes: it was not read")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Trouble(Reason.ANSWER, "the answer is compressed although it was asked for plain")
        return Answer(response.status_code, response.headers, bytes(body))


def expect_ok(answer: Answer) -> Answer:
    """Any status but one of success is trouble, by its meaning."""
    if answer.status in (401, 407):
        raise Trouble(Reason.LOGIN, f"the user or password was not accepted (HTTP {answer.status})")
    if answer.status == 403:
        raise Trouble(Reason.FORBIDDEN, "this user is not allowed to look (HTTP 403)")
    if not 200 <= answer.status < 300:
        raise Trouble(Reason.ANSWER, f"expected an answer with status 200, found HTTP {answer.status}")
    return answer
