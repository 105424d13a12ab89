"""For the tests of a bot: what it would have told Botwatch, in memory.

from botwatch_sdk.testing import capture

with capture() as seen:
    handle("hello")
assert seen.turns[0].replies == ("hi!",)
assert seen.actions[0].ok
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Final, Generic, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from botwatch_sdk import _live, _names, _taps
from botwatch_sdk._counters import Counters, Reading
from botwatch_sdk._gauges import instruments

__all__ = ["Seen", "SeenAction", "SeenEvent", "SeenLog", "SeenMessage", "SeenPayload", "SeenTurn", "capture"]

T = TypeVar("T")

SEEN_ITEMS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class SeenAction:
    name: str
    ok: bool
    error: str
    duration_ms: float
    session: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeenMessage:
    direction: str
    author: str
    text: str
    id: str
    reply_to: str
    session: str
    user: str
    channel: str


@dataclass(frozen=True, slots=True)
class SeenTurn:
    """`error` is empty unless the bot failed to answer."""

    text: str
    id: str
    replies: tuple[str, ...]
    error: str
    session: str


@dataclass(frozen=True, slots=True)
class SeenPayload:
    """`document` as parsed JSON, or the text itself where it is none."""

    source: str
    document: Any
    partial: bool


@dataclass(frozen=True, slots=True)
class SeenEvent:
    name: str
    body: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeenLog:
    level: str
    text: str
    attributes: Mapping[str, Any]


class _Kept(Generic[T]):
    def __init__(self) -> None:
        self.items: deque[T] = deque(maxlen=SEEN_ITEMS_MAX)

    def put(self, item: T, text_bytes: int = 0) -> None:
        self.items.append(item)

    def flush(self, timeout_s: float) -> bool:
        return True


class _Captured:
    """A runtime that keeps instead of sending."""

    def __init__(self) -> None:
        taps = _taps.private(_taps.own(Resource({_names.BOT_NAME: "captured"}), instruments))
        self.resource = Resource({_names.BOT_NAME: "captured"})
        self.tracer = taps.tracer
        self.logger = taps.logger
        self.counters = Counters()
        self.spans: _Kept[ReadableSpan] = _Kept()
        self.logs: _Kept[ReadableLogRecord] = _Kept()


class Seen:
    """All so far, in the order it came; each property looks anew."""

    def __init__(self, captured: _Captured) -> None:
        self._captured = captured

    @property
    def spans(self) -> list[ReadableSpan]:
        """As OpenTelemetry has them, for what has no property of its own here."""
        return list(self._captured.spans.items)

    @property
    def actions(self) -> list[SeenAction]:
        """Also turns, which are the action `turn`. In the order they ended."""
        return [_action(span) for span in self.spans if _names.ACTION in (span.attributes or {})]

    @property
    def events(self) -> list[SeenEvent]:
        return [
            SeenEvent(record.log_record.event_name, _text(record.log_record.body), _attributes(record))
            for record in self._captured.logs.items
            if record.log_record.event_name
        ]

    @property
    def messages(self) -> list[SeenMessage]:
        return [_message(event) for event in self._named(_names.MESSAGE)]

    @property
    def turns(self) -> list[SeenTurn]:
        messages = self.messages
        failed = {
            event.attributes.get(_names.MESSAGE_ID): str(event.attributes.get(_names.ERROR_TYPE, ""))
            for event in self._named(_names.TURN_FAILED)
        }
        return [
            SeenTurn(
                said.text,
                said.id,
                tuple(answer.text for answer in messages if answer.reply_to == said.id),
                failed.get(said.id, ""),
                said.session,
            )
            for said in messages
            if said.direction == "in"
        ]

    @property
    def payloads(self) -> list[SeenPayload]:
        return [
            SeenPayload(
                str(event.attributes.get(_names.PAYLOAD_SOURCE, "")),
                _parsed(event.body),
                bool(event.attributes.get(_names.PAYLOAD_PARTIAL, False)),
            )
            for event in self._named(_names.PAYLOAD)
        ]

    @property
    def logs(self) -> list[SeenLog]:
        """What came through `LogHandler` or `StructlogProcessor`."""
        return [
            SeenLog(record.log_record.severity_text, _text(record.log_record.body), _attributes(record))
            for record in self._captured.logs.items
            if record.log_record.severity_text
        ]

    @property
    def counts(self) -> Mapping[str, int]:
        """`bot.events`: in, out, warning, error."""
        return MappingProxyType({str(kind): count for kind, count in self._captured.counters.events.items()})

    @property
    def dropped(self) -> Mapping[str, int]:
        """`bot.sdk.dropped`, by reason; empty when nothing was."""
        found = self._captured.counters.dropped
        return MappingProxyType({str(reason): count for reason, count in found.items() if count})

    @property
    def queues(self) -> Mapping[str, Reading]:
        return MappingProxyType(self._captured.counters.readings.queues)

    @property
    def states(self) -> Mapping[str, Reading]:
        return MappingProxyType(self._captured.counters.readings.states)

    def _named(self, name: str) -> list[SeenEvent]:
        return [event for event in self.events if event.name == name]


class capture:
    """`with capture() as seen:` instead of `init`: nothing is sent, all is kept. One at a time in a process."""

    def __init__(self) -> None:
        self._before: _live.Runtime | None = None

    def __enter__(self) -> Seen:
        captured = _Captured()
        self._before, _live.runtime = _live.runtime, captured
        return Seen(captured)

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        _live.runtime = self._before


def _attributes(record: ReadableLogRecord) -> Mapping[str, Any]:
    return MappingProxyType(dict(record.log_record.attributes or {}))


def _action(span: ReadableSpan) -> SeenAction:
    attributes = dict(span.attributes or {})
    return SeenAction(
        str(attributes.get(_names.ACTION)),
        span.status.status_code is not StatusCode.ERROR,
        str(attributes.get(_names.ERROR_TYPE, "")),
        ((span.end_time or 0) - (span.start_time or 0)) / 1e6,
        str(attributes.get(_names.SESSION, "")),
        MappingProxyType(attributes),
    )


def _message(event: SeenEvent) -> SeenMessage:
    def said(name: str) -> str:
        return str(event.attributes.get(name, ""))

    return SeenMessage(
        said(_names.MESSAGE_DIRECTION),
        said(_names.MESSAGE_AUTHOR),
        event.body,
        said(_names.MESSAGE_ID),
        said(_names.MESSAGE_REPLY_TO),
        said(_names.SESSION),
        said(_names.USER),
        said(_names.CHANNEL),
    )


def _text(body: object) -> str:
    return body if isinstance(body, str) else ""


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
