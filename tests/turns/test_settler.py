"""The job around the SQL: exactly once through every crash, bounded, and not to be discouraged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from botwatch import limits
from botwatch.clock import ManualClock, SystemClock
from botwatch.errors import SpoolFull, StoreAway
from botwatch.spool import Batch, Spool
from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from botwatch.store.writer import Writer
from botwatch.turns import Report, Settler, Terms, peak
from botwatch.turns.settler import CURSOR_KEY
from tests.store.otlp import record
from tests.turns.talk import START_S, TERMS, House, Outcome, Said, at_ns, handoff


@pytest.fixture
def spool_path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


def open_spool(path: Path) -> Spool:
    return Spool.open(path, clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)


@pytest.fixture
def spool(spool_path: Path) -> Iterator[Spool]:
    spool = open_spool(spool_path)
    yield spool
    spool.close()


def write_all(store: Store, spool: Spool) -> None:
    writer = Writer(store, spool, SystemClock(), node="n", pause_s_min=0.01)
    writer.start()
    assert writer.stop(60), writer.health


def settler_of(house: House, spool: Spool) -> Settler:
    return Settler(house.store, spool, ManualClock(0), TERMS)


# --- crashes


async def test_a_put_that_is_refused_is_tried_again(house: House) -> None:
    house.arrive(1, Said(0))
    house.shelf.full = True
    with pytest.raises(SpoolFull):
        await house.settler.run_once(at_ns(100))
    assert house.shelf.meta == {}
    house.shelf.full = False
    assert (await house.settler.run_once(at_ns(105))).turns == 1
    house.shelf.deliver()
    assert house.ticks() == {("unanswered", ""): 1}


async def test_nothing_is_judged_while_what_was_put_is_not_stored(house: House) -> None:
    house.arrive(1, Said(0))
    await house.settler.run_once(at_ns(100))
    house.arrive(101, Said(90, "bot"))
    assert await house.settler.run_once(at_ns(105)) == Report(waiting=True)
    assert house.shelf.meta == {}
    house.shelf.deliver()
    assert (await house.settler.run_once(at_ns(110))).corrected == 1
    house.shelf.deliver()
    assert house.ticks() == {("answered", "bot"): 1}


async def test_put_and_not_yet_stored_when_the_process_ended(house: House, spool_path: Path) -> None:
    spool = open_spool(spool_path)
    house.arrive(1, Said(0))
    assert (await settler_of(house, spool).run_once(at_ns(100))).turns == 1
    spool.close()
    spool = open_spool(spool_path)
    settler = settler_of(house, spool)
    assert await settler.run_once(at_ns(105)) == Report(waiting=True)
    write_all(house.store, spool)
    assert (await settler.run_once(at_ns(110))).turns == 0
    write_all(house.store, spool)
    assert house.ticks() == {("unanswered", ""): 1}
    assert house.rows_written() == 1
    spool.close()


async def test_stored_when_the_process_ended_and_the_cursor_not_moved(house: House, spool: Spool) -> None:
    house.arrive(1, Said(0))
    await settler_of(house, spool).run_once(at_ns(100))
    write_all(house.store, spool)
    assert spool.meta_get(CURSOR_KEY) is None
    again = settler_of(house, spool)
    assert (await again.run_once(at_ns(105))).turns == 0
    assert spool.meta_get(CURSOR_KEY) is not None
    write_all(house.store, spool)
    assert house.ticks() == {("unanswered", ""): 1}


async def test_the_engine_had_it_when_the_process_ended_and_the_spool_did_not_know(
    house: House, spool_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction is the worst case: taken back twice, the rollup would be below zero."""
    house.arrive(1, Said(0))
    await house.settler.run_once(at_ns(100))
    house.shelf.deliver()
    house.arrive(101, Said(90, "bot"))
    spool = open_spool(spool_path)
    await settler_of(house, spool).run_once(at_ns(110))

    def killed(self: Spool, batch: Batch, **_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "done", killed)
        write_all(house.store, spool)
    assert spool.backlog().parcels == 1
    spool.close()
    spool = open_spool(spool_path)
    write_all(house.store, spool)
    assert spool.backlog().parcels == 0
    assert house.ticks() == {("answered", "bot"): 1}
    assert (await settler_of(house, spool).run_once(at_ns(115))).corrected == 0
    spool.close()


async def test_a_window_whose_turns_are_stored_is_not_looked_at_again(house: House) -> None:
    house.arrive(1, Said(0))
    await house.settler.run_once(at_ns(100))
    house.shelf.deliver()
    house.restart()
    await house.settler.run_once(at_ns(105))
    kept = house.shelf.meta[CURSOR_KEY]
    assert await house.settler.run_once(at_ns(105)) == Report()
    assert house.shelf.meta[CURSOR_KEY] == kept


