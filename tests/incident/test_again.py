"""A young incident is looked at again: what is known later is told, nobody is told again, and what was surer stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.rows_drift import DriftRow
from botwatch.incident import ledger
from botwatch.incident.again import Again
from botwatch.incident.causes.change import Change, Kind, places
from botwatch.incident.causes.compare import Comparison, Tally
from botwatch.incident.nouns import Found, Incident, Opening
from botwatch.incident.rows import ChangeRow
from botwatch.incident.steps import Step
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from botwatch.state.lease import Lease
from tests.incident.test_ledger import NOW_S, opening, put, resolving

DETAIL = (("version", "1.1"), ("before", "1.0"))
DEPLOY = Change(
    Kind.DEPLOY, (NOW_S - 60) * SECOND_NS, "shop 1.1 was first seen instead of 1.0", "shop", places(bot="shop"),
    "/explore/traces?bot=shop", detail=DETAIL,
)  # fmt: skip
CALL = Change(Kind.DEPENDENCY, (NOW_S - 30) * SECOND_NS, "crm fails", "shop crm", places(bot="shop"), "/crm")


def compared(bad_now: int, bad_before: int) -> Comparison:
    now, old = Tally(50, bad_now), Tally(50, bad_before)
    return Comparison("1.1", "1.0", now, old, of_times=False, noun="actions")


@dataclass
class Telemetry:
    """What the store would tell; how often it was asked, and as of when."""

    found: Found = field(default_factory=Found)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, openings: Sequence[Opening]) -> list[Opening]:
        self.asked += [(one.id, one.started_ns // SECOND_NS - NOW_S) for one in openings]
        return [replace(one, found=self.found) for one in openings]


@dataclass
class Case:
    database: Database
    telemetry: Telemetry
    clock: ManualClock
    again: Again

    async def after(self, seconds: int) -> int:
        self.clock.advance(NOW_S + seconds - self.clock.now_ns() / SECOND_NS)
        return await self.again.run_once(self.clock.now_ns())

    def incident(self, number: int = 1) -> Incident:
        return self.database.read_now(lambda session: ledger.one(session, f"{number:032x}")[0])

    def steps(self) -> list[tuple[str, int | None]]:
        with self.database.engine.connect() as connection:
            rows = connection.execute(sa.select(ChangeRow.what, ChangeRow.told_ns).order_by(ChangeRow.id))
            return [(what, told_ns) for what, told_ns in rows]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    database, telemetry = open_database(Settings(data=tmp_path)), Telemetry()
    clock = ManualClock(NOW_S * SECOND_NS)
    again = Again(database, telemetry, Lease(database, "causes", "node", clock), clock)
    yield Case(database, telemetry, clock, again)
    database.close()


async def test_a_deploy_that_is_known_later_is_told_on_the_page_and_to_nobody(case: Case) -> None:
    put(case.database, opening(1, bot="shop"))
    assert case.incident().evidence["cause"] == ""
    assert await case.after(60) == 0
    case.telemetry.found = Found((DEPLOY,))
    assert await case.after(125) == 1
    evidence = case.incident().evidence
    assert evidence["cause"].startswith("shop 1.1 was first seen instead of 1.0")
    assert (evidence["cause_ns"], evidence["looked_ns"]) == (case.clock.now_ns(), case.clock.now_ns())
    assert case.steps() == [(Step.OPENED, None), (Step.EXPLAINED, case.clock.now_ns())]


async def test_it_is_looked_for_after_2_10_and_30_minutes_and_once_after_a_pause(case: Case) -> None:
    put(case.database, opening(1, bot="shop"), opening(2, bot="other"), resolving(2, NOW_S + 30))
    looked = [seconds for seconds in range(0, 4_000, 10) if await case.after(seconds)]
    assert looked == [120, 600, 1_800]
    assert case.telemetry.asked[:2] == [(f"{1:032x}", 120), (f"{2:032x}", 30)]  # one that is over: up to its end
    put(case.database, opening(3, at_s=NOW_S + 5_000, bot="new"))
    assert [seconds for seconds in (6_900, 6_910, 8_700) if await case.after(seconds)] == [6_900]


async def test_what_is_measured_decides_and_is_not_given_up_for_less(case: Case) -> None:
    put(case.database, replace(opening(1, bot="shop"), found=Found((DEPLOY, CALL))))
    first = case.incident().evidence
    assert first["related"][0]["sure"] == "likely"
    case.telemetry.found = Found((DEPLOY, CALL), {DEPLOY: compared(40, 1)})
    await case.after(130)
    second = case.incident().evidence
    assert "fail in 80 % with 1.1, and 2 % with 1.0 beside it" in second["cause"]
    case.telemetry.found = Found((CALL,), known=False)
    await case.after(610)
    third = case.incident().evidence
    assert (third["cause"], third["cause_ns"], third["asked"]) == (second["cause"], second["cause_ns"], True)
    assert third["looked_ns"] > second["looked_ns"]
    assert [what for what, _ in case.steps()] == ["opened", "explained"]


async def test_a_suspicion_that_measuring_does_not_bear_out_is_taken_back(case: Case) -> None:
    put(case.database, replace(opening(1, bot="shop"), found=Found((DEPLOY,))))
    assert "likely" in case.incident().evidence["cause"]
    case.telemetry.found = Found((DEPLOY,), {DEPLOY: compared(5, 5)})
    await case.after(130)
    evidence = case.incident().evidence
    assert (evidence["cause"], evidence["cause_ns"], evidence["related"][0]["sure"]) == ("", None, "unlikely")
    assert [what for what, _ in case.steps()] == ["opened", "explained"]


async def test_documents_of_two_versions_side_by_side_are_compared(case: Case) -> None:
    share = {"before_count": 900.0, "before_of": 900.0, "now_count": 40.0, "now_of": 80.0, "surprise": 50.0}
    began_ns = (NOW_S - 50) * SECOND_NS
    drift = DriftRow(
        source="tickets", variant="", path="category", stat="present", value="", what="rarer", moved_to="", **share,
        sentence="`category` is gone", began_ns=began_ns, found_ns=began_ns, last_ns=began_ns,
        evidence={"bots": ["shop"], "versions": {"1.1": [40, 40], "1.0": [0, 40]}},
    )  # fmt: skip
    case.database.write_now(lambda session: session.add(drift))
    drifted = replace(opening(1, source="tickets"), snapshot={"field": "payload.drift"}, found=Found((DEPLOY,)))
    put(case.database, drifted)
    evidence = case.incident().evidence
    assert [one.get("about", False) for one in evidence["related"]] == [True, False]
    assert evidence["related"][1]["sure"] == "measured"
    assert "documents show the change in 100 % with 1.1, and 0 % with 1.0 beside it (of 40 and 40)" in evidence["cause"]
