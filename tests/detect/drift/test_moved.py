"""What was always there is said elsewhere: how few documents are enough, and which are not."""

from __future__ import annotations

import pytest

from botwatch.detect.drift.compare import What
from botwatch.detect.drift.moved import moved
from botwatch.detect.drift.profile import Past, Profile
from botwatch.detect.drift.shape import shape
from tests.detect.drift.tickets import HOUR_S, START_S, Document

KINDS = ("billing", "delivery", "technical")
WINDOW_S = 600


def ticket(number: int) -> Document:
    return {"id": f"m{number}", "text": "x " * 40, "category": KINDS[number % 3], "urgent": number % 2 == 0}


def profile(documents: list[Document]) -> Profile:
    out = Profile()
    for document in documents:
        out.add(shape(document))
    return out


@pytest.fixture(scope="module")
def past() -> Past:
    """A week of 300 an hour."""
    known, hour = Past(), profile([ticket(number) for number in range(300)])
    for number in range(7 * 24):
        known.learn(hour, START_S + number * HOUR_S)
    return known


def found(past: Past, *odd: Document, beside: int = 60) -> list[tuple[str, str, What, float]]:
    now = profile([*(ticket(number) for number in range(beside)), *odd])
    return [(one.path, one.moved_to, one.what, one.now_of - one.now_count) for one in moved(past, now, WINDOW_S)]


def without(key: str, **more: object) -> Document:
    return {name: value for name, value in ticket(0).items() if name != key} | more


def test_one_document_that_says_a_known_word_elsewhere_is_enough(past: Past) -> None:
    odd = without("category", details={"topic": "billing"})
    assert found(past, odd) == [("category", "details.topic", What.RARER, 1)]
    assert found(past, odd, beside=0) == [("category", "details.topic", What.VANISHED, 1)]
    assert found(past, odd, beside=900) == []  # of so many, one does not matter


def test_of_other_words_it_takes_two(past: Past) -> None:
    odd = without("category", details={"topic": "unheard-of"})
    assert found(past, odd) == []
    assert found(past, odd, odd) == [("category", "details.topic", What.RARER, 2)]
    text = without("text", body={"plain": "y " * 40})
    assert found(past, text) == []
    assert found(past, text, text) == [("text", "body.plain", What.RARER, 2)]


def test_a_truth_or_a_number_is_said_everywhere_and_is_no_word(past: Past) -> None:
    assert found(past, without("urgent", flags={"now": True})) == []


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param([{"a": 1}, {"a": 2}], id="documents of another sort lack more than they bring"),
        pytest.param([without("category"), without("category")], id="nothing has come"),
        pytest.param([ticket(0) | {"details": {"topic": "billing"}}], id="nothing is gone"),
        pytest.param([without("category", topics=["billing"])], id="one of a list is one of any number"),
    ],
)
def test_nothing_moved(past: Past, odd: list[Document]) -> None:
    assert found(past, *odd) == []


def test_a_short_past_knows_no_words() -> None:
    young = Past()
    for number in range(10):
        young.learn(profile([ticket(number) for number in range(300)]), START_S + number * HOUR_S)
    assert found(young, without("category", details={"topic": "billing"})) == []
