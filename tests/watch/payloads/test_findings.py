"""Rows of what drift found: what began together belongs together, what comes back goes on, what is over ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from botwatch.detect.drift.compare import Change, What
from botwatch.detect.drift.profile import Share, Stat
from botwatch.detect.drift.since import Begun
from botwatch.detect.drift.source import Drift
from botwatch.detect.drift.story import Cause
from botwatch.detect.rows_drift import DriftRow
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from botwatch.watch.payloads import findings
from botwatch.watch.payloads.findings import OVER_NS, Told

NOW_NS = 1_800_000_000 * 10**9
MINUTE_NS = 60 * 10**9
SOURCE = "mails"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(Settings(data=tmp_path))
    yield database
    database.close()


def drift(path: str, count: float = 9.0) -> Drift:
    return Drift("open", Change(What.APPEARED, Share(path, Stat.PRESENT), 0.0, 900.0, count, 20.0, 50.0), 3_600)


def told(path: str, began_ns: int = NOW_NS) -> Told:
    return Told(Cause(drift(path), "", Begun.exactly(began_ns), (), ()), {"sure": 0.99})


def step(
    database: Database, at_ns: int, *new: Told, found: tuple[str, ...] = (), over: tuple[str, ...] = ()
) -> list[str]:
    """What one look tells, as the keeper writes it."""

    def write(session: Session) -> list[str]:
        ended = {(drift(path).variant, drift(path).change.share) for path in over}
        findings.keep_up(session, SOURCE, [drift(path) for path in found], ended, at_ns)
        return findings.add(session, SOURCE, new, at_ns)

    return database.write_now(write)


def going_on(database: Database) -> dict[str, int]:
    return database.read_now(lambda session: {row.path: row.id for row in findings.live(session, SOURCE).values()})


def test_what_is_found_again_and_began_when_it_had_begun_goes_on(database: Database) -> None:
    assert len(step(database, NOW_NS, told("campaign"))) == 1
    first = going_on(database)
    later_ns = NOW_NS + 2 * OVER_NS
    step(database, later_ns)
    assert going_on(database) == {}
    assert step(database, later_ns + MINUTE_NS, told("campaign", NOW_NS + MINUTE_NS)) == []
    assert going_on(database) == first
    step(database, later_ns + 3 * OVER_NS)
    lost_ns = later_ns + 4 * OVER_NS  # and where it is not to be told when it began, soon after
    assert step(database, lost_ns, told("campaign", lost_ns)) == []
    assert going_on(database) == first
    step(database, lost_ns + MINUTE_NS, over=("campaign",))
    anew_ns = lost_ns + 2 * MINUTE_NS
    assert len(step(database, anew_ns, told("campaign", anew_ns))) == 1
    assert going_on(database) != first


def test_what_is_over_ends_at_once_and_what_is_only_not_found_later(database: Database) -> None:
    step(database, NOW_NS, told("campaign"), told("split"), told("plan"))
    step(database, NOW_NS + MINUTE_NS, found=("plan",), over=("campaign",))
    assert going_on(database).keys() == {"split", "plan"}
    assert database.read_now(lambda session: findings.told(session, SOURCE, NOW_NS)).keys() == {
        Share(path, Stat.PRESENT) for path in ("campaign", "split", "plan")
    }


def test_what_began_in_the_same_minutes_is_one_event(database: Database) -> None:
    step(database, NOW_NS, told("campaign"), told("split", NOW_NS + 4 * MINUTE_NS))
    step(
        database,
        NOW_NS + 300 * MINUTE_NS,
        told("plan", NOW_NS - 4 * MINUTE_NS),
        told("other", NOW_NS + 200 * MINUTE_NS),
        found=("campaign", "split"),
    )
    ids = going_on(database)

    def read(session: Session) -> tuple[dict[int, int], list[str]]:
        rows = list(findings.live(session, SOURCE).values())
        plan = session.get_one(DriftRow, ids["plan"])
        return findings.together(session, rows), [row.path for row in findings.beside(session, plan)]

    event, beside = database.read_now(read)
    first = ids["campaign"]
    assert event == {first: first, ids["split"]: first, ids["plan"]: first, ids["other"]: ids["other"]}
    assert beside == ["plan", "campaign", "split"]


def test_what_comes_seldom_began_with_a_change_that_is_known_if_it_may_have(database: Database) -> None:
    """The last document without it came before that change, the first with it after."""

    def seldom(path: str, after_ns: int, began_ns: int) -> Told:
        return Told(Cause(drift(path), "", Begun(began_ns, after_ns, began_ns), (), ()), {"sure": 0.99})

    hour_ns = 60 * MINUTE_NS
    step(database, NOW_NS, told("month"))
    step(
        database,
        NOW_NS + 9 * hour_ns,
        seldom("coupon", NOW_NS - hour_ns, NOW_NS + 2 * hour_ns),
        seldom("later", NOW_NS + hour_ns, NOW_NS + 2 * hour_ns),
        seldom("rare", NOW_NS - hour_ns, NOW_NS + 8 * hour_ns),
        found=("month",),
    )
    rows = database.read_now(
        lambda session: {row.path: row.began_ns for row in findings.live(session, SOURCE).values()}
    )
    assert {path: (began_ns - NOW_NS) // hour_ns for path, began_ns in rows.items()} == {
        "month": 0,
        "coupon": 0,
        "later": 2,
        "rare": 8,
    }


def test_what_is_looked_at_again_says_in_how_many_it_is_by_now(database: Database) -> None:
    step(database, NOW_NS, told("campaign"))
    later = Told(
        Cause(drift("campaign", 18.0), "", Begun.exactly(NOW_NS), (), ()), {"sessions": ["s1"], "after": [{"new": 1}]}
    )

    def write(session: Session) -> tuple[str, object, object]:
        findings.deepen(session, SOURCE, {later.key}, [later], NOW_NS + MINUTE_NS)
        row = findings.live(session, SOURCE)[later.key]
        return row.sentence, row.evidence["sessions"], row.evidence.get("after")

    assert database.write_now(write) == ("`campaign` has come, in 90 %", ["s1"], None)
