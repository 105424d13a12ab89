"""Messages, turns and sessions, against numbers counted by hand."""

from __future__ import annotations

import pytest

from botwatch.measure.query import Condition, Op
from tests.measure.facts import T0, Asked, Facts, when, where


@pytest.fixture(scope="module", autouse=True)
def _told(facts: Facts) -> None:
    facts.messages(
        *({"at": T0 + 10 * i, "session_id": "s1"} for i in range(6)),
        *({"at": T0 + 10 * i + 1, "session_id": "s1", "direction": "out", "author": "bot"} for i in range(4)),
        {"at": T0 + 300, "session_id": "s1", "direction": "out", "author": "agent", "channel": "phone"},
        {"at": T0 + 30, "session_id": "s2", "bot": "help", "host": "b"},
        {"at": T0 + 90, "session_id": "s2", "bot": "help", "host": "b", "direction": "out", "author": "bot"},
    )
    facts.turns(
        *({"at": T0 + i, "message_id": f"a{i}", "outcome": "answered", "ms": 100} for i in range(6)),
        {"at": T0 + 6, "message_id": "a6", "outcome": "answered", "ms": 1_300},
        {"at": T0 + 7, "message_id": "h", "outcome": "handed_off", "ms": 90_000, "author": "agent"},
        {"at": T0 + 8, "message_id": "f", "outcome": "failed"},
        {"at": T0 + 9, "message_id": "u", "outcome": "unanswered"},
    )
    facts.events(
        {"at": T0 + 310, "session_id": "s1", "event": "bot.session.end"}
        | {"attributes": {"bot.session.outcome": "completed"}},
        {"at": T0 + 95, "session_id": "s2", "bot": "help", "event": "bot.session.end"}
        | {"attributes": {"bot.session.outcome": "abandoned"}},
        {"at": T0 + 299, "session_id": "s1", "event": "bot.handoff"},
        {"at": T0 + 311, "session_id": "s1", "event": "bot.feedback", "attributes": {"bot.feedback.score": "0.5"}},
        {"at": T0 + 312, "session_id": "s1", "event": "bot.feedback", "attributes": {"bot.feedback.score": "1"}},
    )
    facts.concurrency(
        *((T0 + 60 * i, "", "", n, n + 1) for i, n in enumerate((1, 2, 5, 3, 0))),
        *((T0 + 60 * i, "shop", "", n, n) for i, n in enumerate((1, 1, 4, 2, 0))),
        *((T0 + 60 * i, "help", "", n, n) for i, n in ((1, 1), (2, 1), (3, 1), (4, 0))),
        *((T0 + 60 * i, "shop", "web", n, n) for i, n in enumerate((1, 1, 3, 2, 0))),
        *((T0 + 60 * i, "", "", 0, 0) for i in range(5, 10)),
    )


async def test_messages_are_counted_by_direction(facts: Facts) -> None:
    assert await facts.one("messages.in") == 7
    assert await facts.one("messages.out") == 6
    assert await facts.one("messages.count") == 13


async def test_messages_part_by_bot_channel_and_author(facts: Facts) -> None:
    assert await facts.value("messages.in", by=("bot",)) == {("help",): 1, ("shop",): 6}
    assert await facts.value("messages.out", by=("author",)) == {("agent",): 1, ("bot",): 5}
    assert await facts.value("messages.out", by=("bot", "channel"), where=where(bot="shop")) == {
        ("shop", "phone"): 1,
        ("shop", "web"): 4,
    }


async def test_turns_are_counted_by_outcome(facts: Facts) -> None:
    counted = {
        name: await facts.one(f"turns.{name}") for name in ("count", "answered", "handed_off", "failed", "unanswered")
    }
    assert counted == {"count": 10, "answered": 7, "handed_off": 1, "failed": 1, "unanswered": 1}
    assert await facts.one("turns.answer_rate") == pytest.approx(70)
    assert await facts.one("turns.unanswered_rate") == pytest.approx(10)
    assert await facts.value(
        "turns.count", by=("outcome",), where=(Condition("outcome", Op.IS_NOT, ("answered",)),)
    ) == {
        ("failed",): 1,
        ("handed_off",): 1,
        ("unanswered",): 1,
    }


async def test_the_response_time_is_of_the_bot_and_a_humans_reply_has_its_own(facts: Facts) -> None:
    assert await facts.one("response.time") == pytest.approx((6 * 100 + 1_300) / 7)
    assert await facts.one("response.time.p50") == pytest.approx(100, rel=0.01)
    assert await facts.one("response.time.p99") == pytest.approx(1_300, rel=0.01)
    assert await facts.one("handoff.time") == pytest.approx(90_000)


async def test_a_late_reply_corrects_its_turn(facts: Facts) -> None:
    at = T0 + 7_200
    asked = {"at": at, "message_id": "late", "bot": "late"}
    facts.turns({**asked, "outcome": "unanswered"})
    window: Asked = {"start_s": at, "end_s": at + 10, "where": where(bot="late")}
    assert await facts.one("turns.unanswered", **window) == 1
    assert await facts.one("response.time", **window) is None
    facts.turns({**asked, "outcome": "unanswered", "sign": -1}, {**asked, "outcome": "answered", "ms": 120_000})
    assert await facts.one("turns.unanswered", **window) == 0
    assert await facts.one("turns.count", **window) == 1
    assert await facts.one("response.time", **window) == pytest.approx(120_000)
    facts.turns(
        {**asked, "outcome": "answered", "ms": 120_000, "sign": -1}, {**asked, "outcome": "answered", "ms": 200}
    )
    assert await facts.one("response.time", **window) == pytest.approx(200)
    assert await facts.one("response.time.p99", **window) == pytest.approx(200, rel=0.01)


