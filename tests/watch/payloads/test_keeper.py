"""Documents in a real store are followed: by day, over a restart, and through a history nobody watched."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.drift.kinds import ONLY
from botwatch.detect.drift.profile import Share, Stat
from botwatch.detect.rows_drift import DeclaredRow, DriftRow, SourceRow
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from botwatch.store.client import Store
from botwatch.watch.payloads import given, profiles, reading
from botwatch.watch.payloads.declared import Declared
from botwatch.watch.payloads.keeper import DRIFTING, Keeper
from botwatch.watch.reading import Attributes, Happening, Reading
from tests.detect.drift.tickets import HOUR_S, START_S, Document, moved, stream

SOURCE = "tickets"
DAYS_S = 30 * HOUR_S
PER_HOUR = 60


class Spool:
    """Everything that came is stored at once."""

    def stored_through_ns(self, now_ns: int) -> int:
        return now_ns


class Listening:
    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.happenings: list[Happening] = []

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        self.readings += readings
        self.happenings += happenings


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(Settings(data=tmp_path))
    yield database
    database.close()


def put(
    store: Store,
    documents: Iterable[tuple[int, Document | str]],
    received_s: int | None = None,
    source: str = SOURCE,
) -> None:
    lines = []
    for at_s, document in documents:
        text = document if isinstance(document, str) else orjson.dumps(document).decode()
        row = {"source": source, "bot": "triage", "session_id": f"s{at_s}", "document": text}
        lines.append(orjson.dumps(row | {"at": float(at_s), "received": float(received_s or at_s)}))
    store.insert("payloads", b"\n".join(lines), fmt="JSONEachRow", settings={})


def found(database: Database) -> list[DriftRow]:
    with database.engine.connect() as connection:
        return list(connection.execute(sa.select(DriftRow.__table__).order_by(DriftRow.__table__.c.id)).all())  # type: ignore[arg-type]


def followed(store: Store, database: Database, now_s: int) -> tuple[Keeper, Listening, ManualClock]:
    clock, listening = ManualClock(now_s * SECOND_NS), Listening()
    keeper = Keeper(store, database, Spool(), listening, clock)
    keeper.step()
    return keeper, listening, clock


@pytest.fixture
def history(store: Store) -> Store:
    put(store, stream(random.Random(1), START_S, START_S + DAYS_S, PER_HOUR))
    return store


def live(
    keeper: Keeper, clock: ManualClock, store: Store, documents: Iterable[tuple[int, Document]], step_s: int
) -> None:
    """Documents come as time goes by."""
    waiting: list[tuple[int, Document]] = []
    for at_s, document in documents:
        while at_s * SECOND_NS >= clock.now_ns() + step_s * SECOND_NS:
            clock.advance(step_s)
            if waiting:
                put(store, waiting)
            waiting = []
            keeper.step()
        waiting.append((at_s, document))


def test_a_change_of_today_is_told_with_its_story(history: Store, database: Database) -> None:
    now_s = START_S + DAYS_S
    keeper, listening, clock = followed(history, database, now_s)
    assert found(database) == []
    changed = ((at_s, moved(document)) for at_s, document in stream(random.Random(2), now_s, now_s + HOUR_S, PER_HOUR))
    live(keeper, clock, history, changed, 120)
    first = found(database)[0]
    assert (first.path, first.moved_to, first.source) == ("category", "details.topic", SOURCE)
    assert now_s * SECOND_NS <= first.began_ns < first.found_ns
    assert first.evidence["sessions"]
    assert first.evidence["bots"] == ["triage"]
    assert first.evidence["after"][0]["details"]["topic"] != "billing"  # never seen before: not one of a few
    assert first.evidence["before"][0]["category"] in {"billing", "delivery", "technical", "other"}
    assert "characters" in first.evidence["before"][0]["text"]
    assert [reading for reading in listening.readings if reading.name == DRIFTING][-1].value >= 1
    assert first.evidence["looked_ns"] > first.found_ns  # it was looked at again while it was young
    assert len(first.evidence["sessions"]) > 1
    assert "details.topic" in listening.happenings[0].body


def test_a_source_of_which_documents_come_is_judged_with_every_step(history: Store, database: Database) -> None:
    now_s = START_S + DAYS_S
    keeper, listening, clock = followed(history, database, now_s)
    judged = [len(listening.readings)]
    for came in (True, True, False, False, False):
        if came:
            put(
                history,
                stream(random.Random(4), clock.now_ns() // SECOND_NS + 1, clock.now_ns() // SECOND_NS + 19, 900),
            )
        clock.advance(20)
        keeper.step()
        judged.append(len(listening.readings))
    assert judged[0] < judged[1] < judged[2] == judged[3] == judged[4] < judged[5]


def test_a_restart_goes_on_where_it_was(history: Store, database: Database) -> None:
    now_s = START_S + DAYS_S
    keeper, _, clock = followed(history, database, now_s)
    changed = [(at_s, moved(document)) for at_s, document in stream(random.Random(2), now_s, now_s + HOUR_S, PER_HOUR)]
    live(keeper, clock, history, changed, 300)
    before = found(database)
    assert before
    assert profiles.load(history, SOURCE, 0)
    _, _, _ = followed(history, database, now_s + HOUR_S + 60)
    after = found(database)
    assert [row.id for row in after if row.ended_ns is None] == [row.id for row in before if row.ended_ns is None]


def test_what_goes_wrong_for_a_day_is_not_learned_by_a_restart(history: Store, database: Database) -> None:
    now_s = START_S + DAYS_S
    keeper, _, clock = followed(history, database, now_s)
    documents = stream(random.Random(2), now_s, now_s + DAYS_S, PER_HOUR)
    live(keeper, clock, history, ((at_s, moved(document)) for at_s, document in documents), 3 * HOUR_S)
    before = {row.id for row in found(database) if row.ended_ns is None}
    assert before
    later, _, _ = followed(history, database, now_s + DAYS_S + 60)
    assert {row.id for row in found(database) if row.ended_ns is None} == before
    learned = later._sources[SOURCE].pasts[ONLY].courses["category"][Share("category", Stat.PRESENT)]
    assert learned.share > 0.999


def test_a_history_that_nobody_watched_is_gone_through(store: Store, database: Database) -> None:
    changed_s = START_S + 40 * HOUR_S
    documents = stream(random.Random(3), START_S, START_S + 60 * HOUR_S, PER_HOUR)
    put(store, ((at_s, moved(document) if at_s >= changed_s else document) for at_s, document in documents))
    followed(store, database, START_S + 61 * HOUR_S)
    first = found(database)[0]
    assert (first.path, first.moved_to) == ("category", "details.topic")
    assert 0 <= first.began_ns / SECOND_NS - changed_s < HOUR_S


def test_what_was_accepted_stays_accepted_over_a_restart(history: Store, database: Database) -> None:
    now_s = START_S + DAYS_S
    keeper, _, clock = followed(history, database, now_s)
    changed = [
        (at_s, moved(document)) for at_s, document in stream(random.Random(2), now_s, now_s + 3 * HOUR_S, PER_HOUR)
    ]
    live(keeper, clock, history, [item for item in changed if item[0] < now_s + HOUR_S], 300)

    def accept(session: sa.orm.Session) -> None:
        for row in session.scalars(sa.select(DriftRow)):
            row.accepted_ns = row.ended_ns = clock.now_ns()

    database.write_now(accept)
    count = len(found(database))
    later, _, later_clock = followed(history, database, now_s + HOUR_S + 60)
    live(later, later_clock, history, [item for item in changed if item[0] >= now_s + HOUR_S + 60], 300)
    assert [row.path for row in found(database)[count:] if row.stat == "present"] == []


def test_parts_and_what_is_no_document_are_left_out(history: Store, database: Database) -> None:
    now_s = START_S + DAYS_S
    keeper, _, clock = followed(history, database, now_s)
    put(history, [(now_s + 1, text) for text in ("{", "[" * 5_000, '{"a": 1e999}', '{"a": "\\ud800"}', "9" * 400)])
    line = orjson.dumps(
        {"source": SOURCE, "document": '{"id": "1"}', "partial": True, "at": now_s + 1.0, "received": now_s + 1.0}
    )
    history.insert(
        "payloads", b"\n".join([line.replace(b'"1"', b'"%d"' % n) for n in range(200)]), fmt="JSONEachRow", settings={}
    )
    clock.advance(120)
    keeper.step()
    clock.advance(120)
    keeper.step()
    assert [row.path for row in found(database) if row.what != "appeared"] == []


def test_numbers_beyond_64_bits_and_half_surrogates_are_read() -> None:
    assert reading.content_of("[123456789012345678901234567890]") == [pytest.approx(1.2345678901234568e29)]
    assert reading.content_of('{"a": "\\ud800", "\\udfff": "x"}') == {"a": "?", "?": "x"}  # and no text any more
    assert reading.content_of("[" + "9" * 5_000 + "]") == [float("inf")]
    with pytest.raises(reading.Unreadable):
        reading.content_of("[" * 100_000)


def test_the_kinds_of_a_source_are_kept(history: Store, database: Database) -> None:
    followed(history, database, START_S + DAYS_S)
    row = database.read_now(lambda session: session.get(SourceRow, SOURCE))
    assert row is not None
    assert row.kinds == {"fields": [], "carried": [], "maps": []}


def test_a_source_that_appears_with_its_past_is_gone_through(store: Store, database: Database) -> None:
    """What is imported stands in the store all at once, and was received long before it could be read."""
    changed_s = START_S + 30 * HOUR_S
    end_s = changed_s + 8 * HOUR_S
    keeper, _, clock = followed(store, database, end_s)
    documents = stream(random.Random(3), START_S, end_s, PER_HOUR)
    put(store, ((at_s, moved(document) if at_s >= changed_s else document) for at_s, document in documents))
    put(store, [(end_s + 10, next(stream(random.Random(4), 0, 10**6, PER_HOUR))[1])])
    clock.advance(60)
    keeper.step()
    first = found(database)[0]
    assert (first.path, first.moved_to) == ("category", "details.topic")


def test_a_finding_names_conversations_that_documents_name_what_was_done_in_them_and_versions(
    store: Store, database: Database
) -> None:
    """Who posted them said of no conversation; which version took them was said."""
    now_s = START_S + DAYS_S
    lines = []
    for at_s, document in stream(random.Random(1), START_S, now_s + HOUR_S, PER_HOUR):
        new = at_s >= now_s and at_s % 2 == 0
        body = document | {"talk": {"id": at_s}}
        body.pop("category" if new else "", None)
        row = {
            "source": SOURCE,
            "bot": "triage",
            "document": orjson.dumps(body).decode(),
            "version": "2" if new else "1",
        }
        lines.append(orjson.dumps(row | {"at": float(at_s), "received": float(at_s)}))
    store.insert("payloads", b"\n".join(lines), fmt="JSONEachRow", settings={})
    spans = [
        {"bot": "triage", "start": float(at_s), "action": action, "session_id": str(at_s)}
        for at_s in range(now_s, now_s + HOUR_S)
        for action in ("assign_team", "")
    ]
    spans.append({"bot": "triage", "start": now_s + 1.0, "action": "of_others", "session_id": "other"})
    store.insert("spans", b"\n".join(map(orjson.dumps, spans)), fmt="JSONEachRow", settings={})
    declared = Declared(SOURCE, "", (), None, "talk.id")
    clock = ManualClock((now_s + HOUR_S) * SECOND_NS)
    Keeper(store, database, Spool(), Listening(), clock, declared=[declared]).step()
    evidence = next(row.evidence for row in found(database) if row.path == "category")
    assert evidence["sessions"]
    assert all(now_s <= int(session) < now_s + HOUR_S for session in evidence["sessions"])
    assert evidence["actions"] == ["assign_team"]
    showing, of = evidence["versions"]["2"]
    assert 0 < showing == of
    assert evidence["versions"]["1"][0] == 0


def test_what_is_declared_through_the_api_is_in_force_with_the_next_step(history: Store, database: Database) -> None:
    keeper, _, _ = followed(history, database, START_S + DAYS_S)
    asked = given.Given(critical=("text",), schema={"type": "object"})
    database.write_now(lambda session: given.put(session, 1, "ada", SOURCE, asked))
    keeper.step()
    row = database.read_now(lambda session: session.get(DeclaredRow, SOURCE))
    assert row is not None
    assert (row.origin, row.critical, row.problem) == ("api", ["text"], "")
    keeper.declare([Declared(SOURCE, "", ("id",), None)])
    keeper.step()
    row = database.read_now(lambda session: session.get(DeclaredRow, SOURCE))
    assert row is not None
    assert (row.origin, row.critical) == ("settings", ["id"])
    keeper._holding.close()
