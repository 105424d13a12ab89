"""What becomes of an inbound message, rule by rule, on the real engine."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from botwatch import limits
from botwatch.turns import Report, Terms
from tests.turns.talk import Event, House, Outcome, Said, at_ns, failed, handoff


async def settle(house: House, now_s: float) -> Report:
    report = await house.settler.run_once(at_ns(now_s))
    house.shelf.deliver()
    return report


@pytest.mark.parametrize(
    ("items", "outcome"),
    [
        ([Said(0), Said(2, "bot")], Outcome("answered", 2, "bot")),
        ([Said(0), Said(2, "agent")], Outcome("answered", 2, "agent")),
        ([Said(0), Said(0, "bot")], Outcome("answered", 0, "bot")),
        ([Said(0), Said(9, "bot"), Said(4, "agent")], Outcome("answered", 4, "agent")),
        ([Said(0)], Outcome("unanswered")),
        ([Said(0), Said(-1, "bot")], Outcome("unanswered")),
        ([Said(0), Said(1, "bot", session="other")], Outcome("unanswered")),
        ([Said(0), Said(1, "bot", bot="other")], Outcome("unanswered")),
        # a reply that names the message wins over one that came first
        ([Said(0, id="m"), Said(1, "bot"), Said(5, "bot", to="m")], Outcome("answered", 5, "bot")),
        ([Said(0, id="m"), Said(3, "bot", to="x"), Said(5, "bot", to="y")], Outcome("answered", 3, "bot")),
        ([Said(0, id="m"), Said(-2, "bot", to="m")], Outcome("answered", 0, "bot")),
        ([Said(0, id="m"), Said(-2, "bot", to="m"), Said(3, "bot", to="m")], Outcome("answered", 3, "bot")),
        ([Said(0, id="m"), Said(-301, "bot", to="m")], Outcome("unanswered")),
        ([Said(0), Said(3, "bot", to="")], Outcome("answered", 3, "bot")),
        # failed
        ([Said(0, id="m"), failed(5, "m")], Outcome("failed")),
        ([Said(0, id="m"), failed(-5, "m")], Outcome("failed")),
        ([Said(0, id="m"), failed(5, "x"), Said(9, "bot")], Outcome("answered", 9, "bot")),
        ([Said(0, id="m"), failed(5)], Outcome("failed")),
        ([Said(0), failed(0)], Outcome("failed")),
        ([Said(0), failed(-1)], Outcome("unanswered")),
        ([Said(0), failed(5, session="other")], Outcome("unanswered")),
        ([Said(0), Said(4, "bot"), failed(5)], Outcome("failed")),
        # handed off
        ([Said(0), handoff(3)], Outcome("handed_off")),
        ([Said(0), handoff(3), Said(4, "bot")], Outcome("handed_off", 4, "bot")),
        ([Said(0), Said(1, "bot"), handoff(3)], Outcome("handed_off", 1, "bot")),
        ([handoff(-1), Said(0), Said(4, "agent")], Outcome("answered", 4, "agent")),
        ([handoff(-1), Said(0)], Outcome("unanswered")),
        ([Said(0), handoff(3), failed(4)], Outcome("failed")),
        # other events say nothing
        ([Said(0), Event(1, "bot.session.end"), Event(1, "bot.feedback")], Outcome("unanswered")),
    ],
)
async def test_the_outcome_of_a_message(house: House, items: Sequence[Said | Event], outcome: Outcome) -> None:
    house.arrive(10, *items)
    await settle(house, 100)
    assert house.turns()[items[0].session, 0.0] == outcome
    assert house.ticks() == {(outcome.outcome, outcome.by): 1}


@pytest.mark.parametrize("first", [handoff(3), failed(3)])
async def test_what_comes_after_the_next_message_is_about_that_one(house: House, first: Event) -> None:
    house.arrive(10, Said(0), Said(2), first)
    await settle(house, 100)
    found = house.turns()
    assert found["s", 0.0] == Outcome("unanswered")
    assert found["s", 2.0].outcome in ("handed_off", "failed")


async def test_at_the_same_instant_an_event_is_about_the_message(house: House) -> None:
    house.arrive(10, Said(0), Said(2), handoff(2))
    await settle(house, 100)
    assert house.turns() == {("s", 0.0): Outcome("unanswered"), ("s", 2.0): Outcome("handed_off")}


async def test_messages_in_a_row_share_the_next_reply(house: House) -> None:
    house.arrive(10, Said(0), Said(1), Said(3, "bot"), Said(5), Said(6, "bot"))
    await settle(house, 10)
    assert house.turns() == {
        ("s", 0.0): Outcome("answered", 3, "bot"),
        ("s", 1.0): Outcome("answered", 3, "bot"),
        ("s", 5.0): Outcome("answered", 6, "bot"),
    }


async def test_a_message_is_open_until_its_deadline(house: House) -> None:
    house.arrive(1, Said(0))
    assert (await settle(house, 59.9)).turns == 0
    assert house.turns() == {}
    assert (await settle(house, 60)).turns == 1
    assert house.turns() == {("s", 0.0): Outcome("unanswered")}


async def test_a_late_reply_corrects_the_turn_and_is_not_counted_twice(house: House) -> None:
    house.arrive(1, Said(0))
    await settle(house, 100)
    assert house.ticks() == {("unanswered", ""): 1}
    house.arrive(200, Said(190, "bot"))
    report = await settle(house, 200)
    assert (report.turns, report.corrected) == (0, 1)
    assert house.turns() == {("s", 0.0): Outcome("answered", 190, "bot")}
    assert house.ticks() == {("answered", "bot"): 1}


async def test_the_spread_of_response_times_stays_exact_through_corrections(house: House) -> None:
    house.arrive(1, Said(0), Said(1), Said(2))
    await settle(house, 100)
    house.arrive(110, Said(9, "bot"))
    await settle(house, 110)
    house.arrive(120, Said(5, "agent"))
    await settle(house, 120)
    rows = house.store.read(
        "SELECT name, sum(count), round(sum(total)), mapFilter((k, v) -> v != 0, sumMap(spread)), "
        "arraySort(arrayMap(s -> botwatch_bucket(s * 1000), [3, 4, 5])) FROM ticks_10s "
        "WHERE kind = 'turn' AND detail = 'answered' GROUP BY name HAVING sum(count) != 0"
    )
    ((name, count, total, spread, buckets),) = rows
    assert (name, count, total) == ("agent", 3, 12_000)
    assert spread == dict.fromkeys(buckets, 1)
    assert house.ticks() == {("answered", "agent"): 3}


async def test_a_reply_that_is_too_late_does_not_count(house: House) -> None:
    house.arrive(1, Said(0), Said(1, session="t"))
    await settle(house, 100)
    late_s = house.terms.late_s
    house.arrive(late_s + 1, Said(late_s, "bot"), Said(late_s + 1.000001, "bot", session="t"))
    assert (await settle(house, late_s + 2)).corrected == 1
    assert house.turns() == {("s", 0.0): Outcome("answered", late_s, "bot"), ("t", 1.0): Outcome("unanswered")}


@pytest.mark.parametrize("late", [handoff(6 * 3600 + 1), failed(6 * 3600 + 1)])
async def test_an_event_that_is_too_late_does_not_count(house: House, late: Event) -> None:
    house.arrive(1, Said(0, id="m"))
    await settle(house, 100)
    house.arrive(late.at, late)
    await settle(house, late.at)
    assert house.turns() == {("s", 0.0): Outcome("unanswered")}


async def test_what_arrives_out_of_order_ends_the_same(house: House) -> None:
    items: list[Said | Event] = [
        Said(0, id="a"),
        Said(10, "bot"),
        Said(20),
        handoff(25),
        Said(30, "agent"),
        Said(40, id="b"),
        failed(41, "b"),
    ]
    for received_s, item in enumerate(reversed(items), start=200):
        house.arrive(received_s, item)
        await settle(house, received_s)
    assert house.turns() == {
        ("s", 0.0): Outcome("answered", 10, "bot"),
        ("s", 20.0): Outcome("handed_off", 30, "agent"),
        ("s", 40.0): Outcome("failed"),
    }
    assert house.ticks() == {("answered", "bot"): 1, ("handed_off", "agent"): 1, ("failed", ""): 1}


async def test_an_earlier_message_that_comes_later_takes_its_handoff_away(house: House) -> None:
    house.arrive(1, Said(0), handoff(10))
    await settle(house, 11)
    house.arrive(12, Said(5))
    await settle(house, 100)
    assert house.turns() == {("s", 0.0): Outcome("unanswered"), ("s", 5.0): Outcome("handed_off")}
    assert house.ticks() == {("unanswered", ""): 1, ("handed_off", ""): 1}


async def test_a_message_sent_twice_has_one_turn(house: House) -> None:
    house.arrive(1, Said(0, id="m"), Said(0, id="m"))
    house.arrive(2, Said(0, id="m"), Said(0, id="n"))
    await settle(house, 100)
    assert house.ticks() == {("unanswered", ""): 2}


async def test_a_message_of_hours_ago_is_settled_when_it_arrives(house: House) -> None:
    await settle(house, 0)
    house.arrive(1, Said(-20 * 3600), Said(-19 * 3600, session="t"), Said(-19 * 3600 + 4, "bot", session="t"))
    assert (await settle(house, 1)).turns == 2
    assert house.turns() == {
        ("s", -20.0 * 3600): Outcome("unanswered"),
        ("t", -19.0 * 3600): Outcome("answered", -19 * 3600 + 4, "bot"),
    }


async def test_a_message_of_the_future_is_settled_when_its_deadline_has_passed(house: House) -> None:
    house.arrive(1, Said(3600))
    assert (await settle(house, 3600)).turns == 0
    assert (await settle(house, 3660)).turns == 1
    assert house.turns() == {("s", 3600.0): Outcome("unanswered")}


async def test_a_reply_on_its_way_to_the_engine_is_waited_for(house: House) -> None:
    """The deadline is judged as of the time through which everything is stored."""
    house.arrive(1, Said(0))
    house.shelf.pending_ns = at_ns(50)
    await settle(house, 100)
    assert house.turns() == {}
    house.arrive(50, Said(40, "bot"))
    house.shelf.pending_ns = None
    await settle(house, 110)
    assert house.turns() == {("s", 0.0): Outcome("answered", 40, "bot")}


async def test_messages_without_a_session_are_counted_and_left_alone(house: House) -> None:
    house.arrive(1, Said(0, session=""), Said(1, session=""), Said(2, "bot", session=""), Said(0))
    report = await settle(house, 100)
    assert (report.unpaired, report.turns) == (2, 1)
    assert set(house.turns()) == {("s", 0.0)}


async def test_ids_beyond_all_measure_are_counted_and_left_alone(house: House) -> None:
    long = "x" * (limits.TURN_ID_BYTES_MAX + 1)
    house.arrive(1, Said(0, session=long), Said(0, id=long), Said(1), Said(2, "bot", to=long))
    report = await settle(house, 100)
    assert (report.unpaired, report.turns) == (2, 1)
    assert house.turns() == {("s", 1.0): Outcome("answered", 2, "bot")}


async def test_a_shorter_deadline_settles_what_the_old_one_left_open(house: House) -> None:
    house.terms = Terms(3600, 6 * 3600, 1800)
    house.restart()
    house.arrive(1, Said(0))
    await settle(house, 600)
    await settle(house, 601)
    assert house.turns() == {}
    house.terms = Terms(60, 6 * 3600, 1800)
    house.restart()
    await settle(house, 602)
    assert house.turns() == {("s", 0.0): Outcome("unanswered")}


async def test_a_longer_deadline_takes_nothing_back(house: House) -> None:
    house.arrive(1, Said(0))
    await settle(house, 100)
    house.terms = Terms(3600, 6 * 3600, 1800)
    house.restart()
    house.arrive(101, Said(101))
    await settle(house, 110)
    assert house.turns() == {("s", 0.0): Outcome("unanswered")}
    await settle(house, 101 + 3600)
    assert house.ticks() == {("unanswered", ""): 2}


async def test_a_hostile_name_is_only_a_name(house: House) -> None:
    name = "x'\\); DROP TABLE turns; --\n\x00\x04sign\x04Int8\xff"
    house.arrive(1, Said(0, id=name, session=name, bot=name), Said(1, "bot", to=name, session=name, bot=name))
    assert (await settle(house, 2)).turns == 1
    assert house.turns() == {(name, 0.0): Outcome("answered", 1, "bot")}
