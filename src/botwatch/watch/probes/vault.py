"""Vault: whether it is sealed; how many policies and secrets it holds, where the token may list them."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import quote

from botwatch.limits import SERVICE_LISTS_MAX, SERVICE_SLOW_S
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status, amount, clean_version, figures
from botwatch.watch.probes.web import Web, check, parsed, record

_HEALTH: Final = "/v1/sys/health?standbyok=true&perfstandbyok=true&drsecondarycode=200&sealedcode=200&uninitcode=200"


class Vault:
    def __init__(self, service: Service) -> None:
        token = service.token.get_secret_value() or service.target.password.get_secret_value()
        self._web = Web(service, headers={"x-vault-token": token} if token else None, login=False)
        self._token = bool(token)
        self._due_s = 0.0
        self._policies: float | None = None
        self._secrets: float | None = None
        self._refused = ""

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        fetched = await self._web.fetch(_HEALTH)
        took_s = time.monotonic() - began_s
        check(fetched)
        health = record(parsed(fetched.body))
        if not isinstance(health.get("sealed"), bool):
            raise Trouble(Reason.ANSWER, "expected the health of a Vault, found something else")
        status, reason = _meaning(health)
        if status is Status.RUNNING and self._token and began_s >= self._due_s:
            self._due_s = began_s + SERVICE_SLOW_S
            await self._count()
        known = [
            f"{amount(count)} {what}"
            for count, what in ((self._secrets, "secrets"), (self._policies, "policies"))
            if count is not None
        ]
        return Finding(
            status,
            reason or self._refused,
            version=clean_version(health.get("version")),
            headline=", ".join(known[:1]) or ("standby" if health.get("standby") is True else ""),
            figures=figures(
                ("sealed", float(health["sealed"]), "1"),
                ("standby", float(health.get("standby") is True), "1"),
                ("policies", self._policies, "{policy}"),
                ("secrets", self._secrets, "{secret}"),
            ),
            latency_s=took_s,
        )

    async def _count(self) -> None:
        """Listing costs more than looking, and changes slowly: asked every few minutes."""
        policies = await self._keys("/v1/sys/policies/acl")
        self._policies = None if policies is None else float(len(policies))
        mounts = await self._web.fetch("/v1/sys/mounts")
        self._secrets = await self._count_secrets(record(parsed(mounts.body))) if mounts.status == 200 else None
        refused = policies is None and self._secrets is None
        self._refused = "its token is not accepted, or may list neither policies nor secrets" if refused else ""

    async def _count_secrets(self, mounts: dict[str, Any]) -> float | None:
        """The names in its key-value stores; nothing where there are more folders than we look into."""
        waiting, seen = [], 0
        for name, mount in record(mounts.get("data", mounts)).items():
            if record(mount).get("type") == "kv":
                second = record(record(mount).get("options")).get("version") == "2"
                waiting.append(f"/v1/{quote(name)}{'metadata/' if second else ''}")
        lists = 0
        while waiting:
            lists += 1
            if lists > SERVICE_LISTS_MAX:
                return None
            place = waiting.pop()
            keys = await self._keys(place)
            if keys is None:
                return None
            waiting += [place + quote(key) for key in keys if key.endswith("/")]
            seen += sum(not key.endswith("/") for key in keys)
        return float(seen)

    async def _keys(self, path: str) -> list[str] | None:
        """An empty folder is answered with 404."""
        fetched = await self._web.fetch(f"{path}?list=true")
        if fetched.status == 404:
            return []
        keys = record(record(parsed(fetched.body)).get("data")).get("keys") if fetched.status == 200 else None
        return [str(key) for key in keys] if isinstance(keys, list) else None

    async def close(self) -> None:
        await self._web.close()


def _meaning(health: dict[str, Any]) -> tuple[Status, str]:
    if health.get("initialized") is False:
        return Status.SEALED, "it is not initialised: run vault operator init"
    if health["sealed"]:
        return Status.SEALED, "it is sealed, and gives out no secret until it is unsealed"
    return Status.RUNNING, ""
