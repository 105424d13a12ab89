"""TCP: whether somebody takes a connection; with `tls://`, whether the certificate holds."""

from __future__ import annotations

import ssl
import time
from typing import Final

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes import certificate
from botwatch.watch.probes.model import Finding, Service, Status, figures
from botwatch.watch.probes.stream import Stream

TLS: Final = "tls"


class TCP:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def ask(self) -> Finding:
        if self._service.target.port is None:
            raise Trouble(Reason.ANSWER, "the address has no port: expected tcp://host:port")
        began_s = time.monotonic()
        tls = self._service.target.scheme == TLS
        async with await Stream.open(self._service, 0, tls=tls) as stream:
            took_s = time.monotonic() - began_s
            ends = (stream.tls.getpeercert() or {}).get("notAfter") if stream.tls is not None else None
        days = certificate.days_left(ssl.cert_time_to_seconds(ends)) if isinstance(ends, str) else None
        reason = certificate.wrong(days, self._service.certificate_days)
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            headline=f"certificate valid {days:.0f} days" if days is not None else "",
            figures=figures(("certificate.days", days, "d")),
            latency_s=took_s,
        )

    async def close(self) -> None:
        """Nothing is kept."""
