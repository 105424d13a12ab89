"""NATS: its greeting, our login, a ping; by its monitoring port (http://) its figures too."""

from __future__ import annotations

import time
from typing import Any, Final

import orjson

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Pace, Service, Status, amount, clean_version, figures, number
from botwatch.watch.probes.stream import Stream
from botwatch.watch.probes.web import Web, parsed, record

PORT: Final = 4222
_LINES_MAX: Final = 16


class NATS:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        async with await Stream.open(self._service, PORT) as stream:
            info = _info(await stream.line())
            took_s = time.monotonic() - began_s
            version = clean_version(info.get("version"))
            if self._service.target.scheme == "tls" or info.get("tls_required") is True:
                await stream.start_tls(self._service)
            stream.write(b"CONNECT " + orjson.dumps(self._login(version)) + b"\r\nPING\r\n")
            refused = await _refusal(stream)
        if refused:
            return Finding(Status.UNKNOWN, refused, version, latency_s=took_s)
        leaving = info.get("ldm") is True
        return Finding(
            Status.DEGRADED if leaving else Status.RUNNING,
            "it is about to stop, and sends its clients away" if leaving else "",
            version=version,
            headline="JetStream" if info.get("jetstream") is True else "takes connections",
            latency_s=took_s,
        )

    def _login(self, version: str) -> dict[str, Any]:
        service = self._service
        secret, token = service.target.password.get_secret_value(), service.token.get_secret_value()
        login: dict[str, Any] = {"verbose": False, "pedantic": False, "name": "botwatch", "lang": "python"}
        login |= {"version": version, "tls_required": False}
        if service.target.user and secret:
            return login | {"user": service.target.user, "pass": secret}
        return login | ({"auth_token": token or service.target.user} if token or service.target.user else {})

    async def close(self) -> None:
        """Nothing is kept."""


class Monitoring:
    def __init__(self, service: Service) -> None:
        self._web = Web(service)
        self._messages = Pace()

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        body, fetched = await self._web.json("/varz")
        about = record(body)
        if "server_id" not in about:
            raise Trouble(Reason.ANSWER, "expected the figures of a NATS server, found something else")
        health = await self._web.fetch("/healthz")
        clients, most = number(about.get("connections")), number(about.get("max_connections"))
        messages = number(about.get("in_msgs"))
        well = health.status == 404 or record(parsed(health.body)).get("status") == "ok"
        return Finding(
            Status.RUNNING if well else Status.DEGRADED,
            "" if well else "its own health check does not pass",
            version=clean_version(about.get("version")),
            headline=f"{amount(clients)} connections" if clients is not None else "",
            figures=figures(
                ("connections", clients, "{connection}"),
                ("connections.max", most, "{connection}"),
                ("memory", number(about.get("mem")), "By"),
                ("messages.rate", self._messages.per_s(messages or 0, began_s), "{message}/s"),
                ("consumers.slow", number(about.get("slow_consumers")), "{consumer}"),
            ),
            latency_s=fetched.took_s,
            saturation=clients / most if clients is not None and most else None,
        )

    async def close(self) -> None:
        await self._web.close()


def _info(line: bytes) -> dict[str, Any]:
    word, _, rest = line.partition(b" ")
    try:
        found = orjson.loads(rest) if word == b"INFO" else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Trouble(Reason.ANSWER, "what answers there does not speak the protocol of NATS")
    return found


async def _refusal(stream: Stream) -> str:
    """What it said instead of PONG; empty: it answered."""
    for _ in range(_LINES_MAX):
        line = await stream.line()
        if line == b"PONG":
            return ""
        if line.startswith(b"-ERR"):
            if b"auth" in line.lower():
                return "it answers, and does not accept the user, password or token"
            return "it answers, and refuses the connection"
    raise Trouble(Reason.ANSWER, "expected the answer to a ping, found something else")
