"""The circuit breaker: when it opens, whom it lets through, how it heals, and what it tells."""

from __future__ import annotations

import asyncio
import itertools
import threading
from types import SimpleNamespace
from typing import Any

import pytest

import botwatch_sdk as bot
from botwatch_sdk import _breaker
from botwatch_sdk._breaker import Breaker
from botwatch_sdk.testing import Seen
from tests.sdk.conftest import Script
from tests.sdk.sink import Sink, attributes, until

_numbers = itertools.count()


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_breaker, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def new(**settings: Any) -> Breaker:
    return bot.breaker(f"crm {next(_numbers)}", **{"failures": 3, "rest_s": 10, **settings})


def fail(breaker: Breaker, times: int = 1, error: BaseException | None = None) -> None:
    for _ in range(times):
        with pytest.raises(type(error or ConnectionError())), breaker:
            raise error or ConnectionError


def open_one(**settings: Any) -> Breaker:
    breaker = new(**settings)
    fail(breaker, 3)
    assert breaker.state == "open"
    return breaker


def test_failures_in_a_row_open_it_and_calls_are_not_made(clock: Clock) -> None:
    breaker, made = open_one(), []
    with pytest.raises(bot.BreakerOpen) as refused, breaker:
        made.append(1)
    assert made == []
    assert refused.value.retry_in_s == pytest.approx(10)
    assert refused.value.name == breaker.name


def test_a_success_in_between_begins_the_count_anew(clock: Clock) -> None:
    breaker = new()
    for _ in range(5):
        fail(breaker, 2)
        with breaker:
            pass
    assert breaker.state == "closed"


def test_after_its_rest_one_trial_heals_it(clock: Clock) -> None:
    breaker = open_one()
    clock.now_s += 9.9
    with pytest.raises(bot.BreakerOpen), breaker:
        pass
    clock.now_s += 0.2
    with breaker:
        assert breaker.state == "half_open"
    assert breaker.state == "closed"
    fail(breaker, 2)
    assert breaker.state == "closed", "what failed before counts no more"


def test_a_trial_that_fails_opens_it_again_for_as_long(clock: Clock) -> None:
    breaker = open_one()
    clock.now_s += 10
    fail(breaker)
    assert breaker.state == "open"
    clock.now_s += 9.9
    with pytest.raises(bot.BreakerOpen), breaker:
        pass


def test_half_open_lets_one_through_at_a_time(clock: Clock) -> None:
    breaker = open_one()
    clock.now_s += 10
    with breaker:
        for _ in range(5):
            with pytest.raises(bot.BreakerOpen), breaker:
                pass
    assert breaker.state == "closed"


def test_a_trial_that_never_ends_does_not_keep_it_open_for_ever(clock: Clock) -> None:
    breaker = open_one()
    clock.now_s += 10
    breaker.__enter__()
    clock.now_s += 10
    with breaker:
        pass
    assert breaker.state == "closed"


def test_a_call_that_began_before_says_nothing_of_the_state_after(clock: Clock) -> None:
    breaker = new()
    before = breaker._admit()
    fail(breaker, 3)
    breaker._ended(before, None)
    assert breaker.state == "open"
    clock.now_s += 10
    with breaker:
        breaker._ended(before, ConnectionError())
        assert breaker.state == "half_open"
    assert breaker.state == "closed"


async def test_what_was_cancelled_is_no_failure_and_leaves_the_trial_to_the_next(clock: Clock) -> None:
    breaker = new()
    for _ in range(5):
        fail(breaker, error=asyncio.CancelledError())
    assert breaker.state == "closed"
    fail(breaker, 3)
    clock.now_s += 10
    fail(breaker, error=asyncio.CancelledError())
    async with breaker:
        pass
    assert breaker.state == "closed"


def test_only_the_named_errors_are_failures(clock: Clock) -> None:
    breaker = new(on=(ConnectionError, TimeoutError))
    fail(breaker, 5, KeyError())
    assert breaker.state == "closed"
    fail(breaker, 3, TimeoutError())
    assert breaker.state == "open"


