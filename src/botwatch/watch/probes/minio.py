"""MinIO: its health endpoints; storage and objects from its cluster metrics, where the key opens them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Final

import orjson

from botwatch.clock import SECOND_NS, SystemClock
from botwatch.limits import SERVICE_SLOW_S
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Figure, Finding, Service, Status, clean_version, figures, volume
from botwatch.watch.probes.web import Web, check, samples, total

_USED: Final = "minio_cluster_usage_total_bytes"
_OBJECTS: Final = "minio_cluster_usage_object_total"
_CAPACITY: Final = "minio_cluster_capacity_usable_total_bytes"
_FREE: Final = "minio_cluster_capacity_usable_free_bytes"
_DRIVES: Final = "minio_cluster_drive_offline_total"
_VERSION: Final = "minio_software_version_info"
_WANTED: Final = (_USED, _OBJECTS, _CAPACITY, _FREE, _DRIVES, _VERSION)


class MinIO:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._web = Web(service, login=False)
        self._known: tuple[Figure, ...] = ()
        self._version = self._refused = ""
        self._due_s = 0.0

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        check(await self._web.fetch("/minio/health/live"))
        took_s = time.monotonic() - began_s
        cluster = await self._web.fetch("/minio/health/cluster")
        if began_s >= self._due_s:
            await self._measure()
            self._due_s = began_s + min(SERVICE_SLOW_S, 3 * self._service.interval_s)
        known = {figure.name: figure.value for figure in self._known}
        used, capacity = known.get("storage"), known.get("storage.max")
        reason = self._refused
        status = Status.RUNNING
        if cluster.status >= 400:
            status, reason = Status.DEGRADED, "too few drives are online to write safely"
        elif known.get("drives.offline"):
            status, reason = Status.DEGRADED, f"{known['drives.offline']:.0f} drives are offline"
        free = known.get("storage.free")
        return Finding(
            status,
            reason,
            version=self._version,
            headline=f"{volume(used)} stored" if used is not None else "",
            figures=self._known,
            latency_s=took_s,
            saturation=1 - free / capacity if free is not None and capacity else None,
        )

    async def _measure(self) -> None:
        """Counting is work for it: asked less often than whether it lives."""
        fetched = await self._web.fetch("/minio/v2/metrics/cluster", headers=self._pass())
        if fetched.status in (401, 403):
            self._known, self._refused = (), "its figures are not open to this user and password"
            return
        if fetched.status == 404:
            self._known, self._refused = (), "it publishes no figures at /minio/v2/metrics/cluster"
            return
        check(fetched)
        found = list(samples(fetched.body, _WANTED))
        if not found:
            raise Trouble(Reason.ANSWER, "expected the figures of MinIO, found something else")
        version = next((sample.labels.get("version", "") for sample in found if sample.name == _VERSION), "")
        self._version, self._refused = clean_version(version), ""
        self._known = figures(
            ("storage", total(found, _USED), "By"),
            ("storage.max", total(found, _CAPACITY), "By"),
            ("storage.free", total(found, _FREE), "By"),
            ("objects", total(found, _OBJECTS), "{object}"),
            ("drives.offline", total(found, _DRIVES), "{drive}"),
        )

    def _pass(self) -> dict[str, str]:
        """A bearer token as `mc admin prometheus generate` makes it, good for a minute."""
        token = self._service.token.get_secret_value()
        login = self._service.target.login
        if not token and login:
            ends_s = SystemClock().now_ns() // SECOND_NS + 60
            claims = {"exp": ends_s, "sub": login[0], "iss": "prometheus"}
            signed = ".".join(_base64(orjson.dumps(part)) for part in ({"alg": "HS512", "typ": "JWT"}, claims))
            token = f"{signed}.{_base64(hmac.digest(login[1].encode(), signed.encode(), hashlib.sha512))}"
        return {"authorization": f"Bearer {token}"} if token else {}

    async def close(self) -> None:
        await self._web.close()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
