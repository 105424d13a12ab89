"""The job: what is written is what the contract says, once, whatever arrives when, and whenever it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from botwatch import limits
from botwatch.clock import ManualClock
from botwatch.errors import SpoolFull, StoreAway
from botwatch.state import Database
from botwatch.state.lease import Lease
from botwatch.watch.contracts.pairing import Pairing, Stretch
from botwatch.watch.contracts.settler import CURSOR_KEY, ContractSettler, Report
from tests.watch.contracts.promises import WAY, Happened, House, at_ns, expected, met, rule

SLA = rule("sla", when="handoff", then="message human", within="5m")
New = Callable[..., House]


async def run(house: House, now_s: float) -> Report:
    report = await house.settler.run_once(at_ns(now_s))
    house.shelf.deliver()
    return report


async def test_kept_breached_and_not_known_yet(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(
        1,
        Happened(0, "bot.handoff", "kept"),
        Happened(100, "human", "kept"),
        Happened(0, "bot.handoff", "breached"),
        Happened(200, "out", "breached"),  # the bot is no human
        Happened(200, "bot.handoff", "open"),
    )
    report = await run(house, 400)
    assert (report.settled, report.corrected) == (2, 0)
    assert house.outcomes() == {
        ("sla", "b", "kept", 0): ("kept", 100),
        ("sla", "b", "breached", 0): ("breached", None),
    }
    assert house.ticks() == {("sla", "kept"): 1, ("sla", "breached"): 1}


async def test_at_the_very_deadline_it_is_in_time_and_a_microsecond_later_it_is_late(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff", "a"), Happened(300, "human", "a"))
    house.arrive(1, Happened(0, "bot.handoff", "b"), Happened(300.000001, "human", "b"))
    await run(house, 400)
    assert {id: told for (_, _, id, _), (told, _) in house.outcomes().items()} == {"a": "kept", "b": "late"}


async def test_it_is_breached_from_its_deadline_on_and_not_before(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"))
    await run(house, 299.998)
    assert house.outcomes() == {}
    await run(house, 300)
    assert house.outcomes() == {("sla", "b", "s", 0): ("breached", None)}


async def test_what_arrives_late_and_was_in_time_corrects_the_count(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"))
    await run(house, 310)
    assert house.ticks() == {("sla", "breached"): 1}
    house.arrive(320, Happened(299, "human"))
    assert (await run(house, 330)).corrected == 1
    assert house.ticks() == {("sla", "kept"): 1}
    assert house.outcomes() == {("sla", "b", "s", 0): ("kept", 299)}


async def test_what_happens_late_stays_breached_and_is_told_to_be_late(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"))
    await run(house, 310)
    house.arrive(500, Happened(499, "human"))
    assert (await run(house, 510)).corrected == 1
    assert house.ticks() == {("sla", "late"): 1}


async def test_what_has_no_session_is_not_counted(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff", ""), Happened(5, "human", ""))
    await run(house, 400)
    assert house.outcomes() == {}


async def test_the_same_session_of_another_bot_is_another(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff", bot="a"), Happened(5, "human", bot="b"))
    await run(house, 400)
    assert house.outcomes() == {("sla", "a", "s", 0): ("breached", None)}


async def test_terms_of_a_bot_or_channel_come_before_those_of_all(new_house: New) -> None:
    terms = [
        {"bot": "shop", "channel": "chat", "within": "1m"},
        {"channel": "email", "within": "1h", "hours": {"days": "mon-fri", "from": "09:00", "to": "09:30"}},
    ]
    house = new_house(rule("sla", when="handoff", then="message human", within="5m", terms=terms))
    for channel, bot in (("chat", "shop"), ("chat", "other"), ("email", "shop")):
        session = f"{channel} {bot}"
        house.arrive(1, Happened(0, "bot.handoff", session, bot, channel), Happened(100, "human", session, bot))
    house.arrive(1, Happened(0, "bot.handoff", "never", channel="email"))
    await run(house, 1_000)
    assert {id: told for (_, _, id, _), (told, _) in house.outcomes().items()} == {
        "chat shop": "late",
        "chat other": "kept",
        "email shop": "kept",
    }


async def test_opening_hours_over_a_weekend(new_house: New) -> None:
    """The start is a Friday at nine; of one hour half is left on Friday, the other passes on Monday morning."""
    hours = {"days": "mon-fri", "from": "09:00", "to": "09:30"}
    house = new_house(rule("sla", when="handoff", then="message human", within="1h", hours=hours))
    monday = 3 * 86_400
    house.arrive(1, Happened(0, "bot.handoff", "in time"), Happened(0, "bot.handoff", "late"))
    house.arrive(
        monday + 1_800, Happened(monday + 1_800, "human", "in time"), Happened(monday + 1_801, "human", "late")
    )
    await run(house, monday + 1_799)
    assert house.outcomes() == {}
    await run(house, monday + 2_000)
    assert house.outcomes() == {
        ("sla", "b", "in time", 0): ("kept", monday + 1_800),
        ("sla", "b", "late", 0): ("late", monday + 1_801),
    }


async def test_expectations_have_their_own_deadline_and_cross_bots_and_clocks(new_house: New) -> None:
    house = new_house(rule("met", when="expected", then="met", within="10m"))
    house.arrive(
        1,
        expected(0, "1", "30"),
        met(20, "1", bot="worker", session="other"),
        expected(0, "2", "30"),
        met(40, "2"),
        expected(0, "3", "30"),
        met(-2, "3"),  # a clock that is behind
        expected(0, "4", "nan"),
        met(500, "4"),
        expected(0, "5", "1e300"),
        expected(0, ""),
        expected(0, "6", "30"),
        met(10, "6", name="another"),
    )
    await run(house, 700)
    told = {id.partition("\0")[2]: found for (_, _, id, _), found in house.outcomes().items()}
    assert told == {
        "1": ("kept", 20),
        "2": ("late", 40),
        "3": ("kept", 0),
        "4": ("kept", 500),
        "6": ("breached", None),
    }


async def test_jobs_are_done_by_a_child_or_by_what_is_linked_and_went_well(new_house: New) -> None:
    house = new_house(rule("jobs", when="put mails", then="done mails", within="1m"))
    put = {"bot": "shop", "kind": "producer", "attributes": {"messaging.destination.name": "mails"}}
    took = {"bot": "worker", "kind": "consumer", "attributes": {"messaging.destination.name": "mails"}}
    when = {"start": "1800003600.000000000", "received": "1800003601.000"}
    done = {"start": "1800003610.000000000", "duration_ns": 5 * 10**9, "received": "1800003620.000"}
    house.put(
        "spans",
        *({**put, **when, "span_id": f"put{n:05}"} for n in range(5)),
        {**took, **done, "span_id": "took0000", "parent_span_id": "put00000", "status": "ok"},
        {**took, **done, "span_id": "took0001", "parent_span_id": "put00001", "status": "error"},
        {
            **took,
            **done,
            "span_id": "took0002",
            "links.span_id": ["put00002", "put00003"],
            "links.trace_id": ["t" * 16, "t" * 16],
        },
        {**put, **when, "span_id": "another0", "attributes": {"messaging.destination.name": "else"}},
    )
    await run(house, 100)
    told = {bytes.fromhex(id).decode(): found for (_, _, id, _), found in house.outcomes().items()}
    assert told == {
        "put00000": ("kept", 15),
        "put00001": ("breached", None),
        "put00002": ("kept", 15),
        "put00003": ("kept", 15),
        "put00004": ("breached", None),
    }


async def test_a_payload_of_a_category_must_be_followed_by_an_action_with_its_correlation(new_house: New) -> None:
    wanted = {"what": "payload tickets", "where": {"details.category": "billing", "paid": "true"}}
    house = new_house(rule("open", when=wanted, then="action open_ticket", within="1m", same="correlation"))
    document = '{"details": {"category": "%s"}, "paid": true}'
    common = {"source": "tickets", "bot": "b", "at": "1800003600.000000", "received": "1800003601.000"}
    house.put(
        "payloads",
        {**common, "document": document % "billing", "correlation_id": "c1"},
        {**common, "document": document % "billing", "correlation_id": "c2"},
        {**common, "document": document % "other", "correlation_id": "c3"},
        {**common, "document": "no json", "correlation_id": "c4"},
    )
    action = {"bot": "b", "action": "open_ticket", "start": "1800003605.000000000", "received": "1800003606.000"}
    house.put("spans", {**action, "correlation_id": "c1"}, {**action, "correlation_id": "c2", "status": "error"})
    await run(house, 100)
    assert house.outcomes() == {("open", "b", "c1", 0): ("kept", 5), ("open", "b", "c2", 0): ("breached", None)}


async def test_an_event_among_the_logs_by_what_its_attributes_say(new_house: New) -> None:
    wanted = {"what": "event order.placed", "where": {"kind": "express"}}
    house = new_house(rule("ship", when=wanted, then="event order.shipped", within="1m"))
    house.arrive(
        1,
        Happened(0, "order.placed", "s1", attributes={"kind": "express"}),
        Happened(9, "order.shipped", "s1"),
        Happened(0, "order.placed", "s2", attributes={"kind": "slow"}),
        Happened(0, "order.placed", "s3", attributes={"kind": "express"}),
    )
    await run(house, 100)
    assert house.outcomes() == {("ship", "b", "s1", 0): ("kept", 9), ("ship", "b", "s3", 0): ("breached", None)}


async def test_what_is_of_the_same_kind_must_come_after(new_house: New) -> None:
    house = new_house(rule("again", when="message in", then="message in", within="1m"))
    house.arrive(1, Happened(0, "in"), Happened(30, "in"))
    await run(house, 200)
    assert house.outcomes() == {("again", "b", "s", 0): ("kept", 30), ("again", "b", "s", 30): ("breached", None)}


# --- crashes, restarts, and contracts that change


async def test_a_second_look_writes_nothing(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"), Happened(0, "bot.handoff", "t"), Happened(9, "human", "t"))
    await run(house, 310)
    written = house.rows_written()
    house.shelf.meta.clear()  # as after a crash before the cursor was kept, or a damaged one
    house.restart()
    assert (await run(house, 320)).settled == 0
    assert (house.rows_written(), house.ticks()) == (written, {("sla", "breached"): 1, ("sla", "kept"): 1})


async def test_nothing_is_judged_while_what_was_put_is_not_stored(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"))
    await house.settler.run_once(at_ns(310))
    house.restart()  # the process ended; what it put is still in the spool
    house.arrive(311, Happened(200, "human"))
    assert (await house.settler.run_once(at_ns(320))).waiting
    assert CURSOR_KEY not in house.shelf.meta
    house.shelf.deliver()
    assert (await run(house, 330)).corrected == 1
    assert house.ticks() == {("sla", "kept"): 1}


async def test_a_put_that_is_refused_is_tried_again(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"))
    house.shelf.full = True
    with pytest.raises(SpoolFull):
        await house.settler.run_once(at_ns(310))
    house.shelf.full = False
    assert (await run(house, 320)).settled == 1


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"through_ms": null}', '{"through_ms": 1, "editions": 3}'])
async def test_a_damaged_cursor_costs_a_second_look_and_nothing_else(new_house: New, damage: str) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"))
    await run(house, 310)
    house.shelf.meta[CURSOR_KEY] = damage
    assert (await run(house, 320)).settled == 0
    assert house.ticks() == {("sla", "breached"): 1}


async def test_another_deadline_counts_for_what_fell_due_within_the_last_hour(new_house: New) -> None:
    house = new_house(SLA)
    house.arrive(1, Happened(0, "bot.handoff"), Happened(400, "human"))
    await run(house, 310)
    house.arrive(402, Happened(5_000, "bot.handoff", "new"))
    await run(house, 410)
    assert house.ticks() == {("sla", "late"): 1}
    house.rules = [rule("sla", when="handoff", then="message human", within="10m")]
    await run(house, 610)
    assert house.ticks() == {("sla", "kept"): 1}


async def test_one_that_is_switched_off_is_not_counted(new_house: New) -> None:
    house = new_house(SLA.model_copy(update={"enabled": False}))
    house.arrive(1, Happened(0, "bot.handoff"))
    await run(house, 310)
    assert house.outcomes() == {}


async def test_more_than_can_be_counted_are_told(new_house: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTRACTS_MAX", 1)
    house = new_house(SLA, rule("all", when="handoff", then="message in", within="5m"))
    house.arrive(1, Happened(0, "bot.handoff"))
    assert (await run(house, 310)).trouble == "1 more than 1 are not counted"
    assert house.ticks() == {("all", "breached"): 1}


async def test_a_contract_the_engine_refuses_does_not_stop_the_others(
    new_house: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Pairing.extent

    def broken(self: Pairing, stretch: Stretch) -> tuple[str, dict[str, Any]]:
        sql, params = whole(self, stretch)
        return (sql.replace("SELECT", "SELEKT", 1) if self.name == "broken" else sql), params

    house = new_house(SLA, rule("broken", when="handoff", then="message in", within="5m"))
    house.arrive(1, Happened(0, "bot.handoff"))
    with monkeypatch.context() as patch:
        patch.setattr(Pairing, "extent", broken)
        assert (await run(house, 310)).refused == ("broken",)
    assert house.ticks() == {("sla", "breached"): 1}
    await run(house, 330)
    assert house.ticks() == {("sla", "breached"): 1, ("broken", "breached"): 1}


# --- the loop


async def looped(settler: ContractSettler, until: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(settler.run(stop))
    async with asyncio.timeout(60):
        while not until():
            await asyncio.sleep(0.01)
    stop.set()
    await task


async def test_the_loop_goes_on_when_the_store_is_away_and_says_so_once(
    new_house: New, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "CONTRACTS_EVERY_S", 0.01)
    house, asked = new_house(SLA), list[int]()

    async def away(now_ns: int) -> Report:
        asked.append(now_ns)
        raise StoreAway("the telemetry store does not answer")

    monkeypatch.setattr(house.settler, "run_once", away)
    with caplog.at_level(logging.WARNING):
        await looped(house.settler, lambda: len(asked) > 3)
    assert [record.getMessage() for record in caplog.records] == [
        "contracts cannot be settled just now: the telemetry store does not answer"
    ]


async def test_of_several_nodes_only_the_one_with_the_lease_settles(
    new_house: New, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONTRACTS_EVERY_S", 0.01)
    house, clock, asked = new_house(SLA), ManualClock(at_ns(0)), list[str]()

    def node(name: str) -> ContractSettler:
        lease = Lease(database, "contracts", name, clock)
        settler = ContractSettler(house.store, house.shelf, lambda: house.rules, clock, WAY, lease=lease)

        async def run_once(now_ns: int) -> Report:
            asked.append(name)
            return Report()

        monkeypatch.setattr(settler, "run_once", run_once)
        return settler

    first, second = node("first"), node("second")
    await looped(first, lambda: len(asked) > 2)
    stop = asyncio.Event()
    task = asyncio.create_task(second.run(stop))
    await looped(first, lambda: len(asked) > 6)
    stop.set()
    await task
    assert set(asked) == {"first"}
