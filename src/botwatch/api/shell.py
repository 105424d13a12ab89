"""What surrounds every request: the name it was asked under, the size of its body, the headers of
its answer, and an answer even where the code below broke. Plain ASGI, so that streams stay streams.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from botwatch import errors, limits
from botwatch.api.errors import answer_to, answer_unexpected
from botwatch.settings import LOOPBACK, Settings

Headers = list[tuple[bytes, bytes]]

# Bodies elsewhere are read by the receivers, which have bounds of their own.
BOUNDED: Final = ("/api/", "/sign-in")
_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_ALWAYS: Final[Headers] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
]
_PRIVATE: Final[Headers] = [(b"cache-control", b"no-store")]


class Shell:
    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = names_of(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bounded = scope["path"].startswith(BOUNDED)
        answer = _Answer(send, _ALWAYS + _PRIVATE if bounded else _ALWAYS)
        try:
            _check_name(scope, self._names)
            await self._app(scope, _Bounded(scope, receive).receive if bounded else receive, answer.send)
        except errors.BotwatchError as error:
            await answer_to(error)(scope, receive, answer.send)
        except Exception as error:
            response = answer_unexpected(error)
            if answer.started:
                raise  # too late for another answer: the server cuts the connection
            await response(scope, receive, answer.send)


class _Answer:
    def __init__(self, send: Send, headers: Headers) -> None:
        self._send = send
        self._headers = headers
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message = {**message, "headers": given + [pair for pair in self._headers if pair[0] not in names]}
        await self._send(message)


class _Bounded:
    """Counts the body as it comes: what it says about its own length may be missing or wrong."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._read_bytes = 0
        said = [value for name, value in scope["headers"] if name == b"content-length"]
        if said and said[0].isdigit() and int(said[0][:20]) > limits.REQUEST_JSON_BYTES_MAX:
            raise errors.TooLarge(f"The body may have {limits.REQUEST_JSON_BYTES_MAX} bytes; this one has more.")

    async def receive(self) -> Message:
        message = await self._receive()
        self._read_bytes += len(message.get("body", b""))
        if self._read_bytes > limits.REQUEST_JSON_BYTES_MAX:
            raise HTTPException(errors.TooLarge.status)  # the one kind the framework lets through while it reads
        return message


def names_of(settings: Settings) -> frozenset[str] | None:
    """The names a server on loopback answers to; None: any.

    A page on the web can give its own name the address 127.0.0.1 and then read what we answer it:
    the browser still says the page's name.
    """
    if not settings.loopback:
        return None
    public = _HOST.fullmatch(urlsplit(settings.public_url).netloc.encode())
    return frozenset({*LOOPBACK, "[::1]", settings.host, *([public[1].decode().lower()] if public else [])})


def _check_name(scope: Scope, names: frozenset[str] | None) -> None:
    if names is None:
        return
    given = [value for name, value in scope["headers"] if name == b"host"]
    match = _HOST.fullmatch(given[0]) if len(given) == 1 else None
    if match is None or match[1].decode().lower() not in names:
        raise errors.Forbidden(
            "This server answers only under the name of this machine itself, and was asked under another.",
            hint="open http://127.0.0.1 with its port; behind a proxy, set public_url to the address people open",
        )
