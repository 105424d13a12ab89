"""One sender who sends a lot for twenty minutes is most of an hour, and no change; the same from all of them is one."""

from __future__ import annotations

import copy
import random

import pytest

from botwatch.detect.drift.compare import What
from botwatch.detect.drift.shape import shape
from botwatch.detect.drift.source import HOUR_S, TICK_S, Source
from tests.detect.drift.tickets import START_S, Document, stream

CHANGED_S = START_S + 60 * HOUR_S
BURST_S = 1_200


def usual(r: random.Random, document: Document) -> Document:
    return document | {"text": None} if r.random() < 0.1 else document


def of_one_sender(r: random.Random, document: Document) -> Document:
    """Who mostly leaves the text out, and seldom writes about what is technical."""
    if document["category"] == "technical" and r.random() < 0.75:
        document = document | {"category": "other"}
    return document | {"text": None} if r.random() < 0.6 else document


@pytest.fixture(scope="module")
def known() -> Source:
    r, source = random.Random(1), Source("tickets")
    for at_s, document in stream(r, START_S, CHANGED_S, 120):
        source.observe(at_s, shape(usual(r, document)))
    return source


def told(known: Source, burst_s: int, hours: float) -> set[tuple[str, What]]:
    """What is told from the beginning on, of many documents at first and then of few, as in an evening."""
    r, source, judged_s, found = random.Random(2), copy.deepcopy(known), CHANGED_S, set()
    busy_s = CHANGED_S + BURST_S
    both = [*stream(r, CHANGED_S, busy_s, 600), *stream(r, busy_s, CHANGED_S + hours * HOUR_S, 30)]
    for at_s, document in both:
        while at_s >= judged_s + TICK_S:
            judged_s += TICK_S
            found |= {(drift.change.path, drift.change.what) for drift in source.judge(judged_s)}
        sent = of_one_sender(r, document) if at_s < CHANGED_S + burst_s else usual(r, document)
        source.observe(at_s, shape(sent))
    return found


def test_twenty_minutes_of_one_sender_are_no_change(known: Source) -> None:
    assert not told(known, BURST_S, 3)


def test_what_goes_on_is_told_though_most_of_it_came_at_first(known: Source) -> None:
    found = told(known, 3 * HOUR_S, 3)
    assert ("text", What.MORE_NULL) in found
    assert ("category", What.VALUE_COLLAPSED) in found
