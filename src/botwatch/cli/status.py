"""`botwatch status`: what the API says, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from botwatch.cli.flags import plain
from botwatch.errors import Refused, SettingError, Unauthorised
from botwatch.settings import LOOPBACK

PATH: Final = "/api/monitoring/status"
_WAIT_S: Final = 10.0


def ask(url: str, token: str) -> bytes:
    """The body of the answer. The token goes to that address and, by no redirect, to another."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError("--url: expected an address such as http://127.0.0.1:8600")
    if not token:
        raise Unauthorised(
            "There is no API token in BOTWATCH_TOKEN.",
            hint="make one with 'botwatch token add', or set it to the server's BOTWATCH_ADMIN_TOKEN",
        )
    try:
        with httpx.Client(timeout=_WAIT_S, trust_env=parts.hostname not in LOOPBACK) as client:
            answer = client.get(url.rstrip("/") + PATH, headers={"authorization": f"Bearer {token}"})
    except (httpx.HTTPError, UnicodeError, ValueError) as error:
        raise Refused(f"{url} cannot be asked ({type(error).__name__}); is the server running there?") from None
    if answer.status_code != httpx.codes.OK:
        raise Refused(f"{url} answered {answer.status_code}: {_reason(answer)}")
    return answer.content


def lines(body: bytes) -> Iterator[str]:
    """A heading for each group, and a line for each figure: whatever the server knows of."""
    groups = _json(body)
    if not isinstance(groups, Mapping):
        raise Refused("The answer is not one of a Botwatch server.", hint="look at the address in --url")
    width = max(
        (len(_words(name)) for group in groups.values() if isinstance(group, Mapping) for name in group), default=0
    )
    for title, group in groups.items():
        yield _words(title)
        figures = group.items() if isinstance(group, Mapping) else [("", group)]
        for name, value in figures:
            yield f"  {_words(name).ljust(width)}  {_figure(value)}"


def _words(name: str) -> str:
    return plain(str(name)).replace("_", " ")


def _figure(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, Mapping | list):
        return plain(orjson.dumps(value).decode())
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else plain(str(value))


def _reason(answer: httpx.Response) -> str:
    body = _json(answer.content)
    error = body.get("error") if isinstance(body, Mapping) else None
    return str(error.get("message")) if isinstance(error, Mapping) else "it is not a Botwatch server"


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
