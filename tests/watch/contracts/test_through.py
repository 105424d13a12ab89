"""The whole way: log lines in, outcomes settled through the spool and the writer, measures and pages out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from botwatch.clock import ManualClock, SystemClock
from botwatch.measure.query import Query
from botwatch.measure.reader import Measures
from botwatch.nouns import Signal
from botwatch.settings import Settings
from botwatch.spool import Batch, Spool
from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from botwatch.store.writer import Writer
from botwatch.watch.contracts.settler import CURSOR_KEY, ContractSettler
from botwatch.watch.contracts.trial import tried
from tests.watch.contracts.promises import LATE_S, START_S, US, WAY, Happened, House, at_ns, contract_of, rule

SLA = {"when": "handoff", "then": "message human", "within": "5m"}
NAMES = ("contract.count", "contract.kept", "contract.breached", "contract.late", "contract.rate", "contract.time")


@pytest.fixture
def spool_path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def spool(spool_path: Path) -> Iterator[Spool]:
    spool = open_spool(spool_path)
    yield spool
    spool.close()


def open_spool(path: Path) -> Spool:
    return Spool.open(path, clock=SystemClock(), bytes_max=2**30, disk_free_bytes_min=0)


def write_all(store: Store, spool: Spool) -> None:
    writer = Writer(store, spool, SystemClock(), node="n", pause_s_min=0.01)
    writer.start()
    assert writer.stop(60), writer.health


def settler_of(house: House, spool: Spool) -> ContractSettler:
    return ContractSettler(house.store, spool, lambda: house.rules, ManualClock(0), WAY)


async def values(store: Store, tmp_path: Path) -> dict[str, float | None]:
    measures = Measures(store, Settings(data=tmp_path), ManualClock(at_ns(7_200)))
    found = await measures.many([Query(name, START_S - 600, START_S + 3_600, None, ("contract",)) for name in NAMES])
    told: dict[str, float | None] = {}
    for name, answer in zip(NAMES, found, strict=True):
        assert isinstance(answer, list)
        for one in answer:
            assert one.labels == {"contract": "sla"}
            told[name] = one.points[0][1]
    return told


async def test_counted_corrected_and_asked_for_as_measures(store: Store, spool: Spool, tmp_path: Path) -> None:
    house = House(store, rule("sla", **SLA))
    house.arrive(1, *(Happened(0, "bot.handoff", f"s{n}") for n in range(4)))
    house.arrive(90, Happened(90, "human", "s0"))
    await settler_of(house, spool).run_once(at_ns(310))
    write_all(store, spool)
    first = await values(store, tmp_path)
    assert (first["contract.kept"], first["contract.breached"], first["contract.rate"]) == (1, 3, 25)
    assert "contract.late" not in first
    house.arrive(320, Happened(30, "human", "s1"), Happened(320, "human", "s2"))
    assert (await settler_of(house, spool).run_once(at_ns(330))).corrected == 2
    write_all(store, spool)
    assert await values(store, tmp_path) == {
        "contract.count": 4,
        "contract.kept": 2,
        "contract.breached": 2,
        "contract.late": 1,
        "contract.rate": 50,
        "contract.time": pytest.approx((90 + 30 + 320) / 3 * 1_000),
    }
    assert spool.intake()[Signal.CONTRACTS].missing == 0


async def test_the_engine_had_it_when_the_process_ended_and_the_spool_did_not_know(
    store: Store, spool_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction is the worst case: taken back twice, the rollup would be below zero."""
    house = House(store, rule("sla", **SLA))
    house.arrive(1, Happened(0, "bot.handoff"))
    await house.settler.run_once(at_ns(310))
    house.shelf.deliver()
    house.arrive(320, Happened(30, "human"))
    spool = open_spool(spool_path)
    await settler_of(house, spool).run_once(at_ns(330))

    def killed(self: Spool, batch: Batch, **_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "done", killed)
        write_all(store, spool)
    assert spool.backlog().parcels == 1
    spool.close()
    spool = open_spool(spool_path)
    write_all(store, spool)
    assert house.ticks() == {("sla", "kept"): 1}
    assert (await settler_of(house, spool).run_once(at_ns(340))).corrected == 0
    assert spool.meta_get(CURSOR_KEY) is not None
    write_all(store, spool)
    assert house.ticks() == {("sla", "kept"): 1}
    spool.close()


