"""Which hour before was the same one on the clocks of a time zone."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from botwatch.detect.ticks import HOUR_S

_KEPT: Final = 256

Hours = NDArray[np.int64]


@lru_cache(maxsize=_KEPT)
def earlier(zone: str, start_s: int, span: tuple[int, int], backs: tuple[int, ...]) -> tuple[Hours, ...]:
    """For so many hours (`span`: from which on, how many; counted from the start) the hour at which the clocks showed
    the same so many hours before; -1 is before the start. What they showed twice or never is as long ago as it is."""
    first, count = span
    ahead = _ahead(zone, start_s, first + count)
    at = np.arange(first, first + count)
    found = []
    for back in backs:
        before = at - back
        found.append(np.maximum(before + ahead[at] - ahead[np.maximum(before, 0)], -1))
    return tuple(found)


def _ahead(zone: str, start_s: int, hours: int) -> Hours:
    """By how many whole hours the clocks are ahead at each hour."""
    place, utc = ZoneInfo(zone), dt.UTC
    first = dt.datetime.fromtimestamp(start_s, utc)
    offsets = [(first + dt.timedelta(hours=hour)).astimezone(place).utcoffset() for hour in range(hours)]
    return np.array([round((offset or dt.timedelta()).total_seconds() / HOUR_S) for offset in offsets], dtype=np.int64)
