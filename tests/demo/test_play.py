"""One process of a bot, with its dice in hand: what the SDK is told. No time passes in these tests."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import pytest

import botwatch_sdk as sdk
from botwatch.clock import ManualClock
from botwatch.demo import cast, world
from botwatch.demo.play import Player, fill
from botwatch.demo.world import Bot, Part, Script
from botwatch_sdk.testing import Seen, capture

NOW_NS = 1_763_600_000 * 10**9


class Dice(random.Random):
    """Falls as told: the given numbers first, then always the same."""

    def __init__(self, *first: float, then: float = 0.5) -> None:
        super().__init__(1)
        self._first = list(first)
        self._then = then

    def random(self) -> float:
        return self._first.pop(0) if self._first else self._then


class Nap:
    """Sleeps without sleeping."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    async def __call__(self, seconds: float) -> None:
        self.slept_s += seconds


@pytest.fixture
def seen() -> Iterator[Seen]:
    loggers = [logging.getLogger(bot.name) for bot in cast.FLEET]
    handler = sdk.LogHandler()
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    with capture() as seen:
        yield seen
    for logger in loggers:
        logger.removeHandler(handler)


def player(bot: Bot, dice: Dice, nap: Nap | None = None) -> Player:
    return Player(bot, dice, ManualClock(NOW_NS), nap or Nap())


def script_with(bot: Bot, part: Part) -> Script:
    return next(script for script in bot.scripts if part in [step.part for step in script.steps])


class TestConversation:
    @pytest.mark.parametrize("bot", [bot for bot in cast.FLEET if not bot.queue], ids=lambda bot: bot.name)
    async def test_every_script_plays_to_its_end(self, seen: Seen, bot: Bot) -> None:
        for script in bot.scripts:
            await player(bot, Dice()).converse(script)
        turns = [step for script in bot.scripts for step in script.steps]
        assert len(seen.turns) == len(turns)
        assert [turn.error for turn in seen.turns if turn.error] == []
        ends = [event.attributes["bot.session.outcome"] for event in seen.events if event.name == "bot.session.end"]
        assert ends == [script.outcome for script in bot.scripts]
        assert all(action.ok for action in seen.actions)

    async def test_all_of_it_is_one_session_of_one_user_on_one_channel(self, seen: Seen) -> None:
        await player(cast.ORDERS, Dice()).converse(cast.ORDERS.scripts[0])
        ((session, user, channel),) = {(said.session, said.user, said.channel) for said in seen.messages}
        assert session.startswith("orders-")
        assert user.startswith("+1")
        assert channel == "WhatsApp"
        assert {action.session for action in seen.actions} == {session}

    async def test_people_take_over(self, seen: Seen) -> None:
        await player(cast.SUPPORT, Dice()).converse(script_with(cast.SUPPORT, Part.HANDOFF))
        names = [event.name for event in seen.events if event.name in ("bot.handoff", "bot.message")]
        assert names[names.index("bot.handoff") :] == ["bot.handoff", "bot.message", "bot.message", "bot.message"]
        *_, joined, thanked, answered = seen.messages
        assert (joined.author, joined.reply_to) == ("agent", "")
        assert (answered.author, answered.reply_to) == ("agent", thanked.id)

    async def test_think_times_pass_between_the_turns(self, seen: Seen) -> None:
        nap = Nap()
        script = cast.BOOKING.scripts[0]
        await player(cast.BOOKING, Dice(), nap).converse(script)
        pauses = sum(step.pause_s for step in script.steps[:-1])
        assert nap.slept_s == pytest.approx(pauses + 4, abs=3)

    async def test_a_call_that_fails_is_excused(self, seen: Seen) -> None:
        # Every call times out; the apology is made, and the user leaves.
        await player(cast.ORDERS, Dice(then=0.0)).converse(cast.ORDERS.scripts[0])
        (turn,) = seen.turns
        assert turn.replies == (world.APOLOGIES[world.Failure.TIMEOUT],)
        assert turn.error == ""
        assert {(action.name, action.ok, action.error) for action in seen.actions} == {
            ("understand", False, "clients.TimedOut"),
            ("turn", True, ""),
        }
        assert [log.level for log in seen.logs] == ["WARNING"]

    async def test_a_bot_that_gives_up_says_so_to_us(self, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(world, "APOLOGY_SHARE", 0.0)
        await player(cast.ORDERS, Dice(then=0.0)).converse(cast.ORDERS.scripts[0])
        (turn,) = seen.turns
        assert (turn.replies, turn.error) == ((), "clients.TimedOut")
        assert [log.level for log in seen.logs] == ["ERROR"]


class TestTicket:
    async def test_it_is_a_document_with_its_number_as_correlation(self, seen: Seen) -> None:
        script = cast.TRIAGE.scripts[0]
        await player(cast.TRIAGE, Dice()).ticket(script, number="T-00042")
        (payload,) = seen.payloads
        assert payload.source == "helpdesk"
        assert payload.document["id"] == "T-00042"
        assert payload.document["created_at"] == "2025-11-20T00:53:20Z"
        assert payload.document["category"] == script.name
        assert [action.name for action in seen.actions] == ["classify_ticket", "assign_team", "notify_team"]
        assert {action.attributes["correlation_id"] for action in seen.actions} == {"T-00042"}

    async def test_billing_still_says_its_category_in_another_place(self, seen: Seen) -> None:
        (billing,) = (script for script in cast.TRIAGE.scripts if script.name == "billing")
        await player(cast.TRIAGE, Dice()).ticket(billing, number="T-00042")
        assert seen.payloads[0].document["details"] == {"topic": "billing"}
        assert "category" not in seen.payloads[0].document

    async def test_one_that_fails_is_logged_as_an_error(self, seen: Seen) -> None:
        await player(cast.TRIAGE, Dice(then=0.0)).ticket(cast.TRIAGE.scripts[0], number="T-00042")
        assert [action.ok for action in seen.actions] == [False]
        assert [(log.level, log.attributes["dependency"]) for log in seen.logs] == [("ERROR", "openai")]


class TestCall:
    @pytest.mark.parametrize(
        ("falls", "raises"),
        [
            ((0.5, 0.0), world.TimedOut),
            ((0.5, 0.0025), world.Unavailable),
            ((0.5, 0.9, 0.0), world.RateLimited),
        ],
    )
    async def test_it_fails_as_the_dice_say(self, falls: tuple[float, ...], raises: type[world.CallFailed]) -> None:
        call = cast.ASSISTANT.actions["answer"].calls[0]
        with pytest.raises(raises) as caught:
            await player(cast.ASSISTANT, Dice(*falls, then=0.9)).call(call)
        assert caught.value.dependency == "anthropic"
        assert "anthropic" in str(caught.value)

    async def test_one_that_takes_too_long_times_out(self) -> None:
        nap = Nap()
        slow = world.http("carrier-api", "GET", "/x", 200_000.0, failing=0.0)
        with pytest.raises(world.TimedOut):
            await player(cast.ORDERS, Dice(), nap).call(slow)
        assert nap.slept_s == pytest.approx(10.0)

    async def test_a_slow_one_is_logged(self, seen: Seen) -> None:
        await player(cast.ORDERS, Dice()).call(world.http("carrier-api", "GET", "/x", 4_000.0))
        assert [(log.level, log.text) for log in seen.logs] == [("WARNING", "carrier-api is slow: 4000 ms")]


def test_a_slot_is_filled_wherever_it_stands() -> None:
    assert fill("{day}, {day} and {other}", {"day": "Friday"}) == "Friday, Friday and {other}"
