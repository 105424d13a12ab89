"""The words of the house: each has one meaning, in code, SQL, API and docs.

Only what several rooms hand to each other stands here. A room's own types stay in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Signal(StrEnum):
    """What kind of item a client sent; the intake is accounted for by it."""

    TRACES = "traces"
    LOGS = "logs"
    POINTS = "points"
    PAYLOADS = "payloads"
    TURNS = "turns"  # written by the house itself, through the same durable queue
    CONTRACTS = "contracts"  # so are these


class Inbox(StrEnum):
    """The door of the engine a request is inserted through: one Null table each.

    Several inboxes may carry one signal: logs come as OTLP or as JSON lines.
    """

    TRACES = "inbox_traces"
    LOGS = "inbox_logs"
    JSON_LOGS = "inbox_json_logs"
    POINTS = "inbox_points"
    PAYLOADS = "inbox_payloads"
    TURNS = "inbox_turns"
    CONTRACTS = "inbox_contracts"

    @property
    def signal(self) -> Signal:
        return _SIGNAL_OF[self]


_SIGNAL_OF = {
    Inbox.TRACES: Signal.TRACES,
    Inbox.LOGS: Signal.LOGS,
    Inbox.JSON_LOGS: Signal.LOGS,
    Inbox.POINTS: Signal.POINTS,
    Inbox.PAYLOADS: Signal.PAYLOADS,
    Inbox.TURNS: Signal.TURNS,
    Inbox.CONTRACTS: Signal.CONTRACTS,
}


class Refusal(StrEnum):
    """Why items were not kept. Every refusal is counted under one of these."""

    INVALID = "invalid"  # the bytes are not what the content type says
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"  # content type or encoding
    UNAUTHORISED = "unauthorised"
    FULL = "full"  # spool or disk: the client is asked to try again
    CLOCK = "clock"  # a time outside what the store keeps
    BAD_ID = "bad_id"  # a trace or span id of the wrong length
    EMPTY_METRIC = "empty_metric"  # a data point without a value and without the no-value flag
    ENGINE = "engine"  # the engine refused it; the bytes are kept aside


@dataclass(frozen=True, slots=True)
class Parcel:
    """One checked request on its way into the spool.

    `body` is protobuf whose messages of one inbox concatenate. `digest` tells a client's
    retry from a new request; it is taken from the bytes as they came. `dedup` is off for a
    body without times of its own: there, two equal bodies are two facts.
    """

    inbox: Inbox
    body: bytes
    items: int
    digest: bytes
    dedup: bool = True
    rejected: dict[Refusal, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the spool answers once the parcel is durable."""

    duplicate: bool


class Role(StrEnum):
    """What a signed-in person may do: an admin changes things, a monitor looks."""

    ADMIN = "admin"
    MONITOR = "monitor"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Author(StrEnum):
    USER = "user"
    BOT = "bot"
    AGENT = "agent"  # a human who took over


class Outcome(StrEnum):
    """What became of an inbound message."""

    ANSWERED = "answered"
    HANDED_OFF = "handed_off"
    FAILED = "failed"
    UNANSWERED = "unanswered"