@pytest.mark.parametrize("damage", ["", "{", "[]", "3", '{"received_ms": null, "asked_us": 1}', '{"received_ms": 1}'])
async def test_a_damaged_cursor_costs_a_second_look_and_nothing_else(house: House, damage: str) -> None:
    house.arrive(1, Said(0), Said(5, "bot"))
    await house.settler.run_once(at_ns(100))
    house.shelf.deliver()
    await house.settler.run_once(at_ns(105))
    house.shelf.meta[CURSOR_KEY] = damage
    assert (await house.settler.run_once(at_ns(110))).turns == 0
    assert house.ticks() == {("answered", "bot"): 1}
    assert house.shelf.meta[CURSOR_KEY] != damage


async def test_a_clock_that_is_set_back_stops_nothing(house: House) -> None:
    house.arrive(1, Said(0))
    await house.settler.run_once(at_ns(9_000))
    house.shelf.deliver()
    house.arrive(5_001, Said(5_000), Said(5_000, session="t"))
    for now_s in (5_002, 5_061):
        await house.settler.run_once(at_ns(now_s))
        house.shelf.deliver()
    house.arrive(5_062, Said(5_030, "bot"))
    assert (await house.settler.run_once(at_ns(5_063))).corrected == 2
    house.shelf.deliver()
    assert house.turns() == {
        ("s", 0.0): Outcome("answered", 5_030, "bot"),
        ("s", 5_000.0): Outcome("answered", 5_030, "bot"),
        ("t", 5_000.0): Outcome("unanswered"),
    }


async def test_a_correction_wins_also_when_the_clock_was_set_back(house: House) -> None:
    house.arrive(1, Said(0))
    await house.settler.run_once(at_ns(9_000))
    house.shelf.deliver()
    house.arrive(5_001, Said(40, "bot"))
    assert (await house.settler.run_once(at_ns(5_002))).corrected == 1
    house.shelf.deliver()
    assert house.turns() == {("s", 0.0): Outcome("answered", 40, "bot")}


# --- bounds


def fill(store: Store, sessions: int, messages: int) -> None:
    """So many sessions of so many inbound messages, every second of them answered two seconds later."""
    store.command(
        f"INSERT INTO messages (bot, channel, session_id, at, direction, author, message_id, received) "
        f"SELECT 'b', 'web', concat('s', toString(intDiv(number, {messages}))), "
        f"toDateTime64({START_S} + number % {messages} * 10 + said.2, 6, 'UTC'), said.1, said.3, '', "
        f"toDateTime64({START_S} + 5000, 3, 'UTC') "
        f"FROM numbers({sessions * messages}) "
        f"ARRAY JOIN if(number % 2 = 0, [('in', 0, 'user'), ('out', 2, 'bot')], [('in', 0, 'user')]) AS said"
    )


