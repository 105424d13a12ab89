"""People who can sign in."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.errors import BadRequest, Conflict, NotFound
from botwatch.nouns import Role
from botwatch.state import audit, meta
from botwatch.state.people import RESERVED_NAMES
from botwatch.state.rows import TokenRow, UserRow

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    role: Role
    created_ns: int
    disabled: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What to change of a user; None leaves it as it is."""

    role: Role | None = None
    disabled: bool | None = None
    password_hash: str | None = None


def clean_name(name: str) -> str:
    name = name.strip().lower()
    if not _NAME.fullmatch(name) or len(name) > limits.NAME_CHARS_MAX or name in RESERVED_NAMES:
        raise BadRequest(
            f"A user's name has 1 to {limits.NAME_CHARS_MAX} of a-z, 0-9 and . _ @ -, begins with a letter "
            f"or digit, and is none of {', '.join(sorted(RESERVED_NAMES))}."
        )
    return name


def add(session: Session, now_ns: int, who: str, name: str, role: Role, password_hash: str) -> User:
    name = clean_name(name)
    meta.stamp_access(session)
    if session.scalar(sa.select(UserRow.id).where(UserRow.name == name)) is not None:
        raise Conflict(f"There is a user {name} already.", hint="choose another name, or change that user")
    if (session.scalar(sa.select(sa.func.count(UserRow.id))) or 0) >= limits.USERS_MAX:
        raise Conflict(f"There are {limits.USERS_MAX} users already, which is the most there can be.")
    row = UserRow(name=name, role=role.value, password=password_hash, created_ns=now_ns)
    session.add(row)
    session.flush()
    audit.record(session, now_ns, who, "user.add", name, role=role.value)
    return _user(row)


def change(session: Session, now_ns: int, who: str, name: str, wanted: Change) -> User:
    meta.stamp_access(session)
    row = _row(session, name)
    loses_admin = wanted.role is Role.MONITOR or wanted.disabled is True
    if loses_admin and row.role == Role.ADMIN and row.disabled_ns is None and _enabled_admins(session) == 1:
        raise Conflict(f"{row.name} is the last admin.", hint="make someone else an admin first")
    if wanted.role is not None and wanted.role != row.role:
        row.role = wanted.role.value
        audit.record(session, now_ns, who, "user.role", row.name, role=row.role)
    if wanted.disabled is not None and wanted.disabled != (row.disabled_ns is not None):
        row.disabled_ns = now_ns if wanted.disabled else None
        audit.record(session, now_ns, who, "user.disable" if wanted.disabled else "user.enable", row.name)
    if wanted.password_hash is not None:
        row.password = wanted.password_hash
        _end_browser_sessions(session, now_ns, row.id)
        audit.record(session, now_ns, who, "user.password", row.name)
    return _user(row)


def find(session: Session, name: str) -> User:
    return _user(_row(session, name))


def find_with_password(session: Session, name: str) -> tuple[User, str] | None:
    """For signing in only: one who is disabled is not found."""
    if not _NAME.fullmatch(name):
        return None
    row = session.scalar(sa.select(UserRow).where(UserRow.name == name, UserRow.disabled_ns.is_(None)))
    return (_user(row), row.password) if row else None


def listed(session: Session, *, after_id: int = 0, count: int) -> list[User]:
    query = sa.select(UserRow).where(UserRow.id > after_id).order_by(UserRow.id).limit(count)
    return [_user(row) for row in session.scalars(query)]


def any_enabled(session: Session) -> bool:
    return session.scalar(sa.select(UserRow.id).where(UserRow.disabled_ns.is_(None)).limit(1)) is not None


def _enabled_admins(session: Session) -> int:
    admins = sa.select(sa.func.count(UserRow.id)).where(UserRow.role == Role.ADMIN.value, UserRow.disabled_ns.is_(None))
    return session.scalar(admins) or 0


def _end_browser_sessions(session: Session, now_ns: int, user_id: int) -> None:
    """Who changed a password wants whoever knew the old one to be out."""
    session.execute(
        sa.update(TokenRow)
        .where(TokenRow.user_id == user_id, TokenRow.kind == "browser", TokenRow.revoked_ns.is_(None))
        .values(revoked_ns=now_ns)
    )


def _row(session: Session, name: str) -> UserRow:
    name = name.strip().lower()
    row = session.scalar(sa.select(UserRow).where(UserRow.name == name)) if _NAME.fullmatch(name) else None
    if row is None:
        raise NotFound("There is no user of that name.", hint="see the list of users")
    return row


def _user(row: UserRow) -> User:
    return User(row.id, row.name, Role(row.role), row.created_ns, row.disabled_ns is not None)
