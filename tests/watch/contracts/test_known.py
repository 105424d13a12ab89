"""A contract that speaks of what was never seen is told so, with what comes near."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.detect.contract import read
from botwatch.store.client import Store
from botwatch.watch.contracts.known import unknowns
from tests.measure.facts import Facts, measures_of

AT = 1_800_003_600
LOW_US, HIGH_US = (AT - 600) * 1_000_000, (AT + 600) * 1_000_000
TICKET = '{"ticket": {"category": "billing"}, "id": 7}'


@pytest.fixture(scope="module")
def seen(room_store: Store) -> Store:
    facts = Facts(room_store, measures_of(room_store))
    facts.logs({"at": AT, "event": "order.placed", "attributes": {"order.kind": "gift"}})
    put = {"at": AT, "kind": "producer", "attributes": {"messaging.destination.name": "mails"}}
    facts.spans({"at": AT, "action": "refund"}, put)
    facts.payloads(
        {"at": AT, "source": "helpdesk", "document": TICKET}, {"at": AT, "source": "helpdesk", "document": "{"}
    )
    expected = {"bot.expected.name": "refund", "bot.expected.state": "open"}
    facts.events({"at": AT, "event": "bot.expected", "attributes": expected})
    return room_store


@pytest.mark.parametrize(
    ("when", "then", "told"),
    [
        ("message in", "message out", []),
        ("handoff", "message human", []),
        ("event order.placed", "action refund", []),
        ("event order.place", "action refunds", [
            "there is no event 'order.place'; did you mean order.placed?",
            "there is no action 'refunds'; did you mean refund?",
        ]),
        ("payload helpdesks", "action refund", ["there is no source of documents 'helpdesks'; did you mean helpdesk?"]),
        ({"what": "payload helpdesk", "where": {"ticket.category": "x", "id": "7"}}, "action refund", []),
        ({"what": "payload helpdesk", "where": {"ticket.categori": "x"}}, "action refund", [
            "payload helpdesk: there is no field 'ticket.categori'; did you mean ticket.category?",
        ]),
        ({"what": "event order.placed", "where": {"order.kinds": "x"}}, "action refund", [
            "event order.placed: there is no field 'order.kinds'; did you mean order.kind?",
        ]),
        ("put mail", "done *", ["there is no queue that something was put into 'mail'; did you mean mails?"]),
        ("expected refunds", "met refund", ["there is no expectation 'refunds'; did you mean refund?"]),
    ],
)  # fmt: skip
async def test_what_was_never_seen_is_named(seen: Store, when: Any, then: Any, told: list[str]) -> None:
    contract = read({"when": when, "then": then, "within": "5m"})
    found = await unknowns(seen, contract, LOW_US, HIGH_US)
    assert [one for one in found if "that was met" not in one] == told