async def test_what_turns_settled_counts_as_a_contract_and_is_corrected_with_them(store: Store) -> None:
    turn = {"bot": "b", "session_id": "s", "asked": f"{START_S}.000000", "settled": f"{START_S + 60}.000000"}
    house = House(store)
    house.put("inbox_turns", {**turn, "outcome": "unanswered", "sign": 1}, {**turn, "outcome": "failed", "sign": 1})
    assert house.ticks() == {("Messages get a reply", "breached"): 2}
    house.put("inbox_turns", {**turn, "outcome": "unanswered", "sign": -1}, {**turn, "outcome": "answered", "sign": 1})
    assert house.ticks() == {("Messages get a reply", "breached"): 1, ("Messages get a reply", "kept"): 1}


async def test_a_trial_over_history_says_what_the_job_would_have_settled(store: Store) -> None:
    house = House(store)
    day = 86_400
    for n in range(3):  # on three days
        house.arrive(
            n * day + 1_000,
            Happened(n * day, "bot.handoff", f"kept {n}"),
            Happened(n * day + 60, "human", f"kept {n}"),
            Happened(n * day, "bot.handoff", f"late {n}"),
            Happened(n * day + 900, "human", f"late {n}"),
            Happened(n * day, "bot.handoff", f"never {n}"),
        )
    house.arrive(2 * day + 1_000, Happened(2 * day + 950, "bot.handoff", "open"))
    start_us, now_us = START_S * US, (START_S + 2 * day + 1_000) * US
    found = await tried(store, WAY, "sla", contract_of(**SLA), start_us - 10, now_us, now_us)
    assert (found.kept, found.late, found.breached, found.open) == (3, 3, 3, 1)
    assert found.rate == pytest.approx(100 / 3)
    assert [one.session_id for one in found.examples[:2]] in (["late 2", "never 2"], ["never 2", "late 2"])
    assert {one.session_id for one in found.examples} == {f"{word} {n}" for n in range(3) for word in ("late", "never")}
    late = next(one for one in found.examples if one.session_id == "late 2")
    assert (late.due_us - late.at_us, late.followed_us) == (300 * US, (START_S + 2 * day + 900) * US)
    nothing = await tried(store, WAY, "sla", contract_of(**SLA), start_us - 10 * day * US, start_us - US, now_us)
    assert (nothing.rate, nothing.examples) == (None, ())
    assert LATE_S > 900


async def test_the_same_over_http_on_a_clickhouse_server(clickhouse_url: str, spool: Spool, tmp_path: Path) -> None:
    store = Store.open(f"{clickhouse_url}contracts", data=tmp_path)
    store.create()
    migrate(store)
    hours = {"days": "mon-fri", "from": "09:00", "to": "09:30", "zone": "UTC"}
    terms = [{"channel": "email", "within": "1h", "hours": hours}]
    house = House(store, rule("sla", **SLA, terms=terms))
    house.arrive(1, Happened(0, "bot.handoff", "s0"), Happened(0, "bot.handoff", "s1", channel="email"))
    await settler_of(house, spool).run_once(at_ns(310))
    write_all(store, spool)
    assert house.ticks() == {("sla", "breached"): 1}
    house.arrive(320, Happened(30, "human", "s0"))
    await settler_of(house, spool).run_once(at_ns(330))
    write_all(store, spool)
    assert house.ticks() == {("sla", "kept"): 1}
    store.close()
