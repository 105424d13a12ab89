"""Rows of incidents: what people do to them, how they are listed, and who may hold the lease."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.finding import Reason
from botwatch.detect.rows_drift import DriftRow
from botwatch.detect.rule import Severity
from botwatch.errors import Conflict, LeaseLost, NotFound
from botwatch.incident import gaps, ledger
from botwatch.incident.causes.change import Change, Kind, places
from botwatch.incident.gaps import Gap, Why
from botwatch.incident.ledger import Filter
from botwatch.incident.noise import Verdict, noise
from botwatch.incident.nouns import Found, Incident, Opening, Resolving, Standing
from botwatch.incident.rows import ChangeRow
from botwatch.incident.steps import Status, Step, subject_of
from botwatch.settings import Settings
from botwatch.state import Database, audit, open_database
from botwatch.state.lease import Lease
from tests.real.postgres import Postgres, running_postgres

NOW_S = 1_800_000_000


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = open_database(Settings(data=tmp_path))
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """For what the two databases might do differently."""
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        found = open_database(Settings(data=tmp_path, state=url))
        yield found
        found.close()


def opening(number: int, rule: str = "R", *, at_s: int = NOW_S, **labels: str) -> Opening:
    named = labels or {"host": f"h{number}"}
    return Opening(
        f"{number:032x}", rule, subject_of(named), named, Severity.WARNING, Reason.BREACHED, "it is too much", 90.0,
        (at_s - 20) * SECOND_NS, at_s * SECOND_NS, {"name": rule, "operand": "equalOrMoreThan"},
    )  # fmt: skip


def resolving(number: int, at_s: int) -> Resolving:
    return Resolving(f"{number:032x}", at_s * SECOND_NS, Reason.RECOVERED, "it is well again", 10.0, 95.0)


def put(database: Database, *changes: Opening | Resolving) -> None:
    def work(session: sa.orm.Session) -> None:
        for change in changes:
            if isinstance(change, Opening):
                ledger.open_(session, change)
            else:
                ledger.resolve(session, change)

    database.write_now(work)


def one(database: Database, number: int) -> tuple[Incident, list[str]]:
    incident, changes = database.read_now(lambda session: ledger.one(session, f"{number:032x}"))
    return incident, [f"{change.what} {change.who}" for change in changes]


def test_an_incident_goes_from_open_over_acknowledged_to_resolved(database: Database) -> None:
    put(database, opening(1))
    acknowledged = database.write_now(
        lambda session: ledger.acknowledge(session, (NOW_S + 5) * SECOND_NS, "ada", f"{1:032x}", "on it")
    )
    assert (acknowledged.status, acknowledged.acknowledged_by) == (Status.ACKNOWLEDGED, "ada")
    database.write_now(lambda session: ledger.acknowledge(session, 9, "bob", f"{1:032x}", "me too"))
    put(database, resolving(1, NOW_S + 60))
    found, changes = one(database, 1)
    assert (found.status, found.resolved_ns, found.peak_value) == (Status.RESOLVED, (NOW_S + 60) * SECOND_NS, 95.0)
    assert changes == ["opened rule", "acknowledged ada", "resolved rule"]
    assert [entry.what for entry in database.read_now(lambda s: audit.entries(s, before_id=None, count=9))] == [
        "incident.acknowledge"
    ]


def test_what_is_over_cannot_be_acknowledged_but_noted(database: Database) -> None:
    put(database, opening(1), resolving(1, NOW_S + 10))
    with pytest.raises(Conflict, match="over already"):
        database.write_now(lambda session: ledger.acknowledge(session, 1, "ada", f"{1:032x}", ""))
    database.write_now(lambda session: ledger.note(session, 1, "ada", f"{1:032x}", "it was the disk"))
    assert one(database, 1)[1][-1] == "noted ada"


def test_one_that_is_not_there_is_told(database: Database) -> None:
    with pytest.raises(NotFound):
        one(database, 7)


def test_a_change_is_untold_until_somebody_tells_it(database: Database) -> None:
    put(database, opening(1), resolving(1, NOW_S + 10))
    query = sa.select(ChangeRow.what).where(ChangeRow.told_ns.is_(None)).order_by(ChangeRow.id)
    assert database.read_now(lambda session: list(session.scalars(query))) == [Step.OPENED, Step.RESOLVED]


def test_a_rule_has_one_open_incident_of_a_subject(either: Database) -> None:
    put(either, opening(1, host="a"))
    with pytest.raises(sa.exc.IntegrityError):
        put(either, opening(2, host="a"))
    put(either, resolving(1, NOW_S + 10), opening(3, host="a"))
    assert [live.id for live in either.read_now(ledger.live)] == [f"{3:032x}"]


def test_resolving_what_is_over_changes_nothing(database: Database) -> None:
    put(database, opening(1), resolving(1, NOW_S + 10), resolving(1, NOW_S + 50))
    assert one(database, 1)[1] == ["opened rule", "resolved rule"]


def test_values_of_those_that_stay_open(either: Database) -> None:
    put(either, opening(1), opening(2))
    either.write_now(lambda session: ledger.stand(session, [Standing(f"{1:032x}", 99.0, 70.0)]))
    assert (one(either, 1)[0].peak_value, one(either, 1)[0].last_value) == (99.0, 70.0)
    assert one(either, 2)[0].peak_value == 90.0


def test_lists_are_the_newest_first_and_filtered(either: Database) -> None:
    put(either, *(opening(n, at_s=NOW_S + n // 2) for n in range(1, 6)), resolving(5, NOW_S + 9))

    def listed(wanted: Filter, before: tuple[int, str] | None = None, count: int = 10) -> list[int]:
        found = either.read_now(lambda session: ledger.listed(session, wanted, before, count))
        return [int(incident.id, 16) for incident in found]

    assert listed(Filter()) == [5, 4, 3, 2, 1]
    assert listed(Filter(), ((NOW_S + 1) * SECOND_NS, f"{3:032x}"), 2) == [2, 1]
    assert listed(Filter(live=True)) == [4, 3, 2, 1]
    assert listed(Filter(status=Status.RESOLVED)) == [5]
    assert listed(Filter(label=("host", "h2"))) == [2]
    assert listed(Filter(rule="other")) == []
    assert listed(Filter(from_ns=(NOW_S + 2) * SECOND_NS)) == [5, 4]
    assert either.read_now(ledger.counted) == {"warning": 4}


def test_when_incidents_of_a_subject_ended(database: Database) -> None:
    put(database, opening(1, host="a"), resolving(1, NOW_S + 10))
    put(database, opening(2, host="a"), resolving(2, NOW_S + 30), opening(3, host="b"))
    assert database.read_now(lambda session: ledger.ended(session, NOW_S * SECOND_NS)) == {("R", "host=a"): NOW_S + 30}
    assert database.read_now(lambda session: ledger.ended(session, (NOW_S + 31) * SECOND_NS)) == {}


def test_noise_tells_what_fires_and_nobody_needs(database: Database) -> None:
    for n in range(4):
        at_s = NOW_S + 4_000 * n
        put(database, opening(n, "Ignored", at_s=at_s, host="a"), resolving(n, at_s + 100))
    for n in range(4, 8):
        at_s = NOW_S + 200 * n
        put(database, opening(n, "Flaps", at_s=at_s, host="a"), resolving(n, at_s + 100))
    put(database, opening(9, "Useful"))
    database.write_now(lambda s: ledger.acknowledge(s, (NOW_S + 30) * SECOND_NS, "ada", f"{9:032x}", ""))
    names = ["Ignored", "Flaps", "Useful", "Never"]
    span = (NOW_S * SECOND_NS, (NOW_S + 86_400) * SECOND_NS)
    found = {one.rule: one for one in database.read_now(lambda session: noise(session, names, *span))}
    assert {name: one.verdict for name, one in found.items()} == {
        "Ignored": Verdict.IGNORED,
        "Flaps": Verdict.FLAPS,
        "Useful": Verdict.FINE,
        "Never": Verdict.SILENT,
    }
    assert (found["Ignored"].open_s, found["Ignored"].detect_s, found["Ignored"].resolve_s) == (400, 20, 100)
    assert found["Useful"].acknowledge_s == 30
    assert found["Flaps"].flapped == 3


async def test_one_holds_a_lease_until_it_shows_no_sign_of_life(either: Database) -> None:
    clock = ManualClock(NOW_S * SECOND_NS)
    a, b = (Lease(either, "judge", name, clock) for name in ("a", "b"))
    assert await a.hold()
    for _ in range(10):
        clock.advance(4)
        assert await a.hold()
        assert not await b.hold()
    for _ in range(4):  # a is gone
        assert not await b.hold()
        clock.advance(4)
    assert await b.hold()
    with pytest.raises(LeaseLost):
        either.write_now(a.check)
    either.write_now(b.check)
    clock.advance(6)
    assert not await a.hold()


async def test_a_node_that_comes_back_goes_on_at_once_and_one_that_ends_lets_go(database: Database) -> None:
    clock = ManualClock(NOW_S * SECOND_NS)
    assert await Lease(database, "judge", "a", clock).hold()
    again = Lease(database, "judge", "a", clock)
    assert await again.hold()
    await again.release()
    assert await Lease(database, "judge", "b", clock).hold()


async def test_jobs_have_leases_of_their_own(database: Database) -> None:
    clock = ManualClock(NOW_S * SECOND_NS)
    assert await Lease(database, "judge", "a", clock).hold()
    assert await Lease(database, "settle", "b", clock).hold()


def test_what_changed_in_the_same_minutes_is_told_with_an_incident(database: Database) -> None:
    at_ns = NOW_S * SECOND_NS
    with_source = opening(9, "Documents changed", source="helpdesk")
    with_source = dataclasses.replace(with_source, snapshot={"name": "Documents changed", "field": "payload.drift"})

    def write(session: Session) -> None:
        for source, ago_s in (("helpdesk", 7_200), ("slack", 300), ("telegram", 90_000)):
            session.add(drift(source, at_ns - ago_s * SECOND_NS))
        ledger.open_(session, opening(1, "CPU", bot="triage"))
        ledger.open_(session, with_source)

    database.write_now(write)
    found, _ = database.read_now(lambda session: ledger.one(session, f"{9:032x}"))
    assert found.summary == "helpdesk: `category` is gone"
    assert found.began_ns == at_ns - 7_200 * SECOND_NS
    assert [(one.get("about"), one.get("sure")) for one in found.evidence["related"]] == [
        (True, None), (None, "possible"), (None, "possible"),
    ]  # fmt: skip
    assert [one["text"] for one in found.evidence["related"]] == [
        "helpdesk: `category` is gone",
        "CPU triage",
        "slack: `category` is gone",
    ]
    other, _ = database.read_now(lambda session: ledger.one(session, f"{1:032x}"))
    assert other.summary == "it is too much"
    assert [one["text"] for one in other.evidence["related"]] == ["slack: `category` is gone"]


def test_what_began_in_the_same_minutes_is_told_as_one_and_counted(database: Database) -> None:
    at_ns = NOW_S * SECOND_NS
    opened = dataclasses.replace(
        opening(9, "Documents changed", source="helpdesk"),
        snapshot={"name": "Documents changed", "field": "payload.drift"},
    )

    def write(session: Session) -> None:
        for ago_s, sentence in ((600, "`campaign` has come"), (580, "`split` has come"), (7_200, "`text` is gone")):
            row = drift("helpdesk", at_ns - ago_s * SECOND_NS)
            row.sentence = sentence
            session.add(row)
        ledger.open_(session, opened)

    database.write_now(write)
    found, _ = database.read_now(lambda session: ledger.one(session, f"{9:032x}"))
    first = "helpdesk: `campaign` has come; 1 other change began with it"
    assert found.summary == f"{first}; helpdesk: `text` is gone"
    assert [one["text"] for one in found.evidence["related"]] == [first, "helpdesk: `text` is gone"]


def test_a_deploy_of_the_bot_that_sends_changed_documents_is_their_suspected_cause(database: Database) -> None:
    at_ns = NOW_S * SECOND_NS
    began_ns = at_ns - 900 * SECOND_NS
    deploy = Change(
        Kind.DEPLOY, began_ns - 60 * SECOND_NS, "triage 2 was first seen instead of 1", "triage", places(bot="triage")
    )
    opened = dataclasses.replace(
        opening(9, "Documents changed", source="helpdesk"),
        snapshot={"name": "Documents changed", "field": "payload.drift"},
        found=Found((deploy,)),
    )

    def write(session: Session) -> None:
        row = drift("helpdesk", began_ns)
        row.evidence = {"bots": ["triage"]}
        session.add(row)
        ledger.open_(session, opened)

    database.write_now(write)
    found, _ = database.read_now(lambda session: ledger.one(session, f"{9:032x}"))
    assert found.evidence["cause"] == "triage 2 was first seen instead of 1 1m before (likely)"
    assert [(one["what"], one.get("sure")) for one in found.evidence["related"]] == [
        ("document", None), ("deploy", "likely"),
    ]  # fmt: skip


def drift(source: str, began_ns: int) -> DriftRow:
    share = {"before_count": 9.0, "before_of": 9.0, "now_count": 1.0, "now_of": 9.0, "surprise": 50.0}
    return DriftRow(
        source=source, variant="", path="category", stat="present", value="", what="rarer", moved_to="", **share,
        sentence="`category` is gone", began_ns=began_ns, found_ns=began_ns, last_ns=began_ns, evidence={},
    )  # fmt: skip


def test_times_nobody_watched_are_kept_to_their_bound(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNWATCHED_KEPT_MAX", 3)
    for n in range(5):
        gap = Gap(NOW_S + 100 * n, NOW_S + 100 * n + 30, Why.REWOUND if n == 4 else Why.AWAY)
        database.write_now(lambda session, gap=gap: gaps.write(session, gap))  # type: ignore[misc]
    kept = database.read_now(gaps.read)
    assert [(gap.start_s - NOW_S, gap.why) for gap in kept] == [(200, "away"), (300, "away"), (400, "rewound")]


def test_a_gap_marks_the_ticks_it_touches() -> None:
    gap = Gap(NOW_S + 20, NOW_S + 40)
    assert gaps.missed([gap], NOW_S, NOW_S + 60).tolist() == [False, False, True, True, False, False]
    assert not gaps.missed([gap], NOW_S + 40, NOW_S + 60).any()
