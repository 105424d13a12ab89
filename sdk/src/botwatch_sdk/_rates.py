"""What providers announce of their limits in the headers of an answer, and when a limit has changed.

Read are `Retry-After`; the many dialects of `x-ratelimit-limit`, `x-ratelimit-remaining-tokens` and
`anthropic-ratelimit-requests-limit`; and the IETF drafts `RateLimit-Limit`, `RateLimit: limit=100, remaining=50` and
`RateLimit: "default";r=50` with `RateLimit-Policy: "default";q=100`.
"""

from __future__ import annotations

import email.utils
import math
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from botwatch_sdk import _limits
from botwatch_sdk._text import identifier

RETRY_AFTER: Final = "retry-after"
_FAMILY: Final = re.compile(r"^(?:x-|anthropic-)?rate-?limit(?:-(?P<rest>.*))?$")
_NUMBER: Final = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\b")
_OLD_DRAFT: Final = re.compile(r"\b(limit|remaining)\s*=\s*(\d{1,15})")
_NEW_DRAFT: Final = re.compile(r'"?([\w.-]{1,64})"?\s*((?:;\s*\w+\s*=\s*[^;,]*)+)')
_PARAMETER: Final = re.compile(r"\b([qr])\s*=\s*(\d{1,15})")
_VALUE_CHARS_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Announced:
    """`name` tells several limits of one provider apart: requests, tokens; empty where there is one."""

    name: str
    limit: float | None = None
    remaining: float | None = None


def announced(headers: Iterable[tuple[str, str]]) -> list[Announced]:
    """Names in lower case."""
    found: dict[str, Announced] = {}

    def note(name: str, what: str, value: float) -> None:
        known = found.get(name) or Announced(identifier(name))
        found[name] = replace(known, limit=value) if what == "limit" else replace(known, remaining=value)

    for header, value in headers:
        family = _FAMILY.match(header)
        if family is None:
            continue
        rest, said = (family["rest"] or "").split("-"), value[:_VALUE_CHARS_MAX]
        if rest in ([""], ["policy"]):
            for name, word, number in _drafts(said):
                note(name, word, number)
            continue
        what = next((word for word in ("limit", "remaining") if word in rest), "")
        written = _NUMBER.match(said)
        if what and written:
            rest.remove(what)
            note("-".join(rest), what, float(written[1]))
    return [limit for limit in found.values() if limit.limit is not None or limit.remaining is not None]


def _drafts(value: str) -> Iterable[tuple[str, str, float]]:
    old = _OLD_DRAFT.findall(value)
    if old:
        return [("", what, float(number)) for what, number in old]
    return [
        ("" if name == "default" else name, {"q": "limit", "r": "remaining"}[letter], float(number))
        for name, parameters in _NEW_DRAFT.findall(value)
        for letter, number in _PARAMETER.findall(parameters)
    ]


def retry_after_s(value: str, now_s: float) -> float | None:
    """Seconds, or a date as HTTP writes it; None for anything else."""
    number = _NUMBER.fullmatch(value[:_VALUE_CHARS_MAX].strip())
    if number:
        return float(number[1])
    try:
        at_s = email.utils.parsedate_to_datetime(value[:_VALUE_CHARS_MAX]).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(at_s - now_s, 0.0) if math.isfinite(at_s) else None


class Known:
    """The limits as they were last announced."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._current: dict[tuple[str, str], float] = {}
        self._seen_s: dict[tuple[str, str], dict[float, float]] = {}

    def changed(self, dependency: str, name: str, limit: float, now_s: float) -> float | None:
        """What it was before, where this is a change. A provider with a limit for each model or path announces
        several by turns: going back to one that was seen lately is none."""
        key = (dependency, name)
        with self._lock:
            before = self._current.get(key)
            if before is None and len(self._current) >= _limits.READING_NAMES_MAX:
                return None
            seen_s = self._seen_s.setdefault(key, {})
            lately = limit in seen_s and now_s - seen_s[limit] < _limits.LIMIT_SEEN_S
            seen_s[limit] = now_s
            if len(seen_s) > _limits.LIMIT_VALUES_MAX:
                del seen_s[min(seen_s, key=seen_s.__getitem__)]
            self._current[key] = limit
            return None if lately or before is None or before == limit else before


def pairs(headers: object) -> Iterable[tuple[str, str]]:
    """Of whatever kind the headers are, names in lower case; only those that may be of use."""
    if isinstance(headers, Mapping) or hasattr(headers, "items"):
        found: Iterable[tuple[object, object]] = headers.items()
    else:
        found = headers if isinstance(headers, list | tuple) else ()
    for read, (name, value) in enumerate(found):
        if read >= _limits.HEADERS_MAX:
            return
        known = _text(name).lower()
        if known == RETRY_AFTER or "ratelimit" in known or "rate-limit" in known:
            yield known, _text(value)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