async def test_sessions_are_counted_at_their_last_message(facts: Facts) -> None:
    assert await facts.one("sessions.count") == 2
    assert await facts.line("sessions.count", T0, T0 + 600, 300) == [1, 1]
    assert await facts.value("sessions.count", by=("bot",), end_s=T0 + 100) == {("help",): 1, ("shop",): 0}


async def test_a_session_lasts_from_its_first_message_to_its_last(facts: Facts) -> None:
    assert await facts.value("sessions.duration", by=("bot",)) == {("help",): 60, ("shop",): 300}
    assert await facts.one("sessions.duration") == 180
    assert await facts.value("sessions.messages", by=("bot",)) == {("help",): 2, ("shop",): 11}
    assert await facts.one("sessions.messages") == 6.5


async def test_a_session_that_began_before_the_window_is_whole(facts: Facts) -> None:
    at = T0 + 40 * 86_400
    facts.messages(
        {"at": at - 20 * 86_400, "session_id": "old", "bot": "old"}, {"at": at, "session_id": "old", "bot": "old"}
    )
    assert await facts.one("sessions.duration", at, at + 60, where=where(bot="old")) == 20 * 86_400
    # It is counted once, where its last message fell.
    assert await facts.one("sessions.count", at - 21 * 86_400, at - 86_400, where=where(bot="old")) == 0


async def test_sessions_say_how_they_ended(facts: Facts) -> None:
    assert await facts.one("sessions.ended") == 2
    assert await facts.one("sessions.completed") == 1
    assert await facts.one("sessions.completion_rate") == 50
    assert await facts.one("sessions.handed_off") == 1
    assert await facts.value("sessions.ended", by=("outcome",)) == {("abandoned",): 1, ("completed",): 1}


async def test_a_session_without_messages_is_counted_at_its_end(facts: Facts) -> None:
    at = T0 + 30 * 86_400
    facts.events({"at": at + 5, "session_id": "mute", "bot": "mute", "event": "bot.session.end"})
    assert await facts.one("sessions.ended", at, at + 60, where=where(bot="mute")) == 1
    assert await facts.one("sessions.duration", at, at + 60, where=where(bot="mute")) is None


async def test_feedback_is_averaged(facts: Facts) -> None:
    assert await facts.one("feedback.count") == 2
    assert await facts.one("feedback.score") == 0.75


async def test_active_sessions_are_those_at_the_end_of_the_step(facts: Facts) -> None:
    assert await facts.line("sessions.active", T0, T0 + 300, 60) == [1, 2, 5, 3, 0]
    assert await facts.line("sessions.active", T0, T0 + 300, 120) == [2, 3, 0]
    assert await facts.one("sessions.active", T0, T0 + 180) == 5


async def test_the_peak_is_the_true_maximum_not_a_sum_of_bots(facts: Facts) -> None:
    assert await facts.one("sessions.peak") == 6
    assert await facts.value("sessions.peak", by=("bot",)) == {("help",): 1, ("shop",): 4}
    assert await facts.one("sessions.peak", where=where(bot="shop", channel="web")) == 3


async def test_a_minute_that_was_counted_without_a_row_is_zero_and_one_to_come_is_null(facts: Facts) -> None:
    found = await facts.series("sessions.active", T0, T0 + 720, 60, by=("bot",))
    lines = {series.labels["bot"]: [value for _, value in series.points] for series in found}
    assert lines["help"] == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0, None, None]
    assert lines["shop"] == [1, 1, 4, 2, 0, 0, 0, 0, 0, 0, None, None]


async def test_sessions_at_once_are_kept_by_the_minute(facts: Facts) -> None:
    (found,) = await facts.series("sessions.active", T0 + 10, T0 + 100, 10)
    assert found.step_s == 60
    assert found.points == ((T0, 1), (T0 + 60, 2))


async def test_a_minute_counted_again_replaces_what_it_was(facts: Facts) -> None:
    at = T0 + 50 * 86_400
    facts.concurrency((at, "", "", 3, 4))
    facts.insert(
        "concurrency", [{"minute": at, "bot": "", "channel": "", "active": 7, "peak": 9, "settled": when(at + 60, 6)}]
    )
    assert await facts.one("sessions.active", at, at + 60) == 7
    assert await facts.one("sessions.peak", at, at + 60) == 9


async def test_sessions_are_the_same_however_long_the_window_they_are_looked_for_in(facts: Facts) -> None:
    """Those of an hour are found by their ids, more of them by numbers made of these."""
    for measure in ("sessions.count", "sessions.duration", "sessions.completed", "feedback.score"):
        hour = await facts.value(measure, T0, T0 + 3_600, by=("bot",))
        assert hour == await facts.value(measure, T0, T0 + 7_200, by=("bot",)), measure
        assert hour
        of_bot = where(bot="shop")
        assert await facts.one(measure, T0, T0 + 7_200, where=of_bot) == hour["shop",], measure


async def test_a_count_that_need_not_be_filled_is_none_where_nothing_was_counted(facts: Facts) -> None:
    asked: Asked = {"by": ("bot",), "where": where(bot="shop")}
    assert await facts.value("requests.count", **asked) == {("shop",): 0}
    assert await facts.value("requests.count", filled=False, **asked) == {}
    assert await facts.value("messages.in", filled=False, **asked) == {("shop",): 6}
