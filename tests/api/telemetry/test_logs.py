"""Logs: found by what is in them, complete over their pages, counted over time."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import NOW_NS, error_of
from tests.api.telemetry.conftest import Asker, Bots, hexed, trace

PATH = "/api/logs"


async def texts(asker: Asker, **params: Any) -> list[str]:
    return [item["text"] for item in (await asker.get(PATH, **params))["items"]]


async def test_a_record_is_told_whole(admin: Asker, bots: Bots) -> None:
    bots.log(
        1.5,
        "rate limited",
        level="warn",
        severity=13,
        event="http.retry",
        host="web-1",
        instance="i-1",
        channel="web",
        scope="app 1.0",
        session_id="s1",
        user_id="john@acme.com",
        trace_id=trace(1),
        span_id="span0001",
        correlation_id="c-1",
        attributes={"status_code": "429", "retry_after_ms": "250"},
        resource='{"service.name":"shop"}',
    )
    assert await admin.get(PATH) == {
        "items": [
            {
                "at": "2027-01-15T07:59:58.500000Z",
                "level": "warn",
                "severity": 13,
                "event": "http.retry",
                "text": "rate limited",
                "bot": "shop",
                "host": "web-1",
                "instance": "i-1",
                "channel": "web",
                "scope": "app 1.0",
                "session_id": "s1",
                "user": "john@acme.com",
                "trace_id": hexed(trace(1)),
                "span_id": hexed("span0001"),
                "correlation_id": "c-1",
                "attributes": {"status_code": "429", "retry_after_ms": "250"},
                "resource": {"service.name": "shop"},
            }
        ],
        "next": None,
        "histogram": None,
    }


async def test_filters_narrow_together(admin: Asker, bots: Bots) -> None:
    bots.logs(
        {"ago": 1, "body": "a", "level": "error", "event": "payment.failed", "host": "h1"},
        {"ago": 2, "body": "b", "level": "warn", "event": "payment.failed", "trace_id": trace(1)},
        {"ago": 3, "body": "c", "bot": "help", "correlation_id": "c-1", "attributes": {"status_code": "500"}},
        {"ago": 4, "body": "d", "attributes": {"status_code": "500", "a.b": "x=y"}},
    )
    assert await texts(admin) == ["a", "b", "c", "d"]
    assert await texts(admin, level="error") == ["a"]
    assert await texts(admin, level=["error", "warn"]) == ["a", "b"]
    assert await texts(admin, event="payment.failed", level="warn") == ["b"]
    assert await texts(admin, bot="help") == ["c"]
    assert await texts(admin, host="h1") == ["a"]
    assert await texts(admin, trace=hexed(trace(1)).upper()) == ["b"]
    assert await texts(admin, correlation="c-1") == ["c"]
    assert await texts(admin, **{"attr.status_code": "500"}) == ["c", "d"]
    assert await texts(admin, **{"attr.status_code": "500", "attr.a.b": "x=y"}) == ["d"]
    assert await texts(admin, **{"attr.status_code": "50"}) == []


async def test_a_known_line_is_found_by_its_words(admin: Asker, bots: Bots) -> None:
    bots.logs(
        {"ago": 1, "body": "Connection to Redis lost: ECONNRESET"},
        {"ago": 2, "body": "connection restored", "event": "redis.up"},
        {"ago": 3, "body": "100% of 'quotes' \\ and {x:String}"},
        {"ago": 4, "body": "Überraschung größer"},
        {"ago": 900_000, "body": "an old connection"},
    )
    assert await texts(admin, q="CONNECTION") == [
        "Connection to Redis lost: ECONNRESET",
        "connection restored",
        "an old connection",
    ]
    assert await texts(admin, q="redis connection") == ["Connection to Redis lost: ECONNRESET", "connection restored"]
    assert await texts(admin, q='"redis lost"') == ["Connection to Redis lost: ECONNRESET"]
    assert await texts(admin, q='"lost redis"') == []
    assert await texts(admin, q="100%") == ["100% of 'quotes' \\ and {x:String}"]
    assert await texts(admin, q="{x:String} \\ 'quotes'") == ["100% of 'quotes' \\ and {x:String}"]
    assert await texts(admin, q="überraschung GRÖSSER") == []
    assert await texts(admin, q="überRASCHUNG GRÖßER") == ["Überraschung größer"]


async def test_the_window_is_half_open_and_in_the_zone_that_is_meant(admin: Asker, bots: Bots) -> None:
    bots.logs(*({"ago": n * 60, "body": str(n)} for n in range(4)))
    assert await texts(admin, **{"from": "2027-01-15T07:58:00Z", "to": "2027-01-15T07:59:00Z"}) == ["2"]
    assert await texts(admin, **{"from": "2027-01-15T08:58:00+01:00", "to": "2027-01-15T08:59:00+01:00"}) == ["2"]
    assert await texts(admin, **{"from": "2027-01-15T07:58:00", "to": "2027-01-15T07:59:00"}) == ["2"]
    assert await texts(admin, period="90s") == ["0", "1"]
    assert await texts(admin, period="1m", to="2027-01-15T07:59:00Z") == ["2"]
    assert await texts(admin, **{"from": "2027-01-15"}) == ["0", "1", "2", "3"]


async def test_a_sender_whose_clock_is_ahead_is_seen(admin: Asker, bots: Bots) -> None:
    bots.logs({"ago": -3_600, "body": "tomorrow"}, {"ago": 1, "body": "now"})
    assert await texts(admin) == ["tomorrow", "now"]
    assert await texts(admin, period="1h") == ["tomorrow", "now"]
    assert await texts(admin, to="2027-01-15T08:00:00Z") == ["now"]


async def test_pages_are_complete_where_many_records_have_one_time(admin: Asker, bots: Bots) -> None:
    bots.logs(
        *({"ago": 5, "body": f"same {n}"} for n in range(23)),
        *({"ago": 5, "body": "twin"} for _ in range(9)),
        *({"ago": 5, "body": "twin", "attributes": {"n": str(n)}} for n in range(3)),
        *({"ago": 400 + n * 30_000, "body": f"old {n}"} for n in range(8)),
    )
    once = [item for page in await admin.pages(PATH, limit=500) for item in page]
    assert len(once) == 23 + 9 + 3 + 8
    for limit in (1, 2, 4, 7, 10):
        paged = [item for page in await admin.pages(PATH, limit=limit) for item in page]
        assert paged == once, limit


async def test_nanoseconds_decide_the_order(admin: Asker, bots: Bots) -> None:
    bots.logs(*({"at": f"{NOW_NS // 10**9 - 1}.{n:09}", "ago": 0, "body": str(n)} for n in (3, 1, 2)))
    for limit in (1, 5):
        assert [item["text"] for page in await admin.pages(PATH, limit=limit) for item in page] == ["3", "2", "1"]


async def test_of_a_session_also_what_only_its_traces_tell(admin: Asker, bots: Bots) -> None:
    bots.said({"ago": 60, "trace_id": trace(1)})
    bots.logs(
        {"ago": 59, "body": "by trace", "trace_id": trace(1)},
        {"ago": 58, "body": "by id", "session_id": "s1"},
        {"ago": 57, "body": "neither"},
        {"ago": 56, "body": "only logs know it", "session_id": "s2"},
    )
    assert await texts(admin, session="s1") == ["by id", "by trace"]
    assert await texts(admin, session="s2") == ["only logs know it"]
    assert await texts(admin, session="s3") == []


async def test_counts_by_level_over_time(admin: Asker, bots: Bots) -> None:
    bots.logs(
        *({"ago": 30, "body": "x", "level": "info"} for _ in range(3)),
        {"ago": 30, "body": "x", "level": "error"},
        {"ago": 90, "body": "x", "level": "info"},
        {"ago": 90, "body": "y", "level": "info"},
    )
    page = await admin.get(PATH, period="2m", buckets=4, q="x", limit=1, to="2027-01-15T08:00:00Z")
    assert page["histogram"] == {
        "start": "2027-01-15T07:58:00Z",
        "step_seconds": 30.0,
        "levels": {"info": [0, 1, 0, 3], "error": [0, 0, 0, 1]},
    }
    assert len(page["items"]) == 1
    whole_day = (await admin.get(PATH, buckets=24))["histogram"]
    assert whole_day["step_seconds"] == 3_600
    assert whole_day["levels"]["info"] == [0] * 23 + [5]


async def test_what_does_not_fit_is_refused(admin: Asker) -> None:
    for params in (
        {"level": "loud"},
        {"trace": "xyz"},
        {"buckets": "0"},
        {"buckets": "501"},
        {"from": "yesterday"},
        {"from": "1960-01-01"},
        {"to": "9999-01-01"},
        {"from": "2027-01-15T08:00:00Z", "to": "2027-01-15T07:00:00Z"},
        {"from": "2027-01-15T07:00:00Z", "period": "1h"},
        {"period": "forever"},
        {"period": "0s"},
        {"period": "9999d"},
        {"cursor": "WzEsMl0"},
        {"colour": "red"},
        {"attr.": "x"},
        {"attr.a": "x" * 2_000},
        {f"attr.{'n' * 2_000}": "x"},
        {"attr.a": ["x", "y"]},
        {f"attr.{n}": "x" for n in range(17)},
    ):
        assert error_of(await admin.response(PATH, **params)) == (422, "bad_request"), params
