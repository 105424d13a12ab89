"""The same data and an equivalent rule: Prometheus and we agree on what fires, and when.

Its rule engine is run over the very series by its own tool, on a clock of its own. A sample of Prometheus stands at the
beginning of our tick and is judged there; we judge when the tick is over, one tick later.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.rule import Rule
from botwatch.incident.backtest import Backtester
from botwatch.incident.recorded import Recorded, Series
from tests.real.parts import require_part
from tests.timeline.story import START_S

TICKS = 180
CALM = 30  # ticks at the beginning that breach nothing, so that every window is whole
HOSTS = ("a", "b", "c")


@dataclass(frozen=True)
class Pair:
    """`expr` looks back a little less than ours: its windows take in both of their ends. An average that is exactly
    the limit is left out: Prometheus computes it by and by and may miss it by a hair."""

    name: str
    ours: dict[str, Any]
    expr: str
    hold: str = "0s"


PAIRS = (
    Pair("average", {"field": "cpu.usage", "value": 59.3, "timeframe": "2m"}, "avg_over_time(cpu[115s]) >= 59.3"),
    Pair("lowest", {"field": "cpu.usage", "aggregation": "min", "value": 40, "timeframe": "40s"},
         "min_over_time(cpu[35s]) >= 40"),
    Pair("highest", {"field": "mem.free", "aggregation": "max", "operand": "equalOrLessThan", "value": 50,
                     "timeframe": "1m", "where": "host!=c"},
         'max_over_time(free{host!="c"}[55s]) <= 50'),
    Pair("for", {"field": "cpu.usage", "aggregation": "last", "value": 50, "timeframe": "10s", "for": "50s"},
         "last_over_time(cpu[5s]) >= 50", "50s"),
    Pair("errors", {"field": "errors.count", "aggregation": "sum", "value": 10, "timeframe": "1m"},
         "sum_over_time(errors[55s]) >= 10"),
    Pair("ratio", {"field": "action.errors", "per": "action.count", "aggregation": "sum", "value": 0.05,
                   "timeframe": "1m", "for": "2m"},
         "sum_over_time(failed[55s]) / sum_over_time(done[55s]) >= 0.05", "2m"),
)  # fmt: skip


def walk(chance: random.Random, low: float, high: float) -> list[float | None]:
    """Wanders, stays for a while, and now and then has no value."""
    found: list[float | None] = [low] * CALM
    value = low
    while len(found) < TICKS:
        value = min(high, max(low, value + chance.choice([-1, 0, 1]) * (high - low) / 4))
        found += [None if chance.random() < 0.05 else value] * chance.randint(1, 8)
    return found[:TICKS]


@pytest.fixture(scope="module")
def series() -> list[Series]:
    chance = random.Random(3)
    found = []
    for host in HOSTS:
        done = [float(chance.randint(20, 60)) for _ in range(TICKS)]
        failed = [float(chance.choice([0, 1, 2, 3, 5])) if tick > CALM else 0.0 for tick in range(TICKS)]
        found += [
            Series("cpu.usage", {"host": host}, walk(chance, 10, 90)),
            Series("mem.free", {"host": host}, [None if v is None else 100 - v for v in walk(chance, 10, 90)]),
            Series("errors.count", {"host": host}, walk(chance, 0, 4)),
            Series("action.count", {"host": host}, done),
            Series("action.errors", {"host": host}, failed),
        ]
    return found


async def ours(pair: Pair, series: Sequence[Series]) -> dict[int, set[str]]:
    """At which tick which hosts have an open incident."""
    rule = Rule.model_validate({"name": pair.name, "no_data": "ok", "by": "host", **pair.ours})
    end_s = START_S + TICKS * 10
    tester = Backtester(Recorded(START_S, list(series)), ManualClock(end_s * SECOND_NS))
    found = await tester.run(rule, {}, START_S, end_s)
    firing: dict[int, set[str]] = {tick: set() for tick in range(TICKS)}
    for would in found.incidents:
        last_s = would.resolved_s if would.resolved_s is not None else end_s + 10
        for at_s in range(would.opened_s, last_s, 10):
            firing[(at_s - START_S) // 10 - 1].add(would.labels["host"])
    return firing


METRICS = {
    "cpu.usage": "cpu",
    "mem.free": "free",
    "errors.count": "errors",
    "action.count": "done",
    "action.errors": "failed",
}


def its_file(folder: Path, series: Sequence[Series], firing: dict[str, dict[int, set[str]]]) -> Path:
    """Their rules, the series, and what we say fires at every tick."""
    rules = [{"alert": pair.name, "expr": pair.expr, "for": pair.hold} for pair in PAIRS]
    group = {"name": "ours", "interval": "10s", "rules": rules}
    (folder / "rules.yml").write_bytes(orjson.dumps({"groups": [group]}))
    given = [
        {
            "series": f'{METRICS[one.measure]}{{host="{one.labels["host"]}"}}',
            "values": " ".join("_" if value is None else f"{value:g}" for value in one.values),
        }
        for one in series
    ]
    asked = [
        {
            "eval_time": f"{tick * 10}s",
            "alertname": name,
            "exp_alerts": [{"exp_labels": {"host": host}} for host in sorted(hosts)],
        }
        for name, ticks in firing.items()
        for tick, hosts in ticks.items()
    ]
    file = folder / "tests.yml"
    test = {"interval": "10s", "input_series": given, "alert_rule_test": asked}
    file.write_bytes(orjson.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "10s", "tests": [test]}))
    return file


def run(promtool: Path, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [promtool, "test", "rules", file.name], cwd=file.parent, capture_output=True, text=True, check=False, timeout=99
    )


async def test_both_say_the_same_at_every_tick(series: list[Series], tmp_path: Path) -> None:
    promtool = require_part("promtool", "prometheus")
    firing = {pair.name: await ours(pair, series) for pair in PAIRS}
    for name, ticks in firing.items():
        moments = sum(bool(hosts) for hosts in ticks.values())
        assert 5 < moments < TICKS - CALM // 2, f"{name} fires at {moments} ticks: that would show nothing"
    told = run(promtool, its_file(tmp_path, series, firing))
    assert told.returncode == 0, told.stdout + told.stderr


async def test_its_tool_would_have_noticed(series: list[Series], tmp_path: Path) -> None:
    promtool = require_part("promtool", "prometheus")
    firing = await ours(PAIRS[0], series)
    tick = next(tick for tick, hosts in firing.items() if hosts)
    firing[tick] = set()
    assert run(promtool, its_file(tmp_path, series, {PAIRS[0].name: firing})).returncode != 0
