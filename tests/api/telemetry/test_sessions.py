"""The list of sessions: complete over its pages, in order, filtered, counted."""

from __future__ import annotations

from tests.api.conftest import error_of
from tests.api.telemetry.conftest import Asker, Bots

PATH = "/api/monitoring/sessions"


def ids(items: list[dict[str, str]]) -> list[str]:
    return [item["id"] for item in items]


async def test_a_session_is_told_whole(admin: Asker, bots: Bots) -> None:
    bots.said(
        {"ago": 5_000, "session": "a1b2c3d4", "user": "+5511999888777", "channel": "whatsapp", "host": "web-1"},
        {"ago": 4_999.5, "session": "a1b2c3d4", "user": "+5511999888777", "channel": "whatsapp", "direction": "out"},
        {"ago": 100, "session": "a1b2c3d4", "user": "+5511999888777", "channel": "whatsapp"},
    )
    bots.event("bot.handoff", 90, "a1b2c3d4")
    bots.event("bot.feedback", 80, "a1b2c3d4", bot_feedback_score="0.5")
    bots.event("bot.feedback", 70, "a1b2c3d4", bot_feedback_score="-1")
    page = await admin.get(PATH)
    assert page == {
        "items": [
            {
                "id": "a1b2c3d4",
                "bot": "shop",
                "user": "+5511999888777",
                "channel": "whatsapp",
                "host": "web-1",
                "started": "2027-01-15T06:36:40Z",
                "last_seen": "2027-01-15T07:58:50Z",
                "duration_seconds": 4_900.0,
                "messages": 3,
                "messages_in": 2,
                "messages_out": 1,
                "state": "active",
                "handed_off": True,
                "outcome": None,
                "feedback": {"count": 2, "average": -0.25},
            }
        ],
        "next": None,
        "total": None,
    }


async def test_247_active_sessions_make_25_pages_of_10(admin: Asker, bots: Bots) -> None:
    bots.talks(*((f"s{i:03}", 10 + i * 7) for i in range(247)))
    bots.talk("too long ago", 31 * 60)
    newest_first = [f"s{i:03}" for i in range(247)]

    by_cursor = await admin.pages(PATH, state="active", limit=10)
    assert [len(page) for page in by_cursor] == [10] * 24 + [7]
    assert [id for page in by_cursor for id in ids(page)] == newest_first

    numbered = [await admin.get(PATH, state="active", limit=10, page=n) for n in range(1, 27)]
    assert [len(page["items"]) for page in numbered] == [10] * 24 + [7, 0]
    assert {page["total"] for page in numbered} == {247}
    assert [id for page in numbered for id in ids(page["items"])] == newest_first


async def test_pages_of_all_sessions_reach_back_over_hours_and_days(admin: Asker, bots: Bots) -> None:
    ages = [60 * 2.5**n for n in range(13)]  # from a minute to two months
    for n, age in enumerate(ages):
        bots.talk(f"s{n:02}", age)
    bots.talk("s03", ages[8])  # a session of two times stands where it was seen last, with all its messages
    for limit in (1, 2, 5, 100):
        pages = await admin.pages(PATH, limit=limit)
        assert [id for page in pages for id in ids(page)] == [f"s{n:02}" for n in range(13)], limit
    assert [item["messages"] for item in (await admin.get(PATH))["items"]][2:5] == [2, 4, 2]
    assert ids((await admin.get(PATH, limit=4, page=3))["items"]) == ["s08", "s09", "s10", "s11"]


async def test_sessions_seen_at_the_same_moment_are_neither_skipped_nor_repeated(admin: Asker, bots: Bots) -> None:
    bots.said(*({"ago": 50, "session": f"s{n:02}"} for n in range(40)), {"ago": 50, "session": "s00", "bot": "other"})
    for state in ("all", "active"):
        pages = await admin.pages(PATH, limit=3, state=state)
        found = [(item["id"], item["bot"]) for page in pages for item in page]
        assert len(found) == 41
        assert len(set(found)) == 41


