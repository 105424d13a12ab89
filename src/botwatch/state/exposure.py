"""Refusing to be reachable by others before anybody can sign in."""

from __future__ import annotations

from sqlalchemy.orm import Session

from botwatch.errors import SettingError
from botwatch.limits import ADMIN_TOKEN_CHARS_MIN
from botwatch.settings import Settings
from botwatch.state import tokens, users
from botwatch.state.database import Database


def check_exposure(settings: Settings, database: Database, now_ns: int) -> None:
    """Called before listening; raises a `SettingError` that says what to do."""
    if not settings.exposed:
        return
    where = f"host {settings.host}" if not settings.loopback else f"public_url {settings.public_url}"
    admin_token = settings.admin_token.get_secret_value()
    if admin_token and len(admin_token) < ADMIN_TOKEN_CHARS_MIN:
        raise SettingError(
            f"{where} can be reached by other machines, and the admin token has only {len(admin_token)} characters; "
            f"give BOTWATCH_ADMIN_TOKEN at least {ADMIN_TOKEN_CHARS_MIN}, for instance from: openssl rand -hex 32"
        )
    if admin_token or database.read_now(lambda session: _someone_can_enter(session, now_ns)):
        return
    data = " --state URL" if settings.state else f" --data {settings.data}"
    raise SettingError(
        f"{where} can be reached by other machines, but nobody could sign in; "
        f"add someone with: botwatch user add NAME --role admin{data} "
        "(or set BOTWATCH_ADMIN_TOKEN_FILE, or listen on 127.0.0.1)"
    )


def _someone_can_enter(session: Session, now_ns: int) -> bool:
    if users.any_enabled(session):
        return True
    return bool(tokens.listed(session, now_ns, tokens.Kind.API, owner=None, count=1))
