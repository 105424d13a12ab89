"""When to try again: pure, with chance passed in."""

from __future__ import annotations

import email.utils
from datetime import UTC
from typing import Final

from botwatch import limits
from botwatch.clock import SECOND_NS

_FIRST_S: Final = 1.0


def wait_s(attempts: int, chance: float, asked_s: float | None = None) -> float:
    """After so many attempts that failed. `chance` is between 0 and 1: receivers are not hit in step.

    What the receiver asked for is the least, never less than our own step.
    """
    step = min(_FIRST_S * 2.0 ** min(attempts - 1, 32), limits.DELIVERY_BACKOFF_S_MAX)
    own = step * (0.5 + chance / 2)
    return max(own, min(asked_s or 0.0, limits.DELIVERY_RETRY_AFTER_S_MAX))


def retry_after_s(text: str | None, now_ns: int) -> float | None:
    """A `Retry-After` header: seconds or a date; None where it is neither."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text[:12])
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now_ns / SECOND_NS)
