"""The data of the demo: what must be true of it before anything is made from it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from botwatch.demo import cast, world
from botwatch.demo.cast import FLEET
from botwatch.demo.play import fill
from botwatch.demo.scripts import SLOTS, _scripts
from botwatch.demo.stories import What, stories
from botwatch.demo.world import Contact, Part, Step, rhythm, user_id

_HOUR_NS = 3_600 * 10**9
_ZURICH = ZoneInfo("Europe/Zurich")
_SCRIPTS = [(bot, script) for bot in FLEET for script in bot.scripts]


def at_ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=_ZURICH).timestamp()) * 10**9


class TestFleet:
    def test_it_has_several_bots_on_several_hosts_and_channels(self) -> None:
        assert len({bot.name for bot in FLEET}) == 5
        assert len({place.host for bot in FLEET for place in bot.places}) >= 3
        assert {channel.name for bot in FLEET for channel in bot.channels} == {
            "WhatsApp", "Web", "Telegram", "Slack", "Email",
        }  # fmt: skip

    def test_each_process_has_a_name_of_its_own(self) -> None:
        instances = [place.instance for bot in FLEET for place in bot.places]
        assert len(set(instances)) == len(instances)

    def test_the_conversations_are_shared_out_whole(self) -> None:
        assert sum(bot.share for bot in FLEET if not bot.queue) == pytest.approx(1)
        for bot in FLEET:
            assert sum(channel.share for channel in bot.channels) == pytest.approx(1)

    def test_an_action_no_bot_has_is_refused(self) -> None:
        script = replace(cast.ORDERS.scripts[0], steps=(Step("hi", "hello", ("fly",)),))
        with pytest.raises(ValueError, match="fly is not an action of this bot"):
            replace(cast.ORDERS, scripts=(script,))

    def test_every_action_is_used(self) -> None:
        for bot in FLEET:
            used = {name for script in bot.scripts for step in script.steps for name in step.actions}
            assert set(bot.actions) - used == set(), bot.name


class TestScripts:
    @pytest.mark.parametrize(("bot", "script"), _SCRIPTS, ids=lambda it: it.name)
    def test_all_slots_are_known(self, bot: world.Bot, script: world.Script) -> None:
        words = {name: choices[0] for name, choices in SLOTS.items()} | {"at": "now", "user": "someone"}
        for step in script.steps:
            for text in (step.say, step.reply, script.later):
                assert not re.search(r"\{\w+\}", fill(text, words)), f"{bot.name}: {text}"

    @pytest.mark.parametrize(("bot", "script"), _SCRIPTS, ids=lambda it: it.name)
    def test_people_come_after_they_are_called(self, bot: world.Bot, script: world.Script) -> None:
        parts = [step.part for step in script.steps]
        assert parts.count(Part.AGENT) == parts.count(Part.HANDOFF), bot.name
        assert (script.outcome == "handed_off") == (Part.HANDOFF in parts)
        if Part.HANDOFF in parts:
            assert parts.index(Part.AGENT) == parts.index(Part.HANDOFF) + 1

    def test_every_slot_is_used(self) -> None:
        texts = "".join(step.say + step.reply for _, script in _SCRIPTS for step in script.steps)
        assert [name for name in SLOTS if f"{{{name}}}" not in texts] == []

    @pytest.mark.parametrize("heading", ["orders: return; weight 20", "# orders: return", "# orders; weight 20", ""])
    def test_a_heading_of_another_form_is_refused(self, heading: str) -> None:
        with pytest.raises(ValueError, match="expected a heading such as"):
            list(_scripts(f"# orders: one; weight 1\nhi\n> hello\n\n{heading}\nhi\n> hello", "orders", ()))


class TestPeople:
    @pytest.mark.parametrize(
        ("contact", "number", "expected"),
        [
            (Contact.PHONE, 0, "+12005550100"),
            (Contact.PHONE, 79_999, "+19995550199"),
            (Contact.PHONE, 80_000, "+12005550100"),
            (Contact.MOBILE, 1_007, "+447700900007"),
            (Contact.VISITOR, 7, "visitor7@example.com"),
            (Contact.MEMBER, 7, "member7@example.org"),
            (Contact.CUSTOMER, 7, "customer7@example.com"),
        ],
    )
    def test_they_have_what_is_kept_free_for_fiction(self, contact: Contact, number: int, expected: str) -> None:
        assert user_id(contact, number) == expected


class TestRhythm:
    def test_it_is_highest_before_noon_on_a_monday(self) -> None:
        week = [dt.datetime(2025, 11, 17, tzinfo=dt.UTC) + dt.timedelta(minutes=n) for n in range(7 * 1_440)]
        assert max(week, key=rhythm) == dt.datetime(2025, 11, 17, 11, 0, tzinfo=dt.UTC)
        assert rhythm(max(week, key=rhythm)) == 1.0
        assert min(map(rhythm, week)) > 0.1

    def test_a_sunday_is_quieter(self) -> None:
        monday = dt.datetime(2025, 11, 17, 15, tzinfo=dt.UTC)
        assert rhythm(monday + dt.timedelta(days=6)) < 0.7 * rhythm(monday)

    def test_it_has_no_steps(self) -> None:
        minutes = [dt.datetime(2025, 11, 17, tzinfo=dt.UTC) + dt.timedelta(minutes=n) for n in range(1_440)]
        values = list(map(rhythm, minutes))
        assert max(abs(b - a) for a, b in pairwise(values)) < 0.01


class TestStories:
    @pytest.mark.parametrize("hour", range(24))
    @pytest.mark.parametrize("minute", [0, 29, 31, 59])
    def test_each_lies_within_the_last_day(self, hour: int, minute: int) -> None:
        now_ns = at_ns(f"2025-11-20T{hour:02d}:{minute:02d}")
        for story in stories(now_ns, "Europe/Zurich"):
            assert now_ns - 24 * _HOUR_NS <= story.from_ns < now_ns, story
            assert story.from_ns < story.to_ns
            assert story.what is What.DRIFT or story.to_ns <= now_ns, story

    def test_the_rush_is_in_the_evening_wherever_that_is(self) -> None:
        for zone in ("Europe/Zurich", "America/New_York", "Asia/Tokyo"):
            (rush,) = (story for story in stories(at_ns("2025-11-20T12:00"), zone) if story.what is What.LIMITED)
            assert dt.datetime.fromtimestamp(rush.from_ns / 1e9, ZoneInfo(zone)).strftime("%H:%M") == "19:30"

    def test_they_are_about_bots_and_things_there_are(self) -> None:
        for story in stories(at_ns("2025-11-20T12:00"), "UTC"):
            bot = next(bot for bot in FLEET if bot.name == story.bot)
            known = {call.dependency for action in bot.actions.values() for call in action.calls}
            known |= {channel.name for channel in bot.channels} | {"", world.TICKET_SOURCE}
            assert story.subject in known
