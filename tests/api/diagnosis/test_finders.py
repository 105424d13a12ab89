"""The finders alone: facts in, findings out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from botwatch.api.diagnosis import high_cpu, no_data, unknown_users
from botwatch.api.diagnosis.facts import Arrivals, BotUsers, Busy, BusyHost, Load, Repeated, SeenBot, Standing, Users
from botwatch.api.diagnosis.finding import Finding, Level, ago
from botwatch.nouns import Refusal, Signal
from botwatch.spool import Mark

NOW_NS = 1_800_000_000 * 10**9
NOW_S = NOW_NS // 10**9
PORTS = {"web": 8600, "otlp": 4318, "grpc": 4317}


def marked(refusal: Refusal | None, ago_s: int = 5, signal: Signal = Signal.TRACES) -> Mark:
    return Mark(signal, refusal, 7, NOW_NS - ago_s * 10**9)


def arrivals(*marks: Mark, ports: dict[str, int] = PORTS, **facts: Any) -> Arrivals:
    told = {"ever": {}, "needs_key": False, "live_keys": 0, "watches_itself": True, **facts}
    stands = told.pop("standing", Standing(0, ports, marks))
    return Arrivals(NOW_NS, stands, **told)


def found(finders: tuple[Callable[[Any], Iterator[Finding]], ...], facts: object) -> list[tuple[str, Level]]:
    told = [finding for finder in finders for finding in finder(facts)]
    for finding in told:
        assert finding.found.endswith(".")
        assert finding.remedy
    return [(finding.code, finding.level) for finding in told]


@pytest.mark.parametrize("reason", [r for r in Refusal if r not in (Refusal.UNAUTHORISED, Refusal.CLOCK)])
def test_every_refusal_has_its_remedy(reason: Refusal) -> None:
    assert found(no_data.FINDERS, arrivals(marked(reason))) == [("rejected", Level.PROBLEM)]


def test_a_part_that_is_refused_is_a_notice_and_one_of_yesterday_is_none() -> None:
    facts = arrivals(marked(Refusal.TOO_LARGE), marked(None), marked(Refusal.INVALID, ago_s=86_400))
    assert found(no_data.FINDERS, facts) == [("rejected", Level.NOTICE)]


def test_what_the_engine_refused_is_a_problem_even_if_the_rest_came_through() -> None:
    assert found(no_data.FINDERS, arrivals(marked(Refusal.ENGINE), marked(None))) == [("rejected", Level.PROBLEM)]


def test_a_port_that_another_program_had() -> None:
    facts = arrivals(marked(None), ports={"web": 8600, "grpc": 4317})
    (finding,) = no_data.closed_doors(facts)
    assert finding.code == "port_taken"
    assert "let senders use port 8600" in finding.remedy


def test_a_port_that_is_another_is_told_while_nobody_has_found_it() -> None:
    ports = {**PORTS, "otlp": 5318}
    assert found((no_data.closed_doors,), arrivals(ports=ports)) == [("port_differs", Level.NOTICE)]
    assert found((no_data.closed_doors,), arrivals(marked(None), ports=ports)) == []


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        ({"away_since_ns": NOW_NS - 300 * 10**9}, "store_away"),
        ({"replaying": True}, "replaying"),
        ({"spool_oldest_ns": NOW_NS - 200 * 10**9}, "store_behind"),
        ({"spool_trouble": True}, "spool_cannot_write"),
        ({"disk_nearly_full": True}, "disk_nearly_full"),
    ],
)
def test_what_came_and_is_not_in_the_store_yet(standing: dict[str, Any], code: str) -> None:
    facts = arrivals(standing=dataclasses.replace(Standing(0, PORTS, (marked(None),)), **standing))
    assert [name for name, _ in found(no_data.FINDERS, facts)] == [code]


@pytest.mark.parametrize(
    ("last_ago_s", "received_ago_s", "codes"),
    [
        (5, None, []),
        (100, 100, []),
        (150, 150, ["bot_silent"]),
        (7_200, 7_200, ["bot_silent"]),
        (150, 5, ["clock_behind"]),
        (7_200, 5, ["clock_behind"]),
        (-90, 5, ["clock_ahead"]),
        (-7_200, 5_000, []),
        (8 * 86_400, 8 * 86_400, []),
    ],
)
def test_a_silent_bot_is_told_from_one_whose_clock_is_wrong(
    last_ago_s: int, received_ago_s: int | None, codes: list[str]
) -> None:
    received_s = None if received_ago_s is None else NOW_S - received_ago_s
    facts = arrivals(bots=(SeenBot("shop", NOW_S - last_ago_s, received_s),))
    assert [code for code, _ in found(no_data.FINDERS, facts)] == codes


BUSY = Busy("shop", 90.0, 1, 3, 600)


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({}, ["busy_without_a_trace"]),
        ({"cpu_percent": 60.0}, []),
        ({"sessions": 6}, []),
        ({"repeated": (Repeated("s", "ask", 400, 1),)}, ["dialog_loop"]),
        ({"repeated": (Repeated("", "poll", 400, 3),)}, ["dialog_loop"]),
        ({"repeated": (Repeated("s", "ask", 59, 0),)}, ["busy_without_a_trace"]),
        ({"repeated": (Repeated("s", "ask", 400, 30),)}, ["busy_without_a_trace"]),
        ({"model_calls": 30}, ["model_calls"]),
        ({"model_calls": 30, "messages": 4}, ["busy_without_a_trace"]),
        ({"memory_lows": (1e8, 1.05e8, 1.1e8, 1.2e8)}, ["memory_grows"]),
        ({"memory_lows": (1e8, 1.3e8, 1.1e8, 1.2e8)}, ["busy_without_a_trace"]),
        ({"memory_lows": (1e8, 1.01e8, 1.02e8, 1.03e8)}, ["busy_without_a_trace"]),
        ({"memory_lows": (1e8, 2e8)}, ["busy_without_a_trace"]),
    ],
)
def test_the_cause_of_much_cpu_with_few_sessions(facts: dict[str, Any], codes: list[str]) -> None:
    load = Load((dataclasses.replace(BUSY, **facts),))
    assert [code for code, _ in found(high_cpu.FINDERS, load)] == codes


@pytest.mark.parametrize(
    ("host", "codes"),
    [
        (BusyHost("a", 95, 10, 1), ["other_program"]),
        (BusyHost("a", 95, None, 0), ["other_program"]),
        (BusyHost("a", 95, 180, 1), []),
        (BusyHost("a", 95, 10, 50), []),
        (BusyHost("a", 50, 10, 1), []),
    ],
)
def test_a_machine_busy_with_another_program(host: BusyHost, codes: list[str]) -> None:
    assert [code for code, _ in found(high_cpu.FINDERS, Load((), (host,)))] == codes


def test_a_few_unknown_users_among_many_are_none() -> None:
    assert found(unknown_users.FINDERS, Users((BotUsers("shop", "web", 100, 4, 0, True),), True)) == []
    assert found(unknown_users.FINDERS, Users((BotUsers("shop", "web", 100, 5, 0, True),), True)) == [
        ("no_user_id", Level.PROBLEM)
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 seconds"), (119, "119 seconds"), (600, "10 minutes"), (9_000, "2 hours"), (2e5, "2 days")],
)
def test_a_stretch_of_time_as_people_say_it(seconds: float, text: str) -> None:
    assert ago(seconds) == text
