"""Sessions that are done, by the bot's own definition and without one, over scripted conversations."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.clock import ManualClock
from botwatch.errors import SettingError
from botwatch.measure.done import definitions
from botwatch.measure.reader import Measures
from botwatch.settings import Settings, load
from tests.measure.facts import T0, Facts, where

HOUR = 3_600


def asking(facts: Facts, now_s: int = T0 + HOUR, /, **bots: Any) -> Facts:
    settings = Settings(time_zone="UTC", idle_minutes=30, bots={name: {"done": done} for name, done in bots.items()})
    return Facts(facts.store, Measures(facts.store, settings, ManualClock(now_s * 10**9)))


def talk(facts: Facts, bot: str, session: str, at: int, outcome: str = "answered", **turn: Any) -> None:
    """A question, and what became of it."""
    facts.messages({"at": at, "bot": bot, "session_id": session})
    facts.turns({"at": at, "bot": bot, "session_id": session, "outcome": outcome, **turn})


@pytest.fixture(scope="module", autouse=True)
def _talks(facts: Facts) -> None:
    talk(facts, "plain", "answered", T0 + 10)
    talk(facts, "plain", "unanswered", T0 + 10, "unanswered")
    talk(facts, "plain", "corrected", T0 + 10, "unanswered")
    facts.turns({"at": T0 + 10, "bot": "plain", "session_id": "corrected", "outcome": "unanswered", "sign": -1})
    facts.turns({"at": T0 + 10, "bot": "plain", "session_id": "corrected", "outcome": "answered", "ms": 90_000})
    talk(facts, "plain", "first lost, then answered", T0 + 10, "failed")
    talk(facts, "plain", "first lost, then answered", T0 + 20)
    talk(facts, "plain", "taken over", T0 + 10)
    facts.events({"at": T0 + 20, "bot": "plain", "session_id": "taken over", "event": "bot.handoff"})
    talk(facts, "plain", "disliked", T0 + 10)
    talk(facts, "plain", "said so", T0 + 10, "unanswered")
    talk(facts, "plain", "given up", T0 + 10)
    for session, event in (
        ("disliked", {"event": "bot.feedback", "attributes": {"bot.feedback.score": "-1"}}),
        ("said so", {"event": "bot.session.end", "attributes": {"bot.session.outcome": "completed"}}),
        ("given up", {"event": "bot.session.end", "attributes": {"bot.session.outcome": "abandoned"}}),
    ):
        facts.events({"at": T0 + 20, "bot": "plain", "session_id": session, **event})
    talk(facts, "plain", "going on", T0 + 40 * 60)
    for session in ("paid", "tried", "shipped", "resolved", "nothing"):
        talk(facts, "shop", session, T0 + 10, "unanswered")
    talk(facts, "shop", "paid just now", T0 + 50 * 60)
    for session, status in (("paid", "ok"), ("tried", "error"), ("paid just now", "unset")):
        facts.spans({"at": T0 + 20, "bot": "shop", "session_id": session, "action": "pay", "status": status})
    facts.logs({"at": T0 + 20, "bot": "shop", "session_id": "shipped", "event": "order.shipped"})
    ended = {"event": "bot.session.end", "attributes": {"bot.session.outcome": "resolved"}}
    facts.events({"at": T0 + 20, "bot": "shop", "session_id": "resolved", **ended})


async def counted(facts: Facts, bot: str) -> list[float | None]:
    """Done, over and not done, and the share of those done."""
    names = ("sessions.completed", "sessions.left", "sessions.completion_rate")
    return [await facts.one(name, where=where(bot=bot)) for name in names]


async def test_without_a_definition_the_last_turn_decides_unless_the_session_said_how_it_ended(facts: Facts) -> None:
    # Done: answered, corrected, first lost then answered, said so. Left: unanswered, taken over, disliked, given up.
    assert await counted(asking(facts), "plain") == [4, 4, 50]


async def test_what_goes_on_is_neither_done_nor_left_until_it_is_idle(facts: Facts) -> None:
    assert await counted(asking(facts, T0 + 20), "plain") == [1, 1, 50]
    assert await counted(asking(facts, T0 + 2 * HOUR), "plain") == [5, 4, pytest.approx(500 / 9)]


async def test_a_bot_is_judged_by_its_own_definition(facts: Facts) -> None:
    assert await counted(asking(facts, shop="action:pay"), "shop") == [2, 4, pytest.approx(100 / 3)]
    assert await counted(asking(facts, shop=["action:pay", "event:order.shipped", "outcome:resolved"]), "shop") == [
        4,
        2,
        pytest.approx(200 / 3),
    ]
    assert await counted(asking(facts, other="action:pay"), "shop") == [0, 5, 0]


async def test_one_definition_for_all_bots_and_one_of_their_own(facts: Facts) -> None:
    both = asking(facts, **{"*": "outcome:completed", "shop": "event:order.shipped"})
    assert await counted(both, "plain") == [1, 7, 12.5]
    assert await counted(both, "shop") == [1, 4, 20]


async def test_completions_by_bot_and_channel(facts: Facts) -> None:
    found = await asking(facts, shop="action:pay").value("sessions.completed", by=("bot", "channel"))
    assert found == {("plain", "web"): 4, ("shop", "web"): 2}


async def test_a_session_has_a_score_of_its_own(facts: Facts) -> None:
    at = T0 + 20 * 86_400
    for session, scores in (("a", (1, 1, 1)), ("b", (-1,)), ("c", ())):
        facts.messages({"at": at, "bot": "rated", "session_id": session})
        for late, score in enumerate(scores):
            facts.events(
                {
                    "at": at + late,
                    "bot": "rated",
                    "session_id": session,
                    "event": "bot.feedback",
                    "attributes": {"bot.feedback.score": str(score)},
                }
            )
    assert await facts.one("sessions.score", at, at + 60) == 0
    assert await facts.one("feedback.score", at, at + 60) == 0.5
    assert await facts.one("sessions.disliked_rate", at, at + 60) == 50


def test_definitions_are_read_from_a_file_and_a_variable() -> None:
    found = definitions(load(environ={"BOTWATCH_BOT_SHOP": "action:pay, outcome:re:solved"}))
    assert (found["shop"].steps, found["shop"].outcomes) == (("action:pay",), ("re:solved",))


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"done": ""},
        {"done": "pay"},
        {"done": "intent:x"},
        {"done": ["action:"]},
        {"done": 3},
        {"done": [3]},
        {"done": ["event:x"] * 21},
        {"done": "action:x", "more": 1},
    ],
)
def test_what_is_no_definition_is_refused_by_name(table: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"^bots\.shop: expected `done` with action:NAME"):
        definitions(Settings(bots={"shop": table}))
