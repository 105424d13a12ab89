"""Users, ingest keys and API tokens, on the state database itself: for whoever may read its file.

They work before anybody can sign in, and beside a running server, which notices within seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from botwatch.cli.flags import Config, Flags, say, table, takes_settings
from botwatch.clock import SECOND_NS, SystemClock
from botwatch.errors import BadRequest
from botwatch.nouns import Role
from botwatch.settings import load

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from botwatch.state import Database, tokens

WHERE: Final = ("data", "state")
WHO: Final = "cli"  # in the audit
ROWS_SHOWN: Final = 10_000

user_app = typer.Typer(help="Who can sign in.")
key_app = typer.Typer(help="Ingest keys: they let a bot send, and open nothing else.")
token_app = typer.Typer(help="API tokens: for scripts and other programs.")


@contextmanager
def _state(flags: Flags, config: Path | None) -> Iterator[tuple[Database, int]]:
    from botwatch.state import open_database

    database = open_database(load(flags, file=config))
    try:
        yield database, SystemClock().now_ns()
    finally:
        database.close()


Name = Annotated[str, typer.Argument(metavar="NAME", help="the user")]
RoleOption = Annotated[Role, typer.Option(help="an admin changes things, a monitor looks")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input")]


@user_app.command("add")
@takes_settings(*WHERE)
def add_user(
    flags: Flags, name: Name, role: RoleOption = Role.MONITOR, password_stdin: FromStdin = False, config: Config = None
) -> None:
    """Add someone who can sign in."""
    from botwatch.state import users

    name = users.clean_name(name)
    kept = _ask_password(password_stdin)
    with _state(flags, config) as (database, now_ns):
        database.write_now(lambda session: users.add(session, now_ns, WHO, name, role, kept))
    say(f"{name} can sign in as {role}.")


@user_app.command("list")
@takes_settings(*WHERE)
def list_users(flags: Flags, config: Config = None) -> None:
    """List who can sign in."""
    from botwatch.state import users

    with _state(flags, config) as (database, _):
        rows = database.read_now(lambda session: users.listed(session, count=ROWS_SHOWN))
    table(
        ("NAME", "ROLE", "CREATED", ""),
        ((row.name, row.role, _when(row.created_ns), "disabled" if row.disabled else "") for row in rows),
    )


def _change_user(flags: Flags, config: Path | None, name: str, done: str, **change: Any) -> None:
    from botwatch.state import users

    with _state(flags, config) as (database, now_ns):
        wanted = users.Change(**change)
        user = database.write_now(lambda session: users.change(session, now_ns, WHO, name, wanted))
    say(f"{user.name} {done}.")


@user_app.command("role")
@takes_settings(*WHERE)
def set_role(
    flags: Flags, name: Name, role: Annotated[Role, typer.Argument(help="the new role")], config: Config = None
) -> None:
    """Make someone an admin or a monitor."""
    _change_user(flags, config, name, f"has the role {role}", role=role)


@user_app.command("disable")
@takes_settings(*WHERE)
def disable_user(flags: Flags, name: Name, config: Config = None) -> None:
    """Shut someone out, with all their sessions and tokens."""
    _change_user(flags, config, name, "is shut out", disabled=True)


@user_app.command("enable")
@takes_settings(*WHERE)
def enable_user(flags: Flags, name: Name, config: Config = None) -> None:
    """Let someone in again who was shut out."""
    _change_user(flags, config, name, "can sign in again", disabled=False)


@user_app.command("password")
@takes_settings(*WHERE)
def set_password(flags: Flags, name: Name, password_stdin: FromStdin = False, config: Config = None) -> None:
    """Set someone's password; their browsers are signed out."""
    kept = _ask_password(password_stdin)
    _change_user(flags, config, name, "has a new password", password_hash=kept)


Label = Annotated[str, typer.Argument(metavar="LABEL", help="what it is for, such as 'checkout bot'")]
Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="its number in the list")]


