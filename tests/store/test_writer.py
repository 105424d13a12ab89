"""Batches reach the engine once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from botwatch import limits
from botwatch.clock import ManualClock, SystemClock
from botwatch.errors import StoreAway, StoreRefused
from botwatch.nouns import Inbox, Refusal, Signal
from botwatch.spool import Spool
from botwatch.store import client
from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from botwatch.store.writer import Writer, stamp
from tests.real.parts import ClickHouse
from tests.store.conftest import Deliver
from tests.store.otlp import parcel, record, span

NOW = time.time_ns() // 10**10 * 10**10


class Interrupted(BaseException):
    """Stands for the process being killed."""


class DyingSpool:
    """A spool whose process dies before it can note that a batch is done."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._spool, name)

    def done(self, *_: object, **__: object) -> None:
        raise Interrupted


def counted(store: Store) -> tuple[int, int, int, int, int]:
    row = store.read(
        "SELECT (SELECT count() FROM spans), "
        "(SELECT sum(count) FROM ticks_10s WHERE kind = 'action'), "
        "(SELECT sum(count) FROM ticks_5m WHERE kind = 'action'), "
        "(SELECT sum(count) FROM ticks_1h WHERE kind = 'action'), "
        "(SELECT sum(spans) FROM sessions)"
    ).first
    assert row is not None
    return (row[0], row[1], row[2], row[3], row[4])


async def stored(spool: Spool, items: int = 1) -> None:
    while spool.intake()[Signal.TRACES].stored != items:
        await asyncio.sleep(0.01)


async def away(writer: Writer) -> None:
    while writer.health.away_since_ns is None:
        await asyncio.sleep(0.01)


async def test_a_batch_replayed_after_a_crash_counts_once_everywhere(spool: Spool, store: Store) -> None:
    for n in range(5):
        await spool.put(span(NOW + n, {"session.id": f"s{n}"}))
    for _ in range(2):
        writer = Writer(store, DyingSpool(spool), SystemClock(), node="n")  # type: ignore[arg-type]
        with pytest.raises(Interrupted):
            writer._run()
        assert counted(store) == (5, 5, 5, 5, 5)
    writer = Writer(store, spool, SystemClock(), node="n")
    writer.start()
    assert writer.stop()
    assert counted(store) == (5, 5, 5, 5, 5)
    assert spool.intake()[Signal.TRACES].stored == 5


async def test_a_request_the_engine_refuses_takes_no_other_with_it(
    deliver: Deliver, spool: Spool, store: Store
) -> None:
    bad = parcel(Inbox.TRACES, b"\x0a\x05\x0a\xff\xff\xff\x0f", 1)
    good = [span(NOW + n) for n in range(6)]
    writer = await deliver(*good[:3], bad, *good[3:])
    assert store.read("SELECT count() FROM spans").first == (6,)
    counts = spool.intake()[Signal.TRACES]
    assert (counts.stored, counts.rejected, counts.missing) == (6, {Refusal.ENGINE: 1}, 0)
    assert writer.health.dead == 1
    assert [dead.items for dead in spool.dead()] == [1]


