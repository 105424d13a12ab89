"""The runner: its beat, what it believes, what it reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from botwatch import limits
from botwatch.errors import NotFound
from botwatch.watch.damping import told
from botwatch.watch.probes import registry
from botwatch.watch.probes.model import Figure, Finding, Service, Status
from botwatch.watch.reading import Kind
from tests.watch.probes.looking import Collected, described, fast, until_status, watching

R, D, S, U = Status.RUNNING, Status.DEGRADED, Status.STOPPED, Status.UNKNOWN


@dataclass
class Script:
    """A probe that answers as it is told, the last answer again and again; None: never."""

    answers: list[Finding | Exception | None]
    asked: int = 0
    closed: bool = False
    cancelled: int = 0
    latest: list[float] = field(default_factory=list)

    async def ask(self) -> Finding:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        self.latest.append(asyncio.get_running_loop().time())
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        assert answer is not None
        return answer

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Script]:
    """Services of the kind `scripted` are asked by the script of their name."""
    found: dict[str, Script] = {}
    kind = registry.Kind(lambda service: found[service.name], ("tcp",))
    monkeypatch.setattr(registry, "KINDS", {**registry.KINDS, "scripted": kind})
    monkeypatch.setattr("botwatch.watch.services.KINDS", registry.KINDS)
    monkeypatch.setattr("botwatch.watch.given.KINDS", registry.KINDS)
    return found


def scripted(scripts: dict[str, Script], name: str, *answers: Status | Finding | Exception | None) -> Service:
    scripts[name] = Script([Finding(a) if isinstance(a, Status) else a for a in answers])
    return fast(described(name, f"tcp://{name}:1", kind="scripted"), timeout_s=0.1)


@pytest.mark.parametrize(
    ("now", "answers", "fails", "expected"),
    [
        (U, [R], 2, R),
        (U, [S], 2, S),
        (R, [R, R, S], 2, R),
        (R, [R, S, S], 2, S),
        (R, [S, R, S], 2, S),
        (R, [S, R, R], 2, R),
        (R, [D, S], 2, S),
        (R, [R, U, U], 2, U),
        (S, [S, S, R], 2, S),
        (S, [S, R, R], 2, R),
        (S, [R, S, R], 2, S),
        (S, [R, D], 2, S),
        (S, [D, D], 2, D),
        (R, [S], 1, S),
        (S, [R], 1, R),
        (R, [R, S, S, S], 3, S),
        (R, [S, R, S, R], 3, R),
    ],
)
def test_an_answer_is_believed_when_it_holds(
    now: Status, answers: Sequence[Status], fails: int, expected: Status
) -> None:
    assert told(now, answers, fails) is expected


def test_one_that_flaps_is_told_once() -> None:
    answers, status, changes = [R, S] * 20, R, 0
    for place in range(len(answers)):
        new = told(status, answers[max(0, place - 2) : place + 1], 2)
        changes, status = changes + (new is not status), new
    assert (changes, status) == (1, S)


async def test_what_was_never_asked_is_unknown(scripts: dict[str, Script]) -> None:
    service = fast(scripted(scripts, "slow", None), interval_s=60)
    async with watching(service) as services:
        (view,) = services.views()
        assert (view.status, view.reason, view.checked_ns) == (U, "it has not been asked yet", None)


async def test_each_answer_becomes_readings_and_a_change_an_event(scripts: dict[str, Script]) -> None:
    good = Finding(R, version="16.2", headline="24/100 connections", figures=(Figure("connections", 24, "1"),))
    bad = Finding(S, "nobody listens")
    reporter = Collected()
    service = fast(scripted(scripts, "db", good, bad, bad), interval_s=60)  # it is asked as often as is said here
    async with watching(service, reporter=reporter) as services:
        first = await services.check("db")
        await services.check("db")
        last = await services.check("db")
    assert (first.status, first.headline, last.status, last.reason) == (R, "24/100 connections", S, "nobody listens")
    assert last.version == "16.2"  # the one it had
    assert reporter.values("service.up", "db")[:3] == [1, 1, 0]
    assert reporter.values("service.status", "db")[:3] == [3, 3, 0]
    assert reporter.values("service.flaps", "db")[:3] == [0, 1, 1]
    assert reporter.values("service.scripted.connections", "db") == [24]
    assert len(reporter.values("service.latency", "db")) == 1
    assert {r.kind for r in reporter.readings if r.name == "service.flaps"} == {Kind.COUNTER}
    assert set(map(repr, reporter.resources)) == {"{'host.name': 'here'}"}
    began, ended = (dict(happening.attributes) for happening in reporter.happenings)
    assert (began["botwatch.service.before"], began["botwatch.service.status"]) == ("unknown", "running")
    assert (ended["botwatch.service.before"], ended["botwatch.service.status"]) == ("running", "stopped")
    assert [happening.warning for happening in reporter.happenings] == [False, True]
    assert reporter.happenings[1].body == "db is stopped: nobody listens"


async def test_what_is_unknown_has_no_number(scripts: dict[str, Script]) -> None:
    reporter = Collected()
    async with watching(scripted(scripts, "db", Finding(U, "it does not let us in")), reporter=reporter) as services:
        await services.check("db")
    assert {reading.name for reading in reporter.readings} == {"service.flaps"}


async def test_an_exception_is_a_state_and_not_a_line_in_the_log(
    scripts: dict[str, Script], caplog: pytest.LogCaptureFixture
) -> None:
    service = scripted(scripts, "odd", ValueError("password=hush"))
    with caplog.at_level(logging.DEBUG):
        async with watching(service) as services:
            view = await services.check("odd")
    assert (view.status, "ValueError" in view.reason, "hush" in repr(view)) == (U, True, False)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_one_that_hangs_delays_no_other_and_is_not_asked_without_end(scripts: dict[str, Script]) -> None:
    hanging = scripted(scripts, "hanging", R, None)
    others = [scripted(scripts, f"well{n}", R) for n in range(20)]
    async with watching(hanging, *others) as services:
        view = await until_status(services, "hanging", S)
        assert view.reason == "there was no answer within 0.1 s"
        before = {name: script.asked for name, script in scripts.items()}
        while any(scripts[service.name].asked < before[service.name] + 3 for service in others):
            await asyncio.sleep(0.02)
        assert {services.view(service.name).status for service in others} == {R}  # type: ignore[union-attr]
    assert scripts["hanging"].cancelled == scripts["hanging"].asked - 1
    assert all(script.closed for script in scripts.values())


async def test_one_that_does_not_let_go_is_left_alone(scripts: dict[str, Script]) -> None:
    release = asyncio.Event()

    class Stubborn(Script):
        async def ask(self) -> Finding:
            self.asked += 1
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue
            return Finding(R)

    service = scripted(scripts, "stubborn", R)
    scripts["stubborn"] = stubborn = Stubborn([])
    async with watching(service) as services:
        for _ in range(limits.SERVICE_LINGERING_MAX + 3):
            view = await services.check("stubborn")
        assert stubborn.asked == limits.SERVICE_LINGERING_MAX
        assert (view.status, "earlier questions hang" in view.reason) == (S, True)
        release.set()
        await until_status(services, "stubborn", R)


async def test_a_doubt_is_asked_again_within_half_an_interval(scripts: dict[str, Script]) -> None:
    service = fast(scripted(scripts, "db", R, S, S), interval_s=1.0)
    async with watching(service) as services:
        await services.check("db")
        await services.check("db")
        await until_status(services, "db", S)
    _, doubted, sure = scripts["db"].latest[:3]
    assert sure - doubted > 0.4  # and whoever is busy comes later, not never


async def test_configuring_changes_only_what_changed(scripts: dict[str, Script]) -> None:
    kept, gone, new = (scripted(scripts, name, R) for name in ("kept", "gone", "new"))
    async with watching(kept, gone) as services:
        since = (await services.check("kept")).since_ns
        services.configure([new, kept])
        assert [view.service.name for view in services.views()] == ["new", "kept"]
        await services.check("new")
        with pytest.raises(NotFound):
            await services.check("gone")
        found = services.view("kept")
        assert found is not None
        assert found.since_ns == since
    assert scripts["gone"].closed


async def test_whoever_waits_for_one_that_is_removed_is_answered(scripts: dict[str, Script]) -> None:
    service = fast(scripted(scripts, "db", None), timeout_s=60)
    async with watching(service) as services:
        waiting = asyncio.create_task(services.check("db"))
        await asyncio.sleep(0)
        services.configure([])
        assert (await waiting).status is U
