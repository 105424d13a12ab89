"""What is declared of a source is watched: its critical places in every document, its schema in what came."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from botwatch import limits
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.drift.critical import Critical
from botwatch.detect.drift.kinds import Kinds
from botwatch.detect.drift.shape import Seen, shape
from botwatch.detect.drift.source import Source
from botwatch.detect.rows_drift import DeclaredRow, DriftRow
from botwatch.errors import StoreAway
from botwatch.state import Database
from botwatch.store.client import Params, Rows, Store
from botwatch.watch.payloads import counting
from botwatch.watch.payloads.counting import Asked
from botwatch.watch.payloads.declared import Declared
from botwatch.watch.payloads.keeper import Keeper
from tests.detect.drift.tickets import HOUR_S, START_S, Document
from tests.watch.payloads.test_keeper import SOURCE, Listening, Spool, database, found, put

__all__ = ["database"]
DECLARED = Declared(SOURCE, "", ("order.total",), Kinds(("type",)))


def ticket(number: int, kind: str = "order") -> Document:
    body: Document = {"type": kind, "id": number}
    return body | ({"order": {"total": number}} if kind == "order" else {})


@pytest.fixture
def keepers(store: Store, database: Database) -> Iterator[list[Keeper]]:
    made: list[Keeper] = []
    yield made
    for keeper in made:
        keeper._holding.close()


def started(
    store: Store, database: Database, now_s: int, keepers: list[Keeper], declared: Declared
) -> tuple[Keeper, Listening, ManualClock]:
    clock, listening = ManualClock(now_s * SECOND_NS), Listening()
    keepers.append(Keeper(store, database, Spool(), listening, clock, declared=[declared]))
    keepers[-1].step()
    return keepers[-1], listening, clock


def told(database: Database) -> list[DriftRow]:
    return [row for row in found(database) if row.what.startswith("critical")]


@pytest.fixture
def thousands(store: Store) -> Store:
    """Six hours with 4,000 orders, of which nothing was missing, and notes, which never had any."""
    put(store, ((START_S + n * 5, ticket(n, "note" if n % 10 == 0 else "order")) for n in range(6 * HOUR_S // 5)))
    return store


def test_one_document_in_thousands_is_told_with_whom_it_touched_and_accepted_for_good(
    thousands: Store, database: Database, keepers: list[Keeper]
) -> None:
    now_s = START_S + 6 * HOUR_S
    keeper, listening, clock = started(thousands, database, now_s, keepers, DECLARED)
    assert told(database) == []
    put(thousands, ((now_s + 1 + n % 59, ticket(n)) for n in range(2_000)))
    put(thousands, [(now_s + 31, {"type": "order", "id": 7, "order": {"total": None}})])
    clock.advance(61)
    keeper.step()
    (row,) = told(database)
    assert (row.variant, row.path, row.what) == ("order", "order.total", "critical_null")
    assert row.sentence == "critical `order.total` is null in 1 of 2,109 documents, before in 0 of 3,240"
    assert row.began_ns == (now_s + 31) * SECOND_NS
    assert row.evidence["sessions"] == [f"s{now_s + 31}"]
    assert row.evidence["after"] == [{"type": "… 5 characters", "id": 0, "order": {"total": None}}]
    assert row.evidence["before"][0]["order"] == {"total": 0}
    counted = {
        (reading.name, reading.attributes.get("bot.payload.misfit")): reading.value for reading in listening.readings
    }
    assert counted["bot.payload.critical_failures", "null"] == 1
    assert counted["bot.payload.critical_checked", None] == 2_001

    def accept(session: sa.orm.Session) -> None:
        for drift in session.scalars(sa.select(DriftRow)):
            drift.accepted_ns = drift.ended_ns = clock.now_ns()

    database.write_now(accept)
    again, _, later = started(thousands, database, now_s + 120, keepers, DECLARED)
    put(thousands, ((now_s + 121, ticket(n)) for n in range(1_000)))
    put(thousands, [(now_s + 122, {"type": "order", "id": 7, "order": {"total": None}})])
    later.advance(70)
    again.step()
    assert len(told(database)) == 1


def test_nothing_is_counted_twice_over_a_restart_and_a_new_place_is_counted_from_its_past(
    thousands: Store, database: Database, keepers: list[Keeper]
) -> None:
    now_s = START_S + 6 * HOUR_S
    started(thousands, database, now_s, keepers, DECLARED)
    put(thousands, [(now_s + 1, ticket(1)), (now_s + 2, ticket(2))])
    more = dataclasses.replace(DECLARED, critical=("order.total", "id"))
    started(thousands, database, now_s + 100, keepers, more)
    rows = thousands.read(
        "SELECT path, variant, sum(arraySum(mapValues(states))) FROM criticals GROUP BY path, variant ORDER BY ALL"
    )
    assert [tuple(row) for row in rows] == [
        ("id", "note", 432),
        ("id", "order", 3_890),
        ("order.total", "note", 432),
        ("order.total", "order", 3_890),
    ]


def test_a_source_that_fails_by_itself_is_told_and_the_others_go_on(
    store: Store,
    database: Database,
    keepers: list[Keeper],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keeper, _, clock = started(store, database, START_S, keepers, Declared("last", "", (), None))
    observe, failing = Source.observe, "first"

    def fails(source: Source, at_s: int, document: Sequence[Seen]) -> None:
        if source.name == failing:
            raise ValueError("nobody thought of it")
        observe(source, at_s, document)

    monkeypatch.setattr(Source, "observe", fails)
    for at_s in (1, 21, 41):
        for name in ("first", "last"):
            put(store, [(START_S + at_s, {"id": at_s})], source=name)
        clock.advance(20)
        keeper.step()
        failing = "" if at_s == 21 else failing
    assert {name: len(source.waiting) for name, source in keeper._sources.items()} == {"first": 3, "last": 3}
    assert "nobody thought of it" in caplog.text


def test_critical_places_whose_count_was_stored_and_not_answered_are_counted_once(
    store: Store, database: Database, keepers: list[Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, listening, clock = started(store, database, START_S, keepers, DECLARED)
    put(store, [(START_S + 1, ticket(1))])
    clock.advance(61)
    keeper.step()
    insert, lost = store.insert, ["criticals"]

    def loses(table: str, data: bytes | Sequence[bytes], *, fmt: str, settings: Mapping[str, str]) -> None:
        insert(table, data, fmt=fmt, settings=settings)
        if table in lost:
            lost.remove(table)
            raise StoreAway("the answer was lost")

    monkeypatch.setattr(store, "insert", loses)
    put(store, [(START_S + 62, ticket(2))])
    clock.advance(61)
    with pytest.raises(StoreAway):
        keeper.step()
    put(store, [(START_S + 123, ticket(3))])
    for _ in range(2):
        clock.advance(61)
        keeper.step()
    assert store.read("SELECT sum(arraySum(mapValues(states))) FROM criticals").first == (3,)
    assert [one.value for one in listening.readings if one.name == "bot.payload.critical_checked"][
        -1
    ] == 2  # since it began


def test_the_engine_says_of_each_document_what_is_wrong_with_a_place(store: Store) -> None:
    cases = {
        '{"a":{"b":[{"c":"x"},{"c":"y"}]}}': "string",
        '{"a":{"b":[{"c":1},{"d":2}]}}': "missing",
        '{"a":{"b":[{"c":1},{"c":null}]}}': "null",
        '{"a":{"b":[{"c":" \\n"}]}}': "empty",
        '{"a":{"b":[{"c":{}}]}}': "empty",
        '{"a":{"b":[{"c":{"d":1}}]}}': "object",
        '{"a":{"b":[{"c":[0]}]}}': "array",
        '{"a":{"b":[{"c":false}]}}': "bool",
        '{"a":{"b":[{"c":1.5e3}]}}': "number",
        '{"a":{"b":[]}}': None,
        '{"a":5}': None,
        '{"a":{"b":[{"c":"\\ud800"}]}}': None,
    }
    put(store, ((START_S + 300 * n, text) for n, text in enumerate(cases)))
    asked = Asked(SOURCE, ("a.b[].c",), Kinds())
    rows = counting.count(store, asked, 0, (START_S + HOUR_S * 24) * 1_000)
    seen = {(tick_s - START_S) // 300: list(states) for tick_s, _, states in rows}
    assert seen == {n: [state] for n, state in enumerate(cases.values()) if state}


def test_the_engine_tells_kinds_apart_as_drift_does(store: Store) -> None:
    cases: list[tuple[Kinds, Document]] = [
        (Kinds(("type", "event.kind")), {"type": "a", "event": {"kind": 7}}),
        (Kinds(("type",)), {"type": "x" * (limits.DRIFT_VALUE_CHARS_MAX + 1)}),
        (Kinds(("type",)), {"type": True}),
        (Kinds(("entry[].field",)), {"entry": [{"field": "messages"}]}),
        (Kinds((), ("edited", "message")), {"message": {}, "edited": {}}),
        (Kinds((), ("edited", "message")), {"other": {}}),
        (Kinds(), {"a": 1}),
    ]
    for number, (kinds, document) in enumerate(cases):
        at_s = START_S + 100 * number
        put(store, [(at_s, document | {"id": 1})])
        asked = Asked(SOURCE, ("id",), kinds)
        ((_, (variant, _), _),) = counting.count(store, asked, (at_s - 1) * 1_000, (at_s + 1) * 1_000)
        assert variant == kinds.of(shape(document | {"id": 1}))


def test_what_does_not_fit_is_counted_by_place_and_told_masked(
    store: Store, database: Database, keepers: list[Keeper], tmp_path: Path
) -> None:
    file = tmp_path / "ticket.json"
    file.write_text(json.dumps({"required": ["id"], "properties": {"id": {"type": "integer"}}}))
    declared = Declared(SOURCE, file, (), None)
    keeper, listening, clock = started(store, database, START_S, keepers, declared)
    put(store, [(START_S + 1, {"id": 1}), (START_S + 2, {"id": "Ann"}), (START_S + 3, {"name": "Bob"})])
    clock.advance(20)
    keeper.step()
    counted = {
        (reading.name, reading.attributes.get("bot.payload.path"), reading.attributes.get("bot.payload.misfit")): (
            reading.value
        )
        for reading in listening.readings
    }
    assert counted["bot.payload.checked", None, None] == 3
    assert counted["bot.payload.schema_failures", "id", "type"] == 1
    assert counted["bot.payload.schema_failures", "id", "required"] == 1
    events = [happening for happening in listening.happenings if happening.name == "bot.payload.invalid"]
    assert {event.attributes["bot.payload.document"] for event in events} == {
        '{"id":"… 3 characters"}',
        '{"name":"… 3 characters"}',
    }
    assert {event.attributes["session.id"] for event in events} == {f"s{START_S + 2}", f"s{START_S + 3}"}

    file.write_text('{"type": "strng"}')
    keeper.declare([declared])
    put(store, [(START_S + 21, {})])
    clock.advance(20)
    keeper.step()
    row = database.read_now(lambda session: session.get(DeclaredRow, SOURCE))
    assert row is not None
    assert f"{file}: expected a JSON Schema, found at type" in row.problem
    assert [r.value for r in listening.readings if r.name == "bot.payload.checked"][-1] == 4  # by the one from before


def test_a_store_that_fails_in_between_has_each_document_counted_and_checked_once(
    store: Store, database: Database, keepers: list[Keeper], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ticket.json"
    file.write_text("{}")
    keeper, listening, clock = started(store, database, START_S, keepers, Declared(SOURCE, file, (), None))
    read, failing = store.read, ""

    def fails(sql: str, params: Params | None = None) -> Rows:
        if failing and failing in f"{sql} {params}":
            raise StoreAway("away")
        return read(sql, params)

    def come(at_s: int, *sources: str) -> None:
        for source in sources:
            put(store, [(START_S + at_s, {"id": at_s})], source=source)
        clock.advance(20)
        if not failing:
            return keeper.step()
        with pytest.raises(StoreAway):
            keeper.step()

    monkeypatch.setattr(store, "read", fails)
    come(1, SOURCE)
    failing = "sum(length(document)) FROM payloads WHERE received"  # what came is about to be checked
    come(21, SOURCE)
    failing = "'another'"  # another source is about to be taken up
    come(41, SOURCE, "another", "third")
    failing = ""
    come(61, SOURCE)
    assert {name: len(source.waiting) for name, source in keeper._sources.items()} == {
        SOURCE: 4,
        "another": 1,
        "third": 1,
    }
    assert [one.value for one in listening.readings if one.name == "bot.payload.checked"][-1] == 4


def test_long_documents_are_looked_at_and_hostile_ones_leave_the_others_alone(
    store: Store, database: Database, keepers: list[Keeper]
) -> None:
    keeper, listening, clock = started(store, database, START_S, keepers, DECLARED)
    long = {"type": "long", "rows": [{"id": n, "text": "x" * 300} for n in range(1_200)]}
    wide = {"type": "wide", "rows": {f"k{n}": {f"v{m}": 1 for m in range(20)} for n in range(150)}}
    deep = '{"type":"deep","a":' + '{"a":' * 900 + "1" + "}" * 901
    many = {"type": "many", **{"a" * (n % 60 + 1) + "b" * (n // 60): n for n in range(60_000)}}
    odd = ['{"type":"odd","n":' + "9" * 5_000 + "}", '{"type":"odd","s":"\\ud800"}', '{"type":"odd","type":"odd"}']
    put(store, [(START_S + 1, ticket(0))])
    clock.advance(2)
    keeper.step()
    put(store, [(START_S + 3, long), (START_S + 3, wide), (START_S + 3, deep), (START_S + 3, many)])
    put(store, [(START_S + 3, text) for text in odd] + [(START_S + 4, ticket(n)) for n in range(49)])
    clock.advance(61)
    keeper.step()
    (_, profiles), *_ = keeper._sources[SOURCE].kept_since(0)
    assert profiles["order"].places["order.total"].present == 50
    assert profiles["long"].places["rows[].text"].present == limits.DRIFT_ELEMENTS_PER_ARRAY_MAX
    assert profiles["odd"].documents == 3
    assert len(profiles["-"].places) <= 3  # of so many keys none is a name, not even that of its kind
    assert "" not in profiles["wide"].places
    assert [reading.value for reading in listening.readings if reading.name == "bot.payload.partly"][-1] == 1
    clock.advance(300)
    keeper.step()  # what was seen can be kept


def test_no_place_is_learned_before_its_past_was_judged() -> None:
    """A restart goes through what was kept as it went on: an hour in which it drifted stays news."""
    critical = Critical()
    well = [(START_S + hour * HOUR_S, ("x", "p"), {"string": 400}) for hour in range(40)]
    ill = [(START_S + hour * HOUR_S, ("x", "p"), {"missing": 4}) for hour in range(34, 40)]
    critical.take([*well, *ill])
    assert [drift.change.before_count / drift.change.before_of for drift in critical.judge(START_S + 40 * HOUR_S)] == [
        1
    ]
