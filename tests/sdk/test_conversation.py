"""Sessions, turns and messages as they arrive: whose they are, what answers what, what failed."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace

import botwatch_sdk as bot
from botwatch_sdk import _taps
from botwatch_sdk.testing import Seen, SeenTurn


def test_all_that_happens_inside_a_session_carries_it(seen: Seen) -> None:
    with bot.session(4711, user=7, channel="telegram"), bot.action("answer"):
        bot.message("hello")
    carried = {"session.id": "4711", "user.id": "7", "bot.channel": "telegram"}
    assert seen.actions[0].attributes.items() >= carried.items()
    assert seen.events[0].attributes.items() >= carried.items()
    assert (bot.current().session, bot.current().user) == ("", "")


def test_a_session_without_an_id_is_told(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    with bot.session(None), bot.action("a"):
        pass
    assert "session.id" not in seen.actions[0].attributes
    assert "session(id): expected the id of the conversation, found none" in caplog.text


def test_spans_of_libraries_carry_it_too(seen: Seen) -> None:
    made = _taps._made.own
    assert made is not None
    library = made.tracers.get_tracer("some.http.client")
    with bot.session("s"), library.start_as_current_span("GET"):
        pass
    assert dict(seen.spans[0].attributes or {}) == {"session.id": "s"}


def test_an_inner_session_of_the_same_id_adds_and_another_one_stands_alone() -> None:
    with bot.session("a", user="u"):
        with bot.session("a", channel="web"):
            assert (bot.current().user, bot.current().channel) == ("u", "web")
        with bot.session("b"):
            assert (bot.current().session, bot.current().user) == ("b", "")
        assert bot.current().session == "a"


async def test_a_session_follows_tasks_and_stays_in_them() -> None:
    found = []

    async def one(id: str) -> None:
        async with bot.session(id):
            await asyncio.sleep(0.001)
            await asyncio.create_task(inner(id))

    async def inner(id: str) -> None:
        await asyncio.sleep(0)
        found.append(bot.current().session == id)

    shared = [one(f"s{n}") for n in range(20)]
    await asyncio.gather(*shared)
    assert found == [True] * 20
    assert bot.current().session == ""


def test_one_session_object_may_be_open_in_many_threads() -> None:
    session = bot.session("s")
    barrier = threading.Barrier(4)

    def use() -> tuple[str, str]:
        with session:
            barrier.wait(60)
            inside = bot.current().session
            barrier.wait(60)
        return inside, bot.current().session

    with ThreadPoolExecutor(4) as pool:
        assert [future.result() for future in [pool.submit(use) for _ in range(4)]] == [("s", "")] * 4


def test_leaving_a_session_in_another_context_does_not_raise(caplog: pytest.LogCaptureFixture) -> None:
    session = bot.session("s")
    contextvars.copy_context().run(session.__enter__)
    session.__exit__(None, None, None)
    assert bot.current().session == ""
    assert caplog.records == []


def test_a_turn_is_a_message_its_answers_and_an_action(seen: Seen) -> None:
    with bot.turn("where is my parcel?", session="s", user="u", channel="web") as turn:
        assert bot.current().message == turn.id
        first = turn.reply("one moment")
        turn.reply("it arrives today")
    assert seen.turns == [SeenTurn("where is my parcel?", turn.id, ("one moment", "it arrives today"), "", "s")]
    said, answer, _ = seen.messages
    assert (said.direction, said.author, said.user, said.channel) == ("in", "user", "u", "web")
    assert (answer.direction, answer.author, answer.id, answer.reply_to) == ("out", "bot", first, turn.id)
    assert (seen.actions[0].name, seen.actions[0].ok) == ("turn", True)
    assert dict(seen.counts) == {"in": 1, "out": 2, "warning": 0, "error": 0}


def test_the_messages_of_a_turn_are_in_its_trace(seen: Seen) -> None:
    with bot.turn("hi") as turn:
        turn.reply("hello")
    (span,) = seen.spans
    assert span.context is not None
    traces = {record.log_record.trace_id for record in seen._captured.logs.items}
    assert traces == {span.context.trace_id}


def test_a_message_from_deep_inside_answers_the_turn_around_it(seen: Seen) -> None:
    def deep() -> None:
        bot.message("from below")

    with bot.turn("hi"):
        deep()
    assert seen.turns[0].replies == ("from below",)


def test_an_exception_makes_the_turn_failed_and_goes_on(seen: Seen) -> None:
    with pytest.raises(ZeroDivisionError), bot.turn("hi", session="s") as turn:
        _ = 1 / 0
    assert seen.turns == [SeenTurn("hi", turn.id, (), "ZeroDivisionError", "s")]
    failed = next(event for event in seen.events if event.name == "bot.turn.failed")
    assert failed.attributes["session.id"] == "s"
    assert (seen.actions[0].ok, seen.actions[0].error, seen.counts["error"]) == (False, "ZeroDivisionError", 1)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_bot_can_say_itself_that_it_cannot_answer(seen: Seen) -> None:
    with bot.turn("hi") as turn:
        turn.fail("no_knowledge")
        turn.fail("said twice")
    assert seen.turns[0].error == "no_knowledge"
    assert not seen.actions[0].ok
    assert len([event for event in seen.events if event.name == "bot.turn.failed"]) == 1


async def test_a_cancelled_turn_has_failed(seen: Seen) -> None:
    async def handle() -> None:
        async with bot.turn("hi"):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(handle(), 0.01)
    assert seen.turns[0].error == "asyncio.exceptions.CancelledError"


async def test_a_reply_may_come_later_from_another_task(seen: Seen) -> None:
    async def later(message_id: str) -> None:
        with bot.session("s"):
            bot.message("found it", reply_to=message_id)

    with bot.turn("search", session="s") as turn:
        pass
    await asyncio.create_task(later(turn.id))
    assert seen.turns == [SeenTurn("search", turn.id, ("found it",), "", "s")]


async def test_concurrent_turns_keep_their_own_answers(seen: Seen) -> None:
    async def handle(n: int) -> None:
        async with bot.turn(f"q{n}", session=n) as turn:
            await asyncio.sleep(0.001 * (n % 3))
            turn.reply(f"a{n}")

    await asyncio.gather(*(handle(n) for n in range(30)))
    assert {(turn.text, turn.replies, turn.session) for turn in seen.turns} == {
        (f"q{n}", (f"a{n}",), str(n)) for n in range(30)
    }


def test_an_id_of_the_platform_is_kept(seen: Seen) -> None:
    with bot.turn("hi", id=12345) as turn:
        assert turn.reply("hello", id=12346) == "12346"
    assert [message.id for message in seen.messages] == ["12345", "12346"]


def test_a_human_agent_writes_too(seen: Seen) -> None:
    with bot.session("s"):
        bot.message("let me look", author="agent")
        bot.message("thanks", direction="in")
    assert [(message.direction, message.author) for message in seen.messages] == [("out", "agent"), ("in", "user")]


def test_a_photo_has_no_text(seen: Seen) -> None:
    with bot.turn(None) as turn:
        turn.reply()
    assert [message.text for message in seen.messages] == ["", ""]


def test_feedback_handoff_and_the_end_of_a_session(seen: Seen) -> None:
    with bot.session("s"):
        bot.feedback(-1, "useless", message_id="m1")
        bot.feedback(0.5)
        bot.handoff("angry", to="second line")
        bot.end_session("completed")
    said = {"session.id": "s"}
    assert [(event.name, dict(event.attributes)) for event in seen.events] == [
        (
            "bot.feedback",
            said | {"bot.feedback.score": -1.0, "bot.feedback.text": "useless", "bot.message.id": "m1"},
        ),
        ("bot.feedback", said | {"bot.feedback.score": 0.5}),
        ("bot.handoff", said | {"bot.handoff.reason": "angry", "bot.handoff.to": "second line"}),
        ("bot.session.end", said | {"bot.session.outcome": "completed"}),
    ]


@pytest.mark.parametrize("score", [2, float("nan"), "good", None, True])
def test_a_score_that_is_none_is_told_and_not_sent(seen: Seen, caplog: pytest.LogCaptureFixture, score: float) -> None:
    bot.feedback(score)
    assert seen.events == []
    assert "feedback(score): expected a number" in caplog.text
