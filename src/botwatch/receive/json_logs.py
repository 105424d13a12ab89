"""Log lines as JSON: `POST /v1/logs/json`, with the fields that `docs/conventions.md` names.

Each line is handed on as one JSON object of a fixed form, so that the engine guesses nothing:

    {"t": "nanoseconds since 1970", "level": trace|debug|info|warn|error|fatal, "severity": 1..24,
     "bot", "host", "event", "body", "session", "user", "channel", "correlation": text,
     "trace": 32 hex digits, "span": 16 hex digits, "attributes": {dotted path: text}}

Every key is always there; a fact that a line does not tell is the empty string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from botwatch import limits
from botwatch.errors import BotwatchError
from botwatch.nouns import Inbox, Parcel, Refusal, Signal
from botwatch.receive import privacy
from botwatch.receive.door import Door, Terms, digest
from botwatch.receive.http import Answer, Head
from botwatch.receive.json_facts import INFO, level_of, time_ns_of
from botwatch.receive.lines import MEDIA_TYPES, Bad, Document, Sheet, documents, idempotency_key, refusal
from botwatch.receive.wire import add_line

_FIELDS = {
    "time": ("timestamp", "time", "ts", "@timestamp"),
    "level": ("level", "severity", "levelname", "log.level"),
    "bot": ("bot", "bot.name", "service", "service.name"),
    "host": ("host", "hostname", "host.name"),
    "event": ("event", "event.name"),
    "body": ("message", "msg", "body"),
    "session": ("session_id", "session.id"),
    "user": ("user_id", "user.id"),
    "channel": ("channel", "bot.channel"),
    "trace": ("trace_id", "trace.id"),
    "span": ("span_id", "span.id"),
    "correlation": ("correlation_id", "correlation.id"),
}
_FACT_OF = {name: (fact, rank) for fact, names in _FIELDS.items() for rank, name in enumerate(names)}
_WHOLE = frozenset(_FIELDS["body"])  # a structured body becomes JSON text, not attributes
_TEXTS = ("bot", "host", "event", "body", "session", "user", "channel", "correlation")
_ID_DIGITS = {"trace": re.compile(r"[0-9a-fA-F]{32}"), "span": re.compile(r"[0-9a-fA-F]{16}")}
_WRITTEN = frozenset(("text", *_FIELDS["body"]))


class JsonLogsEndpoint:
    path = "/v1/logs/json"
    media_types = MEDIA_TYPES
    signal: Signal = Signal.LOGS

    def __init__(self, door: Door) -> None:
        self._door = door

    async def take(self, head: Head, body: bytes) -> Answer:
        terms = self._door.options.terms(self.signal)
        with self._door.counting(self.signal):
            key = idempotency_key(head)
            mark = (b"body", body) if key is None else key
            keyed = key is not None
            sheet, parcel = await self._door.check(
                len(body), limits.JSON_CHECK_INLINE_BYTES_MAX, lambda: parcel_of(body, terms, mark, keyed=keyed)
            )
        await self._door.put(parcel)
        return sheet.answer()

    def refusal(self, head: Head, error: BotwatchError) -> Answer:
        return refusal(error)


def parcel_of(body: bytes, terms: Terms, mark: tuple[bytes, ...], *, keyed: bool) -> tuple[Sheet, Parcel]:
    sheet = Sheet()
    lines = bytearray()
    all_told_time = True
    for document in documents(body, limits.JSON_LINE_BYTES_MAX):
        if len(lines) > limits.JSON_CANONICAL_BYTES_MAX:
            sheet.refuse(Bad(document.line, Refusal.TOO_LARGE, "expected fewer lines in one request"))
            continue
        line = document if isinstance(document, Bad) else _canonical(document, terms)
        if isinstance(line, Bad):
            sheet.refuse(line)
        else:
            add_line(lines, line.text)
            sheet.accepted += 1
            all_told_time = all_told_time and line.told_time
    parcel = Parcel(
        inbox=Inbox.JSON_LOGS,
        body=bytes(lines),
        items=sheet.accepted,
        digest=digest(Inbox.JSON_LOGS, *mark),
        dedup=keyed or all_told_time,
        rejected=dict(sheet.rejected),
    )
    return sheet, parcel


@dataclass(frozen=True, slots=True)
class Line:
    text: bytes
    told_time: bool


@dataclass(slots=True)
class _Found:
    """The facts of a line as (rank, name, value), and all its other fields as text."""

    facts: dict[str, tuple[int, str, Any]] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)

    def value(self, fact: str) -> Any:
        found = self.facts.get(fact)
        return None if found is None else found[2]

    def put_back(self, fact: str) -> None:
        """A field that does not hold what its name says stays as an attribute."""
        _, name, value = self.facts[fact]
        self.attributes[name] = text_of(value)


def _canonical(document: Document, terms: Terms) -> Line | Bad:
    try:
        return canonical(document, terms)
    except orjson.JSONEncodeError:  # orjson reads four times as deep as it writes
        return Bad(document.line, Refusal.INVALID, "expected JSON nested less deeply")


def canonical(document: Document, terms: Terms) -> Line | Bad:
    if not isinstance(document.value, dict):
        return Bad(document.line, Refusal.INVALID, "expected a JSON object")
    found = _sorted_out(document.value)
    told = found.value("time")
    time_ns = terms.now_ns if told is None else time_ns_of(told)
    if time_ns is None:
        name = found.facts["time"][1]
        return Bad(document.line, Refusal.INVALID, f"{name}: expected ISO 8601 or a number since 1970, found neither")
    if not terms.oldest_ns <= time_ns <= terms.newest_ns:
        name = found.facts["time"][1]
        return Bad(document.line, Refusal.CLOCK, f"{name}: expected a time that is kept and not ahead; check the clock")
    level = level_of(found.value("level"))
    if level is None:
        level = INFO
        if "level" in found.facts:
            found.put_back("level")
    facts = {fact: "" if (value := found.value(fact)) is None else text_of(value) for fact in _TEXTS}
    if not terms.keep_text:
        _drop_text(facts, found.attributes)
    shape = {
        "t": str(time_ns),
        "level": level.name,
        "severity": level.severity,
        **facts,
        "trace": _hex_id(found, "trace"),
        "span": _hex_id(found, "span"),
        "attributes": found.attributes,
    }
    return Line(orjson.dumps(shape), told is not None)


def _sorted_out(line: dict[str, Any]) -> _Found:
    found = _Found()
    facts, attributes = found.facts, found.attributes
    for name, value in _flat(line).items():
        known = _FACT_OF.get(name)
        if known is None:
            attributes[name] = value if type(value) is str else text_of(value)
        elif value is not None and value != "":
            fact, rank = known
            other = facts.get(fact)
            if other is None or rank < other[0]:
                if other is not None:
                    found.put_back(fact)
                facts[fact] = (rank, name, value)
            else:
                attributes[name] = text_of(value)
    return found


def _flat(line: dict[str, Any]) -> dict[str, Any]:
    """Nested objects under dotted paths. What is nested without end is kept whole, as JSON text."""
    if dict not in map(type, line.values()):
        return line
    flat: dict[str, Any] = {}
    left = limits.JSON_FLAT_FIELDS_MAX

    def flatten(prefix: str, values: dict[str, Any]) -> None:
        nonlocal left
        for name, value in values.items():
            path = prefix + name
            nested = isinstance(value, dict) and path not in _WHOLE
            if nested and value and len(value) <= left and len(path) <= limits.JSON_FLAT_PATH_CHARS_MAX:
                left -= len(value)
                flatten(f"{path}.", value)
            else:
                flat[path] = value

    flatten("", line)
    return flat


def text_of(value: Any) -> str:
    """A value as text: a string as it is, anything else as its JSON."""
    return value if type(value) is str else orjson.dumps(value).decode()


def _hex_id(found: _Found, fact: str) -> str:
    value = found.value(fact)
    if value is None:
        return ""
    if isinstance(value, str) and _ID_DIGITS[fact].fullmatch(value) and value.strip("0"):
        return value.lower()
    found.put_back(fact)
    return ""


def _drop_text(facts: dict[str, str], attributes: dict[str, str]) -> None:
    written = privacy.is_text_event(facts["event"])
    if written:
        facts["body"] = ""
    for name in list(attributes):
        if privacy.holds_text(name) or (written and name.partition(".")[0] in _WRITTEN):
            del attributes[name]