async def test_an_engine_that_is_away_loses_nothing(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, attempts = store.insert, []

    def away_at_first(table: str, data: bytes, *, fmt: str, settings: Mapping[str, Any]) -> None:
        attempts.append(settings["insert_deduplication_token"])
        if len(attempts) < 3:
            raise StoreAway("away")
        real(table, data, fmt=fmt, settings=settings)

    monkeypatch.setattr(store, "insert", away_at_first)
    await spool.put(span(NOW))
    writer = Writer(store, spool, SystemClock(), node="n", retry_s_max=0.01)
    writer.start()
    await stored(spool)
    assert writer.stop()
    assert len(set(attempts)) == 1, "the same token each time"
    assert writer.health.away_since_ns is None
    assert counted(store)[0] == 1


async def test_a_store_of_another_schema_is_told_and_what_came_waits(spool: Spool, store: Store) -> None:
    store.command("INSERT INTO schema_versions (name) VALUES ('9999_future')")
    await spool.put(span(NOW))
    writer = Writer(store, spool, SystemClock(), node="n")
    writer.start()
    try:
        await away(writer)
        assert "was written by a newer version (it has 9999_future)" in writer.health.last_error
        assert writer.stop()
        assert spool.intake()[Signal.TRACES].spooled == 1
    finally:
        store.command("ALTER TABLE schema_versions DELETE WHERE name = '9999_future' SETTINGS mutations_sync = 2")


async def test_little_waits_for_more_and_a_full_batch_does_not(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BATCH_PARCELS_MAX", 3)
    writer = Writer(store, spool, ManualClock(NOW), node="n", flush_every_s=0)  # by its clock no pause ever ends
    writer.start()
    await spool.put(span(NOW))
    await stored(spool)
    for n in (1, 2):
        await spool.put(span(NOW + n))
    await asyncio.sleep(0.2)
    assert spool.waiting(Inbox.TRACES).parcels == 2
    await spool.put(span(NOW + 3))
    await stored(spool, 4)
    assert writer.stop()
    assert counted(store) == (4, 4, 4, 4, 0)


async def test_an_engine_that_comes_back_between_a_refusal_and_its_proof_is_not_blamed_on_the_data(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, attempts = store.insert, []

    def refuses_once(table: str, data: Sequence[bytes], *, fmt: str, settings: Mapping[str, Any]) -> None:
        attempts.append(len(data))  # one more than the requests
        if len(attempts) == 1:
            raise StoreRefused("no such table", engine_code=60)
        real(table, data, fmt=fmt, settings=settings)

    monkeypatch.setattr(store, "insert", refuses_once)
    await spool.put(span(NOW))
    writer = Writer(store, spool, SystemClock(), node="n")
    writer.start()
    await stored(spool)
    assert writer.stop()
    assert attempts == [2, 1, 2]
    assert spool.dead() == []


async def test_an_engine_that_refuses_everything_is_not_blamed_on_the_data(spool: Spool, bare_store: Store) -> None:
    """A table that is missing is no reason to set acknowledged requests aside."""
    migrate(bare_store)
    bare_store.command("RENAME TABLE inbox_traces TO elsewhere")
    await spool.put(span(NOW))
    writer = Writer(bare_store, spool, SystemClock(), node="n", retry_s_max=0.01)
    writer.start()
    await away(writer)
    bare_store.command("RENAME TABLE elsewhere TO inbox_traces")
    await stored(spool)
    assert writer.stop()
    assert spool.dead() == []
    assert counted(bare_store)[0] == 1


async def test_a_stop_does_not_wait_for_an_engine_that_is_away(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(store, "insert", away)
    await spool.put(span(NOW))
    writer = Writer(store, spool, SystemClock(), node="n", retry_s_max=0.01)
    writer.start()
    assert writer.stop()
    assert spool.intake()[Signal.TRACES].spooled == 1


async def test_every_inbox_takes_its_requests(deliver: Deliver, store: Store) -> None:
    line = b'{"t":"%d","severity":17,"bot":"j","event":"api_call_failed","attributes":{"status_code":"429"}}' % NOW
    document = b"\x0a\x05slack\x12\x02{}"
    await deliver(
        span(NOW),
        record(NOW, body="x"),
        parcel(Inbox.JSON_LOGS, b"\x0a" + bytes([len(line)]) + line),
        parcel(Inbox.PAYLOADS, b"\x0a" + bytes([len(document)]) + document),
    )
    assert sorted(store.read("SELECT bot, level, attributes['status_code'] FROM logs")) == [
        ("b", "info", ""),
        ("j", "error", "429"),
    ]
    assert store.read("SELECT source, document FROM payloads").first == ("slack", "{}")


def test_the_stamp_is_a_varint_of_field_1000() -> None:
    assert stamp(300) == b"\xc0\x3e\xac\x02"


async def test_over_http_the_same_bytes_give_the_same_rows(
    clickhouse: ClickHouse, spool: Spool, tmp_path: Path
) -> None:
    remote = Store.open(clickhouse.url("over_http"), data=tmp_path)
    await spool.put(span(NOW, {"session.id": "s"}))
    await spool.put(record(NOW, {"event.name": "x"}))
    writer = Writer(remote, spool, SystemClock(), node="n")
    writer.start()
    assert writer.stop()
    assert counted(remote) == (1, 1, 1, 1, 1)
    assert remote.read("SELECT event FROM logs").first == ("x",)
    assert migrate(remote) == []
    remote.close()


async def test_a_server_that_is_away_at_the_start_is_waited_for(
    clickhouse: ClickHouse, spool: Spool, tmp_path: Path
) -> None:
    remote = Store.open(clickhouse.url("later"), data=tmp_path)
    await spool.put(span(NOW))
    writer = Writer(remote, spool, SystemClock(), node="n", retry_s_max=0.05)
    with clickhouse.refusing("503"):
        writer.start()
        await away(writer)
    await stored(spool)
    assert writer.stop()
    assert counted(remote)[0] == 1
    remote.close()


async def test_a_server_that_hangs_is_known_to_be_away(
    clickhouse: ClickHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Store.open(clickhouse.url("hangs"), data=tmp_path)
    remote.create()
    monkeypatch.setattr(client, "_ANSWER_S", 1)
    with clickhouse.refusing("hang"), pytest.raises(StoreAway):
        await asyncio.wait_for(remote.fetch("SELECT 1"), 60)
    monkeypatch.undo()
    assert (await remote.fetch("SELECT 1")).first == (1,)
    remote.close()


async def test_an_insert_whose_answer_is_lost_counts_once(clickhouse: ClickHouse, spool: Spool, tmp_path: Path) -> None:
    remote = Store.open(clickhouse.url("lost"), data=tmp_path)
    remote.create()
    migrate(remote)
    await spool.put(span(NOW, {"session.id": "s"}))
    writer = Writer(remote, spool, SystemClock(), node="n", retry_s_max=0.05)
    with clickhouse.refusing("lose inserts"):
        writer.start()
        await away(writer)
    await stored(spool)
    assert writer.stop()
    assert counted(remote) == (1, 1, 1, 1, 1)
    remote.close()
