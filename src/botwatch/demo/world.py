"""What the demo's world is made of: bots and what they call, conversations, the day's rhythm.

Everything here is data. History reads it as SQL rows, the live fleet plays it through the SDK, so that
the two tell the same story under the same names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RATE_DEFAULT: Final = 6.0  # conversations a minute at the busiest hour
VERSION: Final = "2025.11.2"
VERSION_BEFORE: Final = "2025.11.1"
CALL_SCOPE: Final = "botwatch.demo.calls"  # what an instrumentation library would name itself
TICKET_SOURCE: Final = "helpdesk"
TICKET_SPAN: Final = "process tickets"
TICKET_ATTRIBUTES: Final = {
    "messaging.system": "rabbitmq",
    "messaging.destination.name": "tickets",
    "messaging.operation.type": "process",
}

# What happens beside the plan, as shares of all turns.
SILENT_SHARE: Final = 0.006  # the bot says nothing and does not know
LATE_SHARE: Final = 0.002  # the answer comes after the deadline
APOLOGY_SHARE: Final = 0.7  # of the turns in which a call failed; in the others the bot gives up
LEAVE_SHARE: Final = 0.05  # the user goes away after an answer
FEEDBACK_SHARE: Final = 0.3  # of the conversations that reach their end
LATE_S: Final = (70.0, 200.0)
ABANDON_SHARE: Final = 0.6  # of those the bot says so later
ABANDON_S: Final = 300.0
AGENT_JOINS_S: Final = (15.0, 60.0)
AGENT_TYPES_S: Final = (20.0, 55.0)
TYPING_SIGMA: Final = 0.5
OWN_SIGMA: Final = 0.3
GATEWAY_MS: Final = 6.0  # a turn's own time, before it acts


class Failure(StrEnum):
    """How a call can fail."""

    TIMEOUT = "timeout"
    ERROR = "error"
    LIMITED = "limited"


class Part(StrEnum):
    """Who acts in a step of a conversation."""

    BOT = "bot"
    HANDOFF = "handoff"  # the bot calls a human
    AGENT = "agent"  # the human answers
    TICKET = "ticket"  # no conversation: a document from a queue


class Contact(StrEnum):
    PHONE = "phone"
    MOBILE = "mobile"
    VISITOR = "visitor"
    MEMBER = "member"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    share: float
    contact: Contact


@dataclass(frozen=True, slots=True)
class Fault:
    """What a failed call leaves behind: on its span, and as the exception the bot sees."""

    share: float
    attributes: Mapping[str, str | int]
    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """Something a bot calls. `attributes` name it the way instrumentation libraries do."""

    dependency: str
    name: str
    median_ms: float
    attributes: Mapping[str, str | int]
    timeout: Fault
    error: Fault
    limited: Fault
    sigma: float = 0.4
    timeout_ms: float = 10_000.0
    slow_ms: float = 1_500.0
    tokens_in: int = 0
    tokens_out: int = 0

    def fault(self, failure: Failure) -> Fault:
        return {Failure.TIMEOUT: self.timeout, Failure.ERROR: self.error, Failure.LIMITED: self.limited}[failure]

    def unanswered(self, kind: str) -> Fault:
        """Of one that nobody takes: no status came back, only what kind of error it was."""
        named = {name: value for name, value in self.error.attributes.items() if name != "http.response.status_code"}
        return Fault(0.0, {**named, "error.type": kind}, f"{self.dependency} cannot be reached")


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    calls: tuple[Call, ...] = ()
    median_ms: float = 8.0
    log: str = ""  # what the bot logs when it is done


@dataclass(frozen=True, slots=True)
class Step:
    """One turn: what the user says, what the bot does, what it answers."""

    say: str
    reply: str
    actions: tuple[str, ...] = ()
    part: Part = Part.BOT
    pause_s: float = 14.0  # until the user says the next thing


@dataclass(frozen=True, slots=True)
class Script:
    """One way a conversation goes. `later` is the document of a ticket after the drift."""

    name: str
    weight: float
    steps: tuple[Step, ...]
    outcome: str = "completed"
    score: float = 1.0
    later: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A process of a bot on a host, with what it uses when idle."""

    host: str
    instance: str
    cpu: float
    memory_mib: float
    connections: int


@dataclass(frozen=True, slots=True)
class Bot:
    name: str
    share: float  # of the conversations of the fleet; of the tickets for one without a channel
    places: tuple[Place, ...]
    channels: tuple[Channel, ...]
    actions: Mapping[str, Action]
    scripts: tuple[Script, ...]
    users: int = 1_000
    queue: str = ""

    def __post_init__(self) -> None:
        for script in self.scripts:
            for step in script.steps:
                for name in step.actions:
                    if name not in self.actions:
                        raise ValueError(f"{self.name}/{script.name}: {name} is not an action of this bot")

    def users_on(self, channel: Channel) -> int:
        return round(self.users * channel.share)


