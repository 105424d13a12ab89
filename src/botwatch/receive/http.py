"""HTTP as the receivers see it: the head of a request, an answer, and a polite end.

Plain ASGI without a framework's objects: this runs for every request a bot sends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from botwatch import limits
from botwatch.errors import BotwatchError, InvalidBody, TryAgain, Unauthorised, UnsupportedMedia, WrongMethod
from botwatch.receive.body import known_encoding

_LENGTH_DIGITS_MAX = 19
_CHARSETS = ("utf-8", "utf8", "us-ascii")


@dataclass(frozen=True, slots=True)
class Head:
    """What the receivers read of a request before its body."""

    method: str
    media_type: str
    charset: str
    encoding: str
    authorization: str | None
    idempotency_key: str | None
    declared_bytes: int | None
    query: bytes
    agent: str = ""
    origin: str = ""

    @classmethod
    def of(cls, scope: Scope) -> Head:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        media_type, _, parameters = headers.get(b"content-type", b"").decode("latin-1").partition(";")
        length = headers.get(b"content-length", b"")
        authorization = headers.get(b"authorization")
        key = headers.get(b"idempotency-key")
        return cls(
            method=scope["method"],
            media_type=media_type.strip().lower(),
            charset=_charset(parameters) if parameters else "",
            encoding=headers.get(b"content-encoding", b"").decode("latin-1"),
            authorization=None if authorization is None else authorization.decode("latin-1"),
            idempotency_key=None if key is None else key.decode("latin-1").strip(),
            declared_bytes=int(length[:_LENGTH_DIGITS_MAX]) if length.isdigit() else None,
            query=scope.get("query_string", b""),
            agent=headers.get(b"user-agent", b"").decode("latin-1"),
            origin=headers.get(b"origin", b"").decode("latin-1"),
        )

    def parameter(self, name: str) -> str:
        """The first value of a query parameter, or the empty string."""
        try:
            found = parse_qs(self.query.decode("ascii", "replace"), max_num_fields=64, errors="strict")
        except (ValueError, UnicodeDecodeError):
            raise InvalidBody("The query string cannot be read.", hint="percent-encode it as UTF-8") from None
        return found.get(name, [""])[0]

    def require(self, media_types: tuple[str, ...]) -> str:
        """The encoding of a body of one of these types, or `UnsupportedMedia`."""
        if self.media_type not in media_types:
            raise UnsupportedMedia(
                f"Content-Type: expected {' or '.join(media_types)}, found "
                f"{'none' if not self.media_type else 'another'}.",
                hint=f"set the header Content-Type: {media_types[0]}",
            )
        if self.charset and self.charset not in _CHARSETS:
            raise UnsupportedMedia("Content-Type: expected charset utf-8, found another.", hint="send UTF-8")
        return known_encoding(self.encoding)


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    media_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


def headers_of(error: BotwatchError) -> tuple[tuple[bytes, bytes], ...]:
    """What else the status asks for."""
    if isinstance(error, TryAgain):
        return ((b"retry-after", b"%d" % max(1, error.retry_after_s)),)
    if isinstance(error, WrongMethod):
        return ((b"allow", b"POST"),)
    if isinstance(error, Unauthorised):
        return ((b"www-authenticate", b'Bearer realm="botwatch"'),)
    return ()


async def send(answer: Answer, send_: Send) -> None:
    await _start(answer, send_, ())
    await send_({"type": "http.response.body", "body": answer.body})


async def send_early(answer: Answer, send_: Send, receive: Receive) -> None:
    """Answer before the body is read, then read on for a moment and close.

    A client that sends its whole body before it looks for an answer would otherwise meet a
    reset connection, and its user would see that in place of the reason.
    """
    await _start(answer, send_, ((b"connection", b"close"),))
    await send_({"type": "http.response.body", "body": answer.body, "more_body": True})
    try:
        async with asyncio.timeout(limits.BODY_LINGER_S_MAX):
            await _discard(receive)
    except TimeoutError:
        pass
    await send_({"type": "http.response.body", "body": b""})


async def _discard(receive: Receive) -> None:
    size = 0
    while size <= limits.BODY_LINGER_BYTES_MAX:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _start(answer: Answer, send_: Send, extra: tuple[tuple[bytes, bytes], ...]) -> None:
    headers = [
        (b"content-type", answer.media_type.encode("latin-1")),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
        *extra,
    ]
    await send_({"type": "http.response.start", "status": answer.status, "headers": headers})
