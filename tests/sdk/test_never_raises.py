"""Whatever the bot hands over, and however wrong it calls, nothing of ours is raised into it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

import botwatch_sdk as bot
from botwatch_sdk.testing import Seen, capture
from tests.sdk.conftest import LONG_S
from tests.sdk.sink import Sink


class Hostile:
    """Fails at everything."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no equality")

    def __len__(self) -> int:
        raise RuntimeError("no length")


def use(manager: Any) -> None:
    with manager:
        pass


CALLS: list[Callable[[Any], Any]] = [
    lambda x: use(bot.session(x, user=x, channel=x)),
    lambda x: use(bot.turn(x, id=x, session=x, user=x, channel=x, name=x)),
    lambda x: bot.turn("hi").reply(x, id=x, author=x),
    lambda x: bot.turn("hi").fail(x),
    lambda x: bot.message(x, direction=x, author=x, id=x, reply_to=x),
    lambda x: bot.feedback(x, x, message_id=x),
    lambda x: bot.handoff(x, to=x),
    bot.end_session,
    lambda x: bot.expect(x, within_s=x, id=x).met(),
    lambda x: bot.met(x, x),
    lambda x: bot.queue(x, depth=x, age_s=x),
    lambda x: bot.state(x, age_s=x, valid=x),
    lambda x: bot.payload(x, x, sample=x, critical=x),
    lambda x: bot.payload("s", {"a": x}, critical=x),
    lambda x: bot.payload("s", x, sample=0.0, critical=["a.b"]),
    lambda x: use(bot.correlation(x)),
    bot.inject,
    lambda x: use(bot.extract(x)),
    lambda x: use(bot.action(x)) if isinstance(x, str) else bot.action(x),
    lambda x: use(bot.action("a", {"x": x})),
    lambda x: use(bot.action("a", x)),
    bot.flush,
    lambda x: use(bot.socket(x)),
    lambda x: use(bot.breaker(x)),
    lambda x: use(bot.breaker("b", failures=x, rest_s=x, on=x, fallback=x)),
    lambda x: bot.health(x, timeout_s=x, fresh_s=x),
    lambda x: bot.health({"x": x}, timeout_s=0.01).ready(),
    lambda x: bot.instrument("nothing", names=x),
    lambda x: bot.instrument(x if isinstance(x, str) else "nothing", names={"a": x}),
    lambda x: bot.StructlogProcessor()(None, x, {"event": x, "level": x, "exc_info": x, "f": x}),
    lambda x: bot.LogHandler().emit(logging.makeLogRecord({"msg": x, "args": (x,), "levelname": x, "extra": x})),
    lambda x: bot.LogHandler().emit(logging.makeLogRecord({"msg": "m", "levelno": x, "created": x, "exc_info": x})),
]

hostile = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.binary(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=3),
    st.just(object()),
    st.builds(Hostile),
    st.just(Exception("an exception")),
    st.just(10**400),
    st.just(int),
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(CALLS)))
@hypothesis.given(value=hostile)
@hypothesis.settings(max_examples=40)
def test_no_value_is_raised_at(number: int, value: object) -> None:
    with capture():
        CALLS[number](value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(CALLS)))
def test_nor_is_one_before_init(number: int) -> None:
    bot.shutdown()
    for value in (None, "x", 7, Hostile()):
        CALLS[number](value)


FUNCTIONS = [name for name in bot.__all__ if name[0].islower()]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_argument_list_is_told_once(seen: Seen, name: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        getattr(bot, name)(no_such_argument=1)
    complaints = [record.message for record in caplog.records if record.name == "botwatch_sdk"]
    assert len(complaints) == 1
    assert f"{name}() did nothing: TypeError" in complaints[0]


def test_a_function_decorated_wrongly_works_all_the_same(seen: Seen) -> None:
    wrong: Any = bot.action

    def first() -> int:
        return 1

    def second() -> int:
        return 2

    assert (wrong(nmae="typo")(first)(), wrong(7)(second)()) == (1, 2)
    assert [action.name for action in seen.actions] == ["first", "second"]


@pytest.mark.parametrize("name", [7, None, object(), b"x"])
def test_init_with_what_is_no_name_goes_on_under_another(
    name: Any, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    bot.init(name, url=sink.url)
    try:
        bot.message("x")
        assert bot.flush(60)
        assert all(resource["bot.name"] for resource in sink.resources())
    finally:
        bot.shutdown()


def test_what_was_handed_over_hostile_is_sent_all_the_same(live: Sink) -> None:
    with bot.turn("lone \ud800", session="s\udfff", user=10**30) as turn:
        turn.reply("x" * 100_000)
    assert bot.flush(60)
    said, answered = (record.body.string_value for record in live.records("bot.message"))
    assert (said, len(answered)) == ("lone ?", 32_000)
    assert len(live.spans()) == 1


def test_an_exception_that_does_not_print_is_recorded_and_goes_on(seen: Seen) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with pytest.raises(Mute), bot.turn("hi") as turn, bot.action("a"):
        raise Mute
    assert seen.turns[0].id == turn.id
    assert seen.turns[0].error.endswith("Mute")
    (event,) = seen.spans[0].events
    assert event.attributes is not None
    assert event.attributes["exception.message"] == "<str() of it failed: RuntimeError>"


def test_a_frozen_exception_passes_unharmed(seen: Seen) -> None:
    class Frozen(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError("frozen")

    with pytest.raises(Frozen), bot.action("a"):
        raise Frozen
    assert seen.counts["error"] == 1


def test_a_deep_recursion_of_the_bots_own_stays_its_own(seen: Seen) -> None:
    @bot.action
    def deep(n: int) -> int:
        return deep(n + 1)

    with pytest.raises(RecursionError):
        deep(0)
    assert len(seen.actions) > 50


async def test_inside_of_a_running_loop_nothing_blocks_it(live: Sink) -> None:
    live.hang.set()
    loop = asyncio.get_running_loop()
    slowest = 0.0
    for n in range(300):
        began = loop.time()
        async with bot.turn(f"q{n}", session=n) as turn:
            turn.reply("a")
        slowest = max(slowest, loop.time() - began)
        await asyncio.sleep(0)
    assert slowest < LONG_S
