"""The engine and Python come to the same deadlines, also over nights, weekends and changes of the clock."""

from __future__ import annotations

import random
from typing import Any

import pytest

from botwatch.detect.contract import due_us
from botwatch.measure.sources import Binder
from botwatch.store.client import Store
from botwatch.watch.contracts import deadlines
from botwatch.watch.contracts.pairing import Pairing
from tests.watch.contracts.promises import US, contract_of

NIGHTS = {"days": "mon-sun", "from": "22:00", "to": "06:00", "zone": "America/New_York"}
OFFICE = {"days": "mon-fri", "from": "09:00", "to": "17:30", "zone": "Europe/Berlin", "closed": ["2026-04-03"]}
LORD_HOWE = {"days": "sat,sun", "from": "01:30", "to": "02:15", "zone": "Australia/Lord_Howe"}  # half an hour of DST
LOW, HIGH = 1_772_323_200 * US, 1_777_593_600 * US  # March and April 2026


@pytest.mark.parametrize(
    ("hours", "within"), [(NIGHTS, "3h"), (NIGHTS, "8h"), (OFFICE, "4h"), (OFFICE, "30h"), (LORD_HOWE, "50m")]
)
def test_both_come_to_the_same(room_store: Store, hours: dict[str, Any], within: str) -> None:
    terms = [{"bot": "b1", "within": "7m"}, {"channel": "c1", "within": "2h"}]
    contract = contract_of(when="handoff", then="message human", within=within, hours=hours, terms=terms)
    r = random.Random(f"{hours}{within}")
    calendar = contract.all_terms()[-1].calendar("UTC", LOW, HIGH)
    assert calendar is not None
    edges = [edge + more for edge in (*calendar.starts[:90], *calendar.ends[:90]) for more in (-1, 0, 1)]
    asked = [us for us in (*edges, *(r.randint(LOW, HIGH) for _ in range(300))) if LOW <= us <= HIGH]
    rows = [(us, r.choice(("b1", "b2")), r.choice(("c1", "c2"))) for us in asked]
    bind = Binder({"us": [us for us, _, _ in rows], "bots": [b for _, b, _ in rows], "channels": [c for *_, c in rows]})
    due = deadlines.due(contract, "UTC", LOW, HIGH, bind)
    found = room_store.read(
        f"SELECT us, bot, channel, {due} FROM (SELECT arrayJoin(arrayZip({{us:Array(Int64)}}, {{bots:Array(String)}}, "
        "{channels:Array(String)})) AS one, one.1 AS us, one.2 AS bot, one.3 AS channel, toInt64(0) AS within_us)",
        bind.values,
    )
    longest_us = Pairing("c", contract, "UTC", 0, HIGH).longest_us
    assert len(found) == len(rows) > 300
    for us, bot, channel, told in found:
        one = contract.terms_of(bot, channel)
        expected = due_us(us, one, one.calendar("UTC", LOW, HIGH))
        assert expected is not None
        assert told == expected
        assert told - us <= longest_us
