"""Whatever gets through the door, the engine takes: tried with the real schema on the real engine.

The engine fails a whole batch over one message it cannot read, so that each of these would cost
others their data for as long as it takes to find the culprit.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.types import ASGIApp

from botwatch.clock import SystemClock
from botwatch.receive import otlp
from botwatch.receive.app import app as receivers
from botwatch.spool import Spool
from botwatch.store.client import Store
from botwatch.store.writer import Writer
from tests.receive.parts import (
    JSON,
    NDJSON,
    NOW_NS,
    PROTOBUF,
    attribute,
    field_bytes,
    metric,
    options,
    point,
    post,
    record,
    request,
    span,
    span_bytes,
    varint,
)

GOLDEN = Path(__file__).parent / "golden"
SIGNALS = {"traces": otlp.TRACES, "logs": otlp.LOGS, "metrics": otlp.POINTS}
MUTANTS = 1_500
WRITTEN_S_MAX = 60


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.open(tmp_path / "spool.db", clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)
    yield spool
    spool.close()


@pytest.fixture
def door(spool: Spool) -> ASGIApp:
    return receivers(spool, None, options())


def refused_by_the_engine(store: Store, spool: Spool) -> list[Any]:
    writer = Writer(store, spool, SystemClock(), node="n", pause_s_min=0.01)
    writer.start()
    assert writer.stop(WRITTEN_S_MAX), writer.health
    counts = spool.intake()
    assert sum(count.stored for count in counts.values()) > 0
    return spool.dead()


def mutant(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(changed))
        what = chance.randrange(4)
        if what == 0:
            changed[at] = chance.randrange(256)
        elif what == 1:
            changed[at] ^= 1 << chance.randrange(3)  # another wire type, if this is a tag
        elif what == 2:
            changed[at:at] = chance.randbytes(chance.randint(1, 3))
        else:
            del changed[at : at + chance.randint(1, 3)]
    return bytes(changed)


@pytest.mark.parametrize("name", SIGNALS)
async def test_mutated_requests(name: str, door: ASGIApp, spool: Spool, store: Store) -> None:
    chance = random.Random(name)
    good = (GOLDEN / f"{name}.pb").read_bytes()
    taken = 0
    for _ in range(MUTANTS):
        reply = await post(door, f"/v1/{name}", mutant(good, chance), PROTOBUF)
        taken += reply.status == 200
    assert taken > MUTANTS // 20
    assert refused_by_the_engine(store, spool) == []


def any_value(content: bytes) -> bytes:
    """A span with one attribute, whose value is these bytes."""
    return field_bytes(9, field_bytes(1, b"k") + field_bytes(2, content))


GOOD_SPAN = request(otlp.TRACES, span()).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
ODD_SPANS = {
    "a time as a number": b"\x38\x05",
    "a time as four bytes": b"\x3dabcd",
    "a name as a number": b"\x28\x05",
    "a kind as text": field_bytes(6, b"abc"),
    "attributes as a number": b"\x48\x05",
    "a status as a number": b"\x78\x05",
    "a group": b"\x73\x08\x01\x74",
    "a group in a group": b"\x73" * 20 + b"\x74" * 20,
    "a kind of 40 bits": b"\x30\xff\xff\xff\xff\x7f",
    "a kind below zero": b"\x30" + b"\xff" * 9 + b"\x01",
    "a bool of 5": any_value(b"\x10\x05"),
    "a bool of 64 bits": any_value(b"\x10" + b"\xff" * 9 + b"\x01"),
    "a value of two kinds": any_value(field_bytes(1, b"text") + b"\x18\x07"),
    "an integer as text": any_value(field_bytes(3, b"text")),
    "no value": any_value(b""),
    "an id twice": field_bytes(1, b"x" * 16) + field_bytes(1, b"y" * 16),
    "a tag in two bytes": b"\x8a\x00\x10" + b"z" * 16,
    "a zero byte": field_bytes(5, b"a\x00b"),
    "an end before the start": b"\x41" + bytes(8),
    "a link without an id": field_bytes(13, field_bytes(1, b"x")),
    "an event of no time": field_bytes(11, b"\x09" + b"\xff" * 8),
    "a reserved field": varint(1000 << 3) + b"\x05",
}


async def test_odd_spans(door: ASGIApp, spool: Spool, store: Store) -> None:
    for number, odd in enumerate(ODD_SPANS.values()):
        own = field_bytes(2, b"span%04d" % number)
        reply = await post(door, "/v1/traces", span_bytes(GOOD_SPAN + own + odd))
        assert (reply.status, reply.body) == (200, b"")
    assert refused_by_the_engine(store, spool) == []
    assert store.read("SELECT count() FROM spans").first == (len(ODD_SPANS),)


async def test_odd_records_and_points(door: ASGIApp, spool: Spool, store: Store) -> None:
    deep: dict[str, Any] = {"string_value": "end"}
    for _ in range(28):  # three messages each, under the parser's hundred
        deep = {"kvlist_value": {"values": [{"key": "k", "value": deep}]}}
    records = [
        record(body=deep, attributes=[{"key": "deep", "value": deep}]),
        record(
            severity_number=2**31 - 1,
            event_name="bot.payload",
            body={"string_value": '{"a":1,"a":2,"b.c":1,"b":{"c":2}}'},
        ),
        record(
            event_name="bot.payload", body={"string_value": "[1, {}]"}, attributes=[attribute("bot.payload.source")]
        ),
        record(event_name="bot.payload", body={"string_value": "no JSON"}),
        record(event_name="bot.feedback", attributes=[attribute("bot.feedback.score", "NaN")]),
        {"time_unix_nano": NOW_NS},
    ]
    points = [
        metric("gauge", point(as_double=float("nan")), point(as_int=-(2**63)), {"time_unix_nano": NOW_NS, "flags": 1}),
        metric(
            "exponential_histogram",
            exponential(scale=2**31 - 1),
            exponential(scale=-(2**31)),
            exponential(offset=2**31 - 1),
        ),
        metric(
            "histogram",
            {"time_unix_nano": NOW_NS, "count": 2**64 - 1, "bucket_counts": [2**64 - 1], "sum": float("inf")},
        ),
        metric("summary", {"time_unix_nano": NOW_NS, "quantile_values": [{"quantile": float("nan")}]}),
    ]
    for signal, items in ((otlp.LOGS, records), (otlp.POINTS, points)):
        reply = await post(door, signal.path, request(signal, *items).SerializeToString())
        assert (reply.status, reply.body) == (200, b"")
    assert refused_by_the_engine(store, spool) == []
    assert store.read("SELECT count() FROM logs").first == (len(records),)


def exponential(*, scale: int = 0, offset: int = 0) -> dict[str, Any]:
    buckets = {"offset": offset, "bucket_counts": [1, 2**63, 0]}
    return {"time_unix_nano": NOW_NS, "scale": scale, "positive": buckets, "negative": buckets, "count": 3}


async def test_odd_lines_and_documents(door: ASGIApp, spool: Spool, store: Store) -> None:
    lines: list[Any] = [
        {"message": "\x00\x1b[31m", "level": 60, "user": {"id": 2**64 - 1}, "a": {"b": 1}, "a.b": 2, "": "no name"},
        {"session_id": "s", "event": "bot.message", "message": "hi", "k" * 70_000: "v" * 70_000},
        {"trace_id": "ab" * 16, "span_id": "cd" * 8, "list": [[], {}, None], "big": 1e300},
    ]
    documents = [
        b'{"a":1,"a":2,"b.c":1,"b":{"c":2}}',
        b'{"big":123456789012345678901234567890,"":{"":1},"n\\u0000":"\\u0000"}',
        b"[1,[2,{}]]",
        b'{"a":' * 500 + b"1" + b"}" * 500,
        orjson.dumps({f"k{number}": number for number in range(5_000)}),
        b"{}",
    ]
    reply = await post(door, "/v1/logs/json", b"\n".join(map(orjson.dumps, lines)), NDJSON)
    assert reply.json["accepted"] == len(lines)
    reply = await post(door, "/v1/payloads", b"\n".join(documents), JSON, query="source=s&session=t&bot=b&version=1")
    assert reply.json["accepted"] == len(documents)
    assert refused_by_the_engine(store, spool) == []
    assert store.read("SELECT count() FROM logs").first == (len(lines),)
    kept = store.read("SELECT DISTINCT source, session_id, bot, version FROM payloads").rows
    assert list(kept) == [("s", "t", "b", "1")]
