"""Which change is suspected first, and how sure that is said to be."""

from __future__ import annotations

import pytest

from botwatch.incident.causes.behind import behind
from botwatch.incident.causes.change import DAY_NS, MINUTE_NS, Change, Kind, places
from botwatch.incident.causes.compare import Comparison, Tally
from botwatch.incident.causes.suspects import Sure, Suspect, by_chance, sentence, suspects

BEGAN_NS = 100 * DAY_NS
SHOP = {"bot": ["shop"]}


def change(kind: Kind, minutes_before: float, text: str = "", *, bot: str = "shop", usual: bool = False) -> Change:
    at_ns = BEGAN_NS - round(minutes_before * MINUTE_NS)
    return Change(kind, at_ns, text or f"{kind} of {bot}", f"{bot} {text}", places(bot=bot), usual=usual)


def order(*changes: Change) -> list[str]:
    return [one.change.text for one in suspects(changes, SHOP, BEGAN_NS)]


def first(*changes: Change, measured: dict[Change, Comparison] | None = None) -> Suspect:
    return suspects(changes, SHOP, BEGAN_NS, measured)[0]


def test_a_deploy_of_its_bot_just_before_is_likely_and_told_with_how_long_before() -> None:
    found = first(change(Kind.DEPLOY, 3, "shop 2.0 was first seen instead of 1.9"))
    assert found.sure is Sure.LIKELY
    assert sentence([found]) == "shop 2.0 was first seen instead of 1.9 3m before (likely)"


def test_the_nearest_comes_first() -> None:
    assert order(change(Kind.DEPLOY, 20, "far"), change(Kind.MODEL, 2, "near"), change(Kind.LIMIT, 9, "between")) == [
        "near", "between", "far",
    ]  # fmt: skip


def test_what_happens_all_the_time_says_little() -> None:
    daily = [change(Kind.LIMIT, 5 + 24 * 60 * day, "limit") for day in range(14)]
    hourly = [change(Kind.BREAKER, 4 + 60 * hour, "breaker") for hour in range(24 * 14)]
    found = suspects([*hourly, *daily, change(Kind.DEPLOY, 6, "deploy")], SHOP, BEGAN_NS)
    assert [one.change.text for one in found] == ["deploy", "limit", "breaker"]
    assert [one.sure for one in found] == [Sure.LIKELY, Sure.LIKELY, Sure.POSSIBLE]
    assert found[0].chance < found[1].chance < found[2].chance


def test_its_own_bot_comes_before_others() -> None:
    found = suspects([change(Kind.DEPLOY, 1, bot="other"), change(Kind.DEPLOY, 20)], SHOP, BEGAN_NS)
    assert [(one.change.bot, one.sure) for one in found] == [("shop", Sure.LIKELY), ("other", Sure.POSSIBLE)]


def test_what_came_afterwards_is_no_cause_and_what_is_long_ago_is_not_told() -> None:
    found = suspects([change(Kind.DEPLOY, -3), change(Kind.DEPLOY, 45), change(Kind.DEPLOY, -9)], SHOP, BEGAN_NS)
    assert [(one.sure, one.before_ns) for one in found] == [(Sure.POSSIBLE, -3 * MINUTE_NS)]
    assert sentence(found) == ""


@pytest.mark.parametrize("kind", [Kind.INCIDENT, Kind.BREAKER])
def test_what_is_rather_an_effect_is_never_likely(kind: Kind) -> None:
    assert first(change(kind, 1)).sure is Sure.POSSIBLE


def test_the_first_version_that_is_known_is_not_suspected() -> None:
    assert first(change(Kind.DEPLOY, 1, usual=True)).sure is Sure.POSSIBLE


def test_a_change_of_the_rule_itself_is_suspected() -> None:
    rule = Change(Kind.RULE, BEGAN_NS - MINUTE_NS, "the rule R was changed by ada", "R", places(rule="R"))
    other = Change(Kind.RULE, BEGAN_NS - MINUTE_NS, "the rule S was changed by ada", "S", places(rule="S"))
    found = suspects([other, rule], {**SHOP, "rule": ["R"]}, BEGAN_NS)
    assert [(one.change.subject, one.sure) for one in found] == [("R", Sure.LIKELY)]


def test_a_service_is_no_cause_of_itself() -> None:
    down = Change(Kind.SERVICE, BEGAN_NS, "redis is stopped", "redis", places(service="redis"))
    assert suspects([down], {"service": ["redis"]}, BEGAN_NS) == []
    assert [one.change.text for one in suspects([down], SHOP, BEGAN_NS)] == ["redis is stopped"]


def comparison(now: Tally, old: Tally, *, of_times: bool = False) -> Comparison:
    return Comparison("2.0", "1.9", now, old, of_times, "actions")


@pytest.mark.parametrize(
    ("now", "old", "sure"),
    [
        (Tally(200, 30), Tally(400, 4), Sure.MEASURED),
        (Tally(200, 2), Tally(400, 4), Sure.UNLIKELY),
        (Tally(10, 9), Tally(400, 4), Sure.LIKELY),  # too few to tell
    ],
)
def test_where_two_versions_ran_side_by_side_what_was_measured_decides(now: Tally, old: Tally, sure: Sure) -> None:
    deploy = change(Kind.DEPLOY, 3)
    assert first(deploy, measured={deploy: comparison(now, old)}).sure is sure


def test_what_was_measured_is_told() -> None:
    failing = comparison(Tally(200, 30), Tally(400, 4))
    assert failing.sentence == "its actions fail in 15 % with 2.0, and 1 % with 1.9 beside it (of 200 and 400)"
    slow = comparison(Tally(50, 0, 900.0, 100.0), Tally(50, 0, 300.0, 100.0), of_times=True)
    assert slow.worse
    assert slow.sentence == "its actions take 900 ms with 2.0, and 300 ms with 1.9 beside it (of 50 and 50)"
    assert not comparison(Tally(50, 0, 310.0, 100.0), Tally(50, 0, 300.0, 100.0), of_times=True).worse


def test_which_measures_can_be_told_apart_by_version() -> None:
    found = {
        name: (what.table, what.of_times) if (what := behind({"field": name})) else None
        for name in ("action.errors", "dependency.latency", "response.time.p95", "turns.unanswered", "cpu.usage")
    }
    assert found == {
        "action.errors": ("spans", False),
        "dependency.latency": ("spans", True),
        "response.time.p95": ("turns", True),
        "turns.unanswered": ("turns", False),
        "cpu.usage": None,
    }


def test_chance_grows_with_distance_and_with_how_often_it_happens() -> None:
    assert by_chance(MINUTE_NS, 1) < by_chance(10 * MINUTE_NS, 1) < by_chance(10 * MINUTE_NS, 20) < 1
    assert by_chance(-5 * MINUTE_NS, 1) == by_chance(10 * MINUTE_NS, 1)
