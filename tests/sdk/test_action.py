"""An action is counted, timed and judged, whatever kind of code it is, and never changes what the code does."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any, assert_type

import pytest
from opentelemetry import trace

import botwatch_sdk as bot
from botwatch_sdk.testing import Seen, capture


class Broken(Exception):
    pass


def names(seen: Seen) -> list[str]:
    return [action.name for action in seen.actions]


def test_bare_decorator_takes_the_name_of_the_function(seen: Seen) -> None:
    @bot.action
    def send_confirmation(to: str, copies: int = 1) -> str:
        """Doc."""
        return to * copies

    assert assert_type(send_confirmation("a", copies=2), str) == "aa"
    assert (send_confirmation.__name__, send_confirmation.__doc__) == ("send_confirmation", "Doc.")
    (action,) = seen.actions
    assert (action.name, action.ok, action.error) == ("send_confirmation", True, "")
    assert action.duration_ms >= 0


def test_named_decorator_and_attributes(seen: Seen) -> None:
    @bot.action("book", {"tier": "gold"})
    def anything() -> int:
        return 3

    assert anything() == 3
    (action,) = seen.actions
    assert (action.name, action.attributes["tier"]) == ("book", "gold")


def test_empty_parentheses_and_attributes_alone_take_the_name_of_the_function(seen: Seen) -> None:
    @bot.action()
    def first() -> None:
        pass

    @bot.action(attributes={"tier": "gold"})
    def second() -> None:
        pass

    first()
    second()
    assert names(seen) == ["first", "second"]
    assert seen.actions[1].attributes["tier"] == "gold"


def test_context_manager_yields_the_span(seen: Seen) -> None:
    with bot.action("book") as span:
        assert_type(span, trace.Span)
        assert trace.get_current_span() is span
        span.set_attribute("seats", 2)
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert seen.actions[0].attributes["seats"] == 2


def test_an_exception_is_recorded_and_goes_on(seen: Seen) -> None:
    error = Broken("no seat")

    @bot.action
    def book() -> None:
        raise error

    with pytest.raises(Broken) as raised:
        book()
    assert raised.value is error
    (action,) = seen.actions
    assert (action.ok, action.error) == (False, f"{__name__}.Broken")
    (event,) = seen.spans[0].events
    assert event.name == "exception"
    assert event.attributes is not None
    assert event.attributes["exception.message"] == "no seat"
    assert "raise error" in str(event.attributes["exception.stacktrace"])
    assert seen.counts["error"] == 1


def test_a_builtin_exception_has_its_bare_name(seen: Seen) -> None:
    with pytest.raises(TimeoutError), bot.action("call"):
        raise TimeoutError
    assert seen.actions[0].error == "TimeoutError"


def test_nested_actions_all_fail_but_the_exception_is_told_once(seen: Seen) -> None:
    with pytest.raises(Broken), bot.action("outer"), bot.action("inner"):
        raise Broken
    assert [(action.name, action.ok) for action in seen.actions] == [("inner", False), ("outer", False)]
    assert [len(span.events) for span in seen.spans] == [1, 0]
    assert seen.counts["error"] == 1


def test_one_exception_object_raised_twice_is_two_failures(seen: Seen) -> None:
    error = Broken()
    for _ in range(2):
        with pytest.raises(Broken), bot.action("book"):
            raise error
    assert [len(span.events) for span in seen.spans] == [1, 1]
    assert seen.counts["error"] == 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_process_told_to_stop_is_no_failure_of_the_action(seen: Seen, stop: type[BaseException]) -> None:
    with pytest.raises(stop), bot.action("book"):
        raise stop
    assert seen.actions[0].ok
    assert seen.counts["error"] == 0


def test_nesting_makes_parent_and_child(seen: Seen) -> None:
    with bot.action("outer"), bot.action("inner"):
        pass
    inner, outer = seen.spans
    assert inner.parent is not None
    assert outer.context is not None
    assert (inner.parent.span_id, outer.parent) == (outer.context.span_id, None)


async def test_coroutines_and_async_with(seen: Seen) -> None:
    @bot.action
    async def fetch(n: int) -> int:
        await asyncio.sleep(0)
        return n

    assert inspect.iscoroutinefunction(fetch)
    assert await fetch(3) == 3
    async with bot.action("block"):
        await asyncio.sleep(0)
    assert names(seen) == ["fetch", "block"]


async def test_a_cancelled_action_has_failed_and_stays_cancelled(seen: Seen) -> None:
    @bot.action
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(forever(), 0.01)
    (action,) = seen.actions
    assert (action.ok, action.error) == (False, "asyncio.exceptions.CancelledError")
    assert seen.counts["error"] == 0


async def test_tasks_do_not_mix_up_their_actions(seen: Seen) -> None:
    shared = bot.action("shared")

    async def worker(n: int) -> bool:
        async with shared as span:
            await asyncio.sleep(0.001 * (n % 5))
            span.set_attribute("n", n)
            return trace.get_current_span() is span

    assert all(await asyncio.gather(*(worker(n) for n in range(50))))
    assert {action.attributes["n"] for action in seen.actions} == set(range(50))
    assert all(span.parent is None for span in seen.spans)


def test_threads_do_not_mix_up_a_shared_action(seen: Seen) -> None:
    @bot.action
    def work(n: int) -> int:
        return n

    threads = [threading.Thread(target=lambda: [work(n) for n in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen.actions) == 1_600
    assert all(span.parent is None for span in seen.spans)


def test_a_span_left_open_inside_does_not_take_the_actions_place(seen: Seen) -> None:
    from opentelemetry.context import attach

    with bot.action("outer"):
        attach(trace.set_span_in_context(trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)))
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert names(seen) == ["outer"]


def test_methods_static_and_class_methods(seen: Seen) -> None:
    class Shop:
        @bot.action
        def sell(self, n: int) -> int:
            return n

        @bot.action
        @staticmethod
        def add(a: int, b: int) -> int:
            return a + b

        @classmethod
        @bot.action
        def make(cls) -> str:
            return cls.__name__

    assert (Shop().sell(1), Shop.add(1, 2), Shop().add(1, 2), Shop.make()) == (1, 3, 3, "Shop")
    assert names(seen) == ["sell", "add", "add", "make"]


def test_a_generator_is_one_action_until_it_is_exhausted(seen: Seen) -> None:
    @bot.action
    def stream(n: int) -> Generator[int, str, str]:
        sent = []
        for item in range(n):
            with bot.action("part"):
                pass
            sent.append((yield item))
        return ",".join(sent)

    def drive() -> Generator[int, str, str]:
        return (yield from stream(2))

    driven = drive()
    assert next(driven) == 0
    assert trace.get_current_span() is trace.INVALID_SPAN  # the caller is not inside of it
    assert names(seen) == ["part"]
    assert driven.send("a") == 1
    with pytest.raises(StopIteration) as stopped:
        driven.send("b")
    assert stopped.value.value == "a,b"
    assert names(seen) == ["part", "part", "stream"]
    stream_span = seen.spans[2].context
    assert stream_span is not None
    assert all(span.parent is not None and span.parent.span_id == stream_span.span_id for span in seen.spans[:2])


def test_a_generator_that_is_closed_early_has_not_failed(seen: Seen) -> None:
    closed = []

    @bot.action
    def stream() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    for _ in (running := stream()):
        break
    running.close()  # type: ignore[attr-defined]
    assert closed == [True]
    assert seen.actions[0].ok


def test_what_is_thrown_into_a_generator_reaches_it(seen: Seen) -> None:
    @bot.action
    def stream() -> Generator[str, None, None]:
        try:
            yield "first"
        except Broken:
            yield "caught"
        raise Broken("end")

    running = stream()
    assert next(running) == "first"
    assert running.throw(Broken()) == "caught"
    with pytest.raises(Broken, match="end"):
        next(running)
    assert not seen.actions[0].ok


async def test_an_async_generator_is_one_action(seen: Seen) -> None:
    @bot.action
    async def stream(n: int) -> AsyncIterator[int]:
        for item in range(n):
            await asyncio.sleep(0)
            yield item

    assert [item async for item in stream(3)] == [0, 1, 2]
    assert names(seen) == ["stream"]

    @bot.action
    async def fails() -> AsyncIterator[int]:
        yield 1
        raise Broken

    with pytest.raises(Broken):
        _ = [item async for item in fails()]
    assert not seen.actions[1].ok


async def test_an_async_generator_takes_what_is_sent_and_thrown(seen: Seen) -> None:
    @bot.action
    async def echo() -> AsyncGenerator[Any, Any]:
        said: Any = None
        while True:
            try:
                said = yield said
            except Broken as error:
                said = error

    running = echo()
    assert await anext(running) is None
    assert await running.asend("a") == "a"
    error = Broken()
    assert await running.athrow(error) is error
    await running.aclose()
    assert seen.actions[0].ok


def test_before_init_the_code_runs_and_one_warning_says_so(caplog: pytest.LogCaptureFixture) -> None:
    bot.shutdown()

    @bot.action
    def work() -> int:
        return 1

    assert (work(), work()) == (1, 1)
    assert [record.message for record in caplog.records] == ["botwatch: init() was not called, so nothing is recorded"]


def test_an_action_entered_before_init_and_left_after_it_is_let_go() -> None:
    bot.shutdown()
    with bot.action("early"), capture() as seen:
        pass
    assert seen.actions == []


def test_what_a_caller_upstream_samples_away_is_counted_all_the_same(seen: Seen) -> None:
    with bot.extract({"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}), bot.action("book"):
        pass
    assert names(seen) == ["book"]


def test_a_bot_that_seeds_chance_does_not_repeat_its_ids(seen: Seen) -> None:
    import random

    for _ in range(2):
        random.seed(0)
        with bot.turn("x"):
            pass
    first, second = seen.spans
    assert first.context is not None
    assert second.context is not None
    assert first.context.trace_id != second.context.trace_id
    assert seen.turns[0].id != seen.turns[1].id
