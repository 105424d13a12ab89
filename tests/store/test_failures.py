"""How a call failed: by its `error.type`, else by the exception that was recorded on it."""

from __future__ import annotations

import time

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from botwatch.store.client import Store
from tests.store.conftest import Deliver
from tests.store.otlp import Value, attributes, span

ERROR = Status(code=Status.STATUS_CODE_ERROR)


def happened(name: str, **said: Value) -> Span.Event:
    return Span.Event(name=name, attributes=attributes({key.replace("_", "."): value for key, value in said.items()}))


CALLS: list[tuple[str, dict[str, Value], list[Span.Event], Status | None, str]] = [
    ("fine", {}, [], None, ""),
    ("error", {}, [], ERROR, "error"),
    ("by its type", {"error.type": "ReadTimeout"}, [], ERROR, "timeout"),
    ("by its exception", {}, [happened("exception", exception_type="httpx.ReadTimeout")], ERROR, "timeout"),
    (
        "after another event",
        {},
        [happened("retry", exception_type="x"), happened("exception", exception_type="asyncio.TimeoutError")],
        ERROR,
        "timeout",
    ),
    (
        "its type wins",
        {"error.type": "Refused"},
        [happened("exception", exception_type="TimeoutError")],
        ERROR,
        "error",
    ),
    ("another exception", {}, [happened("exception", exception_type="ValueError")], ERROR, "error"),
    ("no type", {}, [happened("exception")], ERROR, "error"),
    ("handled", {}, [happened("exception", exception_type="TimeoutError")], None, ""),
    ("too many", {}, [happened("exception", exception_type="openai.RateLimitError")], ERROR, "rate_limited"),
    ("tried again", {}, [happened("exception", exception_type="openai.RateLimitError")], None, ""),
    ("429", {"http.status_code": 429}, [], ERROR, "rate_limited"),
]


@pytest.fixture
async def failures(deliver: Deliver, store: Store) -> dict[str, str]:
    now_ns = time.time_ns()
    await deliver(*(
        span(now_ns, said, name=name, events=events, status=status, kind=Span.SPAN_KIND_CLIENT)
        for name, said, events, status, _ in CALLS
    ))  # fmt: skip
    return dict(store.read("SELECT name, failure FROM spans"))


async def test_a_failure_is_known_by_its_type_or_its_exception(failures: dict[str, str]) -> None:
    assert failures == {name: failure for name, *_, failure in CALLS}
