"""Alerts that do not arrive: each reproduced with a real notifier, a real receiver and the real state database."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from botwatch.api import Context
from botwatch.api.diagnosis.alerts import FINDERS, Alerts
from botwatch.api.diagnosis.finding import Finding, Level
from botwatch.api.reads.facts_alerts import alerts
from botwatch.clock import ManualClock
from botwatch.detect.book import RuleBook
from botwatch.incident.steps import Step
from botwatch.notify import quiet
from botwatch.notify.silence import Silence
from botwatch.settings import Settings
from botwatch.state import Database
from tests.notify.house import CPU, House
from tests.notify.receiver import Got, Receiver, Reply


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", notify_networks="127.0.0.0/8, ::1", time_zone="UTC")


@pytest.fixture
async def house(database: Database, settings: Settings, clock: ManualClock) -> AsyncIterator[House]:
    house = House(database, settings, clock)
    yield house
    await house.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def book(database: Database, tmp_path: Path) -> RuleBook:
    book = RuleBook(database, tmp_path / "rules")
    book.reload()
    return book


async def look(context: Context, house: House, book: RuleBook | None = None) -> dict[str, Finding]:
    context = dataclasses.replace(context, notifier=house.notifier, rules=book)
    facts = await alerts(context, house.clock.now_ns())
    found = [finding for finder in FINDERS for finding in finder(facts)]
    for finding in found:
        assert finding.found.endswith(".")
        assert finding.remedy
    codes = [finding.code for finding in found]
    assert len(codes) == len(set(codes))
    return dict(zip(codes, found, strict=True))


async def test_all_is_well(context: Context, house: House, receiver: Receiver, book: RuleBook) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    house.open()
    await house.run(5)
    assert len(receiver.got) == 1
    assert await look(context, house, book) == {}


async def test_nobody_to_tell(context: Context, house: House) -> None:
    found = await look(context, house)
    assert found["no_channel"].level is Level.NOTICE
    house.open()
    await house.run(5)
    found = await look(context, house)
    assert found["no_channel"].level is Level.PROBLEM
    house.channel("ops", "webhook", enabled=False, url="http://127.0.0.1:9")
    assert "(ops)" in (await look(context, house))["no_channel"].found


@pytest.mark.parametrize(("status", "lost"), [(404, 1), (503, 0)])
async def test_a_channel_that_fails_and_is_mended(
    context: Context, house: House, receiver: Receiver, status: int, lost: int
) -> None:
    def refuse(_: Got) -> Reply:
        return Reply(status, b"no")

    receiver.answer = refuse
    house.channel("ops", "webhook", url=receiver.url)
    house.open()
    await house.run(5)
    found = (await look(context, house))["channel_failing"]
    assert found.subject == {"channel": "ops"}
    assert (found.evidence["failed"], found.evidence["waiting"]) == (lost, 1 - lost)
    assert str(status) in str(found.evidence["answer"])

    receiver.answer = lambda _: Reply()
    house.open(labels={"host": "web-2"})
    await house.run(120, step_s=10)
    assert await look(context, house) == {}


async def test_a_silence_holds_it_back(context: Context, house: House, receiver: Receiver) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    now = dt.datetime.fromtimestamp(house.clock.now_ns() / 1e9, dt.UTC)
    silence = Silence.model_validate({"where": ["rule=High CPU"], "starts": now, "ends": now + dt.timedelta(hours=2)})
    house.database.write_now(lambda session: quiet.add(session, house.clock.now_ns(), "ann", silence))
    house.open()
    await house.run(60, step_s=5)
    assert receiver.got == []
    found = (await look(context, house))["silenced"]
    assert (found.level, found.subject["rule"], found.evidence["detail"]) == (Level.NOTICE, "High CPU", "silence 1")


@pytest.mark.parametrize(
    ("route", "rule", "code"),
    [
        ({"name": "nobody"}, {}, "no_route"),
        ({"channels": ["ops"]}, {"notify": ["gone"]}, "unknown_channel"),
        ({"channels": ["off"]}, {}, "channel_off"),
    ],
)
async def test_a_route_that_leads_nowhere(
    context: Context, house: House, receiver: Receiver, route: dict[str, Any], rule: dict[str, Any], code: str
) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    house.channel("off", "webhook", enabled=False, url=receiver.url)
    house.routes(route)
    house.open(rule)
    await house.run(5)
    assert receiver.got == []
    found = await look(context, house)
    assert list(found) == [code]
    assert found[code].level is Level.PROBLEM


async def test_a_rule_it_depends_on_mutes_it(context: Context, house: House, receiver: Receiver) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    house.open({"name": "Host down"})
    await house.run(5)
    house.open({"depends_on": ["Host down"]})
    await house.run(60, step_s=5)
    assert len(receiver.got) == 1
    assert "rule Host down" in (await look(context, house))["muted_by_dependency"].found


async def test_a_cooldown(context: Context, house: House, receiver: Receiver, tmp_path: Path) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "cpu.yaml").write_text(
        'name: "High CPU"\nfield: cpu.usage\noperand: equalOrMoreThan\nvalue: 85\ntimeframe: 2m\ncooldown: 10m\n'
    )
    book = RuleBook(house.database, tmp_path / "rules", defaults=())
    book.reload()
    assert [rule.cooldown for rule in book.rules()] == [600]
    incident = house.open({**CPU, "cooldown": "10m"})
    await house.run(5)
    house.change(incident, Step.RESOLVED)
    await house.run(120, step_s=20)
    found = (await look(context, house, book))["cooldown"]
    assert found.evidence["seconds_left"] == pytest.approx(480, abs=30)
    house.clock.advance(600)
    assert await look(context, house, book) == {}


async def test_changes_nobody_takes(context: Context, house: House, receiver: Receiver) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    house.open()
    house.clock.advance(180)
    assert "3 minutes" in (await look(context, house))["notifier_behind"].found


def test_what_is_not_judged() -> None:
    facts = Alerts(0, (), rules=0, paused="the store is away.", troubles=(("Slow", "there is no such measure"),))
    found = [finding for finder in FINDERS for finding in finder(facts)]
    assert [finding.code for finding in found] == ["not_judged", "no_rules", "rule_not_judged", "no_channel"]
    assert found[0].found == "No rule is judged now: the store is away."
