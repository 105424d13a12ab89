"""Ticks of many rules from a real store, by few questions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from botwatch import limits
from botwatch.detect.ticks import Need
from botwatch.errors import CannotJudge
from botwatch.incident.asking import asks, late_ticks, measure_of
from botwatch.incident.desk import Desk
from botwatch.measure.reader import Framed, Measures
from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from tests.measure.facts import T0, Facts, measures_of, where

END_S = T0 + 600


@pytest.fixture(scope="module")
def filled(_engine: Store, engine_path: Path) -> Iterator[Facts]:
    """A store that tests read; whoever writes uses a bot of its own."""
    store = Store.open("", data=engine_path, database="judged")
    store.create()
    migrate(store)
    facts = Facts(store, measures_of(store))
    facts.spans(
        *(
            {"at": T0 + tick * 10 + 1, "ms": 10 + tick, "bot": bot, "host": host, "action": "work"}
            for bot, host in (("shop", "a"), ("shop", "b"), ("help", "a"))
            for tick in range(0, 60, 2 if bot == "help" else 1)
        )
    )
    facts.points(
        *(
            {"metric": "app.load", "at": T0 + t * 10 + 2, "value": float(t), "bot": "shop", "host": "a"}
            for t in range(60)
        ),
        *(
            {"metric": "app.heat", "at": T0 + t * 10 + 3, "value": 100.0 + t, "bot": "shop", "host": host}
            for t in range(0, 60, 3)
            for host in ("a", "b")
        ),
    )
    yield facts
    store.close()
    _engine.command("DROP DATABASE judged")


def desk_of(store: Store, measures: Measures) -> Desk:
    return Desk(measures, lambda: store.fetch("SELECT 1"))


def known(desk: Desk, need: Need) -> dict[tuple[str, ...], list[float | None]]:
    ticks = desk.ticks(need)
    return {
        subject: [None if math.isnan(value) else value for value in row]
        for subject, row in zip(ticks.subjects, ticks.values, strict=True)
    }


async def test_ticks_are_those_of_the_measure(filled: Facts) -> None:
    desk = desk_of(filled.store, filled.measures)
    counts, load = Need("action.count", ("bot",)), Need("metric:app.load", ("host",))
    desk.plan({counts: 30, load: 12}, END_S, 0)
    await desk.read(END_S)
    assert known(desk, counts) == {("help",): [1.0, None] * 15, ("shop",): [2.0] * 30}
    assert known(desk, load)[("a",)] == [float(t) for t in range(48, 60)]


async def test_what_comes_later_moves_in_and_what_comes_late_corrects(filled: Facts) -> None:
    desk = desk_of(filled.store, filled.measures)
    need = Need("action.count", ("bot",), where(bot="late"))
    span = {"ms": 5, "bot": "late", "host": "z", "action": "work"}
    filled.spans(*({"at": END_S - 10 * tick + 1, **span} for tick in range(1, 8)))
    desk.plan({need: 6}, END_S, 0)
    await desk.read(END_S)
    filled.spans({"at": END_S + 1, **span}, {"at": END_S + 2, **span}, {"at": END_S - 19, **span})
    await desk.read(END_S + 10)
    assert known(desk, need) == {("late",): [1.0, 1.0, 1.0, 2.0, 1.0, 2.0]}


async def test_needs_of_single_bots_are_asked_together_with_the_same_answers(filled: Facts) -> None:
    needs = [Need("action.count", ("host",), where(bot=bot)) for bot in ("shop", "help", "nobody")]
    assert len(asks(needs)) == 1
    together, alone = desk_of(filled.store, filled.measures), desk_of(filled.store, filled.measures)
    together.plan(dict.fromkeys(needs, 30), END_S, 0)
    await together.read(END_S)
    for need in needs:
        alone.plan({need: 30}, END_S, 0)
        await alone.read(END_S)
        assert known(together, need) == known(alone, need)
    assert known(together, needs[0]).keys() == {("a",), ("b",)}


async def test_a_thousand_rules_take_a_handful_of_statements(filled: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(filled.store, filled.measures)
    names = (
        "action.count",
        "action.errors",
        "action.error_rate",
        "action.latency",
        "action.latency.p95",
        "errors.rate",
    )
    needs = {
        Need(name, (by,), where(bot=f"bot{n}")): 30 for name in names for by in ("host", "action") for n in range(80)
    }
    assert len(needs) > 900
    desk.plan(needs, END_S, 0)
    await desk.read(END_S)
    asked = statements(filled.store, monkeypatch)
    await desk.read(END_S + 10)
    assert len(asked) <= 6  # what is kept, and for each grouping the actions and who was seen


async def test_readings_of_several_metrics_are_read_together_with_the_same_answers(
    filled: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = [Need(f"metric:{name}", ("host",)) for name in ("app.load", "app.heat", "app.never")]
    together, alone = desk_of(filled.store, filled.measures), desk_of(filled.store, filled.measures)
    together.plan(dict.fromkeys(needs, 12), END_S, 0)
    await together.read(END_S)
    await together.read(END_S + 10)
    asked = statements(filled.store, monkeypatch)
    await together.read(END_S + 20)
    assert len([sql for sql in asked if "FROM ticks_10s" in sql]) == 1
    for need in needs:
        alone.plan({need: 12}, END_S + 20, 0)
        await alone.read(END_S + 20)
        assert known(together, need) == known(alone, need)
    assert known(together, needs[1])[("b",)][-6:] == [None, 157.0, None, None, None, None]


def statements(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store is asked from now on."""
    asked: list[str] = []
    read = store.read

    def counted(sql: str, params: Any = None) -> Any:
        asked.append(sql)
        return read(sql, params)

    monkeypatch.setattr(store, "read", counted)
    return asked