async def test_a_day_that_arrives_at_once_is_settled_in_pieces(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN_PIECE_MESSAGES_MAX", 2_000)
    monkeypatch.setattr(limits, "TURN_PIECE_PLACES_MAX", 500)
    monkeypatch.setattr(limits, "TURN_PLAN_SESSIONS_MAX", 800)
    fill(house.store, sessions=1_000, messages=6)  # 9,000 rows
    report = await house.settler.run_once(at_ns(6_000))
    assert (report.turns, report.corrected) == (6_000, 0)
    assert house.shelf.puts in (7, 8)  # (9,000 + 1,000 × 4) / 2,000, in two halves
    assert max(parcel.items for parcel in house.shelf.waiting) <= 6 * 2_000 / (9 + 4) + 6
    house.shelf.deliver()
    assert house.ticks() == {("answered", "bot"): 5_000, ("unanswered", ""): 1_000}
    assert (await house.settler.run_once(at_ns(6_005))).turns == 0


async def test_a_parcel_that_would_be_too_large_is_continued_in_the_next_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TURN_PARCEL_BYTES_MAX", 1_500)
    fill(house.store, sessions=5, messages=10)
    reports = []
    for now_s in range(6_000, 6_050, 5):
        reports.append(await house.settler.run_once(at_ns(now_s)))
        assert all(len(parcel.body) < 2_500 for parcel in house.shelf.waiting)
        house.shelf.deliver()
    written = [report.turns for report in reports]
    assert sum(written) == 50
    assert max(written) < 30
    assert written[-1] == 0
    # all of them are corrected at once, each together with what it replaces
    house.arrive(
        6_050,
        *(handoff(95 + 0.1 * i, f"s{i}") for i in range(5)),
        *(Said(95, "agent", session=f"s{i}") for i in range(5)),
    )
    for now_s in range(6_050, 6_090, 5):
        await house.settler.run_once(at_ns(now_s))
        house.shelf.deliver()
    assert house.ticks() == {("answered", "bot"): 45, ("handed_off", "agent"): 5}


async def test_a_session_too_busy_to_be_read_whole_is_read_as_far_as_it_can_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TURN_SESSION_MESSAGES_MAX", 30)
    for hour in range(3):
        house.arrive(1, *(Said(hour * 3600 + i * 60) for i in range(20)))
    report = await house.settler.run_once(at_ns(10_000))
    assert report.oversized == 1  # all three hours are new, and do not fit
    assert not house.shelf.waiting
    house.arrive(11_150, Said(11_120), Said(11_130, "bot"), Said(11_100, session="t"))
    report = await house.settler.run_once(at_ns(11_200))
    assert (report.oversized, report.turns) == (0, 22)
    house.shelf.deliver()
    found = house.turns()
    assert found["s", 11_120.0] == Outcome("answered", 11_130, "bot")
    assert found["t", 11_100.0] == Outcome("unanswered")
    assert {at // 3600 for _, at in found} == {2, 3}


# --- a server instead of the embedded engine


async def test_it_settles_and_counts_over_http(clickhouse_url: str, tmp_path: Path) -> None:
    store = Store.open(f"{clickhouse_url}turns", data=tmp_path)
    store.create()
    migrate(store)
    house = House(store)
    house.arrive(1, Said(0), Said(0, session="t"), Said(1, "bot", session="t"))
    assert (await house.settler.run_once(at_ns(100))).turns == 2
    house.shelf.deliver()
    house.arrive(101, Said(90, "agent"))
    assert (await house.settler.run_once(at_ns(105))).corrected == 1
    house.shelf.deliver()
    assert house.ticks() == {("answered", "bot"): 1, ("answered", "agent"): 1}
    assert await peak(store, at_ns(0), at_ns(3600), at_ns(106), 30) == 2
    store.close()


# --- the loop


async def test_the_loop_goes_on_when_the_store_is_away_and_says_so_once(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "SETTLE_EVERY_S", 0.01)
    failures = 3
    fetch = house.store.fetch

    async def away_at_first(*args: Any) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise StoreAway("the telemetry store does not answer")
        return await fetch(*args)

    monkeypatch.setattr(house.store, "fetch", away_at_first)
    house.arrive(1, Said(0))
    settler = Settler(house.store, house.shelf, ManualClock(at_ns(100)), TERMS)
    stop = asyncio.Event()
    with caplog.at_level(logging.INFO):
        task = asyncio.create_task(settler.run(stop))
        async with asyncio.timeout(60):
            while not house.shelf.waiting:
                await asyncio.sleep(0.01)
        stop.set()
        await task
    assert failures == 0
    said = [entry.getMessage() for entry in caplog.records if entry.name == "botwatch.turns.settler"]
    assert said == ["turns cannot be settled just now: the telemetry store does not answer", "turns are settled again"]


async def test_a_stop_is_obeyed_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SETTLE_EVERY_S", 3_600)
    stop = asyncio.Event()
    task = asyncio.create_task(Settler(house.store, house.shelf, SystemClock(), TERMS).run(stop))
    await asyncio.sleep(0.05)
    stop.set()
    async with asyncio.timeout(60):
        await task


async def test_from_a_request_to_a_turn_and_its_correction(
    house: House, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: received, spooled, written, settled as unanswered, answered late, corrected."""
    monkeypatch.setattr(limits, "SETTLE_EVERY_S", 0.1)
    writer = Writer(house.store, spool, SystemClock(), node="n", pause_s_min=0.02, flush_every_s=0.05)
    writer.start()
    stop = asyncio.Event()
    task = asyncio.create_task(Settler(house.store, spool, SystemClock(), Terms(1, 3600, 1800)).run(stop))

    async def until(expected: dict[tuple[str, str], int]) -> None:
        async with asyncio.timeout(60):
            while house.ticks() != expected:
                await asyncio.sleep(0.05)

    asked_ns = time.time_ns()
    shared = {"session.id": "s", "bot.channel": "web"}
    asked = shared | {"bot.message.direction": "in", "bot.message.id": "m"}
    await spool.put(record(asked_ns, asked, event_name="bot.message"))
    await until({("unanswered", ""): 1})
    reply = shared | {"bot.message.direction": "out", "bot.message.reply_to": "m"}
    await spool.put(record(time.time_ns(), reply, event_name="bot.message"))
    await until({("answered", "bot"): 1})
    stop.set()
    await task
    assert writer.stop(60)
    assert house.rows_written() == 2
