"""Decisions that need nothing but their arguments: waiting, silences, matching, routes, the day of a digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from botwatch.clock import SECOND_NS
from botwatch.detect.rule import Severity
from botwatch.incident.steps import Status, Step
from botwatch.notify import backoff
from botwatch.notify.match import fits
from botwatch.notify.note import ESCALATED
from botwatch.notify.regular import digest_day
from botwatch.notify.route import Facts, Fate, Live, Plan, Reason, Route, Way, decide, verdict
from botwatch.notify.silence import Silence, in_ns
from tests.notify.house import NOW_NS

ALL = frozenset({*Step, ESCALATED})


def at(text: str) -> int:
    return in_ns(datetime.fromisoformat(text))


# --- waiting


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1e9))
def test_waits_grow_to_a_bound_and_never_undercut_what_was_asked(attempts: int, chance: float, asked_s: float) -> None:
    own = backoff.wait_s(attempts, chance)
    assert 0.5 <= own <= 300
    assert own <= backoff.wait_s(attempts + 1, 1.0)
    assert backoff.wait_s(attempts, chance, asked_s) >= min(asked_s, 86_400)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Fri, 15 Jan 2027 08:02:00 GMT", 120.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Friday, 15-Jan-27 08:00:10 GMT", 10.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("²", None),
        ("9" * 400, 999_999_999_999.0),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert backoff.retry_after_s(text, NOW_NS) == seconds


# --- silences


def silence(**said: Any) -> Silence:
    return Silence.model_validate({"where": ["host=web-1"], "starts": "2027-01-01T00:00:00Z", **said})


NIGHTS = {"from": "22:00", "until": "06:00", "days": ["fri", "sat"], "zone": "Europe/Zurich"}


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ("2027-01-15T21:59:59+01:00", False),  # Friday
        ("2027-01-15T22:00:00+01:00", True),
        ("2027-01-16T05:59:59+01:00", True),  # of Friday's night
        ("2027-01-16T06:00:00+01:00", False),
        ("2027-01-17T03:00:00+01:00", True),  # Sunday morning, of Saturday's night
        ("2027-01-17T23:00:00+01:00", False),  # Sunday is none of its days
        ("2027-03-28T03:30:00+02:00", True),  # the night clocks go forward
        ("2027-03-28T06:00:00+02:00", False),
        ("2027-10-31T02:30:00+02:00", True),  # the hour that comes twice
        ("2027-10-31T02:30:00+01:00", True),
        ("2027-10-31T06:00:00+01:00", False),
        ("2026-12-25T23:00:00+01:00", False),  # before it starts
    ],
)
def test_a_window_over_midnight_follows_its_zone_through_the_change_of_clocks(now: str, holds: bool) -> None:
    assert silence(window=NIGHTS).holds(at(now)) is holds


def test_a_silence_holds_from_its_start_to_just_before_its_end() -> None:
    once = silence(starts="2027-01-15T08:00:00Z", ends="2027-01-15T10:00:00Z")
    times = ("07:59:59", "08:00:00", "09:59:59", "10:00:00")
    assert [once.holds(at(f"2027-01-15T{time}+00:00")) for time in times] == [False, True, True, False]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "a silence ends"),
        ({"ends": "2026-12-01T00:00:00Z"}, "after starts"),
        ({"ends": "2030-01-01T00:00:00Z"}, "at most 366 days"),
        ({"where": [], "ends": "2027-01-02T00:00:00Z"}, "at least 1 item"),
        ({"where": ["host"], "ends": "2027-01-02T00:00:00Z"}, "expected label=value"),
        ({"window": {"from": "22", "until": "06:00", "zone": "Mars/Crater"}}, "IANA zone"),
        ({"window": {"from": "25:00", "until": "06:00"}}, "time of day"),
        ({"ends": "2027-01-02T00:00:00"}, "timezone"),
        ({"ends": "2027-01-02T00:00:00Z", "untill": 1}, "not permitted"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(said: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        silence(**said)


def test_a_silence_is_kept_as_it_was_said() -> None:
    said = silence(window=NIGHTS, comment="backups")
    assert Silence.model_validate(said.model_dump(mode="json", by_alias=True)) == said


# --- matching


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ("host=web-1", True),
        ("host=web-2|web-1", True),
        ("host!=web-1", False),
        ("host~web-*", True),
        ("host~web-?", True),
        ("host~web", False),
        ("host~WEB-1", False),
        ("bot=", True),
        ("bot!=shop", True),
        ("action~pay\\*", True),
        ("action~pay\\*x", False),
    ],
)
def test_conditions_hold_as_they_do_for_measures(where: str, holds: bool) -> None:
    assert fits([where], {"host": "web-1", "action": "pay*"}) is holds


# --- routes


def plan(*routes: Mapping[str, Any], **ways: Way) -> Plan:
    known = {name: Way(name, ALL) for name in ("mail", "chat", "pager")} | ways
    return Plan(known, tuple(Route.model_validate(route) for route in routes))


def facts(severity: Severity = Severity.CRITICAL, **more: Any) -> Facts:
    return Facts("i1", "High CPU", severity, **{"labels": {"host": "web-1", "bot": "shop"}, **more})


def chosen(facts_: Facts, plan_: Plan, step: str = Step.OPENED) -> list[tuple[str, Reason]]:
    return [(each.channel, each.reason) for each in decide(facts_, step, plan_, {})]


def test_without_routes_every_channel_hears_and_info_waits_for_the_digest() -> None:
    assert chosen(facts(), plan()) == [(name, Reason.DEFAULT) for name in ("mail", "chat", "pager")]
    quiet = plan(pager=Way("pager", ALL, digests=False))
    assert chosen(facts(Severity.INFO), quiet) == [("mail", Reason.DIGEST), ("chat", Reason.DIGEST)]


def test_the_first_route_that_fits_decides_and_continue_asks_the_next() -> None:
    routes = (
        {"severities": ["critical"], "channels": "pager", "continue": True},
        {"bots": "shop*", "channels": "chat, mail"},
        {"channels": "mail"},
    )
    assert [name for name, _ in chosen(facts(), plan(*routes))] == ["pager", "chat", "mail"]
    assert [name for name, _ in chosen(facts(Severity.WARNING), plan(*routes))] == ["chat", "mail"]
    other = facts(Severity.WARNING, labels={"host": "db"})
    assert [name for name, _ in chosen(other, plan(*routes))] == ["mail"]


def test_the_channels_a_rule_names_win_and_one_that_is_not_there_is_told() -> None:
    named = facts(notify=("chat", "gone"))
    assert chosen(named, plan({"channels": "mail"})) == [("chat", Reason.RULE), ("gone", Reason.UNKNOWN_CHANNEL)]


def test_a_channel_that_is_off_is_named_with_the_reason() -> None:
    off = plan({"channels": "mail"}, mail=Way("mail", ALL, enabled=False))
    assert chosen(facts(), off) == [("mail", Reason.CHANNEL_OFF)]
    assert chosen(facts(), plan({"channels": ""})) == [("", Reason.NO_CHANNEL)]


def test_who_heard_of_the_opening_hears_of_the_end_whatever_the_routes_say_now() -> None:
    found = decide(facts(), Step.RESOLVED, plan({"channels": "mail"}), {"pager": "t1", "gone": "t2"})
    assert [(each.channel, each.thread, each.reason) for each in found] == [("pager", "t1", Reason.FOLLOWS)]


def test_a_note_is_told_to_nobody() -> None:
    assert decide(facts(), Step.NOTED, plan(), {"mail": "t"}) == ()


def test_a_channel_that_takes_no_acknowledgements_gets_none() -> None:
    deaf = plan(mail=Way("mail", ALL - {Step.ACKNOWLEDGED}))
    assert decide(facts(), Step.ACKNOWLEDGED, deaf, {"mail": "t"}) == ()


def test_groups_are_told_apart_by_what_the_route_says() -> None:
    def threads(**route: Any) -> int:
        found = [
            decide(facts(labels={"host": host}), Step.OPENED, plan({"channels": "mail", **route}), {}) for host in "ab"
        ]
        return len({each.thread for decisions in found for each in decisions})

    assert threads() == 1
    assert threads(group_by="rule,host") == 2
    assert threads(group_by="") == 1


def ask(
    step: str = Step.OPENED, *, status: Status = Status.OPEN, heard: bool = True, held: bool = False, **more: Any
) -> Any:
    live = more.pop("live", ())
    known = facts(status=status, depends_on=("Host down",), **more)
    return verdict(known, step, heard=heard, held=held, plan=plan(), live=live, now_ns=NOW_NS)


@pytest.mark.parametrize(
    ("above", "mutes"),
    [
        ({"host": "web-1"}, True),
        ({"host": "web-2"}, False),
        ({"host": "web-1", "bot": "help"}, False),
        ({}, True),  # of everything
        ({"queue": "jobs"}, False),  # of something else
    ],
)
def test_what_it_depends_on_mutes_it_where_both_are_about_the_same(above: Mapping[str, str], mutes: bool) -> None:
    found = ask(live=(Live("Host down", above), Live("Another rule", {"host": "web-1"})))
    assert (found.fate is Fate.HOLD) is mutes


def test_verdicts_name_their_reason() -> None:
    assert ask(ESCALATED, status=Status.ACKNOWLEDGED).reason is Reason.ANSWERED
    assert ask(ESCALATED, status=Status.RESOLVED).reason is Reason.OVER
    assert ask(Step.RESOLVED, status=Status.RESOLVED, heard=False).reason is Reason.UNTOLD
    assert ask(status=Status.RESOLVED, held=True).reason is Reason.OVER
    assert ask(status=Status.RESOLVED).fate is Fate.TELL


# --- the digest


@pytest.mark.parametrize(
    ("now", "last", "day"),
    [
        ("2027-01-15T06:59:59+00:00", "2027-01-14", None),
        ("2027-01-15T07:00:00+00:00", "2027-01-14", "2027-01-15"),  # 08:00 in Zurich
        ("2027-01-15T23:00:00+00:00", "2027-01-15", None),
        ("2027-01-18T01:00:00+00:00", "2027-01-14", "2027-01-17"),  # the server was down for days: one, not three
        ("2027-01-15T01:00:00+00:00", None, "2027-01-14"),
        ("2027-03-28T06:00:00+00:00", "2027-03-27", "2027-03-28"),  # summer time began this night
    ],
)
def test_a_digest_is_due_once_a_day_at_its_hour(now: str, last: str | None, day: str | None) -> None:
    assert digest_day(at(now), "08:00", "Europe/Zurich", last) == day


def test_times_are_exact_to_the_microsecond() -> None:
    assert at("2027-01-15T08:00:00.000001+00:00") == NOW_NS + 1_000
    assert at("2027-01-15T08:00:00+00:00") == NOW_NS == 1_800_000_000 * SECOND_NS
