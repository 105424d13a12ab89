"""Conversations as rows of the store, and a spool that keeps its parcels until it is told to deliver."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from botwatch.clock import ManualClock
from botwatch.errors import SpoolFull
from botwatch.nouns import Parcel, Receipt, Signal
from botwatch.spool import Counts
from botwatch.store.client import Store
from botwatch.turns import Settler, Terms

START_S = 1_800_000_000  # a full hour
US = 1_000_000
TERMS = Terms(deadline_s=60, late_s=6 * 3600, idle_s=1800)


@dataclass(frozen=True, slots=True)
class Said:
    """A message; times are seconds after the start."""

    at: float
    author: str = "user"
    id: str = ""
    to: str = ""
    session: str = "s"
    bot: str = "b"
    channel: str = "web"

    @property
    def at_us(self) -> int:
        return START_S * US + round(self.at * US)

    @property
    def direction(self) -> str:
        return "in" if self.author == "user" else "out"

    def row(self) -> Mapping[str, object]:
        return {
            "message_id": self.id,
            "reply_to": self.to,
            "direction": self.direction,
            "author": self.author,
            "host": "h",
            "user_id": f"user of {self.session}",
        }


@dataclass(frozen=True, slots=True)
class Event:
    at: float
    event: str
    id: str = ""
    session: str = "s"
    bot: str = "b"
    channel: str = "web"

    @property
    def at_us(self) -> int:
        return START_S * US + round(self.at * US)

    def row(self) -> Mapping[str, object]:
        return {"event": self.event, "message_id": self.id}


def failed(at: float, id: str = "", session: str = "s") -> Event:
    return Event(at, "bot.turn.failed", id, session)


def handoff(at: float, session: str = "s") -> Event:
    return Event(at, "bot.handoff", session=session)


def ended(at: float, session: str = "s") -> Event:
    return Event(at, "bot.session.end", session=session)


def store_items(store: Store, received_s: float, items: Iterable[Said | Event]) -> None:
    """Put them where the views put what was received; `received_s` is seconds after the start."""
    rows: dict[str, list[bytes]] = {"messages": [], "events": []}
    for item in items:
        common = {
            "bot": item.bot,
            "channel": item.channel,
            "session_id": item.session,
            "at": f"{item.at_us / US:.6f}",
            "received": f"{START_S + received_s:.3f}",
        }
        table = "messages" if isinstance(item, Said) else "events"
        rows[table].append(json.dumps(common | dict(item.row())).encode())
    for table, lines in rows.items():
        if lines:
            store.insert(table, b"\n".join(lines), fmt="JSONEachRow", settings={})


class Shelf:
    """The spool as the settler sees it. What is put waits until `deliver`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.waiting: list[Parcel] = []
        self.meta: dict[str, str] = {}
        self.pending_ns: int | None = None
        self.full = False
        self.puts = 0

    async def put(self, parcel: Parcel) -> Receipt:
        if self.full:
            raise SpoolFull("full", retry_after_s=1)
        self.waiting.append(parcel)
        self.puts += 1
        return Receipt(duplicate=False)

    def deliver(self) -> None:
        for parcel in self.waiting:
            self._store.insert(parcel.inbox.value, parcel.body, fmt="Native", settings={})
        self.waiting.clear()

    def stored_through_ns(self, now_ns: int) -> int:
        return now_ns if self.pending_ns is None else min(now_ns, self.pending_ns)

    def intake(self) -> Mapping[Signal, Counts]:
        items = sum(parcel.items for parcel in self.waiting)
        return {Signal.TURNS: Counts(received=items, spooled=items)}

    def meta_get(self, key: str) -> str | None:
        return self.meta.get(key)

    def meta_set(self, key: str, value: str) -> None:
        self.meta[key] = value


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of `turns`, times in seconds after the start."""

    outcome: str
    answered: float | None = None
    by: str = ""


@dataclass(slots=True)
class House:
    """A settler over a store, with the time in hand."""

    store: Store
    terms: Terms = TERMS
    shelf: Shelf = field(init=False)
    settler: Settler = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.store)
        self.restart()

    def restart(self) -> None:
        self.settler = Settler(self.store, self.shelf, ManualClock(0), self.terms)

    def arrive(self, received_s: float, *items: Said | Event) -> None:
        store_items(self.store, received_s, items)

    def turns(self) -> dict[tuple[str, float], Outcome]:
        rows = self.store.read(
            "SELECT session_id, toUnixTimestamp64Micro(asked), toString(outcome), "
            "toUnixTimestamp64Micro(answered), answered_by FROM turns FINAL"
        )
        return {
            (session, asked / US - START_S): Outcome(outcome, None if answered is None else answered / US - START_S, by)
            for session, asked, outcome, answered, by in rows
        }

    def ticks(self) -> dict[tuple[str, str], int]:
        """The counted turns by outcome and author, without what was taken back."""
        rows = self.store.read(
            "SELECT detail, name, sum(count) AS n FROM ticks_10s WHERE kind = 'turn' GROUP BY 1, 2 HAVING n != 0"
        )
        return {(outcome, by): n for outcome, by, n in rows}

    def rows_written(self) -> int:
        rows = self.store.read("SELECT count() FROM turns").first
        assert rows is not None
        return int(rows[0])


def at_ns(seconds: float) -> int:
    """The time so many seconds after the start, and the millisecond that makes it complete."""
    return START_S * 10**9 + round(seconds * 10**9) + 10**6
