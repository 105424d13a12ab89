"""Asking a server, with an API token. What goes wrong is told in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from botwatch.errors import BotwatchError, Refused, SettingError, TryAgain, Unauthorised
from botwatch.settings import LOOPBACK

WAIT_S: Final = 10.0
Params = Mapping[str, str | int | list[str]] | list[tuple[str, str]]


class Client:
    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingError("--url: expected an address such as http://127.0.0.1:8600")
        if not token:
            raise Unauthorised(
                "There is no API token in BOTWATCH_TOKEN.",
                hint="make one with 'botwatch token add', or set it to the server's BOTWATCH_ADMIN_TOKEN",
            )
        self.url = url.rstrip("/")
        try:
            self._http = httpx.Client(
                base_url=self.url,
                headers={"authorization": f"Bearer {token}"},
                timeout=WAIT_S,
                trust_env=parts.hostname not in LOOPBACK,
                transport=transport,
            )
        except (UnicodeError, ValueError):
            raise SettingError("BOTWATCH_TOKEN: expected the token alone, in plain letters and figures") from None

    def get(self, path: str, params: Params | None = None) -> Any:
        """What it answers, as Python values."""
        with self._told():
            answer = self._http.get(path, params=_query(params))
            self._check(answer)
            return orjson.loads(answer.content)

    def send(self, method: str, path: str, body: Any = None, wait_s: float = WAIT_S) -> Any:
        """Change something; what it answers, None where that is nothing."""
        with self._told():
            answer = self._http.request(method, path, json=body, timeout=wait_s)
            if not answer.is_success:
                self._check(answer)
            return orjson.loads(answer.content) if answer.content else None

    @contextmanager
    def stream(self, path: str, params: Params, wait_s: float) -> Iterator[httpx.Response]:
        with (
            self._told(),
            self._http.stream("GET", path, params=_query(params), timeout=httpx.Timeout(wait_s)) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                answer.read()
            self._check(answer)
            yield answer

    def close(self) -> None:
        self._http.close()

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.OK:
            return
        try:
            said = orjson.loads(answer.content)["error"]
            message, hint = str(said["message"]), said["hint"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise Refused(f"{self.url} answered {answer.status_code}: it is not a Botwatch server") from None
        text = f"{self.url} answered {answer.status_code}: {message}"
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TryAgain(text, retry_after_s=1, hint=hint)
        raise Refused(text, hint=hint)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise TryAgain(
                f"{self.url} cannot be asked ({type(error).__name__}); is the server running there?", retry_after_s=1
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError) as error:
            raise Refused(f"{self.url} does not answer as a Botwatch server does ({type(error).__name__})") from None


def _query(params: Params | None) -> Any:
    return params if params is None or isinstance(params, list) else dict(params)


def reason(error: BotwatchError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
