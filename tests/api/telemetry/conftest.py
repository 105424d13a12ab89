"""The application over a real engine, in a database of its own; what bots sent is put in by table."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from botwatch.api import Context
from botwatch.api.fresh import Fresh
from botwatch.api.telemetry import Telemetry
from botwatch.clock import ManualClock
from botwatch.measure.reader import Measures
from botwatch.nouns import Signal
from botwatch.settings import Settings
from botwatch.spool import Counts, Dead
from botwatch.store.client import Store
from tests.api.conftest import NOW_NS, ORIGIN, Secrets, application, bearer

NOW_S = NOW_NS // 10**9  # Friday 15 January 2027, 08:00 UTC
Row = dict[str, Any]


@dataclass
class Intake:
    counts: dict[Signal, Counts] = field(default_factory=lambda: {signal: Counts() for signal in Signal})
    refused: list[Dead] = field(default_factory=list)

    def intake(self) -> Mapping[Signal, Counts]:
        return self.counts

    def dead(self) -> list[Dead]:
        return self.refused

    def revive(self) -> int:
        found, self.refused = len(self.refused), []
        return found


def at(ago_s: float) -> str:
    """So many seconds ago, to the microsecond."""
    micros = round((NOW_S - ago_s) * 1_000_000)
    return f"{micros // 1_000_000}.{micros % 1_000_000:06}"


def trace(number: int) -> str:
    """A trace id: sixteen bytes that are text, so that JSON can carry them."""
    return f"trace{number:011}"


def hexed(id: str) -> str:
    return id.encode().hex()


class Bots:
    """What bots sent, in as few words as a test needs. Each call is one insert."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers = itertools.count(1)

    def put(self, table: str, *rows: Row) -> None:
        lines = b"\n".join(map(orjson.dumps, rows))
        self._store.insert(table, lines, fmt="JSONEachRow", settings={})

    def said(self, *messages: Row) -> None:
        """Messages: `ago` in seconds, `text`; by default from the user to the bot shop in session s1."""
        self.put("messages", *(self._message(**message) for message in messages))

    def talk(self, session: str, ago: float, user: str = "u1", bot: str = "shop", channel: str = "web") -> None:
        """A question and its answer a second later."""
        self.talks((session, ago), user=user, bot=bot, channel=channel)

    def talks(self, *sessions: tuple[str, float], **common: str) -> None:
        """The same in many sessions at once."""
        questions: list[Row] = [{"ago": ago, "session": session, **common} for session, ago in sessions]
        self.said(*questions, *({**asked, "ago": asked["ago"] - 1, "direction": "out"} for asked in questions))

    def event(self, event: str, ago: float, session: str = "s1", bot: str = "shop", **attributes: str) -> None:
        named = {name.replace("_", "."): value for name, value in attributes.items()}
        self.put(
            "events",
            {
                "bot": bot,
                "session_id": session,
                "at": at(ago),
                "event": event,
                "attributes": named,
                "message_id": named.get("bot.message.id", ""),
                "user_id": named.get("user.id", ""),
            },
        )

    def turn(self, ago: float, outcome: str = "answered", after_s: float | None = 1.0, **more: Any) -> None:
        row = {"bot": "shop", "session_id": "s1", "asked": at(ago), "outcome": outcome, "sign": 1}
        row |= {"answered": None if after_s is None else at(ago - after_s), "settled": at(ago - 60)}
        row |= {"answered_by": "" if after_s is None else "bot"}
        self.put("inbox_turns", row | more)

    def span(self, ago: float, trace_id: str, **more: Any) -> None:
        self.spans({"ago": ago, "trace_id": trace_id, **more})

    def spans(self, *spans: Row) -> None:
        self.put("spans", *(self._span(**span) for span in spans))

    def log(self, ago: float, body: str = "", **more: Any) -> None:
        self.logs({"ago": ago, "body": body, **more})

    def logs(self, *records: Row) -> None:
        self.put("logs", *(self._log(**record) for record in records))

    def _message(self, ago: float, text: str = "hello", direction: str = "in", **more: Any) -> Row:
        return {
            "bot": more.pop("bot", "shop"),
            "channel": more.pop("channel", "web"),
            "session_id": more.pop("session", "s1"),
            "user_id": more.pop("user", "u1"),
            "at": at(ago),
            "direction": direction,
            "author": more.pop("author", "user" if direction == "in" else "bot"),
            "text": text,
            "source": "event",
            "received": at(ago),
        } | more

    def _span(self, ago: float, trace_id: str, ms: float = 5, **more: Any) -> Row:
        number = next(self._numbers)
        return {
            "bot": "shop",
            "start": at(ago),
            "duration_ns": round(ms * 1_000_000),
            "trace_id": trace_id,
            "span_id": f"s{number:07}",
            "name": f"step {number}",
            "kind": "internal",
            "resource": "{}",
        } | more

    def _log(self, ago: float, body: str = "", **more: Any) -> Row:
        return {
            "bot": "shop",
            "at": at(ago),
            "severity": 9,
            "level": "info",
            "body": body,
            "resource": "{}",
        } | more


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"time_zone": "UTC"})


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def context(context: Context, store: Store, settings: Settings, clock: ManualClock, intake: Intake) -> Context:
    telemetry = Telemetry(store, Measures(store, settings, clock), intake, Fresh(clock))
    return replace(context, telemetry=telemetry)


@pytest.fixture
def app(context: Context) -> FastAPI:
    return application(context)


@pytest.fixture
def bots(store: Store) -> Bots:
    return Bots(store)


@dataclass
class Asker:
    client: httpx.AsyncClient
    secret: str

    async def get(self, path: str, **params: Any) -> Any:
        response = await self.response(path, **params)
        assert response.status_code == 200, response.text
        return response.json()

    async def response(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params, headers=bearer(self.secret))

    async def pages(self, path: str, **params: Any) -> list[list[Any]]:
        """All pages of a list, from the first to the one without a next."""
        pages, cursor = [], None
        while True:
            page = await self.get(path, **params, **({"cursor": cursor} if cursor else {}))
            pages.append(page["items"])
            cursor = page["next"]
            if cursor is None:
                return pages
            assert page["items"], "an empty page must be the last"
            assert len(pages) < 1_000


@pytest.fixture
async def asking(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


@pytest.fixture
def admin(asking: httpx.AsyncClient, secrets: Secrets) -> Asker:
    return Asker(asking, secrets.admin)


@pytest.fixture
def monitor(asking: httpx.AsyncClient, secrets: Secrets) -> Asker:
    return Asker(asking, secrets.monitor)