class CallFailed(Exception):
    """What a bot's client for something raises. Named as in a bot of its own."""

    __module__ = "clients"

    def __init__(self, message: str, dependency: str) -> None:
        super().__init__(message)
        self.dependency = dependency


class TimedOut(CallFailed):
    __module__ = "clients"


class Unavailable(CallFailed):
    __module__ = "clients"


class RateLimited(CallFailed):
    __module__ = "clients"


EXCEPTIONS: Final[Mapping[Failure, type[CallFailed]]] = {
    Failure.TIMEOUT: TimedOut,
    Failure.ERROR: Unavailable,
    Failure.LIMITED: RateLimited,
}


def exception_name(failure: Failure) -> str:
    """As OpenTelemetry names a type."""
    kind = EXCEPTIONS[failure]
    return f"{kind.__module__}.{kind.__qualname__}"


APOLOGIES: Final[Mapping[Failure, str]] = {
    Failure.TIMEOUT: "Sorry, this takes longer than it should on our side. Please try again in a few minutes.",
    Failure.ERROR: "Sorry, something went wrong on our side. Please try again in a moment.",
    Failure.LIMITED: "Sorry, I am asked a lot right now. Please give me a minute and try again.",
}
RETRY_AFTER_S: Final = 20
PRAISE: Final = ("Quick and easy!", "Great, thanks", "That helped a lot", "better than the phone line")
BLAME: Final = ("Did not understand me at all", "I had to say it three times", "too slow", "I want a person next time")


def http(
    dependency: str, method: str, path: str, median_ms: float, *, failing: float = 0.003, limited: float = 0.0
) -> Call:
    named = {"http.request.method": method, "server.address": f"{dependency}.example.com", "peer.service": dependency}
    return Call(
        dependency,
        f"{method} {path}",
        median_ms,
        {**named, "url.template": path, "http.response.status_code": 200},
        timeout=Fault(failing / 3, {**named, "error.type": "timeout"}, f"{dependency} did not answer within 10 s"),
        error=Fault(
            failing * 2 / 3,
            {**named, "http.response.status_code": 503, "error.type": "503"},
            f"{dependency} answered 503 Service Unavailable",
        ),
        limited=Fault(
            limited,
            {**named, "http.response.status_code": 429, "error.type": "429"},
            f"{dependency} answered 429: wait {RETRY_AFTER_S} s",
        ),
    )


def sql(dependency: str, operation: str, median_ms: float) -> Call:
    named = {"db.system.name": "postgresql", "db.operation.name": operation, "server.address": dependency}
    return Call(
        dependency,
        f"{operation} {dependency}",
        median_ms,
        named,
        timeout=Fault(0.0002, {**named, "error.type": "timeout"}, f"{dependency}: statement timeout after 5 s"),
        error=Fault(0.0006, {**named, "error.type": "53300"}, f"{dependency}: sorry, too many clients already"),
        limited=Fault(0.0, {}, ""),
        timeout_ms=5_000.0,
    )


def model(provider: str, name: str, median_ms: float, tokens_in: int, tokens_out: int) -> Call:
    named = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": name}
    return Call(
        provider,
        f"chat {name}",
        median_ms,
        {**named, "gen_ai.response.model": name},
        timeout=Fault(0.002, {**named, "error.type": "timeout"}, f"{provider} did not answer within 30 s"),
        error=Fault(0.003, {**named, "error.type": "overloaded_error"}, f"{provider}: overloaded"),
        limited=Fault(0.003, {**named, "error.type": "429"}, f"{provider} answered 429: wait {RETRY_AFTER_S} s"),
        timeout_ms=30_000.0,
        slow_ms=8_000.0,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
    )


# --- the rhythm of a day and a week, by the clock on the wall

_HOURS: Final = (
    *(0.30, 0.27, 0.25, 0.24, 0.24, 0.27, 0.36, 0.50, 0.70, 0.88, 0.96, 1.00),
    *(0.94, 0.92, 0.95, 0.94, 0.90, 0.88, 0.90, 0.92, 0.86, 0.72, 0.55, 0.40),
)
_WEEKDAYS: Final = (1.0, 0.97, 0.96, 0.98, 0.95, 0.70, 0.62)


def rhythm(at: dt.datetime) -> float:
    """How busy it is at this local time: 1 at the busiest hour of a Monday."""
    hour, share = at.hour, at.minute / 60
    between = _HOURS[hour] * (1 - share) + _HOURS[(hour + 1) % 24] * share
    return between * _WEEKDAYS[at.weekday()]


def user_id(contact: Contact, number: int) -> str:
    """Numbers from ranges that are kept free for fiction, addresses at domains kept free for examples."""
    if contact is Contact.PHONE:
        return f"+1{200 + number // 100 % 800}55501{number % 100:02d}"
    if contact is Contact.MOBILE:
        return f"+447700900{number % 1000:03d}"
    return f"{contact.value}{number}@example.{'org' if contact is Contact.MEMBER else 'com'}"