class Broken:
    """Measures of which some cannot be read."""

    def __init__(self, measures: Measures, refuse: str) -> None:
        self._measures = measures
        self.refuse = refuse

    async def frames(self, queries: Sequence[Any]) -> list[Framed]:
        found = await self._measures.frames(queries)
        return [
            CannotJudge("it is too much") if query.measure == self.refuse else answer
            for query, answer in zip(queries, found, strict=True)
        ]


async def test_a_series_that_cannot_be_read_is_tried_again_later(filled: Facts) -> None:
    broken = Broken(filled.measures, "action.latency")
    desk = Desk(broken, lambda: filled.store.fetch("SELECT 1"))
    good, bad = Need("action.count", ("bot",)), Need("action.latency", ("bot",))
    desk.plan({good: 6, bad: 6}, END_S, 0)
    await desk.read(END_S)
    assert known(desk, good)
    with pytest.raises(CannotJudge, match="too much"):
        desk.ticks(bad)
    broken.refuse = ""
    await desk.read(END_S + 10)
    with pytest.raises(CannotJudge):
        desk.ticks(bad)
    await desk.read(END_S + limits.JUDGE_RETRY_S + 10)
    assert desk.ticks(bad).end_s == END_S + limits.JUDGE_RETRY_S + 10


async def test_memory_is_bounded(filled: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JUDGED_CELLS_MAX", 1_000)
    desk = desk_of(filled.store, filled.measures)
    small, large = Need("action.count", ("bot",)), Need("action.latency", ("bot",))
    desk.plan({small: 6, large: 8_640}, END_S, 0)
    await desk.read(END_S)
    assert known(desk, small)
    with pytest.raises(CannotJudge, match="does not fit into memory"):
        desk.ticks(large)


async def test_subjects_are_bounded(filled: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RULE_SUBJECTS_MAX", 1)
    desk = desk_of(filled.store, filled.measures)
    need = Need("action.count", ("bot",))
    desk.plan({need: 6}, END_S, 0)
    await desk.read(END_S)
    assert len(known(desk, need)) == 1
    assert desk.crowded([Need("action.errors", ("bot",)), need]).startswith("by: more subjects of bot")
    monkeypatch.undo()
    other = desk_of(filled.store, filled.measures)
    other.plan({need: 6}, END_S, 0)
    await other.read(END_S)
    assert len(known(other, need)) > 1
    assert not other.crowded([need])


def test_turns_are_known_when_their_deadline_has_passed() -> None:
    assert late_ticks(measure_of(Need("turns.unanswered", ())), 60) > 6
    assert late_ticks(measure_of(Need("action.count", ())), 60) == limits.JUDGED_LATE_TICKS_MIN
    assert np.isfinite(late_ticks(None, 60))
