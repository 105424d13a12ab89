"""Tests of rules, as people write them; and what they are told when something does not hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.problems import Misfits
from botwatch.incident.notation import values_of
from botwatch.incident.ruletests import moment_s, read, run_file

RULES = """
[{"name": "High CPU", "field": "cpu.usage", "value": 60, "timeframe": "2m", "cooldown": "1m"}]
"""
GOOD = """
rules: rules.json
tests:
- name: opens with the average of twelve ticks, and ends with it
  series:
  - {measure: cpu.usage, labels: {host: web-1}, values: 30x3m 90x3m 30x5m}
  - {measure: cpu.usage, labels: {host: web-2}, values: 30x11m}
  expect:
  - {at: 4m, opens: High CPU, subject: {host: web-1}, reason: breached}
  - {at: 7m10s, ends: High CPU, subject: {host: web-1}}
- name: stays quiet
  series:
  - {measure: cpu.usage, labels: {host: web-1}, values: 30x11m}
"""
TOML = """
[[rules]]
name = "Idle"
kind = "absence"
field = "events.in"
by = "bot"
timeframe = "1m"

[[tests]]
name = "a bot without events"

[[tests.series]]
measure = "events.in"
labels = { bot = "shop" }
values = "1x1m 0x2m"

[[tests.series]]
measure = "bot.seen"
labels = { bot = "shop", host = "a" }
values = "1x3m"

[[tests.expect]]
at = 120
opens = "Idle"
subject = { bot = "shop" }
reason = "no_events"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.json").write_text(RULES, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str, name: str = "tests.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


async def test_what_holds_passes(folder: Path) -> None:
    results = await run_file(written(folder, GOOD), DEFAULTS)
    assert [result.passed for result in results] == [True, True]


async def test_rules_may_stand_in_the_file_of_tests(folder: Path) -> None:
    results = await run_file(written(folder, TOML, "tests.toml"), DEFAULTS)
    assert [list(result.lines()) for result in results] == [["pass  a bot without events"]]


async def test_without_rules_the_default_ones_are_tested(folder: Path) -> None:
    text = """
tests:
- name: a busy host
  rules: [CPU usage critical]
  series:
  - {measure: cpu.usage, labels: {host: web-1}, values: 30x5m 99x10m}
  expect:
  - {at: 9m40s, opens: CPU usage critical, subject: {host: web-1}}
"""
    results = await run_file(written(folder, text), DEFAULTS)
    assert results[0].passed, list(results[0].lines())


async def test_a_failure_says_what_was_expected_and_what_happened(folder: Path) -> None:
    text = GOOD.replace("at: 4m,", "at: 3m50s,").replace("at: 7m10s", "at: 7m20s")
    results = await run_file(written(folder, text), DEFAULTS)
    assert list(results[0].lines()) == [
        "FAIL  opens with the average of twelve ticks, and ends with it",
        "      expected, but did not happen: 3m50s opens High CPU host=web-1 (breached)",
        "      expected, but did not happen: 7m20s ends High CPU host=web-1",
        "      happened, but not expected:  4m opens High CPU host=web-1 (breached, 60 over 2m)",
        "      happened, but not expected:  7m10s ends High CPU host=web-1",
    ]


async def test_another_reason_is_another_event(folder: Path) -> None:
    results = await run_file(written(folder, GOOD.replace("reason: breached", "reason: no_data")), DEFAULTS)
    assert [result.passed for result in results] == [False, True]


@pytest.mark.parametrize(
    ("change", "to", "words"),
    [
        ("opens: High CPU", "opens: High CPUs", "no rule called 'High CPUs'; did you mean High CPU?"),
        ("90x3m", "90x3y5", "tests.0.series.0.values: expected values such as"),
        ("at: 4m", "at: soon", "tests.0.expect.0.at: expected a duration"),
        ("at: 4m", "at: 4m5s", "at: expected the end of a tick of 10 s, found 245 s"),
        ("reason: breached", "reason: bored", "tests.0.expect.0.reason"),
        ("ends: High CPU", "closes: High CPU", "tests.0.expect.1.closes"),
        ("rules.json", "none.json", "it cannot be read"),
        ("tests:", "tests: [", "not YAML"),
    ],
)
def test_what_cannot_be_read_is_named(folder: Path, change: str, to: str, words: str) -> None:
    with pytest.raises(Misfits) as error:
        read(written(folder, GOOD.replace(change, to, 1)), DEFAULTS)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2.5 _ -3", [1, 2.5, None, -3]),
        ("5x3 _x20s", [5, 5, 5, None, None]),
        ("0..10x3", [0, 5, 10]),
        ("7..7x1", [7]),
        ("1e3x1m", [1000.0] * 6),
        ("", []),
    ],
)
def test_series_in_few_characters(text: str, values: list[float | None]) -> None:
    assert values_of(text) == values


@pytest.mark.parametrize("text", ["x3", "1x", "1..x3", "_.._x2", "1x5s", "9x999999999", "nan", "1,2"])
def test_what_is_no_series_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        values_of(text)


@pytest.mark.parametrize(("text", "seconds"), [("3m30s", 210), ("1h 10s", 3_610), (210, 210), ("0s", 0)])
def test_moments(text: object, seconds: int) -> None:
    assert moment_s(text) == seconds


def test_the_command_says_how_it_went(folder: Path) -> None:
    def run(text: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "botwatch", "rules", "test", str(written(folder, text))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=110)
        return done.returncode, done.stdout, done.stderr

    code, out, err = run(GOOD)
    assert (code, out.count("pass"), err) == (0, 2, "2 passed, 0 failed.\n")
    code, out, err = run(GOOD.replace("at: 4m,", "at: 5m,"))
    assert (code, "FAIL" in out, err) == (1, True, "1 passed, 1 failed.\n")
