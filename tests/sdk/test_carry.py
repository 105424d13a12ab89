"""One id over several services, through HTTP headers and through queues, from whoever sent them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

import botwatch_sdk as bot
from botwatch_sdk.testing import Seen

TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def test_a_correlation_id_is_on_all_that_happens_inside(seen: Seen) -> None:
    with bot.correlation("order-7") as id, bot.action("a"):
        bot.message("x")
    assert id == "order-7"
    assert seen.actions[0].attributes["correlation_id"] == "order-7"
    assert seen.events[0].attributes["correlation_id"] == "order-7"
    assert bot.current().correlation == ""


async def test_without_an_id_a_new_one_is_made() -> None:
    async with bot.correlation() as id:
        assert len(id) == 32
        assert bot.current().correlation == id
    with bot.correlation() as other:
        assert other != id


def test_headers_carry_trace_and_correlation_to_the_next_service(seen: Seen) -> None:
    with bot.correlation("c-1"), bot.action("ask"):
        headers = bot.inject({"accept": "*/*"})
    with bot.extract(headers) as id, bot.action("serve"):
        pass
    assert (headers["accept"], headers["x-correlation-id"], id) == ("*/*", "c-1", "c-1")
    ask, serve = seen.spans
    assert ask.context is not None
    assert serve.context is not None
    assert serve.parent is not None
    assert (serve.context.trace_id, serve.parent.span_id) == (ask.context.trace_id, ask.context.span_id)
    assert serve.parent.is_remote


def test_outside_of_everything_nothing_is_added() -> None:
    assert bot.inject() == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"TraceParent": TRACEPARENT, "X-Correlation-ID": "c"},
        {"traceparent": TRACEPARENT.encode(), "x-correlation-id": b"c"},
        [(b"traceparent", TRACEPARENT.encode()), (b"x-correlation-id", b"c"), (b"x-correlation-id", b"second")],
        [("traceparent", TRACEPARENT), ("x-correlation-id", "c")],
    ],
)
def test_headers_come_in_many_kinds(seen: Seen, headers: Any) -> None:
    with bot.extract(headers), bot.action("serve"):
        here = bot.current()
    assert (here.correlation, here.trace) == ("c", "a" * 32)


def test_extract_keeps_the_session_around_it() -> None:
    with bot.session("s"), bot.extract({"x-correlation-id": "c"}):
        assert (bot.current().session, bot.current().correlation) == ("s", "c")


@pytest.mark.parametrize("hostile", ["a\r\nset-cookie: x", "", " ", "ä", "x" * 300, "a b"])
def test_a_hostile_id_is_neither_taken_up_nor_sent_along(hostile: str) -> None:
    with bot.extract({"x-correlation-id": hostile}) as id:
        assert id != hostile
        assert bot.current().correlation == id
    with bot.correlation(hostile):
        assert bot.inject().get("x-correlation-id", "").isprintable()
        assert "\n" not in bot.inject().get("x-correlation-id", "")
        assert len(bot.inject().get("x-correlation-id", "")) <= 256


@hypothesis.given(st.dictionaries(st.sampled_from(["traceparent", "tracestate", "x-correlation-id"]), st.text()))
def test_no_header_text_raises(headers: dict[str, str]) -> None:
    with bot.extract(headers), bot.action("serve"):
        bot.inject()


@pytest.mark.parametrize("headers", [None, 7, "text", [1, 2], [(1,)], {"traceparent": None}, {None: None}])
def test_what_is_no_headers_at_all_is_contained(headers: Any) -> None:
    with bot.extract(headers):
        pass


def test_an_endless_header_list_is_not_read_to_its_end() -> None:
    def endless() -> Any:
        while True:
            yield ("x", "y")

    with bot.extract(endless()) as id:
        assert len(id) == 32


def test_a_child_process_goes_on_with_what_it_was_handed(seen: Seen) -> None:
    with bot.correlation("c-9"), bot.action("parent"):
        headers = bot.inject()
        trace = bot.current().trace
    code = f"""
import botwatch_sdk as bot
from botwatch_sdk.testing import capture
with capture(), bot.extract({dict(headers)!r}), bot.action("child"):
    print(bot.current().correlation, bot.current().trace)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["c-9", trace]