async def test_states_follow_the_idle_time_and_the_end(admin: Asker, bots: Bots) -> None:
    bots.talk("active", 60)
    bots.talk("idle", 1_801)
    bots.talk("ended", 70)
    bots.event("bot.session.end", 65, "ended", bot_session_outcome="completed")
    bots.talk("came back", 80)
    bots.event("bot.session.end", 79.5, "came back", bot_session_outcome="completed")
    bots.span(30, "t" * 16, session_id="only a trace")
    found = {state: await admin.get(PATH, state=state) for state in ("active", "idle", "ended", "all")}
    assert ids(found["active"]["items"]) == ["active", "came back"]
    assert ids(found["idle"]["items"]) == ["only a trace", "idle"]
    assert ids(found["ended"]["items"]) == ["ended"]
    assert ids(found["all"]["items"]) == ["only a trace", "active", "ended", "came back", "idle"]
    assert found["ended"]["items"][0]["outcome"] == "completed"
    assert [found[state]["total"] for state in found] == [2, None, None, None]


async def test_the_total_is_that_of_the_status(admin: Asker, bots: Bots) -> None:
    for n in range(5):
        bots.talk(f"s{n}", 60 + n)
    bots.event("bot.session.end", 10, "s3")
    status = await admin.get("/api/monitoring/status")
    assert status["sessions"]["active"] == 4
    assert (await admin.get(PATH, state="active", limit=1))["total"] == 4
    assert (await admin.get(PATH, state="active", limit=1, page=9))["total"] == 4


async def test_filters_and_search(admin: Asker, bots: Bots) -> None:
    bots.talk("abc-1", 10, user="john@acme.com", bot="shop", channel="web")
    bots.talk("abc-2", 20, user="+5511999888777", bot="help", channel="whatsapp")
    bots.talk("xyz-3", 90_000, user="JOHN@ACME.COM", bot="help", channel="web")

    async def found(**params: str) -> list[str]:
        return ids((await admin.get(PATH, **params))["items"])

    assert await found(bot="help") == ["abc-2", "xyz-3"]
    assert await found(channel="web") == ["abc-1", "xyz-3"]
    assert await found(bot="help", channel="web") == ["xyz-3"]
    assert await found(q="ABC") == ["abc-1", "abc-2"]
    assert await found(q="john@acme") == ["abc-1", "xyz-3"]
    assert await found(q="john abc") == ["abc-1"]
    assert await found(q="+5511999") == ["abc-2"]
    assert await found(q="abc", channel="whatsapp", state="active") == ["abc-2"]
    assert await found(q="100%") == []
    assert await found(q="' OR 1=1 --") == []
    assert await found(bot="nobody") == []


async def test_a_search_pages_too(admin: Asker, bots: Bots) -> None:
    for n in range(7):
        bots.talk(f"match-{n}", 10 + n * 4_000)
        bots.talk(f"other-{n}", 20 + n * 4_000)
    pages = await admin.pages(PATH, q="MATCH", limit=3)
    assert [ids(page) for page in pages] == [[f"match-{n}" for n in range(i, min(7, i + 3))] for i in (0, 3, 6)]


async def test_masked_eyes_do_not_find_by_user(admin: Asker, monitor: Asker, bots: Bots) -> None:
    bots.talk("s1", 10, user="john@acme.com")
    assert [item["user"] for item in (await monitor.get(PATH))["items"]] == ["john@acme..."]
    assert (await monitor.get(PATH, q="john"))["items"] == []
    assert ids((await monitor.get(PATH, q="s1"))["items"]) == ["s1"]
    assert ids((await admin.get(PATH, q="john"))["items"]) == ["s1"]


async def test_what_does_not_fit_is_refused(admin: Asker) -> None:
    for params in (
        {"state": "asleep"},
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "ten"},
        {"page": "0"},
        {"page": "1001", "limit": "10"},
        {"page": "2", "cursor": "WzEsMl0"},
        {"cursor": "nonsense"},
        {"cursor": "WzEsMiwzXQ"},
        {"cursor": "WyJhIiwyXQ"},
        {"cursor": "x" * 2_000},
        {"q": "x" * 257},
        {"q": "a b c d e f g h i j k l m n o p q"},
        {"bot": ""},
        {"bots": "shop"},
    ):
        assert error_of(await admin.response(PATH, **params)) == (422, "bad_request"), params


async def test_nothing_yet_is_an_empty_page(admin: Asker) -> None:
    assert await admin.get(PATH) == {"items": [], "next": None, "total": None}
    assert await admin.get(PATH, state="active") == {"items": [], "next": None, "total": 0}
