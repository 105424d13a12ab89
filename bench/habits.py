"""When documents come, and what makes quiet ones look changed: senders who come in bursts and have habits, and what lasts
for a while.

Each is a function of the time or of a name, so that a family needs no memory.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Iterator

from families import day

DAY_S = 86_400
START_S = 1_700_006_400  # a midnight
LOOKED_AT_PER_HOUR = 3_600
QUIET_DAYS = 10


def arrivals(r: random.Random, per_hour: float, from_s: float) -> Iterator[float]:
    """Times of documents, more of them by day."""
    at_s = from_s
    while True:
        at_s += r.expovariate(min(per_hour, LOOKED_AT_PER_HOUR) * (0.3 + 1.4 * day(int(at_s))) / 3_600)
        yield at_s


def iso(at_s: float) -> str:
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def block(name: str, at_s: int, seconds: int) -> float:
    """A number from 0 to 1 that stays the same for so many seconds."""
    return int(hashlib.sha256(f"{name} {at_s // seconds}".encode()).hexdigest()[:8], 16) / 2**32


def someone(r: random.Random, at_s: int, name: str, many: int) -> int:
    """One of many senders: few send most, and now and then one sends a lot for a while."""
    if block(f"{name} burst", at_s, 1_200) < 0.08 and r.random() < 0.5:
        return int(block(f"{name} who", at_s, 1_200) * many)
    return min(many - 1, int(r.paretovariate(0.6)) - 1)


def habit(name: str, who: int, what: str, share: float) -> bool:
    """Whether this sender does something always; by the share of senders who do."""
    return block(f"{name} {who} {what}", 0, 1) < share
