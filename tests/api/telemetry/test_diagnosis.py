"""Each problem reproduced in a real engine, and the diagnosis names its cause and what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from botwatch.api import Context
from botwatch.api.diagnosis.facts import Standing
from botwatch.api.telemetry import Telemetry
from botwatch.errors import StoreAway
from botwatch.nouns import Refusal, Signal
from botwatch.settings import Settings
from botwatch.spool import Mark
from botwatch.state import Database, keys
from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from tests.api.conftest import NOW_NS, error_of
from tests.api.telemetry.conftest import Asker, Bots, Row, at, trace

PORTS = {"web": 8600, "otlp": 4318, "grpc": 4317}
Found = list[dict[str, Any]]


class Stands:
    """What the server says of itself; a test changes it."""

    def __init__(self) -> None:
        self.now = Standing(NOW_NS - 10**12, PORTS)

    def __call__(self) -> Standing:
        return self.now

    def change(self, **changes: Any) -> None:
        self.now = dataclasses.replace(self.now, **changes)


@pytest.fixture(scope="module")
def shared_store(_engine: Store, engine_path: Path) -> Iterator[Store]:
    """One schema for all of these: to make it takes longer than most of them."""
    store = Store.open("", data=engine_path, database="diagnosis")
    store.create()
    migrate(store)
    yield store
    store.close()
    _engine.command("DROP DATABASE diagnosis")


@pytest.fixture
def store(shared_store: Store) -> Store:
    """With nothing in it."""
    filled = shared_store.read(
        "SELECT name FROM system.tables WHERE database = 'diagnosis' AND total_rows > 0 AND name != 'schema_versions'"
    )
    for (name,) in filled:
        shared_store.command(f"TRUNCATE TABLE {name}")
    return shared_store


@pytest.fixture
def stands() -> Stands:
    return Stands()


@pytest.fixture
def context(context: Context, stands: Stands) -> Context:
    assert isinstance(context.telemetry, Telemetry)
    return dataclasses.replace(context, telemetry=dataclasses.replace(context.telemetry, standing=stands))


async def findings(asker: Asker, topic: str, **params: Any) -> Found:
    (told,) = (await asker.get("/api/diagnosis", topic=topic, **params))["topics"]
    assert told["looked"], told["why_not"]
    found: Found = told["findings"]
    for item in found:
        assert item["found"].endswith(".")
        assert item["remedy"]
    return found


def codes(found: Found) -> list[str]:
    return [item["code"] for item in found]


def beat(
    bot: str, ago: float, received: float | None = None, host: str = "h1", values: dict[str, float] | None = None
) -> list[Row]:
    """What the SDK sends of itself, dated so long ago."""
    told = {"process.uptime": 60.0, **(values or {})}
    return [
        {"bot": bot, "host": host, "metric": metric, "kind": "gauge", "unit": "1", "description": "", "value": value}
        | {"series": abs(hash((bot, host, metric))), "at": at(ago), "start": at(ago)}
        | {"label_names": [], "label_values": [], "resource": "{}"}
        | {"received": at(ago if received is None else received)}
        for metric, value in told.items()
    ]


def send(bots: Bots, *beats: list[Row]) -> None:
    bots.put("number_points", *chain.from_iterable(beats))


def marked(refusal: Refusal | None, items: int = 7, ago: int = 5, signal: Signal = Signal.TRACES) -> Mark:
    return Mark(signal, refusal, items, NOW_NS - ago * 10**9)


# --- no data


async def test_nothing_ever_came(monitor: Asker) -> None:
    (found,) = await findings(monitor, "no_data")
    assert found["code"] == "nothing_received"
    assert "botwatch_sdk.init" in found["remedy"]
    assert found["evidence"]["listening"] == "4317 (grpc), 4318 (otlp), 8600 (web)"


async def test_a_bot_that_sends_gives_no_finding(monitor: Asker, bots: Bots, stands: Stands) -> None:
    send(bots, beat("shop", 5, values={"system.cpu.utilization": 0.1}))
    stands.change(marks=(marked(None),))
    assert await findings(monitor, "no_data") == []


class TestWhereAKeyIsNeeded:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"ingest_auth": True})

    async def test_there_is_none_yet(self, monitor: Asker, bots: Bots, stands: Stands, database: Database) -> None:
        send(bots, beat("shop", 5, values={"system.cpu.utilization": 0.1}))
        assert codes(await findings(monitor, "no_data")) == []  # the fixture of tokens made one

        (key,) = database.read_now(lambda session: keys.listed(session, count=9))
        database.write_now(lambda session: keys.revoke(session, NOW_NS, "cli", key.id))
        stands.change(ports={**PORTS, "web": 8601})  # another question: answers are kept for a moment
        (found,) = await findings(monitor, "no_data", bot="shop")
        assert (found["code"], found["level"]) == ("no_key_yet", "notice")

        stands.change(marks=(marked(Refusal.UNAUTHORISED),))
        (found,) = await findings(monitor, "no_data", bot="x")
        assert "there is no ingest key" in found["found"]
        assert "botwatch key add" in found["remedy"]


async def test_all_of_a_signal_is_refused_and_why(monitor: Asker, stands: Stands) -> None:
    stands.change(marks=(marked(Refusal.INVALID), marked(None, signal=Signal.LOGS), marked(Refusal.CLOCK)))
    rejected, clock = await findings(monitor, "no_data")
    assert (rejected["code"], rejected["level"], clock["code"]) == ("rejected", "problem", "clock_refused")
    assert rejected["found"].startswith("All traces are refused")


@pytest.mark.parametrize(("dated", "code"), [(-3_600, "clock_ahead"), (3_600, "clock_behind")])
async def test_a_clock_that_is_wrong_is_told_by_when_it_came(
    monitor: Asker, bots: Bots, dated: float, code: str
) -> None:
    send(bots, beat("shop", dated, received=5))
    bots.log(dated, bot="plain", received=at(5))
    found = [item for item in await findings(monitor, "no_data") if item["code"] != "no_agent"]
    assert codes(found) == [code, code]
    assert {item["subject"]["bot"] for item in found} == {"shop", "plain"}
    assert abs(abs(found[0]["evidence"]["seconds"]) - 3_600) < 30


async def test_a_bot_that_went_silent_is_named_and_one_that_is_gone_for_weeks_is_not(
    monitor: Asker, bots: Bots
) -> None:
    send(bots, beat("shop", 600), beat("old", 9 * 86_400), beat("help", 5))
    bots.log(700, bot="plain", received=at(700))
    found = [item for item in await findings(monitor, "no_data") if item["code"] != "no_agent"]
    assert [(item["code"], item["subject"]["bot"], item["level"]) for item in found] == [
        ("bot_silent", "shop", "problem"),
        ("bot_silent", "plain", "notice"),
    ]
    assert "10 minutes, not even its heartbeat" in found[0]["found"]
    assert "it may be idle" in found[1]["found"]


async def test_a_machine_without_an_agent(monitor: Asker, bots: Bots) -> None:
    send(bots, beat("shop", 5, host="web-1"), beat("help", 5, host="web-2", values={"system.cpu.utilization": 0.5}))
    (found,) = await findings(monitor, "no_data")
    assert (found["code"], found["subject"]) == ("no_agent", {"host": "web-1"})
    assert "botwatch agent" in found["remedy"]


# --- no conversations


async def test_a_bot_whose_messages_are_held_back_is_named_with_the_switch(monitor: Asker, bots: Bots) -> None:
    call = {"kind": "client", "model": "gpt", "provider": "openai"}
    messages = {"gen_ai.input.messages": '[{"role":"tool","content":"5"}]', "gen_ai.operation.name": "chat"}
    bots.spans(
        *({"ago": 60, "trace_id": trace(n), "bot": "bare", **call} for n in range(3)),
        {"ago": 60, "trace_id": trace(5), "bot": "told", **call},
        {"ago": 60, "trace_id": trace(6), "bot": "ours", "resource": '{"bot.messages":"events"}', **call},
        {"ago": 60, "trace_id": trace(7), "bot": "steps", "attributes": messages, **call},
        {"ago": 60, "trace_id": trace(8), "bot": "talks", **call},
        {"ago": 60, "trace_id": trace(9), "bot": "works"},
        {"ago": 2 * 86_400, "trace_id": trace(10), "bot": "past", **call},
    )
    bots.log(60, bot="told", event="gen_ai.client.inference.operation.details")
    said(bots, "talks", "s1", "u1")
    found = {item["subject"]["bot"]: item for item in await findings(monitor, "no_conversations")}
    assert {bot: item["code"] for bot, item in found.items()} == {
        "bare": "messages_not_captured",
        "told": "messages_in_events",
        "ours": "messages_as_events_promised",
        "steps": "messages_of_no_user",
    }
    assert (found["bare"]["evidence"]["looked_at"], found["bare"]["level"]) == (3, "problem")
    assert "CAPTURE_MESSAGE_CONTENT=SPAN_ONLY" in found["bare"]["remedy"]
    assert "gen_ai.client.inference.operation.details" in found["told"]["found"]


async def test_where_nobody_talks_it_says_what_conversations_are_made_of(monitor: Asker, bots: Bots) -> None:
    assert await findings(monitor, "no_conversations") == []
    bots.log(60, bot="works")
    (found,) = await findings(monitor, "no_conversations", bot="works")  # another question: answers are kept a moment
    assert (found["code"], found["level"]) == ("no_messages", "notice")


# --- unknown users


def said(bots: Bots, bot: str, session: str, user: str, channel: str = "web", sdk: bool = False) -> None:
    resource = '{"telemetry.distro.name":"botwatch-sdk"}' if sdk else '{"service.name":"x"}'
    bots.log(
        60,
        bot=bot,
        event="bot.message",
        session_id=session,
        user_id=user,
        channel=channel,
        resource=resource,
        trace_id=trace(len(session) + ord(session[-1]) if session else 1),
        attributes={"bot.message.direction": "in"},
    )


async def test_users_are_unknown_and_the_call_that_is_missing_is_named(monitor: Asker, bots: Bots) -> None:
    for n in range(4):
        said(bots, "shop", f"s{n}", "", sdk=True)
    said(bots, "shop", "s9", "u9", channel="telegram", sdk=True)
    said(bots, "plain", "p1", "")
    said(bots, "bare", "", "", sdk=True)
    said(bots, "good", "g1", "u1")
    found = {item["subject"].get("bot"): item for item in await findings(monitor, "unknown_users")}
    assert set(found) - {None} == {"shop", "plain", "bare"}
    shop = found["shop"]
    assert (shop["evidence"]["unknown"], shop["evidence"]["sessions"]) == (4, 5)
    assert "on the channel web" in shop["found"]
    assert "bot.turn(text, user=USER_ID)" in shop["remedy"]
    assert "'user.id' attribute" in found["plain"]["remedy"]
    assert "session=CHAT_ID, user=USER_ID" in found["bare"]["remedy"]


async def test_users_that_are_masked_are_said_to_be(monitor: Asker, admin: Asker, bots: Bots) -> None:
    said(bots, "shop", "s1", "u1")
    assert codes(await findings(monitor, "unknown_users")) == ["users_masked"]
    assert await findings(admin, "unknown_users") == []


# --- high CPU and few sessions


def using(cpu: float, memory: float) -> dict[str, float]:
    return {"process.cpu.utilization": cpu, "process.memory.usage": memory}


@pytest.fixture
def busy(bots: Bots) -> Bots:
    """A bot at 95 % of a core for the last ten minutes, in one conversation."""
    send(
        bots,
        *(beat("shop", 10 + 60 * minute, values=using(0.95 if minute < 12 else 0.1, 2e8)) for minute in range(60)),
    )
    bots.talk("s1", 300)
    return bots


async def test_a_loop_in_a_dialog(monitor: Asker, busy: Bots) -> None:
    busy.spans(
        *({"ago": 300 - n / 2, "trace_id": trace(n), "session_id": "s1", "action": "ask_name"} for n in range(400))
    )
    busy.spans({"ago": 200, "trace_id": trace(999), "session_id": "s1", "action": "greet"})
    (found,) = await findings(monitor, "high_cpu")
    assert found["code"] == "dialog_loop"
    assert found["subject"] == {"bot": "shop", "session": "s1", "action": "ask_name"}
    assert (found["evidence"]["count"], found["evidence"]["messages"]) == (400, 1)
    assert "1 session is active" in found["found"]


async def test_models_called_over_and_over(monitor: Asker, busy: Bots) -> None:
    busy.spans(*({"ago": 300 - n, "trace_id": trace(n), "session_id": "s1", "model": "gpt-4o"} for n in range(90)))
    (found,) = await findings(monitor, "high_cpu")
    assert (found["code"], found["evidence"]["calls"], found["evidence"]["models"]) == ("model_calls", 90, "gpt-4o")


async def test_a_leak(monitor: Asker, bots: Bots) -> None:
    grown = [2e8 + (60 - minute) * 2e6 + (5e7 if minute % 3 else 0) for minute in range(60)]
    send(bots, *(beat("shop", 10 + 60 * minute, values=using(0.9, memory)) for minute, memory in enumerate(grown)))
    (found,) = await findings(monitor, "high_cpu")
    assert found["code"] == "memory_grows"
    assert found["evidence"]["to_bytes"] > found["evidence"]["from_bytes"]


async def test_what_leaves_no_trace_is_said_to_be_unexplained(monitor: Asker, busy: Bots) -> None:
    (found,) = await findings(monitor, "high_cpu")
    assert (found["code"], found["level"]) == ("busy_without_a_trace", "notice")


async def test_a_busy_bot_with_many_sessions_is_at_its_work(monitor: Asker, busy: Bots) -> None:
    for n in range(6):
        busy.talk(f"more {n}", 100)
    assert await findings(monitor, "high_cpu") == []


async def test_a_machine_busy_with_something_else(monitor: Asker, bots: Bots) -> None:
    idle = {"label_names": ["cpu.mode"], "label_values": ["idle"], "series": 77, "metric": "system.cpu.utilization"}
    for minute in range(10):
        (machine,) = beat("", 10 + 60 * minute, host="web-1")
        of_bot = beat("shop", 10 + 60 * minute, host="web-1", values=using(0.1, 1e8))
        send(bots, of_bot, [machine | idle | {"value": 0.04}])
    (found,) = await findings(monitor, "high_cpu")
    assert (found["code"], found["subject"]) == ("other_program", {"host": "web-1"})
    assert "10 % of one core" in found["found"]


# --- the answer as a whole


async def test_all_topics_are_asked_and_what_cannot_be_looked_at_says_so(
    monitor: Asker, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await monitor.get("/api/diagnosis")
    assert {topic["topic"] for topic in told["topics"]} >= {"no_data", "unknown_users", "high_cpu"}
    assert told["listening"] == PORTS

    async def away(*_: object, **__: object) -> object:
        raise StoreAway("The telemetry store is away.")

    monkeypatch.setattr(type(context.telemetry.store), "fetch", away)
    (topic,) = (await monitor.get("/api/diagnosis", topic="unknown_users"))["topics"]
    assert (topic["looked"], topic["why_not"], topic["findings"]) == (False, "The telemetry store is away.", [])


async def test_findings_of_one_bot(monitor: Asker, bots: Bots) -> None:
    send(bots, beat("shop", 600), beat("help", 900))
    found = await findings(monitor, "no_data", bot="help")
    assert [item["subject"].get("bot") for item in found if item["code"] == "bot_silent"] == ["help"]


async def test_it_needs_somebody_signed_in_and_known_parameters(monitor: Asker) -> None:
    assert error_of(await monitor.client.get("/api/diagnosis")) == (401, "unauthorised")
    assert error_of(await monitor.response("/api/diagnosis", topic="weather"))[0] == 422
