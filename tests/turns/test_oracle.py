"""Any conversation, arriving in any order, ends as the rules say: in turns, in ticks and in concurrency."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botwatch.turns import Terms, active_now, peak
from tests.turns import oracle
from tests.turns.talk import START_S, US, Event, House, Outcome, Said, at_ns

TERMS = Terms(deadline_s=60, late_s=3600, idle_s=600)
IDS = st.sampled_from(["", "", "m1", "m2"])
TIMES = st.one_of(
    st.integers(0, 40), st.integers(0, 500).map(lambda t: t * 20), st.floats(0, 10_000).map(lambda t: round(t, 6))
)
SESSIONS = st.sampled_from(["s1", "s2", "s3"])
BOTS = st.sampled_from(["b1", "b2"])

EVENTS = st.sampled_from(["bot.turn.failed", "bot.handoff", "bot.session.end", "bot.session.end", "bot.feedback"])


def channel_of(session: str) -> str:
    return {"s1": "web", "s2": "sms", "s3": ""}[session]


@st.composite
def items(draw: st.DrawFn) -> Said | Event:
    at, session, bot = float(draw(TIMES)), draw(SESSIONS), draw(BOTS)
    channel = channel_of(session)
    kind = draw(st.integers(0, 9))
    if kind < 7:
        author = ("user", "user", "user", "user", "bot", "bot", "agent")[kind]
        name = draw(IDS)
        if author == "user":
            return Said(at, author, id=name, session=session, bot=bot, channel=channel)
        return Said(at, author, to=name, session=session, bot=bot, channel=channel)
    event = draw(EVENTS)
    return Event(at, event, draw(IDS) if event == "bot.turn.failed" else "", session, bot, channel)


# Batches as they arrive, each with the seconds after the one before; runs fall in between.
ARRIVALS = st.lists(
    st.tuples(st.integers(1, 2_000), st.lists(items(), max_size=20), st.booleans()), min_size=1, max_size=3
)
# The engine takes a tenth of a second for each run; many items in few examples are as hard to please.
EXAMPLES = 12 if settings.get_current_profile_name() == "gate" else 200
EXAMPLE = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])


def settled(house: House) -> dict[tuple[str, str, float, str], Outcome]:
    rows = house.store.read(
        "SELECT bot, session_id, toUnixTimestamp64Micro(asked), message_id, toString(outcome), "
        "toUnixTimestamp64Micro(answered), answered_by FROM turns FINAL"
    )
    return {
        (bot, session, asked, name): Outcome(outcome, answered and answered - START_S * US, by)
        for bot, session, asked, name, outcome, answered, by in rows
    }


def in_us(outcome: Outcome) -> Outcome:
    return Outcome(outcome.outcome, None if outcome.answered is None else round(outcome.answered * US), outcome.by)


@EXAMPLE
@given(arrivals=ARRIVALS)
def test_turns_are_what_the_rules_say(
    new_house: Callable[[], House], arrivals: list[tuple[int, list[Said | Event], bool]]
) -> None:
    house = new_house()
    house.terms = TERMS
    house.restart()
    known: list[Said | Event] = []
    expected: dict[tuple[str, str, float, str], Outcome] = {}
    now_s = 0
    for pause_s, batch, runs in [*arrivals, (14_000, [], True)]:
        now_s += pause_s
        house.arrive(now_s, *batch)
        known += batch
        if not runs:
            continue
        asyncio.run(house.settler.run_once(at_ns(now_s)))
        house.shelf.deliver()
        for item in known:
            if isinstance(item, Said) and item.direction == "in":
                outcome = oracle.turn(item, known, now_s, TERMS)
                if outcome:
                    expected[item.bot, item.session, item.at_us, item.id] = in_us(outcome)
        assert settled(house) == expected
    counted = Counter((outcome.outcome, outcome.by) for outcome in expected.values())
    assert house.ticks() == counted
    written = house.rows_written()
    for later_s in (21_000, 22_000):
        asyncio.run(house.settler.run_once(at_ns(later_s)))
        assert not house.shelf.waiting
    assert house.rows_written() == written


def concurrency(house: House) -> dict[tuple[str, str, int], tuple[int, int]]:
    rows = house.store.read(
        "SELECT bot, channel, toUnixTimestamp(minute), active, peak FROM concurrency FINAL WHERE peak > 0"
    )
    return {(bot, channel, minute // 60 - START_S // 60): (active, peak) for bot, channel, minute, active, peak in rows}


@EXAMPLE
@given(
    arrivals=ARRIVALS,
    asked_s=st.integers(0, 12_000),
    bot=st.none() | BOTS,
    channel=st.sampled_from([None, "web", "sms"]),
)
def test_concurrency_is_the_true_maximum(
    new_house: Callable[[], House],
    arrivals: list[tuple[int, list[Said | Event], bool]],
    asked_s: int,
    bot: str | None,
    channel: str | None,
) -> None:
    house = new_house()
    house.terms = TERMS
    house.restart()
    known: list[Said | Event] = []
    now_s = 0
    for pause_s, batch, runs in [*arrivals, (14_000, [], True)]:
        now_s += pause_s
        house.arrive(now_s, *batch)
        known += batch
        if not runs:
            continue
        asyncio.run(house.settler.run_once(at_ns(now_s)))
        house.shelf.deliver()
        ended = now_s // 60
        found = {key: counts for key, counts in concurrency(house).items() if key[2] < ended}
        expected = oracle.concurrency(known, TERMS.idle_s, (START_S + now_s) * US)
        assert found == {key: counts for key, counts in expected.items() if key[2] < ended}
    mine = [s for s in oracle.stretches(known, TERMS.idle_s) if bot in (None, s[0]) and channel in (None, s[2])]
    instant = (START_S + asked_s) * US
    active = asyncio.run(active_now(house.store, instant * 1_000, TERMS.idle_s // 60, bot, channel))
    assert active == sum(start <= instant < end for *_, start, end in mine)
    highest = asyncio.run(peak(house.store, at_ns(0), at_ns(20_000), instant * 1_000, TERMS.idle_s // 60, bot, channel))
    assert highest == max((sum(s[3] <= start < s[4] for s in mine) for *_, start, _ in mine), default=0)
