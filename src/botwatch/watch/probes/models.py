"""A server of language models that speaks OpenAI's API: which models it has, and if allowed, one tiny completion.

How many tokens an hour bots use of them, and how fast they are for bots, is in the bots' own telemetry: the measures
`model.tokens` and `model.latency`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

import httpx
import orjson

from botwatch.limits import SERVICE_SLOW_S
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status, amount, clean, clean_version, figures
from botwatch.watch.probes.web import Web, check, parsed, record

_VERSIONED: Final = "/v1"
_VERSIONS: Final = (("/version", "version"), ("/api/version", "version"), ("/props", "build_info"))  # each has its own
_MANY: Final = 3


class Models:
    def __init__(self, service: Service) -> None:
        token = service.token.get_secret_value() or service.target.password.get_secret_value()
        self._web = Web(service, headers={"authorization": f"Bearer {token}"} if token else None, login=False)
        path = service.target.path.rstrip("/")
        self._path = path if path.endswith(_VERSIONED) else path + _VERSIONED
        self._complete = service.complete
        self._version = ""
        self._patience_s = service.timeout_s / 4
        self._due_s = 0.0

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        body, fetched = await self._web.json(f"{self._path}/models")
        listed = record(body).get("data")
        if not isinstance(listed, list):
            raise Trouble(Reason.ANSWER, "expected a list of models, found something else")
        names = [clean(record(model).get("id", "")) for model in listed]
        if began_s >= self._due_s:
            self._due_s = began_s + SERVICE_SLOW_S
            await self._read_version()
        reason, completion_s = ("", None) if not self._complete else await self._try()
        if not names:
            reason = "it has no model loaded"
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            version=self._version,
            headline=f"{self._shown(names)} active" if names else "no models",
            figures=figures(("models", float(len(names)), "{model}"), ("completion.latency", completion_s, "s")),
            latency_s=fetched.took_s,
        )

    def _shown(self, names: list[str]) -> str:
        if self._complete in names:
            return self._complete
        return ", ".join(sorted(names)) if len(names) <= _MANY else f"{amount(len(names))} models"

    async def _try(self) -> tuple[str, float | None]:
        asked = {"model": self._complete, "max_tokens": 1, "messages": [{"role": "user", "content": "ping"}]}
        began_s = time.monotonic()
        fetched = await self._web.fetch(
            f"{self._path}/chat/completions",
            method="POST",
            headers={"content-type": "application/json"},
            content=orjson.dumps(asked),
        )
        took_s = time.monotonic() - began_s
        if fetched.status == 429:
            return "it lists its models, and refuses to complete: too many requests (HTTP 429)", None
        if fetched.status >= 400:
            return f"it lists its models, and fails to complete (HTTP {fetched.status})", None
        check(fetched)
        if not record(parsed(fetched.body)).get("choices"):
            return "it lists its models, and its completion is empty", None
        return "", took_s

    async def _read_version(self) -> None:
        """Where it tells one; not part of the API, so that neither none nor a long wait for it is a fault."""
        self._version = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                for path, name in _VERSIONS:
                    with contextlib.suppress(Trouble, httpx.HTTPError):
                        fetched = await self._web.fetch(path)
                        if fetched.status == 200:
                            self._version = clean_version(record(parsed(fetched.body)).get(name))
                    if self._version:
                        return

    async def close(self) -> None:
        await self._web.close()
