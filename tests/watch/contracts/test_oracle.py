"""Whatever happens in whatever order, what is counted is what the contract says, put as plainly as Python can."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.watch.contracts.promises import Found, Happened, House, at_ns, contract_of, judged, rule

HOURS = {"days": "mon-sun", "from": "09:10", "to": "09:40", "zone": "UTC"}
OPTIONS = (
    {"when": "message in", "then": ["message out", "handoff"], "within": "1m"},
    {"when": "handoff", "then": "message human", "within": "5m", "terms": [{"channel": "sms", "within": "20m"}]},
    {"when": "handoff", "then": ["message human", "event done"], "within": "10m", "hours": HOURS},
    {"when": "message in", "then": "message in", "within": "2m", "terms": [{"bot": "b2", "within": "10s"}]},
)
TIMES = st.one_of(
    st.integers(0, 40),
    st.integers(0, 300).map(lambda t: t * 10),
    st.integers(0, 5_000 * 10**6).map(lambda t: t / 10**6),
)
ITEMS = st.builds(
    Happened,
    at=TIMES.map(float),
    what=st.sampled_from(["in", "in", "out", "human", "bot.handoff", "bot.handoff", "done"]),
    session=st.sampled_from(["s1", "s2", ""]),
    bot=st.sampled_from(["b1", "b2"]),
    channel=st.sampled_from(["web", "sms"]),
)
# Batches as they arrive, each with the seconds after the one before; runs fall in between.
ARRIVALS = st.lists(
    st.tuples(st.integers(1, 2_000), st.lists(ITEMS, max_size=15), st.booleans()), min_size=1, max_size=3
)
EXAMPLES = 8 if settings.get_current_profile_name() == "gate" else 200


def one_at_a_time(items: list[Happened], known: list[Happened]) -> list[Happened]:
    """Two of one kind at one moment are one, and then it is chance whose channel counts."""
    taken = {(one.at, one.what, one.bot, one.session) for one in known}
    found = []
    for one in items:
        key = (one.at, one.what, one.bot, one.session)
        if key not in taken:
            taken.add(key)
            found.append(one)
    return found


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=ARRIVALS, option=st.sampled_from(OPTIONS))
def test_outcomes_and_counts_are_what_the_contract_says(
    new_house: Callable[..., House], arrivals: list[tuple[int, list[Happened], bool]], option: dict[str, object]
) -> None:
    house = new_house(rule("c", **option))
    known: list[Happened] = []
    now_s = 0
    for pause_s, batch, runs in [(0, [], True), *arrivals, (3_000, [], True)]:
        now_s += pause_s
        new = one_at_a_time(batch, known)
        house.arrive(now_s, *new)
        known += new
        if runs:
            settle(house, now_s)
    check(house, judged(known, contract_of(**option), "UTC", now_s))
    house.restart()
    house.shelf.meta.clear()  # all of the last hour is looked at again
    settle(house, now_s + 10)
    check(house, judged(known, contract_of(**option), "UTC", now_s + 10))


def settle(house: House, now_s: float) -> None:
    asyncio.run(house.settler.run_once(at_ns(now_s)))
    house.shelf.deliver()


def check(house: House, expected: dict[tuple[str, str, float], Found]) -> None:
    assert {(bot, id, at): told for (_, bot, id, at), told in house.outcomes().items()} == expected
    assert house.ticks() == Counter(("c", told) for told, _ in expected.values())
