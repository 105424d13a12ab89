"""What happened, as rows of the store; what contracts make of it; and the same once more, as plainly as Python can."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botwatch.clock import ManualClock
from botwatch.detect.contract import Contract, due_us, outcome, read
from botwatch.detect.rule import Rule
from botwatch.errors import SpoolFull
from botwatch.nouns import Parcel, Receipt, Signal
from botwatch.spool import Counts
from botwatch.store.client import Store
from botwatch.watch.contracts.settler import ContractSettler, Way

START_S = 1_800_003_600  # Friday 15 January 2027, 09:00 UTC
US = 1_000_000
LATE_S = 6 * 3_600
WAY = Way("UTC", LATE_S)


@dataclass(frozen=True, slots=True)
class Happened:
    """`what` is `in`, `out`, `human`, or the name of an event. Times are seconds after the start."""

    at: float
    what: str
    session: str = "s"
    bot: str = "b"
    channel: str = "web"
    correlation: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def us(self) -> int:
        return START_S * US + round(self.at * US)

    @property
    def table(self) -> str:
        if self.what in ("in", "out", "human"):
            return "messages"
        return "events" if self.what in ("bot.handoff", "bot.expected", "bot.session.end") else "logs"

    def row(self, received_s: float) -> Mapping[str, object]:
        common: dict[str, object] = {
            "bot": self.bot,
            "channel": self.channel,
            "session_id": self.session,
            "at": f"{self.us // US}.{self.us % US:06}",
            "received": f"{START_S + received_s:.3f}",
            "correlation_id": self.correlation,
        }
        if self.table != "messages":
            return common | {"event": self.what, "attributes": dict(self.attributes)}
        author = {"in": "user", "out": "bot", "human": "agent"}[self.what]
        return common | {"direction": "in" if self.what == "in" else "out", "author": author}


def expected(at: float, id: str, within_s: str = "60", name: str = "refund", **more: Any) -> Happened:
    told = {"name": name, "id": id, "state": "open", "within_s": within_s}
    return Happened(at, "bot.expected", attributes={f"bot.expected.{k}": v for k, v in told.items()}, **more)


def met(at: float, id: str, name: str = "refund", **more: Any) -> Happened:
    told = {"name": name, "id": id, "state": "met"}
    return Happened(at, "bot.expected", attributes={f"bot.expected.{k}": v for k, v in told.items()}, **more)


class Shelf:
    """The spool as the settler sees it. What is put waits until `deliver`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.waiting: list[Parcel] = []
        self.meta: dict[str, str] = {}
        self.full = False

    async def put(self, parcel: Parcel) -> Receipt:
        if self.full:
            raise SpoolFull("full", retry_after_s=1)
        self.waiting.append(parcel)
        return Receipt(duplicate=False)

    def deliver(self) -> None:
        for parcel in self.waiting:
            self._store.insert(parcel.inbox.value, parcel.body, fmt="Native", settings={})
        self.waiting.clear()

    def stored_through_ns(self, now_ns: int) -> int:
        return now_ns

    def intake(self) -> Mapping[Signal, Counts]:
        items = sum(parcel.items for parcel in self.waiting)
        return {Signal.CONTRACTS: Counts(received=items, spooled=items)}

    def meta_get(self, key: str) -> str | None:
        return self.meta.get(key)

    def meta_set(self, key: str, value: str) -> None:
        self.meta[key] = value


def rule(name: str, **options: Any) -> Rule:
    return Rule.model_validate({"name": name, "kind": "contract", "options": options})


Key = tuple[str, str, str, float]  # contract, bot, id, at
Found = tuple[str, float | None]  # what became of it, and when it was followed


class House:
    """A settler over a store, with the time in hand."""

    def __init__(self, store: Store, *rules: Rule) -> None:
        self.store = store
        self.rules: Sequence[Rule] = rules
        self.shelf = Shelf(store)
        self.restart()

    def restart(self) -> None:
        self.settler = ContractSettler(self.store, self.shelf, lambda: self.rules, ManualClock(0), WAY)

    def arrive(self, received_s: float, *items: Happened) -> None:
        rows: dict[str, list[bytes]] = {}
        for item in items:
            rows.setdefault(item.table, []).append(json.dumps(item.row(received_s)).encode())
        for table, lines in rows.items():
            self.store.insert(table, b"\n".join(lines), fmt="JSONEachRow", settings={})

    def put(self, table: str, *rows: Mapping[str, object]) -> None:
        self.store.insert(table, b"\n".join(json.dumps(row).encode() for row in rows), fmt="JSONEachRow", settings={})

    def outcomes(self) -> dict[Key, Found]:
        rows = self.store.read(
            "SELECT contract, bot, id, toUnixTimestamp64Micro(at), toString(outcome), toUnixTimestamp64Micro(followed) "
            "FROM contract_outcomes FINAL"
        )
        return {
            (name, bot, id, us / US - START_S): (told, None if followed is None else followed / US - START_S)
            for name, bot, id, us, told, followed in rows
        }

    def ticks(self) -> dict[tuple[str, str], int]:
        """The counts by contract and outcome, without what was taken back."""
        rows = self.store.read(
            "SELECT name, detail, sum(count) AS n FROM ticks_10s WHERE kind = 'contract' GROUP BY 1, 2 HAVING n != 0"
        )
        return {(name, detail): n for name, detail, n in rows}

    def rows_written(self) -> int:
        rows = self.store.read("SELECT count() FROM contract_outcomes").first
        assert rows is not None
        return int(rows[0])


def at_ns(seconds: float) -> int:
    """The time so many seconds after the start, and the millisecond that makes it complete."""
    return START_S * 10**9 + round(seconds * 10**9) + 10**6


def judged(
    known: Iterable[Happened], contract: Contract, zone: str, now_s: float
) -> dict[tuple[str, str, float], Found]:
    """The oracle: for messages and events by session. By bot, session and time."""
    found = {}
    items = list(known)
    for asked in items:
        if not asked.session or not _is(asked, contract.when.what, contract.when.name):
            continue
        terms = contract.terms_of(asked.bot, asked.channel)
        due = due_us(asked.us, terms, terms.calendar(zone, asked.us, asked.us))
        assert due is not None
        following = [
            one.us
            for one in items
            if (one.bot, one.session) == (asked.bot, asked.session)
            and any(
                _is(one, pattern.what, pattern.name)
                and (one.us > asked.us if pattern.meets(contract.when) else one.us >= asked.us)
                for pattern in contract.then
            )
        ]
        followed = min(following, default=None)
        told = outcome(followed, due, START_S * US + round(now_s * US), LATE_S * US)
        if told is not None:
            within = followed is not None and followed <= due + LATE_S * US
            found[asked.bot, asked.session, asked.us / US - START_S] = (
                told.value,
                followed / US - START_S if followed is not None and within else None,
            )
    return found


def _is(one: Happened, what: str, name: str) -> bool:
    if what == "message":
        return one.what in {"in": ("in",), "out": ("out", "human"), "bot": ("out",), "human": ("human",)}[name]
    return one.what == name


def contract_of(**options: Any) -> Contract:
    return read(options)
