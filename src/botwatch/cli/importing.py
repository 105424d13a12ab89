"""`botwatch import`: rules and thresholds out of other programs' configuration, all of a file or nothing of it.

It writes to the state database itself, as `botwatch user` does: beside a running server, which notices within
seconds, or before there is one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import unquote, urlsplit

import typer

from botwatch.cli.flags import Config, Flags, say, takes_settings
from botwatch.cli.rules import BROKEN, WHERE, rule_book
from botwatch.clock import SystemClock
from botwatch.errors import SettingError
from botwatch.settings import Settings, load

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from botwatch.detect.book import RuleBook
    from botwatch.detect.rule import Rule

WHO: Final = "cli"
SMTP_PASSWORD: Final = "BOTWATCH_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
_PLAIN_PORT: Final = 25
_SMTP_EXPECTED: Final = "--smtp: expected smtp://USER@HOST:587, smtps://USER@HOST:465, or smtp://HOST:25"


@dataclass(frozen=True, slots=True)
class NewChannel:
    name: str
    kind: str
    options: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file comes to; `notes` say what has no counterpart, or what else changes."""

    rules: tuple[Rule, ...] = ()
    channels: tuple[NewChannel, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said beside the file."""

    smtp: str
    sender: str
    skip_unknown: bool
    replace: bool


@takes_settings(*WHERE)
def import_file(
    flags: Flags,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="botpress.config.json, config.csv, or a file of rules")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be done")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="also change rules people made under these names")] = False,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="of a config.csv, leave out keys that are not about alerts")
    ] = False,
    smtp: Annotated[
        str, typer.Option(metavar="URL", help=f"mail server for alert-email; its password is read from {SMTP_PASSWORD}")
    ] = "",
    sender: Annotated[str, typer.Option("--from", metavar="ADDRESS", help="whom mails of alerts come from")] = "",
    config: Config = None,
) -> None:
    """Take over rules, thresholds and channels from Botpress or General Bots."""
    from botwatch.detect.problems import Misfits

    settings = load(flags, file=config)
    wishes = Wishes(smtp, sender, skip_unknown, replace)
    with rule_book(settings, make=not dry_run) as book:
        try:
            plan = _plan(file, settings, wishes, book)
        except Misfits as error:
            for problem in error.problems:
                say(str(problem))
            say(f"{file}: nothing was imported.")
            raise typer.Exit(BROKEN) from None
        if not dry_run:
            _keep(settings, plan)
    for note in plan.notes:
        say(note)
    verb = "would be" if dry_run else "are"
    named = [f"rule {rule.name!r}{_value(rule)}" for rule in plan.rules] + [
        f"channel {c.name!r}" for c in plan.channels
    ]
    say(f"{file}: {len(plan.rules)} rules and {len(plan.channels)} channels {verb} in place.")
    for line in named:
        print(line)


def _value(rule: Rule) -> str:
    from botwatch.detect.rule import MEASURED, Operand

    if rule.kind not in MEASURED:
        return ""
    sign = ">=" if rule.operand is Operand.AT_LEAST else "<="
    return f": {rule.field} {sign} {rule.value:g}" + ("" if rule.enabled else ", disabled")


def _plan(file: Path, settings: Settings, wishes: Wishes, book: RuleBook) -> Plan:
    from botwatch.detect.files import text_of

    source = f"import:{file.name}"
    text = text_of(file, str(file))
    if file.suffix.lower() == ".csv":
        return _from_csv(text, file, source, wishes, book)
    return _from_rules(text, file, source, settings, wishes, book)


def _from_csv(text: str, file: Path, source: str, wishes: Wishes, book: RuleBook) -> Plan:
    from botwatch.cli import config_csv

    found = config_csv.read(text, str(file), skip_unknown=wishes.skip_unknown)
    rules: list[Rule] = []
    for key, value in found.values.items():
        critical, warning = (book.entries[name].rule for name in config_csv.THRESHOLDS[key])
        rules += config_csv.changed(critical, warning, value, source)
    channels = []
    if found.addresses:
        channels.append(NewChannel(config_csv.EMAIL, "email", _email(found.addresses, wishes)))
    if found.webhook:
        channels.append(NewChannel(config_csv.SLACK, "slack", {"webhook_url": found.webhook}))
    notes = [f"{key}: left out, it is not about alerts" for key in found.skipped]
    notes += [f"{rule.name!r} is disabled, and stays so" for rule in rules if not rule.enabled]
    return Plan(tuple(rules), tuple(channels), tuple(notes))


def _from_rules(text: str, file: Path, source: str, settings: Settings, wishes: Wishes, book: RuleBook) -> Plan:
    from botwatch.cli import botpress_config
    from botwatch.detect import botpress, check
    from botwatch.detect.files import KINDS, read_document, read_rules
    from botwatch.detect.problems import Misfits, Problem

    document = read_document(text, KINDS.get(file.suffix.lower(), "json"), str(file))
    read = read_rules(document, str(file))
    rules = tuple(rule.model_copy(update={"source": source}) for rule in read.rules)
    known = {name: entry.rule for name, entry in book.entries.items()} | {rule.name: rule for rule in rules}
    problems = list(
        check.problems([check.settled(rule, known) for rule in read.rules], known, book.channels, read.lines)
    )
    for rule in () if wishes.replace else rules:
        there = book.entries.get(rule.name)
        if there and there.changed_by is not None and not there.rule.source.startswith("import:"):
            told = f"{there.changed_by} made a rule of that name; give --replace to change it"
            problems.append(Problem(str(file), rule.name, "name", told, read.lines[rule.name].get("name")))
    if problems:
        raise Misfits(problems)
    whole = botpress.place_of_rules(document.value)
    notes = [*botpress_config.told(document.value, rules, settings.rollups_days)]
    if whole and len(whole) > 1:
        notes += botpress_config.environment(os.environ)
    notes += [
        f"{rule.name!r} stands in place of the one from {entry.rule.source}"
        for rule in rules
        if (entry := book.entries.get(rule.name)) and entry.changed_by is None
    ]
    return Plan(rules, notes=tuple(notes))


def _email(addresses: tuple[str, ...], wishes: Wishes) -> Mapping[str, object]:
    """Botwatch sends mail itself, so it has to know through whom."""
    if not wishes.smtp or not wishes.sender:
        raise SettingError(
            "alert-email: Botwatch sends mails itself and has to know through which server",
            hint="give it with --smtp smtp://USER@HOST:587 and --from ADDRESS, or take the line out",
        )
    try:
        url = urlsplit(wishes.smtp)
        port = url.port or {"smtp": 587, "smtps": 465}.get(url.scheme, 0)
    except ValueError:
        raise SettingError(_SMTP_EXPECTED) from None
    if url.scheme not in ("smtp", "smtps") or not url.hostname or url.path.strip("/") or url.password is not None:
        raise SettingError(f"{_SMTP_EXPECTED}; the password is read from {SMTP_PASSWORD}")
    plain = url.scheme == "smtp" and port == _PLAIN_PORT and not url.username
    user, password = unquote(url.username or ""), _smtp_password()
    if user and not password:
        raise SettingError(
            f"--smtp: {SMTP_PASSWORD} is not set", hint="set it, or name the file that holds it in _FILE"
        )
    return {
        "host": url.hostname,
        "port": port,
        "security": "tls" if url.scheme == "smtps" else "none" if plain else "starttls",
        "sender": wishes.sender,
        "to": list(addresses),
        **({"username": user, "password": password} if user else {}),
    }


def _smtp_password() -> str:
    file = os.environ.get(f"{SMTP_PASSWORD}_FILE", "")
    if os.environ.get(SMTP_PASSWORD) or not file:
        return os.environ.get(SMTP_PASSWORD, "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingError(f"{SMTP_PASSWORD}_FILE: {file} cannot be read") from None


def _keep(settings: Settings, plan: Plan) -> None:
    """One transaction: rules and channels are there together, or none of them."""
    from botwatch.detect import rows
    from botwatch.notify import book as ways
    from botwatch.state import open_database

    base, now_ns = ways.Base.of(settings), SystemClock().now_ns()

    def work(session: Session) -> None:
        for rule in plan.rules:
            rows.put(session, now_ns, WHO, rule)
        for channel in plan.channels:
            ways.put_channel(session, now_ns, WHO, base, (channel.name, channel.kind, channel.options, True))

    database = open_database(settings)
    try:
        database.write_now(work)
    finally:
        database.close()
