"""One session with its transcript, its turns, and the traces and logs behind it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from botwatch.api.reads import scope, session
from botwatch.clock import ManualClock
from botwatch.store.client import Params, Rows, Store
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import Asker, Bots, at, hexed, trace

PATH = "/api/monitoring/sessions/"


async def test_an_unknown_session_is_not_found(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 60)
    for path in ("nobody", "s", "s1 ", "%00", "a/b"):
        assert error_of(await admin.response(PATH + path)) == (404, "not_found"), path
    assert error_of(await admin.response(PATH + "s1", bot="other")) == (404, "not_found")
    assert error_of(await admin.response(PATH + "x" * 2_000)) == (422, "bad_request")


async def test_the_conversation_of_the_tutorial(admin: Asker, bots: Bots) -> None:
    common = {"session": "a1b2c3d4", "user": "+5511999888777", "channel": "WhatsApp", "bot": "mycompany"}
    bots.said(
        {"ago": 154, "text": "Hello", "message_id": "m1", "trace_id": trace(1), **common},
        {"ago": 153, "text": "Hello! How can I help you today?", "direction": "out", "reply_to": "m1", **common},
        {"ago": 0, "text": "ORD-12345", **common},
    )
    more = {"bot": "mycompany", "session_id": "a1b2c3d4"}
    bots.turn(154, "answered", 1.0, message_id="m1", trace_id=trace(1), **more)
    bots.event("bot.feedback", 100, "a1b2c3d4", "mycompany", bot_feedback_score="1", bot_feedback_text="nice")
    bots.event("bot.handoff", 50, "a1b2c3d4", "mycompany", bot_handoff_to="support")
    found = await admin.get(PATH + "a1b2c3d4")
    assert set(found) == {
        *(
            "session",
            "other_bots",
            "transcript",
            "transcript_truncated",
            "turns",
            "traces",
            "logs",
            "feedback",
            "events",
        ),
    }
    assert found["session"]["bot"] == "mycompany"
    assert found["session"]["duration_seconds"] == 154
    assert found["session"]["user"] == "+5511999888777"
    assert found["transcript"][0] == {
        "at": "2027-01-15T07:57:26Z",
        "direction": "in",
        "author": "user",
        "text": "Hello",
        "message_id": "m1",
        "reply_to": None,
        "trace_id": hexed(trace(1)),
    }
    assert [(said["author"], said["text"], said["reply_to"]) for said in found["transcript"][1:]] == [
        ("bot", "Hello! How can I help you today?", "m1"),
        ("user", "ORD-12345", None),
    ]
    assert found["transcript_truncated"] is False
    assert found["turns"] == [
        {
            "asked": "2027-01-15T07:57:26Z",
            "answered": "2027-01-15T07:57:27Z",
            "outcome": "answered",
            "answered_by": "bot",
            "response_ms": 1000.0,
            "message_id": "m1",
            "trace_id": hexed(trace(1)),
        }
    ]
    assert found["feedback"] == [{"at": "2027-01-15T07:58:20Z", "score": 1.0, "text": "nice", "message_id": None}]
    assert [(event["event"], event["attributes"]) for event in found["events"]] == [
        ("bot.handoff", {"bot.handoff.to": "support"})
    ]


async def test_a_corrected_turn_is_shown_once_as_it_is_now(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 600)
    bots.turn(600, "unanswered", None)
    bots.turn(600, "answered", 300, settled="1799999999")
    turns = (await admin.get(PATH + "s1"))["turns"]
    assert [(turn["outcome"], turn["response_ms"]) for turn in turns] == [("answered", 300_000.0)]


async def test_traces_and_logs_belong_to_the_session_also_by_their_trace_alone(admin: Asker, bots: Bots) -> None:
    bots.said({"ago": 60, "trace_id": trace(1)})
    bots.spans(
        {"ago": 60, "trace_id": trace(1), "name": "POST /webhook", "session_id": "s1", "ms": 250},
        {"ago": 59.9, "trace_id": trace(1), "name": "select", "parent_span_id": "s0000001", "status": "error"},
        {"ago": 60, "trace_id": trace(2), "name": "somebody else's"},
        {"ago": 55, "trace_id": trace(3), "name": "later work", "session_id": "s1"},
    )
    bots.logs(
        {"ago": 59.95, "body": "looked up", "trace_id": trace(1)},
        {"ago": 58, "body": "said so", "session_id": "s1"},
        {"ago": 57, "body": "not ours", "trace_id": trace(2)},
        {"ago": 57, "body": "of another bot", "session_id": "s1", "bot": "other"},
    )
    found = await admin.get(PATH + "s1")
    assert [(item["trace_id"], item["name"], item["spans"], item["errors"]) for item in found["traces"]] == [
        (hexed(trace(3)), "later work", 1, 0),
        (hexed(trace(1)), "POST /webhook", 2, 1),
    ]
    assert found["traces"][1]["duration_ms"] == 250
    assert found["traces"][1]["failed"] is True
    assert [item["text"] for item in found["logs"]["items"]] == ["said so", "looked up"]
    assert found["logs"]["next"] is None


async def test_the_cursor_of_its_logs_goes_on_in_the_list_of_logs(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 4_000)
    bots.logs(*({"ago": 4_000 - n / 100, "body": f"line {n}", "session_id": "s1"} for n in range(130)))
    logs = (await admin.get(PATH + "s1"))["logs"]
    rest = await admin.get("/api/logs", session="s1", bot="shop", cursor=logs["next"])
    lines = [item["text"] for item in (*logs["items"], *rest["items"])]
    assert lines == [f"line {n}" for n in range(129, -1, -1)]


async def test_the_same_id_under_two_bots(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 600, bot="help")
    bots.talk("s1", 60, bot="shop")
    newest = await admin.get(PATH + "s1")
    assert (newest["session"]["bot"], newest["other_bots"], len(newest["transcript"])) == ("shop", ["help"], 2)
    asked = await admin.get(PATH + "s1", bot="help")
    assert (asked["session"]["bot"], asked["other_bots"]) == ("help", ["shop"])
    assert asked["transcript"][0]["at"] == "2027-01-15T07:50:00Z"


async def test_a_session_over_many_days_and_hours_is_whole(admin: Asker, bots: Bots) -> None:
    for days in (0.01, 1, 2.5, 33, 64):
        bots.talk("s1", days * 86_400)
    found = await admin.get(PATH + "s1")
    assert found["session"]["messages"] == 10
    assert len(found["transcript"]) == 10
    assert found["transcript"] == sorted(found["transcript"], key=lambda said: said["at"])


async def test_ids_are_taken_as_they_are(admin: Asker, bots: Bots) -> None:
    ids = [
        "whatsapp:+55/11?x=1#y",
        "a b",
        "'; DROP TABLE sessions; --",
        "{x:String}",
        "é😀",
        "50%",
        "\\N",
        "a\\'b",
        "%41",
    ]
    for n, id in enumerate(ids):
        bots.talk(id, 60 + n)
    for id in ids:
        assert (await admin.get(PATH + quote(id, safe="")))["session"]["id"] == id
    assert {item["id"] for item in (await admin.get(PATH.rstrip("/")))["items"]} == set(ids)


async def test_hostile_text_comes_back_as_the_text_it_is(admin: Asker, bots: Bots) -> None:
    texts = [
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "\x1b[31mred\x07",
        "nul\x00nul",
        "\u202egnp.exe",
        "\ud7ff😀",
    ]
    bots.said(*({"ago": 60 - n, "text": text} for n, text in enumerate(texts)))
    response = await admin.response(PATH + "s1")
    assert [said["text"] for said in response.json()["transcript"]] == texts
    assert response.headers["content-type"] == "application/json"
    assert b"nul\\u0000nul" in response.content


async def test_a_long_conversation_shows_its_newest_part(admin: Asker, bots: Bots) -> None:
    bots.said(*({"ago": 3_000 - n, "text": str(n)} for n in range(2_001)))
    found = await admin.get(PATH + "s1")
    assert found["transcript_truncated"] is True
    assert [said["text"] for said in found["transcript"]] == [str(n) for n in range(1, 2_001)]


async def test_who_keeps_it_open_reads_it_again_only_when_something_came(
    admin: Asker, bots: Bots, clock: ManualClock, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fetch = Store.fetch

    async def told(store: Store, sql: str, params: Params | None = None) -> Rows:
        asked.append(sql)
        return await fetch(store, sql, params)

    bots.talk("s1", 60)
    monkeypatch.setattr(Store, "fetch", told)
    first = await admin.get(PATH + "s1")
    assert len(asked) > 2
    for _ in range(2):
        asked.clear()
        clock.advance(4)
        assert await admin.get(PATH + "s1") == first
        assert ["FROM sessions" in sql for sql in asked] == [True]
    bots.talk("s1", 10)
    clock.advance(4)
    assert [said["at"] for said in (await admin.get(PATH + "s1"))["transcript"]][2:] == [
        "2027-01-15T07:59:50Z",
        "2027-01-15T07:59:51Z",
    ]
    bots.log(5, "late", session_id="s1")
    clock.advance(60)
    assert [item["text"] for item in (await admin.get(PATH + "s1"))["logs"]["items"]] == ["late"]


async def test_of_very_many_events_the_newest_are_shown(admin: Asker, bots: Bots) -> None:
    common = {"bot": "shop", "session_id": "s1", "event": "bot.handoff", "attributes": {"n": "1"}}
    bots.put("events", *({**common, "at": at(3_000 - n), "body": str(n)} for n in range(2_002)))
    events = (await admin.get(PATH + "s1"))["events"]
    assert [event["text"] for event in events] == [str(n) for n in range(2, 2_002)]
    assert events[0]["attributes"] == {"n": "1"}


async def test_a_conversation_costs_five_questions(
    admin: Asker, bots: Bots, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its totals; what was said and its spans, and its turns and events; the traces, and the logs of all of these."""
    asked: list[str] = []
    fetch = Store.fetch

    async def told(store: Store, sql: str, params: Params | None = None) -> Rows:
        asked.append(sql)
        return await fetch(store, sql, params)

    bots.talk("s1", 60)
    bots.turn(60)
    bots.event("bot.handoff", 50)
    bots.span(55, trace(1), session_id="s1")
    bots.log(54, "written", trace_id=trace(1))
    monkeypatch.setattr(Store, "fetch", told)
    found = await admin.get(PATH + "s1")
    assert [len(found[part]) for part in ("transcript", "turns", "events", "traces")] == [2, 1, 1, 1]
    assert [item["text"] for item in found["logs"]["items"]] == ["written"]
    assert len(asked) == 5


async def test_one_of_more_spans_than_are_put_in_order_here_has_the_same_traces(
    admin: Asker, bots: Bots, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bots.talk("s1", 60)
    bots.spans(*({"ago": 50 - n / 9, "trace_id": trace(n % 12), "session_id": "s1"} for n in range(40)))
    here = (await admin.get(PATH + "s1"))["traces"]
    assert len(here) == 12
    clock.advance(60)
    monkeypatch.setattr(scope, "_SPANS_HERE_MAX", 10)
    monkeypatch.setattr(session, "SESSION_MESSAGES_MAX", 1)
    found = await admin.get(PATH + "s1")
    assert found["traces"] == here
    assert (len(found["transcript"]), found["transcript_truncated"]) == (1, True)