@key_app.command("add")
@takes_settings(*WHERE)
def add_key(flags: Flags, label: Label, config: Config = None) -> None:
    """Make an ingest key. It is printed this once."""
    from botwatch.state import keys

    with _state(flags, config) as (database, now_ns):
        key, secret = database.write_now(lambda session: keys.add(session, now_ns, WHO, label))
    say(f"Ingest key {key.id}, shown this once. A bot sends it as the header 'authorization: Bearer KEY'.")
    print(secret)


@key_app.command("list")
@takes_settings(*WHERE)
def list_keys(flags: Flags, config: Config = None) -> None:
    """List the ingest keys that are valid."""
    from botwatch.state import keys

    with _state(flags, config) as (database, _):
        rows = database.read_now(lambda session: keys.listed(session, count=ROWS_SHOWN))
    table(
        ("ID", "BEGINS", "CREATED", "LAST USED", "LABEL"),
        ((str(r.id), r.prefix, _when(r.created_ns), _when(r.last_used_ns), r.label) for r in rows),
    )


@key_app.command("revoke")
@takes_settings(*WHERE)
def revoke_key(flags: Flags, number: Number, config: Config = None) -> None:
    """End an ingest key: within seconds no server takes it any more."""
    from botwatch.state import keys

    with _state(flags, config) as (database, now_ns):
        database.write_now(lambda session: keys.revoke(session, now_ns, WHO, number))
    say(f"Ingest key {number} is revoked.")


@token_app.command("add")
@takes_settings(*WHERE)
def add_token(
    flags: Flags,
    label: Label,
    role: RoleOption = Role.MONITOR,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="whose it is [default: nobody's]")] = None,
    days: Annotated[int | None, typer.Option(help="how long it is valid [default: until it is revoked]")] = None,
    config: Config = None,
) -> None:
    """Make an API token. It is printed this once."""

    from botwatch.state import tokens, users

    with _state(flags, config) as (database, now_ns):

        def work(session: Session) -> tuple[tokens.Token, str]:
            owner = users.find(session, user) if user is not None else None
            return tokens.add_api(session, now_ns, WHO, label=label, role=role, user=owner, days=days)

        token, secret = database.write_now(work)
    say(f"API token {token.id} with the role {token.role}, shown this once.")
    print(secret)


@token_app.command("list")
@takes_settings(*WHERE)
def list_tokens(flags: Flags, config: Config = None) -> None:
    """List the API tokens that are valid."""
    from botwatch.state import tokens

    with _state(flags, config) as (database, now_ns):
        rows = database.read_now(
            lambda session: tokens.listed(session, now_ns, tokens.Kind.API, owner=None, count=ROWS_SHOWN)
        )
    table(
        ("ID", "ROLE", "USER", "CREATED", "EXPIRES", "LAST USED", "LABEL"),
        (
            (str(r.id), r.role, r.user or "-", _when(r.created_ns), _when(r.expires_ns), _when(r.last_used_ns), r.label)
            for r in rows
        ),
    )


@token_app.command("revoke")
@takes_settings(*WHERE)
def revoke_token(flags: Flags, number: Number, config: Config = None) -> None:
    """End an API token: within seconds no server takes it any more."""
    from botwatch.state import tokens

    with _state(flags, config) as (database, now_ns):
        database.write_now(lambda session: tokens.revoke(session, now_ns, WHO, tokens.Kind.API, number))
    say(f"API token {number} is revoked.")


def _ask_password(from_stdin: bool) -> str:
    """Ask twice at a terminal; the answer is what is kept of the password."""
    from botwatch.state.secrets import check_password, hash_password

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass("Password: ")
        if getpass("Once more: ") != password:
            raise BadRequest("The two passwords are not the same.")
    else:
        raise BadRequest("There is no terminal to ask for a password at.", hint="give it with --password-stdin")
    check_password(password)
    return hash_password(password)


def _when(at_ns: int | None) -> str:
    return "-" if at_ns is None else f"{datetime.fromtimestamp(at_ns / SECOND_NS, UTC):%Y-%m-%d %H:%MZ}"
