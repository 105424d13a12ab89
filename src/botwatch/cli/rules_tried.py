"""`botwatch rules test|backtest|noise`: what rules do, before they wake anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from botwatch.cli.asking import HERE, Url, asking
from botwatch.cli.flags import plain, say, table
from botwatch.cli.rules import BROKEN, rules_app
from botwatch.errors import Refused

if TYPE_CHECKING:
    from botwatch.detect.rule import Rule

__all__ = ["rules_app"]
_WAIT_S: Final = 120.0
_SHOWN: Final = 50


@rules_app.command("test")
def test_rules(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="files of tests (.yaml, .toml, .json)")],
) -> None:
    """Run tests of rules: given these series, exactly these incidents open and end. No server is needed."""
    from botwatch.detect.defaults import DEFAULTS
    from botwatch.detect.problems import Misfits
    from botwatch.incident.ruletests import run_file

    failed = passed = 0
    for file in files:
        try:
            results = asyncio.run(run_file(file, DEFAULTS))
        except Misfits as error:
            for problem in error.problems:
                say(str(problem))
            failed += 1
            continue
        for result in results:
            print("\n".join(map(plain, result.lines())))
            passed, failed = passed + result.passed, failed + (not result.passed)
    say(f"{passed} passed, {failed} failed.")
    if failed:
        raise typer.Exit(BROKEN)


@rules_app.command("backtest")
def backtest_rules(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="the name of a rule there is, or a file of rules")],
    period: Annotated[str, typer.Option(help="how far back, such as 24h or 7d")] = "7d",
    url: Url = HERE,
) -> None:
    """Ask a server what a rule would have opened over stored history. It needs an API token in BOTWATCH_TOKEN."""
    for given in _given(rule):
        with asking(url) as client:
            found = client.send("POST", "/api/rules/backtest", {"rule": given, "period": period}, _WAIT_S)
        name = given if isinstance(given, str) else given["name"]
        print(
            f"{plain(str(name))}: {found['incidents']} incidents of {found['subjects']} subjects in {plain(period)}, "
            f"{found['incidents_a_day']:g} a day, open for {_length(found['open_seconds'])} together"
        )
        for note in found["notes"]:
            say(note)
        items = found["items"]
        if items:
            table(("OPENED", "LASTED", "SUBJECT", "REASON", "VALUE", "PEAK"), map(_row, items[:_SHOWN]))
        if found["incidents"] > _SHOWN:
            say(f"and {found['incidents'] - _SHOWN} more")


@rules_app.command("noise")
def noisy_rules(
    period: Annotated[str, typer.Option(help="how far back, such as 7d or 30d")] = "30d",
    url: Url = HERE,
) -> None:
    """Which rules fire often and nobody acknowledges, which never fired, which flap. Needs BOTWATCH_TOKEN."""
    with asking(url) as client:
        found = client.get("/api/rules/noise", {"period": period})
    rows = [
        (
            rule["rule"],
            rule["verdict"],
            str(rule["incidents"]),
            str(rule["acknowledged"]),
            str(rule["flapped"]),
            _length(rule["open_seconds"]),
            rule["advice"],
        )
        for rule in found["rules"]
    ]
    table(("RULE", "VERDICT", "INCIDENTS", "ACKNOWLEDGED", "FLAPPED", "OPEN", "ADVICE"), rows)


def try_contracts(rules: Iterable[Rule], period: str, url: str) -> None:
    """What the contracts among them would have counted over stored history."""
    from botwatch.detect.rule import Kind

    for rule in rules:
        if rule.kind is not Kind.CONTRACT:
            continue
        given = rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
        with asking(url) as client:
            found = client.send("POST", "/api/contracts/check", {"rule": given, "period": period}, _WAIT_S)
        known = found["kept"] + found["breached"]
        rate = f"{found['rate']:.1f} % kept" if known else "nothing had to be followed"
        say(
            f"{rule.name}: {rate}; over {period} {found['kept']} kept, {found['breached']} breached "
            f"(of them {found['late']} followed late), {found['open']} not due yet."
        )
        if found["examples"]:
            table(("HAPPENED", "DUE", "FOLLOWED", "BOT", "CHANNEL", "SESSION"), map(_breach, found["examples"]))


def _breach(item: Mapping[str, Any]) -> tuple[str, ...]:
    session = item["session"] or item["id"]
    return item["at"], item["due"], item["followed"] or "not", item["bot"], item["channel"], session


def _given(rule: str) -> Iterable[str | dict[str, Any]]:
    path = Path(rule)
    if not path.suffix or not path.is_file():
        return [rule]
    from botwatch.detect.files import read_file
    from botwatch.detect.problems import Misfits

    try:
        rules = read_file(path, rule).rules
    except Misfits as error:
        raise Refused("; ".join(map(str, error.problems))) from None
    return [one.model_dump(mode="json", by_alias=True, exclude_unset=True) for one in rules]


def _row(item: Mapping[str, Any]) -> tuple[str, ...]:
    from botwatch.incident.steps import subject_said

    subject = subject_said(item["labels"]) or "everything"
    lasted = _length(item["seconds"]) + ("" if item["endTime"] else ", still open")
    values = (_number(item["triggerValue"]), _number(item["peak_value"]))
    return item["startTime"], lasted, subject, item["reason"], *values


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _length(seconds: float) -> str:
    whole = int(seconds)
    parts = [f"{whole // 86_400}d", f"{whole // 3_600 % 24}h", f"{whole // 60 % 60}m", f"{whole % 60}s"]
    return " ".join(part for part in parts if not part.startswith("0")) or "0s"
