"""Reading a time and a level out of what loggers of all kinds write."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from botwatch.clock import SECOND_NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
_MICROS_CHARS = 26  # 2026-01-31T12:00:00.123456: a longer text may have nanoseconds
_NANOS = re.compile(r"[.,]\d{6}(\d{1,3})")
_NUMBER = re.compile(r"-?[0-9]{9,20}(?:\.[0-9]{0,20})?")


class Level(NamedTuple):
    """`severity` is OpenTelemetry's number, the first of each of its ranges."""

    name: str
    severity: int


TRACE: Final = Level("trace", 1)
DEBUG: Final = Level("debug", 5)
INFO: Final = Level("info", 9)
WARN: Final = Level("warn", 13)
ERROR: Final = Level("error", 17)
FATAL: Final = Level("fatal", 21)

_WORDS = {
    "trace": TRACE, "verbose": TRACE, "finest": TRACE, "finer": TRACE,
    "debug": DEBUG, "fine": DEBUG, "dbg": DEBUG, "config": DEBUG,
    "info": INFO, "information": INFO, "informational": INFO, "notice": INFO, "log": INFO, "success": INFO,
    "warn": WARN, "warning": WARN, "wrn": WARN,
    "error": ERROR, "err": ERROR, "severe": ERROR, "exception": ERROR,
    "fatal": FATAL, "critical": FATAL, "crit": FATAL, "alert": FATAL, "emerg": FATAL, "emergency": FATAL,
    "panic": FATAL,
}  # fmt: skip
_BUNYAN = ((60, FATAL), (50, ERROR), (40, WARN), (30, INFO), (20, DEBUG), (10, TRACE))


def level_of(value: Any) -> Level | None:
    """A word in any case, or a number of Bunyan or Pino; None for what is neither."""
    if isinstance(value, str):
        known = _WORDS.get(value) or _WORDS.get(value.strip().lower())
        if known or not value.isdecimal() or len(value) > 4:
            return known
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return next((level for least, level in _BUNYAN if value >= least), None)
    return None


def time_ns_of(value: Any) -> int | None:
    """Nanoseconds since 1970; None for what is no time. Without a zone it is UTC."""
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_number(value: float) -> int:
    """Seconds, milli-, micro- or nanoseconds: told apart by size, as no two overlap until the year 5138."""
    size = abs(value)
    if size < 1e11:
        per_second = 1
    elif size < 1e14:
        per_second = 1_000
    elif size < 1e17:
        per_second = 1_000_000
    else:
        return int(value)
    if isinstance(value, int):
        return value * (SECOND_NS // per_second)
    return round(value * (1_000_000 / per_second)) * 1_000  # a double has no more digits than that


def _from_text(value: str) -> int | None:
    if _NUMBER.fullmatch(value):
        return _from_number(float(value) if "." in value else int(value))
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        try:
            moment = datetime.fromisoformat(value.strip().upper().removesuffix("UTC").rstrip())
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    time_ns = (since.days * _DAY_S + since.seconds) * SECOND_NS + since.microseconds * 1_000
    if len(value) > _MICROS_CHARS and (nanos := _NANOS.search(value)):
        time_ns += int(nanos[1].ljust(3, "0"))
    return time_ns
