"""The same answer from 10-second, 5-minute and hourly ticks, and from any mixture of them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

import pytest

from botwatch.measure.query import Query
from botwatch.measure.reader import Measures
from botwatch.measure.window import Kept
from botwatch.settings import Settings
from tests.measure.facts import T0, Facts, cumulated, where

HOUR_S = 3_600
DAYS_S = 30 * 86_400
MEASURES = (
    *(
        "action.count",
        "action.errors",
        "action.success_rate",
        "action.latency",
        "action.latency.p50",
        "action.latency.p99",
    ),
    *("messages.in", "bot.seen", "metric:load", "metric:load/max", "metric:load/last", "metric:load/sum"),
    *("metric:jobs", "metric:mails", "metric:wait", "metric:wait/count"),
)


@pytest.fixture(scope="module", autouse=True)
def _lived(facts: Facts) -> None:
    """Four hours of two hosts, with a night in the middle."""
    chance = random.Random(11)
    moments = [T0 + 10 * i + chance.random() * 10 for i in range(1_440) if not 500 < i < 700]
    for host in "ab":
        facts.spans(
            *(
                {"at": at, "ms": chance.lognormvariate(4, 1), "host": host, "action": chance.choice("xyz")}
                | ({"status": "error", "failure": "error"} if chance.random() < 0.1 else {})
                for at in moments
                if chance.random() < 0.6
            )
        )
        facts.messages(*({"at": at, "host": host, "session_id": "s"} for at in moments if chance.random() < 0.2))
        facts.points(*({"metric": "load", "at": at, "value": chance.random(), "host": host} for at in moments))
        steps = [chance.randrange(5) for _ in moments]
        jobs = cumulated(steps)
        half = len(jobs) // 2
        jobs[half:] = [value - jobs[half] for value in jobs[half:]]  # starts again during the night
        for metric, kind, values in (("jobs", "cumulative", jobs), ("mails", "delta", steps)):
            facts.points(
                *(
                    {"metric": metric, "kind": kind, "at": at, "value": value, "host": host}
                    for at, value in zip(moments, values, strict=True)
                )
            )
        waits: Sequence[float] = cumulated([chance.random() for _ in moments])
        facts.distributions(
            *(
                {"metric": "wait", "kind": "histogram_cumulative", "at": at, "count": i + 1, "sum": total, "host": host}
                for i, (at, total) in enumerate(zip(moments, waits, strict=True))
            )
        )


def only(facts: Facts, kept: Kept) -> Measures:
    """A reader that believes only those ticks to be kept."""
    measures = Measures(facts.store, Settings(time_zone="UTC"), _Still())
    measures._kept = kept
    measures._kept_until_s = float("inf")
    return measures


class _Still:
    def now_ns(self) -> int:
        return T0 * 10**9

    def monotonic_s(self) -> float:
        return 0.0


FINE, MIDDLE, COARSE = Kept(), Kept(ticks_10s_from_s=2**31), Kept(2**31, 2**31)


def question(measure: str, start_s: int, end_s: int, step_s: int | None, by: tuple[str, ...]) -> Query:
    name, _, aggregation = measure.partition("/")
    return Query(name, start_s, end_s, step_s, by, where(bot="shop"), aggregation)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("by", [(), ("host",)], ids=["all", "by host"])
async def test_every_resolution_gives_the_same_answer(
    facts: Facts, measure: str, by: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = (T0, T0 + 4 * HOUR_S)
    tables = []
    for kept in (MIDDLE, COARSE):
        asked = [question(measure, *window, step, by) for step in (None, HOUR_S)]
        tables.append(await only(facts, kept).many(asked))
    fine = only(facts, FINE)
    monkeypatch.setattr("botwatch.measure.window.TIERS", ((10, "ticks_10s"),))
    tables.append(await fine.many([question(measure, *window, step, by) for step in (None, HOUR_S)]))
    middle, coarse, finest = tables
    for answers in zip(middle, coarse, finest, strict=True):
        assert all(isinstance(answer, list) and answer for answer in answers)
        assert _numbers(answers[0]) == pytest.approx(_numbers(answers[2]), nan_ok=True)
        assert _numbers(answers[1]) == pytest.approx(_numbers(answers[2]), nan_ok=True)


async def test_a_window_that_fits_no_coarse_tick_is_exact(facts: Facts) -> None:
    asked = where(bot="shop")
    parts = [(T0 + 10, T0 + 2_570), (T0 + 2_570, T0 + 9_990), (T0 + 9_990, T0 + 4 * HOUR_S)]
    for measure in ("action.count", "metric:jobs", "metric:mails", "messages.in"):
        whole = await facts.one(measure, T0 + 10, T0 + 4 * HOUR_S, where=asked)
        found = [await facts.one(measure, *part, where=asked) for part in parts]
        assert whole == pytest.approx(sum(value or 0 for value in found)), measure


async def test_a_day_is_the_day_of_the_time_zone(facts: Facts) -> None:
    """In Kathmandu a day begins at 18:15 UTC."""
    at = T0 + DAYS_S
    facts.messages(
        *({"at": at + offset, "bot": "far", "session_id": "f"} for offset in (18 * HOUR_S + 899, 18 * HOUR_S + 900))
    )
    measures = Measures(facts.store, Settings(time_zone="Asia/Kathmandu"), _Still())
    (found,) = await measures.series(Query("messages.in", at, at + 86_400, 86_400, (), where(bot="far")))
    assert found.points == ((at - 20_700, 1), (at + 65_700, 1))


async def test_what_is_kept_is_looked_up_in_the_store(facts: Facts) -> None:
    """Finer ticks of a day that is gone are not missed: coarser ones answer."""
    at = T0 - 20 * 86_400
    facts.messages({"at": at + 5, "bot": "gone", "session_id": "g"})
    facts.store.command(f"ALTER TABLE ticks_10s DROP PARTITION '{_day(at)}'")
    measures = Measures(facts.store, Settings(time_zone="UTC"), _Still())
    (found,) = await measures.series(Query("messages.in", at, at + 600, 10, (), where(bot="gone")))
    assert found.step_s == 300
    assert found.points == ((at, 1), (at + 300, None))
    (value,) = await measures.value(Query("messages.in", at, at + 10, None, (), where(bot="gone")))
    assert value.value == 1


def _day(at_s: int) -> str:
    return dt.datetime.fromtimestamp(at_s, dt.UTC).date().isoformat()


def _numbers(answer: object) -> list[float]:
    assert isinstance(answer, list)
    return [float("nan") if value is None else value for series in answer for _, value in series.points]
