"""Who comes, what they ask, what was not understood, and what they thought of it."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.api.reads import questions
from botwatch.settings import Settings
from botwatch.store.client import Store
from tests.api.conftest import bearer, error_of
from tests.api.telemetry.conftest import Asker, Bots, hexed, trace

PATH = "/api/insights/"
DAY_S = 86_400


async def engagement(asker: Asker, **params: str) -> list[tuple[Any, ...]]:
    told = await asker.get(PATH + "engagement", **params)
    return [tuple(item[name] for name in ("start", "users", "new", "returning", "sessions")) for item in told["items"]]


async def test_users_by_day_week_and_month_new_and_returning(admin: Asker, bots: Bots) -> None:
    for days, user in ((40, "ann"), (8, "ann"), (8, "bob"), (1, "bob"), (1, "cid"), (0.1, "ann"), (0.1, "ann")):
        bots.talk(f"{user}{days}", days * DAY_S, user=user)
    bots.talk("nobody", 0.1 * DAY_S, user="")
    assert await engagement(admin) == [
        ("2027-01-07", 2, 1, 1, 2),
        ("2027-01-14", 2, 1, 1, 2),
        ("2027-01-15", 1, 0, 1, 2),
    ]
    assert await engagement(admin, every="week") == [
        ("2026-11-30", 1, 1, 0, 1),
        ("2027-01-04", 2, 1, 1, 2),
        ("2027-01-11", 3, 1, 2, 4),
    ]
    assert await engagement(admin, every="month") == [
        ("2026-12-01", 1, 1, 0, 1),
        ("2027-01-01", 3, 2, 1, 6),
    ]
    assert await engagement(admin, bot="help") == []
    whole = await admin.get(PATH + "engagement")
    assert whole["known_since"] == "2026-12-06T08:00:00Z"
    assert whole["items"][0]["messages"] == 2


class TestInAZoneOfHalfAnHour:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"time_zone": "Asia/Kolkata"})

    async def test_a_day_begins_within_an_hour(self, admin: Asker, bots: Bots) -> None:
        midnight = 13.5 * 3_600  # ago: 18:30 UTC
        for user, ago in (("before", midnight + 60), ("after", midnight - 60)):
            bots.talk(user, ago, user=user)
        bots.said(*({"ago": midnight + late, "session": "both", "user": "both"} for late in (60, -60)))
        days = [(start, users, new) for start, users, new, *_ in await engagement(admin)]
        assert days == [("2027-01-14", 2, 2), ("2027-01-15", 2, 1)]


async def test_common_queries_are_told_apart_by_their_words(admin: Asker, bots: Bots, store: Store) -> None:
    store.command("SYSTEM STOP MERGES turns")  # a corrected turn stays there twice
    texts = ("Where is order 123?", "where is ORDER 99", "Where is order 123?", "WHERE is… order: 5!", "Hello", "???")
    bots.said(*({"ago": 100 + n, "text": text, "session": f"s{n % 3}"} for n, text in enumerate(texts)))
    bots.said({"ago": 50, "text": "hello", "direction": "out"}, {"ago": 40, "text": "hello", "author": "agent"})
    bots.turn(100, "answered", session_id="s0")
    bots.turn(101, "unanswered", None, session_id="s1")
    bots.turn(102, "unanswered", None, session_id="s2")
    bots.turn(102, "answered", 50, session_id="s2", settled="1799999999")
    bots.turn(103, "answered", session_id="s0")
    bots.turn(103, "failed", None, session_id="s0", settled="1799999999")
    assert (await admin.get(PATH + "queries"))["items"] == [
        {
            "phrase": "where is order 0",
            "count": 4,
            "sessions": 3,
            "example": "Where is order 123?",
            "answered_share": 50,
            "phrases": 1,
            "variants": [{"phrase": "where is order 0", "count": 4, "example": "Where is order 123?"}],
        },
        {
            "phrase": "hello",
            "count": 1,
            "sessions": 1,
            "example": "Hello",
            "answered_share": None,
            "phrases": 1,
            "variants": [{"phrase": "hello", "count": 1, "example": "Hello"}],
        },
    ]
    assert len((await admin.get(PATH + "queries", limit=1))["items"]) == 1
    assert (await admin.get(PATH + "queries", bot="help"))["items"] == []


async def test_common_queries_are_put_together_by_what_they_mean(
    admin: Asker, bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = (
        "where is my order",
        "Where's my parcel??",
        "order status please",
        "cancel it",
        "where is my order",
        "WHERE IS MY ORDER!",
    )
    bots.said(*({"ago": 100 + n, "text": text, "session": f"s{n // 2}"} for n, text in enumerate(texts)))
    bots.turn(100, "answered", session_id="s0")
    bots.turn(101, "unanswered", None, session_id="s0")
    told = await admin.get(PATH + "queries")
    order, cancel = told["items"]
    assert (order["phrase"], order["count"], order["sessions"], order["answered_share"]) == (
        "where is my order",
        5,
        3,
        50,
    )
    assert [(v["phrase"], v["count"]) for v in order["variants"]] == [
        ("where is my order", 3), ("order status please", 1), ("where s my parcel", 1),
    ]  # fmt: skip
    assert (cancel["example"], cancel["phrases"], told["left_out"]) == ("cancel it", 1, 0)
    monkeypatch.setattr(questions, "QUESTIONS_GROUPED_MAX", 1)
    told = await admin.get(PATH + "queries", limit=99)
    assert ([item["count"] for item in told["items"]], told["left_out"]) == ([3], 3)


def conversation(bots: Bots, *texts: str, ago: float = 1_000, session: str = "s1") -> None:
    """Question and answer in turn, ten seconds apart."""
    bots.said(
        *(
            {
                "ago": ago - 10 * n,
                "text": text,
                "direction": "out" if n % 2 else "in",
                "session": session,
                "message_id": f"{session}-{n}",
                "trace_id": trace(n),
            }
            for n, text in enumerate(texts)
        )
    )


async def test_a_misunderstood_message_stands_among_those_around_it(admin: Asker, bots: Bots) -> None:
    conversation(bots, *(f"{'a' if n % 2 else 'q'}{n}x" for n in range(14)))
    bots.turn(920, "failed", None)
    (item,) = (await admin.get(PATH + "misunderstood"))["items"]
    assert {name: item[name] for name in item if name not in ("before", "after")} == {
        "at": "2027-01-15T07:44:40Z",
        "bot": "shop",
        "session_id": "s1",
        "channel": "web",
        "user": "u1",
        "message_id": "s1-8",
        "text": "q8x",
        "phrase": "q0x",
        "trace_id": hexed(trace(8)),
        "reasons": ["failed"],
        "treated": None,
        "treated_by": None,
        "note": "",
    }
    assert [said["text"] for said in item["before"]] == ["q2x", "a3x", "q4x", "a5x", "q6x", "a7x"]
    assert [said["text"] for said in item["after"]] == ["a9x", "q10x", "a11x"]


async def test_each_message_is_listed_once_with_every_reason(admin: Asker, bots: Bots) -> None:
    conversation(bots, "Where is it?", "no idea", "where is IT", "still no idea", "bye", "bye")
    bots.turn(1_000, "handed_off", 1)
    bots.turn(980, "unanswered", None)
    bots.turn(960, "answered", 1)
    bots.event("bot.feedback", 900, bot_feedback_score="-1", bot_message_id="s1-1")
    bots.event("bot.feedback", 800, bot_feedback_score="1")
    items = (await admin.get(PATH + "misunderstood"))["items"]
    assert [(item["message_id"], item["reasons"]) for item in items] == [
        ("s1-2", ["unanswered"]),
        ("s1-0", ["feedback", "handed_off", "repeated"]),
    ]
    for reason, ids in (("repeated", ["s1-0"]), ("feedback", ["s1-0"]), ("unanswered", ["s1-2"]), ("failed", [])):
        listed = (await admin.get(PATH + "misunderstood", reason=reason))["items"]
        assert [item["message_id"] for item in listed] == ids, reason


async def test_what_a_bot_calls_a_fallback_was_not_understood(admin: Asker, bots: Bots) -> None:
    conversation(bots, "first", "sorry?", "second", "here you are", "third", "what?")
    bots.span(1_001, trace(1), ms=2_000, session_id="s1", action="Default Fallback Intent")  # began before the message
    bots.span(979, trace(2), session_id="s1", action="find_order")
    bots.log(959, event="nlu.not_understood", session_id="s1")
    bots.log(940, "fourth", event="bot.message", session_id="s1", attributes={"bot.intent": "none"})
    bots.span(2_000, trace(3), session_id="s1", action="none")  # before anything was said
    items = (await admin.get(PATH + "misunderstood", reason="fallback"))["items"]
    assert [(item["text"], item["reasons"]) for item in items] == [
        ("fourth", ["fallback"]), ("third", ["fallback"]), ("first", ["fallback"]),
    ]  # fmt: skip


async def test_what_makes_no_message_misunderstood(admin: Asker, bots: Bots) -> None:
    conversation(bots, "where is it", "here", "yes", "ok", "YES!", "ok", "order 12", "ok", "order 13", session="s1")
    conversation(bots, "where is it", "here", session="s2")  # another conversation
    conversation(bots, "where is it", "here", session="s1", ago=100)  # fifteen minutes later
    bots.turn(1_000, "unanswered", None)
    bots.turn(1_000, "answered", 300, settled="1799999999")
    bots.event("bot.feedback", 50, bot_feedback_score="0")
    bots.event("bot.feedback", 2_000, bot_feedback_score="-1")  # before anything was said
    assert (await admin.get(PATH + "misunderstood"))["items"] == []


async def test_feedback_without_a_name_is_about_the_last_question(admin: Asker, bots: Bots) -> None:
    conversation(bots, "first", "one", "second", "two")
    bots.event("bot.feedback", 900, bot_feedback_score="-0.5")
    assert [item["text"] for item in (await admin.get(PATH + "misunderstood"))["items"]] == ["second"]


async def test_pages_of_misunderstood_messages(admin: Asker, bots: Bots) -> None:
    for n in range(9):
        conversation(bots, "what", "no", ago=100 + 50_000 * n, session=f"s{n}")
        bots.turn(100 + 50_000 * n, "failed", None, session_id=f"s{n}")
    pages = await admin.pages(PATH + "misunderstood", limit=2)
    assert [[item["session_id"] for item in page] for page in pages] == [
        ["s0", "s1"], ["s2", "s3"], ["s4", "s5"], ["s6", "s7"], ["s8"],
    ]  # fmt: skip
    assert len((await admin.get(PATH + "misunderstood", period="1d"))["items"]) == 2


async def test_feedback_beside_its_message_and_how_long_that_took(admin: Asker, bots: Bots) -> None:
    conversation(bots, "first", "one", "second", "two")
    bots.turn(1_000, "answered", 2.5)
    bots.turn(980, "answered", 1.5)
    bots.event("bot.feedback", 900, bot_feedback_score="-1", bot_feedback_text="<b>bad</b>", bot_message_id="s1-1")
    bots.event("bot.feedback", 800, bot_feedback_score="0.5")
    bots.event("bot.feedback", 700, session="silent", bot_feedback_score="lots")
    bots.event("bot.feedback", 985, bot_feedback_score="0")
    unknown, good, bad, early = (await admin.get(PATH + "feedback"))["items"]
    assert (unknown["score"], unknown["about"], unknown["question"], unknown["response_ms"]) == (None, None, None, None)
    assert (good["about"]["text"], good["question"]["text"], good["response_ms"]) == ("two", "second", 1_500)
    assert (early["about"]["text"], early["question"]["text"], early["score"]) == ("one", "first", 0)
    assert bad == {
        "at": "2027-01-15T07:45:00Z",
        "bot": "shop",
        "session_id": "s1",
        "channel": "",
        "user": None,
        "score": -1,
        "text": "<b>bad</b>",
        "about": {
            "at": "2027-01-15T07:43:30Z",
            "direction": "out",
            "author": "bot",
            "text": "one",
            "message_id": "s1-1",
        },
        "question": {
            "at": "2027-01-15T07:43:20Z",
            "direction": "in",
            "author": "user",
            "text": "first",
            "message_id": "s1-0",
        },
        "response_ms": 2_500,
        "trace_id": hexed(trace(1)),
    }
    for mood, scores in (("good", [0.5]), ("bad", [-1])):
        assert [item["score"] for item in (await admin.get(PATH + "feedback", mood=mood))["items"]] == scores
    pages = await admin.pages(PATH + "feedback", limit=1)
    assert [page[0]["score"] for page in pages] == [None, 0.5, -1, 0]


async def test_what_does_not_fit_is_refused(admin: Asker) -> None:
    for path, params in (
        ("engagement", {"every": "hour"}),
        ("engagement", {"period": "500d"}),
        ("queries", {"limit": "101"}),
        ("misunderstood", {"reason": "dull"}),
        ("misunderstood", {"cursor": "WzFd"}),
        ("feedback", {"mood": "meh"}),
        ("feedback", {"limit": "0"}),
    ):
        assert error_of(await admin.response(PATH + path, **params)) == (422, "bad_request"), params


class TestTreated:
    """A phrase that was dealt with leaves the list, also when others say it later in other words of the same."""

    PATH = PATH + "misunderstood/treated"

    async def test_what_is_treated_stays_treated(self, admin: Asker, bots: Bots) -> None:
        for ago, text in ((900, "Where is order 12?"), (800, "where is ORDER 99"), (700, "I want my money")):
            bots.turn(ago, "failed", None, session_id=f"s{ago}")
            bots.said({"ago": ago, "session": f"s{ago}", "text": text})
        found = (await admin.get(PATH + "misunderstood"))["items"]
        assert [item["text"] for item in found] == ["I want my money", "where is ORDER 99", "Where is order 12?"]
        given = {"bot": "shop", "phrase": found[2]["phrase"], "note": "the order action knows it now"}
        answer = await admin.client.post(self.PATH, json=given, headers=bearer(admin.secret))
        assert answer.status_code == 204, answer.text
        assert [item["text"] for item in (await admin.get(PATH + "misunderstood"))["items"]] == ["I want my money"]
        done = (await admin.get(PATH + "misunderstood", treated=True))["items"]
        assert {item["note"] for item in done} == {"the order action knows it now"}
        assert len(done) == 2
        gone = {"bot": "shop", "phrase": found[2]["phrase"]}
        answer = await admin.client.request("DELETE", self.PATH, params=gone, headers=bearer(admin.secret))
        assert answer.status_code == 204, answer.text
        assert len((await admin.get(PATH + "misunderstood"))["items"]) == 3

    async def test_pages_are_full_although_much_is_treated(self, admin: Asker, bots: Bots) -> None:
        for number in range(12):
            session, ago = f"s{number}", 900 - number
            bots.turn(ago, "failed", None, session_id=session)
            bots.said(
                {"ago": ago, "session": session, "text": "same thing" if number % 4 else "other " + "abc"[number // 4]}
            )
        given = {"bot": "shop", "phrase": "same thing"}
        await admin.client.post(self.PATH, json=given, headers=bearer(admin.secret))
        pages = await admin.pages(PATH + "misunderstood", limit=2)
        assert [len(page) for page in pages] == [2, 1]

    async def test_only_an_admin_treats(self, monitor: Asker) -> None:
        given = {"bot": "shop", "phrase": "x"}
        answer = await monitor.client.post(self.PATH, json=given, headers=bearer(monitor.secret))
        assert error_of(answer) == (403, "forbidden")
