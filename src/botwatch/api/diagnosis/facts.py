"""What is looked at, as it was found: plain values, so that finders can be tried with any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botwatch.nouns import Signal
from botwatch.spool import Mark


@dataclass(frozen=True, slots=True)
class Standing:
    """How the server itself stands. `ports` are those it listens on, by what they are for."""

    since_ns: int
    ports: Mapping[str, int]
    marks: tuple[Mark, ...] = ()
    replaying: bool = False
    away_since_ns: int | None = None
    spool_trouble: bool = False
    spool_oldest_ns: int | None = None
    disk_nearly_full: bool = False
    away_why: str = ""


@dataclass(frozen=True, slots=True)
class SeenBot:
    """`last_s` is the newest time in what it sent, `received_s` when the newest came; None: not looked up.

    One that `beats` sends something also when it has nothing to do.
    """

    name: str
    last_s: int
    received_s: int | None = None
    beats: bool = True


@dataclass(frozen=True, slots=True)
class SeenHost:
    """`measured_s` is when an agent last told of it, None where none ever did."""

    name: str
    bot_s: int | None
    measured_s: int | None


@dataclass(frozen=True, slots=True)
class Arrivals:
    now_ns: int
    standing: Standing
    ever: Mapping[Signal, int]  # items received since the spool was made
    needs_key: bool
    live_keys: int | None
    watches_itself: bool
    bots: tuple[SeenBot, ...] = ()
    hosts: tuple[SeenHost, ...] = ()

    @property
    def now_s(self) -> int:
        return self.now_ns // 10**9


@dataclass(frozen=True, slots=True)
class BotUsers:
    """Sessions of one bot and channel over the last day. `traced` are those that have no session id of their own."""

    bot: str
    channel: str
    sessions: int
    unknown: int
    traced: int
    by_our_sdk: bool | None


@dataclass(frozen=True, slots=True)
class Users:
    bots: tuple[BotUsers, ...]
    shown: bool  # to whoever asks


@dataclass(frozen=True, slots=True)
class ModelCalls:
    """A bot that called models within a day and said no message; `looked_at` are the newest of its calls. `event` is
    the name of the events in which its messages come, empty where none do."""

    bot: str
    model: str
    event: str
    looked_at: int
    with_messages: int
    says_events: bool


@dataclass(frozen=True, slots=True)
class Talk:
    bots: int
    talking: int
    mute: tuple[ModelCalls, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeated:
    """One action in one session, over the window; `said` are the user's messages in it. Empty: outside of sessions."""

    session: str
    action: str
    count: int
    said: int


@dataclass(frozen=True, slots=True)
class Busy:
    """A bot whose process uses much of a core, and what it did meanwhile. None: that was not told."""

    bot: str
    cpu_percent: float
    sessions: int
    messages: int
    window_s: int
    repeated: tuple[Repeated, ...] = ()
    model_calls: int = 0
    models: str = ""
    memory_lows: tuple[float, ...] = field(default=())  # bytes, the least of each sixth of the last hour


@dataclass(frozen=True, slots=True)
class BusyHost:
    host: str
    cpu_percent: float
    bots_percent: float | None  # of one core, all bots' processes on it together
    sessions: int


@dataclass(frozen=True, slots=True)
class Load:
    bots: tuple[Busy, ...]
    hosts: tuple[BusyHost, ...] = ()
    bots_with_cpu: int = 0  # bots whose share of a core is known at all