async def test_it_decorates_functions_and_coroutine_functions_and_falls_back(clock: Clock) -> None:
    async def spare(n: int) -> str:
        return f"spare {n}"

    down = True
    guard = new(fallback=spare)

    @guard
    async def ask(n: int) -> str:
        if down:
            raise ConnectionError
        return f"asked {n}"

    for n in range(3):
        with pytest.raises(ConnectionError):
            await ask(n)
    assert await ask(4) == "spare 4"
    down = False
    clock.now_s += 10
    assert (await ask(5), guard.state) == ("asked 5", "closed")

    plain = new(failures=1, fallback=lambda: "spare")

    @plain
    def call() -> str:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        call()
    assert call() == "spare"


def test_one_name_is_one_breaker() -> None:
    assert bot.breaker("one") is bot.breaker("one", failures=9)


@pytest.mark.parametrize("wrong", [{"failures": "many"}, {"rest_s": -1}, {"on": "errors"}, {"on": ()}])
def test_a_wrong_setting_is_told_and_the_breaker_works(wrong: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    breaker = bot.breaker(f"wrong {next(_numbers)}", **wrong)
    assert "breaker" in caplog.text
    for _ in range(9):
        with pytest.raises((OSError, bot.BreakerOpen)), breaker:
            raise OSError
    assert breaker.state == "open"


def test_many_threads_make_no_more_calls_than_one_trial(clock: Clock) -> None:
    breaker = open_one()
    clock.now_s += 10
    through, turned_away, ready = [], [], threading.Barrier(16)
    done = threading.Event()

    def ask() -> None:
        ready.wait()
        try:
            with breaker:
                through.append(1)
                done.wait(100)
        except bot.BreakerOpen:
            turned_away.append(1)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    assert until(lambda: len(turned_away) == 15)
    done.set()
    for thread in threads:
        thread.join()
    assert (len(through), breaker.state) == (1, "closed")


def test_its_changes_are_events(seen: Seen, clock: Clock) -> None:
    breaker = open_one()
    clock.now_s += 10
    with breaker:
        pass
    told = [event.attributes for event in seen.events if event.name == "bot.breaker"]
    assert [(said["bot.breaker.before"], said["bot.breaker.after"]) for said in told] == [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    ]
    assert {said["bot.breaker.name"] for said in told} == {breaker.name}


def test_its_state_and_its_counts_go_out_with_the_heartbeat(live: Sink, clock: Clock) -> None:
    breaker = new()
    named = {"bot_breaker_name": breaker.name}
    bot.flush(60)
    assert live.latest("bot.breaker.state", **named) == 0
    assert live.latest("bot.breaker.opened", **named) == 0, "what grows is seen at 0 first"
    fail(breaker, 3)
    for _ in range(4):
        with pytest.raises(bot.BreakerOpen), breaker:
            pass
    bot.flush(60)
    assert live.latest("bot.breaker.state", **named) == 2
    assert live.latest("bot.breaker.opened", **named) == 1
    assert live.latest("bot.breaker.rejected", **named) == 4
    clock.now_s += 10
    with breaker:
        bot.flush(60)
        assert live.latest("bot.breaker.state", **named) == 1
    bot.flush(60)
    assert live.latest("bot.breaker.state", **named) == 0
    assert live.latest("bot.breaker.healed", **named) == 1
    severities = [
        (record.severity_number, attributes(record.attributes)["bot.breaker.after"])
        for record in live.records("bot.breaker")
    ]
    assert severities == [(13, "open"), (9, "half_open"), (9, "closed")]


def test_it_works_without_init(script: Script) -> None:
    ran = script("""
        import botwatch_sdk as bot
        guard = bot.breaker("crm", failures=1)
        for _ in range(3):
            try:
                with guard:
                    raise OSError
            except (OSError, bot.BreakerOpen) as error:
                print(type(error).__name__)
    """)
    assert (ran.stdout.split(), ran.stderr) == (["OSError", "BreakerOpen", "BreakerOpen"], "")
