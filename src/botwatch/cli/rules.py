"""`botwatch rules`: what there is to know of rules before and while they are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from botwatch.cli.flags import Config, Flags, say, table, takes_settings
from botwatch.settings import Settings, load

if TYPE_CHECKING:
    from botwatch.detect.book import RuleBook
    from botwatch.detect.problems import Problem
    from botwatch.detect.rule import Rule

WHERE: Final = ("data", "state", "rules")
BROKEN: Final = 1

rules_app = typer.Typer(help="What is judged, and how.")


@contextmanager
def rule_book(settings: Settings, *, make: bool = False) -> Iterator[RuleBook]:
    """All rules as a server with these settings has them. Only `make` makes a state database where there is none."""
    from botwatch.detect.book import RuleBook
    from botwatch.notify import book as ways
    from botwatch.state import open_database
    from botwatch.state.database import FILE_NAME

    there = make or settings.state or (settings.data / FILE_NAME).exists()
    database, base = open_database(settings) if there else None, ways.Base.of(settings)
    try:
        folder = settings.rules or settings.data / "rules"
        book = RuleBook(database, folder, lambda session: frozenset(ways.channels(session, base)))
        book.channels = frozenset(base.channels)
        book.reload()
        yield book
    finally:
        if database is not None:
            database.close()


@rules_app.command("check")
@takes_settings(*WHERE)
def check_rules(
    flags: Flags,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="files to check [default: all rules there are]")
    ] = None,
    period: Annotated[
        str, typer.Option(help="ask a running server what contracts would have counted so far back, such as 7d")
    ] = "",
    url: Annotated[str, typer.Option(envvar="BOTWATCH_URL", help="where that server is")] = "http://127.0.0.1:8600",
    config: Config = None,
) -> None:
    """Check names and fields, and say what judging costs. The exit code is 1 where something is wrong."""
    from botwatch.detect import check

    with rule_book(load(flags, file=config)) as book:
        known = {name: entry.rule for name, entry in book.entries.items()}
        if files:
            rules, problems = _in_files(files, known, book)
        else:
            rules, problems = tuple(entry.rule for entry in book.entries.values()), book.problems
    known |= {rule.name: rule for rule in rules}
    table(
        ("RULE", "SEVERITY", "SOURCE", "JUDGES"),
        ((rule.name, rule.severity, rule.source, _judges(rule)) for rule in sorted(rules, key=lambda rule: rule.name)),
    )
    sound = {rule.name: rule for rule in rules if rule.name not in {problem.rule for problem in problems}}
    cost = check.cost(sound, known)
    say(f"{cost.rules} rules to judge every 10 s, by {cost.series} series in {cost.statements} statements.")
    for problem in problems:
        say(str(problem))
    if period:
        from botwatch.cli.rules_tried import try_contracts

        try_contracts(sound.values(), period, url)
    if problems:
        raise typer.Exit(BROKEN)


def _in_files(
    files: Iterable[Path], known: dict[str, Rule], book: RuleBook
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """Their rules among the others, of which they may name some."""
    from botwatch.detect import check
    from botwatch.detect.files import read_file
    from botwatch.detect.problems import Misfits

    rules: list[Rule] = []
    problems: list[Problem] = []
    lines: dict[str, dict[str, int]] = {}
    for file in files:
        try:
            found = read_file(file, str(file))
        except Misfits as error:
            problems += error.problems
        else:
            rules += found.rules
            lines |= found.lines
    among = known | {rule.name: rule for rule in rules}
    rules = [check.settled(rule, among) for rule in rules]
    return tuple(rules), (*problems, *check.problems(rules, among, book.channels, lines))


def _judges(rule: Rule) -> str:
    """In one line what a rule says."""
    from botwatch.detect.durations import written
    from botwatch.detect.rule import Kind, Operand

    by = f", by {' and '.join(rule.by)}" if rule.by else ""
    off = "" if rule.enabled else " (disabled)"
    if rule.kind is Kind.COMPOSITE:
        return f"{'all' if rule.all else 'any'} of {', '.join(rule.parts)}{by}{off}"
    over = f" over {written(rule.timeframe)}" + (f" for {written(rule.hold)}" if rule.hold else "")
    if rule.kind is Kind.ABSENCE:
        return f"no {rule.field}{over}{by}{off}"
    if rule.kind is Kind.BASELINE:
        return f"{rule.field}{over} unlike usual{by}{off}"
    per = f" per {rule.per}" if rule.per else ""
    sign = ">=" if rule.operand is Operand.AT_LEAST else "<="
    return f"{rule.aggregation} of {rule.field}{per}{over} {sign} {rule.value:g}{by}{off}"
