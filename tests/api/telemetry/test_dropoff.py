"""Where conversations stop, over scripted ones."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.settings import Settings
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import Asker, Bots

PATH = "/api/insights/dropoff"


def talk(bots: Bots, session: str, said: str, action: str = "", ago: float = 7_200, **turn: Any) -> None:
    bots.said(
        {"ago": ago, "text": "a question", "session": session},
        {"ago": ago - 5, "text": "first a welcome", "direction": "out", "session": session},
        {"ago": ago - 10, "text": said, "direction": "out", "session": session},
        {"ago": ago - 11, "text": "a human's note", "direction": "out", "author": "agent", "session": session},
    )
    bots.turn(ago, session_id=session, **turn)
    if action:
        bots.spans(
            {"ago": ago - 1, "trace_id": f"t{session:0>15}", "session_id": session, "action": "greet"},
            {"ago": ago - 9, "trace_id": f"t{session:0>15}", "session_id": session, "action": action},
        )


@pytest.fixture
def talks(bots: Bots) -> None:
    talk(bots, "s1", "Your address for order 1, please?", "ask_address", ago=9_000)
    talk(bots, "s2", "Your address for order 22, please!", "ask_address", ago=8_000)
    talk(bots, "s3", "How would you like to pay?", "ask_payment")
    talk(bots, "s4", "How would you like to pay?")
    talk(bots, "paid", "Thank you", "pay")
    talk(bots, "now", "Your address for order 3, please?", "ask_address", ago=600)
    bots.said({"ago": 7_000, "text": "is anybody there", "session": "mute"})


class TestByTheBotsOwnDefinition:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"bots": {"shop": {"done": "action:pay"}}})

    async def test_conversations_stop_at_actions(self, admin: Asker, talks: None) -> None:
        told = await admin.get(PATH)
        assert {name: told[name] for name in told if name != "items"} == {
            "stop": "action",
            "over": 6,
            "done": 1,
            "left": 5,
        }
        assert [(item["step"], item["sessions"], item["share"]) for item in told["items"]] == [
            (None, 2, 40),
            ("ask_address", 2, 40),
            ("ask_payment", 1, 20),
        ]
        address = told["items"][1]
        assert address["said"] == "Your address for order 22, please!"
        assert address["examples"] == [{"bot": "shop", "session_id": "s2"}, {"bot": "shop", "session_id": "s1"}]

    async def test_conversations_stop_at_what_the_bot_said(self, admin: Asker, talks: None) -> None:
        told = await admin.get(PATH, stop="message", bot="shop", channel="web")
        assert [(item["step"], item["sessions"]) for item in told["items"]] == [
            ("how would you like to pay", 2),
            ("your address for order 0 please", 2),
            (None, 1),
        ]
        assert (await admin.get(PATH, bot="help"))["items"] == []
        assert (await admin.get(PATH, channel="mail"))["over"] == 0


async def test_without_a_definition_what_was_answered_is_done(admin: Asker, bots: Bots, talks: None) -> None:
    talk(bots, "lost", "no idea", "guess", outcome="failed", after_s=None)
    told = await admin.get(PATH)
    assert (told["over"], told["done"], told["left"]) == (7, 5, 2)
    assert [(item["step"], item["said"]) for item in told["items"]] == [(None, None), ("guess", "no idea")]


async def test_what_does_not_fit_is_refused(admin: Asker) -> None:
    for params in ({"stop": "page"}, {"period": "500d"}, {"limit": "0"}, {"host": "a"}):
        assert error_of(await admin.response(PATH, **params)) == (422, "bad_request"), params
