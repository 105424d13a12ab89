"""Any HTTP address, such as a bot server's health endpoint: status, text, rules on its JSON, the certificate.

A rule is `path comparison value`, as in `database.connected == true` or `queue.depth < 100`; a path alone must
be there and be neither false, null, 0 nor empty. A figure is a path to a number.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from botwatch.errors import SettingError
from botwatch.watch.probes import certificate
from botwatch.watch.probes.model import Finding, Service, Status, amount, clean, clean_version, figures, number
from botwatch.watch.probes.web import Fetched, Web, check, parsed

_OK: Final = range(200, 400)
_SHUT: Final = (401, 403, 407)
_RULE: Final = re.compile(r"\s*([\w.\[\]-]+)\s*(?:(==|!=|>=|<=|>|<)\s*(.+?))?\s*")
_PART: Final = re.compile(r"[^.\[\]]+")
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_SIGNS: Final = {
    "==": "to be",
    "!=": "not to be",
    ">=": "to be at least",
    "<=": "to be at most",
    ">": "to be more than",
    "<": "to be less than",
}
_FOUND_CHARS_MAX: Final = 40
_MISSING: Final = object()


class HTTP:
    def __init__(self, service: Service) -> None:
        self._service = service
        target = service.target
        token = service.token.get_secret_value()
        self._web = Web(service, headers={"authorization": f"Bearer {token}"} if token else None)
        query = target.url.partition("?")[2]
        self._path = (target.path or "/") + (f"?{query}" if query else "")
        self._rules = [rule(text) for text in service.expect_json]

    async def ask(self) -> Finding:
        service = self._service
        fetched = await self._web.fetch(self._path)
        ends_s = fetched.certificate_ends_s
        days = certificate.days_left(ends_s) if ends_s is not None else None
        wanted = service.expect_status or _OK
        if fetched.status not in wanted:
            if fetched.status >= 500 or fetched.status in _SHUT:
                check(fetched)
            return Finding(
                Status.DEGRADED, f"expected HTTP {_told(wanted)}, found {fetched.status}", latency_s=fetched.took_s
            )
        wrong = self._wrong(fetched) or certificate.wrong(days, service.certificate_days)
        body = _document(fetched)
        own = [(name, number(_at(body, path)), "1") for name, path in service.figures]
        known = [f"{amount(value)} {name}" for name, value, _ in own if value is not None]
        return Finding(
            Status.DEGRADED if wrong else Status.RUNNING,
            wrong,
            version=_version(fetched, body),
            headline=", ".join(known[:2]) or f"HTTP {fetched.status}",
            figures=figures(*own, ("certificate.days", days, "d"), ("response.size", float(len(fetched.body)), "By")),
            latency_s=fetched.took_s,
        )

    def _wrong(self, fetched: Fetched) -> str:
        service = self._service
        if service.expect_text and service.expect_text.encode() not in fetched.body:
            return "the text it should hold is not in the answer"
        if not self._rules:
            return ""
        body = parsed(fetched.body)
        return clean("; ".join(filter(None, (each.wrong(body) for each in self._rules))))

    async def close(self) -> None:
        await self._web.close()


@dataclass(frozen=True, slots=True)
class Rule:
    """What a place of the answer should be. Without a sign it must be there and say yes."""

    path: str
    sign: str
    wanted: Any

    def holds(self, body: Any) -> bool:
        value = _at(body, self.path)
        if value is _MISSING or not self.sign:
            return value is not _MISSING and bool(value)
        if isinstance(value, bool) is not isinstance(self.wanted, bool):  # true is not 1
            return self.sign == "!="
        try:
            return _COMPARE[self.sign](value, self.wanted)
        except TypeError:
            return False

    def wrong(self, body: Any) -> str:
        """What was expected and what was found; empty where it holds."""
        if self.holds(body):
            return ""
        wanted = f" {_SIGNS[self.sign]} {_shown(self.wanted)}" if self.sign else ""
        return f"expected {self.path}{wanted}, found {_shown(_at(body, self.path))}"


def rule(text: str) -> Rule:
    """Made once, when it is configured: a rule that cannot be read is an error there."""
    found = _RULE.fullmatch(text)
    if not found:
        raise SettingError("expect_json: expected a rule such as 'status == ok' or 'queue.depth < 100'")
    path, sign, wanted = found.groups()
    return Rule(path, sign or "", _value(wanted) if sign else None)


def _shown(value: Any) -> str:
    """Somebody else's: short, and of what is large only what it is."""
    if value is _MISSING:
        return "nothing there"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return clean(value if isinstance(value, str) and value else orjson.dumps(value).decode(), _FOUND_CHARS_MAX)


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.strip("'\"")


def _at(body: Any, path: str) -> Any:
    for part in _PART.findall(path):
        if isinstance(body, dict) and part in body:
            body = body[part]
        elif isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        else:
            return _MISSING
    return body


def _document(fetched: Fetched) -> Any:
    if fetched.body.lstrip()[:1] != b"{":
        return None
    try:
        return orjson.loads(fetched.body)
    except orjson.JSONDecodeError:
        return None


def _version(fetched: Fetched, body: Any) -> str:
    told = _at(body, "version")
    if isinstance(told, str):
        return clean_version(told)
    return clean_version(fetched.headers.get("x-version") or "")


def _told(wanted: range | tuple[int, ...]) -> str:
    return clean(", ".join(map(str, wanted))) if isinstance(wanted, tuple) else "200 to 399"
