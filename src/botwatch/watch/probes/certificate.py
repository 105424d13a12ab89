"""How long a certificate is valid, and whether that is long enough."""

from __future__ import annotations

import ssl

from botwatch.clock import SECOND_NS, Clock, SystemClock
from botwatch.watch.probes.model import Finding, Status

_DAY_S = 86_400
_EXPIRED = 10  # OpenSSL's number for it
_WHY = {
    18: "it is signed by itself",
    19: "it is signed by itself",
    20: "who signed it is not known here",
    21: "who signed it is not known here",
    62: "it is for another name",
    64: "it is for another address",
}


def days_left(ends_s: float, clock: Clock | None = None) -> float:
    return (ends_s - (clock or SystemClock()).now_ns() / SECOND_NS) / _DAY_S


def wrong(days: float | None, days_min: int) -> str:
    if days is None or days >= days_min:
        return ""
    return f"its certificate is valid for only {max(0.0, days):.1f} more days"


def untrusted(error: BaseException) -> Finding | None:
    """Clients that check do not come in either: one that is over is its fault, an unknown signer may be ours."""
    seen: BaseException | None = error
    for _ in range(8):
        if isinstance(seen, ssl.SSLCertVerificationError):
            if seen.verify_code == _EXPIRED:
                return Finding(Status.DEGRADED, "its certificate is no longer valid")
            why = _WHY.get(seen.verify_code, "it does not hold")
            return Finding(Status.UNKNOWN, f"its certificate is not trusted here: {why} (set ca_file to trust it)")
        seen = (seen.__cause__ or seen.__context__) if seen is not None else None
    return None
