"""What the SDK gives to the tests of a bot."""

from __future__ import annotations

import threading

import pytest

import botwatch_sdk as bot
from botwatch_sdk import _live
from botwatch_sdk.testing import SeenMessage, capture
from tests.sdk.conftest import Script
from tests.sdk.sink import Sink


def test_capture_shows_what_a_bot_does() -> None:
    with capture() as seen:
        with bot.turn("hi", session="s", user="u", channel="web") as turn, bot.action("look up"):
            id = turn.reply("hello")
        bot.payload("shop", {"a": 1})
        bot.queue("orders", depth=1)
        bot.expect("payment", within_s=5)
    assert [action.name for action in seen.actions] == ["look up", "turn"]
    assert seen.messages[1] == SeenMessage("out", "bot", "hello", id, turn.id, "s", "u", "web")
    assert seen.turns[0].replies == ("hello",)
    assert seen.payloads[0].document == {"a": 1}
    assert seen.queues["orders"].depth == 1
    assert [event.name for event in seen.events][-1] == "bot.expected"
    assert seen.dropped == {}


def test_other_threads_are_captured_too() -> None:
    with capture() as seen:
        thread = threading.Thread(target=lambda: bot.message("from there"))
        thread.start()
        thread.join()
    assert [message.text for message in seen.messages] == ["from there"]


def test_captures_nest_and_what_was_before_comes_back(live: Sink) -> None:
    real = _live.runtime
    with capture() as outer:
        bot.message("outer")
        with capture() as inner:
            bot.message("inner")
    assert _live.runtime is real
    bot.message("live")
    assert bot.flush(60)
    assert [[message.text for message in seen.messages] for seen in (outer, inner)] == [["outer"], ["inner"]]
    assert [record.body.string_value for record in live.records()] == ["live"]


def test_a_failing_test_ends_the_capture() -> None:
    before = _live.runtime
    with pytest.raises(AssertionError), capture():
        raise AssertionError
    assert _live.runtime is before


def test_capture_starts_no_thread_and_sets_nothing_global(script: Script) -> None:
    ran = script("""
        import threading
        import botwatch_sdk as bot
        from botwatch_sdk.testing import capture
        from opentelemetry import trace
        with capture() as seen, bot.action("a"):
            pass
        print(len(seen.actions), threading.active_count(), type(trace.get_tracer_provider()).__name__)
    """)
    assert (ran.stdout, ran.stderr) == ("1 1 ProxyTracerProvider\n", "")


def test_init_after_a_capture_sends_under_its_own_name(script: Script, sink: Sink) -> None:
    ran = script(
        """
        import botwatch_sdk as bot
        from botwatch_sdk.testing import capture
        with capture():
            bot.message("kept")
        bot.init("b")
        with bot.action("a"):
            bot.message("sent")
        """,
        BOTWATCH_URL=sink.url,
    )
    assert ran.stderr == ""
    assert [record.body.string_value for record in sink.records()] == ["sent"]
    assert {resource["bot.name"] for resource in sink.resources()} == {"b"}
