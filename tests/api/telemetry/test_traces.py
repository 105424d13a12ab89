"""Traces: listed, filtered, and one shown whole."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from botwatch import limits
from botwatch.store.client import Store
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import NOW_S, Asker, Bots, at, hexed, trace

PATH = "/api/traces"


async def found(asker: Asker, **params: Any) -> list[str]:
    return [item["trace_id"] for item in (await asker.get(PATH, **params))["items"]]


def ids(*numbers: int) -> list[str]:
    return [hexed(trace(number)) for number in numbers]


async def test_a_trace_is_one_line(admin: Asker, bots: Bots) -> None:
    bots.spans(
        {"ago": 9.9, "trace_id": trace(1), "name": "select", "parent_span_id": "root0000", "ms": 30, "bot": "db"},
        {"ago": 10, "trace_id": trace(1), "name": "POST /webhook", "span_id": "root0000", "ms": 250, "action": "reply"},
        {"ago": 9.8, "trace_id": trace(1), "name": "chat", "ms": 500, "status": "error", "session_id": "s1"},
        {"ago": 9.7, "trace_id": trace(1), "name": "late", "user_id": "john@acme.com", "channel": "web"},
    )
    assert (await admin.get(PATH))["items"] == [
        {
            "trace_id": hexed(trace(1)),
            "name": "POST /webhook",
            "start": "2027-01-15T07:59:50Z",
            "duration_ms": 700.0,
            "spans": 4,
            "errors": 1,
            "failed": True,
            "bots": ["db", "shop"],
            "action": "reply",
            "session_id": "s1",
            "user": "john@acme.com",
            "channel": "web",
        }
    ]


async def test_filters_fit_one_span_of_the_trace(admin: Asker, bots: Bots) -> None:
    bots.said({"ago": 60, "session": "s1", "trace_id": trace(4)})
    bots.spans(
        {"ago": 1, "trace_id": trace(1), "action": "reply", "ms": 100},
        {"ago": 1, "trace_id": trace(1), "dependency": "openai", "status": "error", "ms": 90},
        {"ago": 2, "trace_id": trace(2), "action": "reply", "correlation_id": "c-1", "ms": 2_000},
        {"ago": 3, "trace_id": trace(3), "dependency": "openai", "bot": "help", "session_id": "s2"},
        {"ago": 60, "trace_id": trace(4), "dependency": "redis"},
    )
    assert await found(admin) == ids(1, 2, 3, 4)
    assert await found(admin, bot="help") == ids(3)
    assert await found(admin, action="reply") == ids(1, 2)
    assert await found(admin, dependency="openai") == ids(1, 3)
    assert await found(admin, dependency="openai", failed="true") == ids(1)
    assert await found(admin, action="reply", failed="true") == []
    assert await found(admin, failed="false", action="reply") == ids(1, 2)
    assert await found(admin, min_ms="1000.5") == ids(2)
    assert await found(admin, correlation="c-1") == ids(2)
    assert await found(admin, session="s1") == ids(4)
    assert await found(admin, session="nobody") == []
    assert await found(admin, period="30s") == ids(1, 2, 3)
    assert await found(admin, to="2027-01-15T07:59:58Z") == ids(3, 4)


async def test_pages_hold_each_trace_once(admin: Asker, bots: Bots) -> None:
    for n in range(1, 13):
        ago = 2.6**n / 4
        bots.spans({"ago": ago, "trace_id": trace(n)}, {"ago": max(0, ago - 100), "trace_id": trace(n)})
    bots.spans(*({"ago": 3, "trace_id": trace(100 + n)} for n in range(9)))
    for limit in (1, 2, 4, 100):
        pages = await admin.pages(PATH, limit=limit)
        listed = [item["trace_id"] for page in pages for item in page]
        assert sorted(listed) == sorted(ids(*range(1, 13), *range(100, 109))), limit
        starts = [item["start"] for page in pages for item in page]
        assert starts == sorted(starts, reverse=True)


async def test_an_unknown_trace_is_not_found(admin: Asker, bots: Bots) -> None:
    bots.span(1, trace(1))
    assert error_of(await admin.response(f"{PATH}/{'0' * 31}1")) == (404, "not_found")
    for id in ("1", "x" * 32, "0" * 33, "' OR 1=1 --"):
        assert error_of(await admin.response(f"{PATH}/{id}")) == (422, "bad_request"), id


def turn_with_a_call(bots: Bots) -> None:
    """A turn that called a model, which timed out; with its message and a log record."""
    common = {"trace_id": trace(1), "session_id": "s1", "user_id": "john@acme.com"}
    bots.said({"ago": 10, "session": "s1", "text": "hi", "message_id": "m1", "trace_id": trace(1)})
    bots.spans(
        {
            "ago": 9,
            "span_id": "child000",
            "parent_span_id": "root0000",
            "name": "chat gpt-4o",
            "kind": "client",
            "ms": 1.5,
            "status": "error",
            "status_message": "boom",
            "failure": "timeout",
            "dependency": "openai",
            "model": "gpt-4o",
            "tokens_in": 12,
            "tokens_out": 3,
            "attributes": {"http.status_code": "504"},
            "events.at": [at(8.9999)],
            "events.name": ["exception"],
            "events.attributes": [{"exception.type": "TimeoutError"}],
            "links.trace_id": [trace(7)],
            "links.span_id": ["link0000"],
            **common,
        },
        {"ago": 10, "span_id": "root0000", "name": "turn", "kind": "server", "ms": 1_200, "action": "reply", **common},
    )
    bots.log(9.5, "thinking", trace_id=trace(1), span_id="root0000")


async def test_the_waterfall(admin: Asker, bots: Bots) -> None:
    turn_with_a_call(bots)
    shown = await admin.get(f"{PATH}/{hexed(trace(1)).upper()}")
    assert {name: shown[name] for name in ("trace_id", "name", "start", "duration_ns", "failed", "truncated")} == {
        "trace_id": hexed(trace(1)),
        "name": "turn",
        "start": "2027-01-15T07:59:50Z",
        "duration_ns": 1_200_000_000,
        "failed": True,
        "truncated": False,
    }
    assert [item["text"] for item in shown["logs"]] == ["thinking"]
    assert shown["sessions"] == [{"bot": "shop", "session_id": "s1"}]
    assert [(said["text"], said["message_id"], said["session_id"]) for said in shown["messages"]] == [
        ("hi", "m1", "s1")
    ]


async def test_a_span_of_the_waterfall(admin: Asker, bots: Bots) -> None:
    turn_with_a_call(bots)
    root, child = (await admin.get(f"{PATH}/{hexed(trace(1))}"))["spans"]
    assert (root["span_id"], root["parent_span_id"], root["offset_ns"]) == (hexed("root0000"), None, 0)
    assert child == {
        "span_id": hexed("child000"),
        "parent_span_id": hexed("root0000"),
        "name": "chat gpt-4o",
        "kind": "client",
        "start": "2027-01-15T07:59:51Z",
        "offset_ns": 1_000_000_000,
        "duration_ns": 1_500_000,
        "status": "error",
        "status_message": "boom",
        "failure": "timeout",
        "bot": "shop",
        "host": "",
        "instance": "",
        "scope": "",
        "action": None,
        "request": None,
        "dependency": "openai",
        "model": "gpt-4o",
        "tokens_in": 12,
        "tokens_out": 3,
        "session_id": "s1",
        "user": "john@acme.com",
        "channel": None,
        "correlation_id": None,
        "attributes": {"http.status_code": "504"},
        "resource": {},
        "events": [
            {
                "at": "2027-01-15T07:59:51.000100Z",
                "offset_ns": 1_000_100_000,
                "name": "exception",
                "attributes": {"exception.type": "TimeoutError"},
            }
        ],
        "links": [{"trace_id": hexed(trace(7)), "span_id": hexed("link0000")}],
    }


async def test_a_trace_of_which_only_logs_are_kept(admin: Asker, bots: Bots) -> None:
    bots.log(9.5, "alone", trace_id=trace(1))
    shown = await admin.get(f"{PATH}/{hexed(trace(1))}")
    assert (shown["spans"], shown["name"], shown["duration_ns"], shown["failed"]) == ([], "", 0, False)
    assert shown["start"] == "2027-01-15T07:59:50.500000Z"
    assert [item["text"] for item in shown["logs"]] == ["alone"]


async def test_values_that_are_not_texts_are_shown_as_json(admin: Asker, store: Store) -> None:
    inner = KeyValueList(
        values=[KeyValue(key="deep", value=AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=-7)])))]
    )
    many = ArrayValue(
        values=[
            AnyValue(string_value="é" * 100),
            AnyValue(int_value=2**53 + 1),
            AnyValue(double_value=1.5),
            AnyValue(double_value=float("nan")),
            AnyValue(bool_value=True),
            AnyValue(bytes_value=b"\xff\x00"),
            AnyValue(kvlist_value=inner),
            AnyValue(),
        ]
    ).SerializeToString()
    kept = {
        "many": b"\x005" + many,
        "map": b"\x006" + inner.SerializeToString(),
        "bytes": b"\x007\xde\xad",
        "empty": b"\x005",
        "odd": b"\x005\xff\xff\xff",
        "nul": b"\x00 no such kind",
        "only": b"\x00",
        "text": b"plain",
        "broken": b"caf\xe9",
    }
    pairs = ", ".join(f"'{name}', unhex('{value.hex()}')" for name, value in kept.items())
    store.command(
        "INSERT INTO spans (bot, start, trace_id, span_id, name, attributes, resource) "
        f"SELECT 'shop', toDateTime64('{NOW_S - 1}', 9, 'UTC'), '{trace(1)}', 's0000001', 'a', map({pairs}), "
        f"toJSONString(map('process.command_args', unhex('{kept['many'].hex()}'), 'service.name', 'shop', "
        "'x', unhex('e9')))"
    )
    whole = ["é" * 100, 2**53 + 1, 1.5, "nan", True, "/wA=", {"deep": [-7]}, None]
    span = (await admin.get(f"{PATH}/{hexed(trace(1))}"))["spans"][0]
    assert span["attributes"] == {
        "many": whole,
        "map": {"deep": [-7]},
        "bytes": "3q0=",
        "empty": [],
        "odd": "\x005\ufffd\ufffd\ufffd",
        "nul": "\x00 no such kind",
        "only": "\x00",
        "text": "plain",
        "broken": "caf\ufffd",
    }
    assert span["resource"] == {"process.command_args": whole, "service.name": "shop", "x": "\ufffd"}


async def test_a_huge_trace_is_cut_and_says_so(admin: Asker, store: Store) -> None:
    store.command(
        "INSERT INTO spans (bot, start, trace_id, span_id, name, duration_ns) SELECT 'shop', "
        f"addMilliseconds(toDateTime64('{NOW_S - 100}', 9, 'UTC'), number), '{trace(1)}', "
        f"reinterpretAsFixedString(number + 1), 'step', 18446744073709551615 FROM numbers({limits.TRACE_SPANS_MAX + 5})"
    )
    response = await admin.response(f"{PATH}/{hexed(trace(1))}")
    shown = json.loads(response.content)
    assert shown["truncated"] is True
    assert len(shown["spans"]) == limits.TRACE_SPANS_MAX
    assert shown["spans"][-1]["offset_ns"] == (limits.TRACE_SPANS_MAX - 1) * 1_000_000


async def test_cursors_of_others_are_refused(admin: Asker) -> None:
    for cursor in ("WzEsMl0", "WzEsIngiXQ", "W10", "", "bnVsbA", "WzEsIjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDBHIl0"):
        assert error_of(await admin.response(PATH, cursor=cursor)) == (422, "bad_request"), cursor
    for params in ({"min_ms": "-1"}, {"min_ms": "nan"}, {"failed": "maybe"}, {"attr.x": "1"}):
        assert error_of(await admin.response(PATH, **params)) == (422, "bad_request"), params
