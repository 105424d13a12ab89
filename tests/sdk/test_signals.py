"""Expectations, readings of queues and state, and payloads."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

import pydantic
import pytest

import botwatch_sdk as bot
from botwatch_sdk import _limits
from botwatch_sdk._counters import Counters, Reading, Reason
from botwatch_sdk.testing import Seen, SeenPayload


def test_an_expectation_opens_and_is_met(seen: Seen) -> None:
    with bot.session("s"):
        expected = bot.expect("payment", within_s=30, id=17)
        expected.met()
    bot.met("payment", 17)  # said twice, and from elsewhere
    assert [dict(event.attributes) for event in seen.events] == [
        {
            "session.id": "s",
            "bot.expected.name": "payment",
            "bot.expected.id": "17",
            "bot.expected.state": "open",
            "bot.expected.within_s": 30.0,
        },
        {
            "session.id": "s",
            "bot.expected.name": "payment",
            "bot.expected.id": "17",
            "bot.expected.state": "met",
        },
        {"bot.expected.name": "payment", "bot.expected.id": "17", "bot.expected.state": "met"},
    ]


def test_expectations_without_an_id_are_told_apart(seen: Seen) -> None:
    assert bot.expect("a", within_s=1).id != bot.expect("a", within_s=1).id


def test_the_last_reading_of_a_queue_counts_and_depth_and_age_may_come_apart(seen: Seen) -> None:
    bot.queue("orders", depth=5, age_s=2)
    bot.queue("orders", depth=3)
    bot.queue("mails", age_s=0)
    assert seen.queues == {"orders": Reading(3.0, 2.0), "mails": Reading(None, 0.0)}


def test_state_counts_what_was_invalid(seen: Seen) -> None:
    bot.state("basket", age_s=10, valid=True)
    bot.state("basket", age_s=20, valid=False)
    bot.state("basket", valid=False)
    assert seen.states == {"basket": Reading(None, 20.0)}
    assert seen._captured.counters.readings.invalid == {"basket": 2}


@pytest.mark.parametrize("depth", [-1, float("nan"), float("inf"), "5", True])
def test_a_reading_that_is_no_number_is_told_and_not_kept(
    seen: Seen, caplog: pytest.LogCaptureFixture, depth: float
) -> None:
    bot.queue("orders", depth=depth)
    assert seen.queues == {}
    assert "queue(depth): expected a number of at least 0, found" in caplog.text


def test_a_reading_is_told_once() -> None:
    counters = Counters()
    counters.queue("orders", 5.0, None)
    counters.state("basket", 1.0, invalid=True)
    first, second = counters.take_readings(), counters.take_readings()
    assert (first.queues, first.states) == ({"orders": Reading(5.0)}, {"basket": Reading(None, 1.0)})
    assert (second.queues, second.states, second.invalid) == ({}, {}, {"basket": 1})


def test_names_without_end_are_bounded_and_counted(seen: Seen) -> None:
    for n in range(_limits.READING_NAMES_MAX + 7):
        bot.queue(f"q{n}", depth=1)
    assert len(seen.queues) == _limits.READING_NAMES_MAX
    assert seen.dropped == {str(Reason.NAMES): 7}


@dataclasses.dataclass
class Order:
    id: int
    at: datetime.date


class Model(pydantic.BaseModel):
    id: int
    tags: set[str]


@pytest.mark.parametrize(
    ("document", "arrives"),
    [
        ({"id": 1, "at": datetime.date(2024, 1, 2)}, {"id": 1, "at": "2024-01-02"}),
        ([1, None, True], [1, None, True]),
        (Order(1, datetime.date(2024, 1, 2)), {"id": 1, "at": "2024-01-02"}),
        (Model(id=1, tags={"a"}), {"id": 1, "tags": ["a"]}),
        ('{"id": 1}', {"id": 1}),
        (b'{"id": 1}', {"id": 1}),
        (bytearray(b'{"id": 1}'), {"id": 1}),
        ("{broken", "{broken"),
        ({("not", "text"): 1, "id": 2}, {"id": 2}),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        (None, None),
    ],
)
def test_a_document_of_any_kind_arrives_as_json(seen: Seen, document: Any, arrives: Any) -> None:
    bot.payload("shop", document)
    assert seen.payloads == [SeenPayload("shop", arrives, False)]


def test_a_sample_is_a_share_and_says_so(seen: Seen) -> None:
    for _ in range(2_000):
        bot.payload("shop", {"id": 1}, sample=0.25)
    assert 400 < len(seen.payloads) < 600
    assert {event.attributes["bot.payload.sample"] for event in seen.events} == {0.25}
    assert seen.dropped == {}


def test_critical_fields_are_never_sampled_away(seen: Seen) -> None:
    document = {"id": 1, "order": {"total": 9, "lines": [1] * 100}, "note": "x"}
    for _ in range(50):
        bot.payload("shop", document, sample=0.0, critical=("id", "order.total", "missing", "note.below", "id.below"))
    assert len(seen.payloads) == 50
    assert seen.payloads[0] == SeenPayload("shop", {"id": 1, "order": {"total": 9}}, True)


def test_critical_fields_of_text_and_of_models(seen: Seen) -> None:
    bot.payload("shop", '{"id": 1, "b": 2}', sample=0.0, critical=["id"])
    bot.payload("shop", Model(id=3, tags=set()), sample=0.0, critical="id")
    bot.payload("shop", "{broken", sample=0.0, critical=["id"])  # that it is broken is what must be seen
    assert [payload.document for payload in seen.payloads] == [{"id": 1}, {"id": 3}, "{broken"]


def test_a_document_too_large_leaves_its_critical_fields_or_is_counted(seen: Seen) -> None:
    huge = {"id": 1, "blob": "x" * (_limits.PAYLOAD_BYTES_MAX + 1)}
    bot.payload("shop", huge, critical=["id"])
    bot.payload("shop", huge)
    bot.payload("shop", json.dumps(huge))
    bot.payload("shop", {"id": "x" * (_limits.PAYLOAD_BYTES_MAX + 1)}, critical=["id"])
    assert seen.payloads == [SeenPayload("shop", {"id": 1}, True)]
    assert seen.dropped == {str(Reason.TOO_LARGE): 3}


def test_the_bound_is_in_bytes_not_in_characters(seen: Seen) -> None:
    bot.payload("shop", "ä" * (_limits.PAYLOAD_BYTES_MAX // 2 + 1))
    bot.payload("shop", "a" * _limits.PAYLOAD_BYTES_MAX)
    assert len(seen.payloads) == 1
    assert seen.dropped == {str(Reason.TOO_LARGE): 1}


def test_a_document_that_cannot_be_written_is_counted(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    circular: list[Any] = []
    circular.append(circular)
    bot.payload("shop", circular)
    assert seen.payloads == []
    assert seen.dropped == {str(Reason.UNENCODABLE): 1}
    assert "payload() did nothing: ValueError" in caplog.text
