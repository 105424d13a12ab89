"""How many sessions were active at once, minute by minute, and how many are now."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from botwatch.turns import active_now, peak
from tests.turns.talk import START_S, House, Said, at_ns, ended

IDLE_MINUTES = 30


async def count(house: House, now_s: float) -> int:
    """Run once; the minutes that were counted."""
    report = await house.settler.run_once(at_ns(now_s))
    house.shelf.deliver()
    return report.minutes


def minutes(house: House, bot: str = "", channel: str = "") -> Mapping[int, tuple[int, int]]:
    """Active and peak by the minute after the start."""
    rows = house.store.read(
        "SELECT toUnixTimestamp(minute), active, peak FROM concurrency FINAL "
        "WHERE bot = {bot:String} AND channel = {channel:String} ORDER BY minute",
        {"bot": bot, "channel": channel},
    )
    return {(at - START_S) // 60: (active, most) for at, active, most in rows}


def versions(house: House) -> int:
    rows = house.store.read("SELECT count() FROM concurrency")
    assert rows.first is not None
    return int(rows.first[0])


async def now(house: House, now_s: float, bot: str | None = None, channel: str | None = None) -> int:
    return await active_now(house.store, at_ns(now_s) - 10**6, IDLE_MINUTES, bot, channel)


async def most(house: House, now_s: float, bot: str | None = None, channel: str | None = None) -> int:
    return await peak(house.store, at_ns(0), at_ns(86_400), at_ns(now_s) - 10**6, IDLE_MINUTES, bot, channel)


async def test_a_session_is_active_until_it_has_been_idle(house: House) -> None:
    house.arrive(100, Said(70), Said(90, "bot"))
    await count(house, 3600)
    found = minutes(house, "b", "web")
    assert list(found) == [*range(1, 32)]
    assert found[1] == found[30] == (1, 1)
    assert found[31] == (0, 1)  # it ended inside this minute


async def test_a_pause_longer_than_the_idle_time_parts_it(house: House) -> None:
    house.arrive(1, Said(0), Said(1800), Said(1800 + 1800 + 120))
    await count(house, 7200)
    found = minutes(house, "b")
    assert [minute for minute in range(120) if found.get(minute, (0, 0))[1] == 0] == [60, 61, *range(92, 120)]


async def test_an_end_closes_it_and_a_message_opens_it_again(house: House) -> None:
    house.arrive(1, Said(0), ended(90), Said(200))
    await count(house, 7200)
    found = minutes(house, "b")
    assert found[0] == (1, 1)
    assert found[1] == (0, 1)
    assert 2 not in found
    assert found[3] == (1, 1)


async def test_an_end_at_the_time_of_the_last_message_closes_it(house: House) -> None:
    house.arrive(1, Said(0), Said(90, "bot"), ended(90))
    await count(house, 7200)
    assert minutes(house, "b") == {0: (1, 1), 1: (0, 1)}


async def test_the_peak_is_the_true_maximum_inside_the_minute(house: House) -> None:
    """Three come and go within a minute, never more than two at once."""
    for session, start in (("r", 5), ("s", 15), ("t", 25)):
        house.arrive(1, Said(start, session=session), ended(start + 15, session))
    await count(house, 120)
    assert minutes(house) == {0: (0, 2), 1: (0, 0), 2: (0, 0)}


async def test_where_one_ends_as_another_begins_they_are_not_two(house: House) -> None:
    house.arrive(1, Said(0, session="r"), ended(30, "r"), Said(30, session="s"))
    await count(house, 60)
    assert minutes(house)[0] == (1, 1)


async def test_one_that_ends_with_the_minute_leaves_a_zero(house: House) -> None:
    house.arrive(1, Said(0), ended(60))
    await count(house, 300)
    assert minutes(house, "b") == {0: (1, 1), 1: (0, 0)}


async def test_every_bot_and_channel_has_its_own_count(house: House) -> None:
    house.arrive(
        1,
        Said(0, bot="b", channel="web"),
        Said(0, bot="c", channel="web"),
        Said(0, bot="c", channel="sms", session="t"),
        Said(0, bot="c", channel="", session="u"),
        Said(1, "bot", bot="c", channel="", session="t"),
    )
    await count(house, 60)
    found = {
        (bot, channel): minutes(house, bot, channel).get(0, (0, 0))[1]
        for bot in ("", "b", "c")
        for channel in ("", "web", "sms")
    }
    assert found == {
        ("", ""): 4,
        ("", "web"): 2,
        ("", "sms"): 1,
        ("b", ""): 1,
        ("b", "web"): 1,
        ("b", "sms"): 0,
        ("c", ""): 3,
        ("c", "web"): 1,
        ("c", "sms"): 1,
    }


async def test_every_minute_that_ended_has_a_total(house: House) -> None:
    await count(house, 30)
    await count(house, 61)
    await count(house, 250)
    assert minutes(house) == dict.fromkeys(range(4), (0, 0))


async def test_the_minute_that_goes_on_is_counted_when_something_comes(house: House) -> None:
    await count(house, 1)
    house.arrive(20, Said(19))
    assert await count(house, 20) == 1
    assert minutes(house)[0] == (1, 1)
    assert await count(house, 30) == 0
    house.arrive(40, Said(39, session="t"))
    await count(house, 40)
    assert minutes(house)[0] == (2, 2)
    await count(house, 61)
    assert minutes(house)[0] == (2, 2)


async def test_what_comes_late_corrects_the_minutes_it_was_in(house: House) -> None:
    house.arrive(1, Said(0))
    await count(house, 7200)
    assert await most(house, 9_000) == 1
    house.arrive(9_000, Said(600, session="late"))
    assert await count(house, 9_000) == 31 + 30  # its own, and those that ended since
    assert minutes(house)[9] == (1, 1)
    assert minutes(house)[10] == (2, 2)
    assert await most(house, 9_000) == 2


async def test_a_late_end_takes_the_minutes_after_it_away(house: House) -> None:
    house.arrive(1, Said(0))
    await count(house, 3600)
    assert minutes(house, "b", "web")[20] == (1, 1)
    house.arrive(3601, ended(330))
    await count(house, 3601)
    found = minutes(house, "b", "web")
    assert found[5] == (0, 1)
    assert {found[minute] for minute in range(6, 31)} == {(0, 0)}


async def test_counting_again_writes_nothing(house: House) -> None:
    house.arrive(1, Said(0), Said(50, session="t"), ended(200, "t"))
    await count(house, 3600)
    before = versions(house)
    house.shelf.meta.clear()
    house.restart()
    assert await count(house, 3601) > 0
    assert versions(house) == before


async def test_a_new_process_counts_the_last_minutes_again(house: House) -> None:
    """The cursor is flushed to the disk at once, these rows with the next batch of the writer."""
    house.arrive(1, Said(0))
    await count(house, 600)
    await count(house, 660)
    house.store.command("TRUNCATE TABLE concurrency")
    house.restart()
    await count(house, 661)
    assert set(minutes(house)) == {*range(1, 11)}


async def test_a_crowd_of_names_is_counted_as_one(house: House) -> None:
    house.store.command(
        "INSERT INTO crowded_labels VALUES ('bot', '', toDateTime(0, 'UTC')), ('channel', 'b', toDateTime(0, 'UTC'))"
    )
    house.store.command("INSERT INTO admitted_names SELECT cityHash64('bot', '', 'b')")
    house.arrive(
        1,
        Said(0),
        Said(0, bot="x1"),
        Said(0, bot="x2", channel="sms"),
        Said(0, bot="x3", channel=""),
        Said(0, channel="", session="t"),
    )
    await count(house, 60)
    rows = house.store.read(
        "SELECT bot, channel, peak FROM concurrency FINAL WHERE minute = toDateTime({at:Int64}, 'UTC')", {"at": START_S}
    )
    assert {(bot, channel): peak for bot, channel, peak in rows} == {
        ("", ""): 5,
        ("", "(other)"): 1,
        ("", "web"): 1,
        ("", "sms"): 1,
        ("b", ""): 2,
        ("b", "(other)"): 1,
        ("(other)", ""): 3,
        ("(other)", "web"): 1,
        ("(other)", "sms"): 1,
    }


async def test_a_session_without_a_name_is_no_session(house: House) -> None:
    house.arrive(1, Said(0, session=""))
    await count(house, 60)
    assert minutes(house) == {}
    assert await now(house, 1) == 0


# --- now


@pytest.mark.parametrize(("now_s", "active"), [(-1, 0), (0, 1), (1_799, 1), (1_800, 0)])
async def test_active_now_begins_with_a_message_and_ends_with_the_idle_time(
    house: House, now_s: float, active: int
) -> None:
    house.arrive(1, Said(0))
    assert await now(house, now_s) == active


@pytest.mark.parametrize(("now_s", "active"), [(9, 1), (10, 0), (19, 0), (20, 1)])
async def test_active_now_knows_ends_and_what_comes_after(house: House, now_s: float, active: int) -> None:
    house.arrive(1, Said(0), ended(10), Said(20))
    assert await now(house, now_s) == active


async def test_active_now_of_a_bot_and_of_a_channel(house: House) -> None:
    house.arrive(
        1,
        Said(0),
        Said(0, bot="c"),
        Said(0, bot="c", channel="sms", session="t"),
        Said(0, bot="", channel="", session="u"),
    )
    assert await now(house, 1) == 4
    assert await now(house, 1, bot="c") == 2
    assert await now(house, 1, channel="web") == 2
    assert await now(house, 1, bot="c", channel="sms") == 1
    assert await now(house, 1, bot="nobody") == 0


async def test_the_peak_takes_in_those_active_now(house: House) -> None:
    house.arrive(1, Said(0), Said(0, session="t"))
    await count(house, 1)
    house.arrive(2, *(Said(2, session=f"new {i}") for i in range(5)))
    assert await most(house, 2) == 7
    assert await most(house, 90_000) == 2  # its day is over: what was counted holds
    await count(house, 3)
    assert await most(house, 90_000) == 7


async def test_the_peak_is_that_of_the_window(house: House) -> None:
    house.arrive(1, Said(0), Said(0, session="t"), ended(100, "t"))
    await count(house, 3600)
    assert await peak(house.store, at_ns(130), at_ns(3_000), at_ns(9_000), IDLE_MINUTES) == 1
    assert await peak(house.store, at_ns(110), at_ns(3_000), at_ns(9_000), IDLE_MINUTES) == 2  # its minute holds two
    assert await peak(house.store, at_ns(5_000), at_ns(6_000), at_ns(9_000), IDLE_MINUTES) == 0
