"""Asking over HTTP: one client an address, answers bounded, no redirect followed, nothing inflated."""

from __future__ import annotations

import functools
import logging
import re
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson

from botwatch.limits import ASKED_ANSWER_BYTES_MAX, SERVICE_FETCHES_MAX
from botwatch.watch.asking import Answer, Reason, Trouble, expect_ok
from botwatch.watch.probes.model import Service, number

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write down addresses, and what in them is secret
_PLAIN: Final = {"accept-encoding": "identity", "user-agent": "botwatch"}
_SAMPLE: Final = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})? +(\S+)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@functools.lru_cache(maxsize=64)
def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Made once: reading the machine's certificates takes longer than most questions."""
    return ssl.create_default_context(cafile=ca_file or None)


@dataclass(frozen=True, slots=True)
class Fetched(Answer):
    """With how long it took, and until when the certificate is valid, in seconds since 1970."""

    took_s: float
    certificate_ends_s: float | None


class Web:
    """The HTTP side of a service. `base` is its address, without a path unless it is asked to keep it."""

    def __init__(self, service: Service, *, headers: Mapping[str, str] | None = None, login: bool = True) -> None:
        target = service.target
        scheme = "https" if target.scheme == "https" else "http"
        host = f"[{target.host}]" if ":" in target.host else target.host
        self.base = f"{scheme}://{host}" + (f":{target.port}" if target.port else "")
        self._client = httpx.AsyncClient(
            headers={**_PLAIN, **(headers or {})},
            auth=target.login if login else None,
            verify=tls_context(service.ca_file) if scheme == "https" else False,
            timeout=0.9 * service.timeout_s,  # it cleans up better behind itself than when it is given up
            limits=httpx.Limits(max_connections=SERVICE_FETCHES_MAX, keepalive_expiry=3 * service.interval_s),
            follow_redirects=False,
            trust_env=False,
        )

    async def fetch(
        self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Fetched:
        """Whatever it answers, as long as that is not too much."""
        began_s = time.monotonic()
        async with self._client.stream(method, self.base + path, headers=headers, content=content) as response:
            ends_s = _certificate_ends_s(response)
            took_s = time.monotonic() - began_s
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > ASKED_ANSWER_BYTES_MAX:
                    raise Trouble(
                        Reason.TOO_LARGE, f"the answer is larger than {ASKED_ANSWER_BYTES_MAX} bytes: it was not read"
                    )
            self._client.cookies.clear()
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Trouble(Reason.ANSWER, "the answer is compressed although it was asked for plain")
            return Fetched(response.status_code, response.headers, bytes(body), took_s, ends_s)

    async def json(self, path: str, **how: Any) -> tuple[Any, Fetched]:
        """What it answers with success, as JSON."""
        fetched = await self.fetch(path, **how)
        check(fetched)
        return parsed(fetched.body), fetched

    async def close(self) -> None:
        await self._client.aclose()


def check(fetched: Answer) -> None:
    """A server that says it cannot serve (5xx) is told apart from one that does not want to."""
    if fetched.status >= 500:
        raise Trouble(Reason.CLOSED, f"it answers that it cannot serve (HTTP {fetched.status})")
    expect_ok(fetched)


def parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Trouble(Reason.ANSWER, "expected JSON in the answer, and found something else") from None


def record(value: object) -> dict[str, Any]:
    """A JSON object; anything else is one without fields."""
    return value if isinstance(value, dict) else {}


def _certificate_ends_s(response: httpx.Response) -> float | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    until = (tls.getpeercert() or {}).get("notAfter") if tls is not None else None
    return ssl.cert_time_to_seconds(until) if isinstance(until, str) else None


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: Mapping[str, str]
    value: float


def samples(body: bytes, names: Iterable[str]) -> Iterator[Sample]:
    """Those of a Prometheus text that are called so."""
    wanted = tuple(name.encode() for name in names)
    for line in body.split(b"\n"):
        if not line.startswith(wanted):
            continue
        found = _SAMPLE.match(line.decode("utf-8", "replace"))
        value = number(found[3]) if found else None
        if found and value is not None and found[1].encode() in wanted:
            yield Sample(found[1], dict(_LABEL.findall(found[2] or "")), value)


def total(found: Iterable[Sample], name: str) -> float | None:
    """Of all its series; nothing where there is none."""
    values = [sample.value for sample in found if sample.name == name]
    return sum(values) if values else None
