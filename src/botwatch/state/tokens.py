"""API tokens and browser sessions: what a request shows instead of a password."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest, Conflict, NotFound
from botwatch.nouns import Role
from botwatch.state import audit, meta
from botwatch.state.people import Principal, clean_label, lesser
from botwatch.state.rows import TokenRow, UserRow
from botwatch.state.secrets import Prefix, digest_of, new_secret
from botwatch.state.users import User

DAY_NS = 86_400 * SECOND_NS


class Kind(StrEnum):
    API = "api"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class Token:
    """`user` is None where the token belongs to the house itself; `role` is what it may do now."""

    id: int
    kind: Kind
    label: str
    role: Role
    user: str | None
    user_id: int | None
    created_ns: int
    expires_ns: int | None
    last_used_ns: int | None


def add_api(
    session: Session, now_ns: int, who: str, *, label: str, role: Role, user: User | None, days: int | None
) -> tuple[Token, str]:
    """The secret is in the answer and nowhere else."""
    if days is not None and not 1 <= days <= limits.API_TOKEN_DAYS_MAX:
        raise BadRequest(f"A token is valid for 1 to {limits.API_TOKEN_DAYS_MAX} days; {days} were asked for.")
    if user is not None and user.disabled:
        raise Conflict(f"The user {user.name} is disabled.", hint="enable the user first")
    label = clean_label(label)
    meta.stamp_access(session)
    if len(_live_ids(session, now_ns, Kind.API, user)) >= limits.TOKENS_PER_USER_MAX:
        raise Conflict(
            f"There are {limits.TOKENS_PER_USER_MAX} tokens already, which is the most one user can have.",
            hint="revoke one that is no longer used",
        )
    role = role if user is None else lesser(role, user.role)
    token, secret = _add(session, now_ns, Kind.API, label, role, user, days)
    audit.record(session, now_ns, who, "token.add", label, id=token.id, role=role.value, user=token.user)
    return token, secret


def add_browser(session: Session, now_ns: int, who: str, *, user: User | None, role: Role) -> tuple[Token, str]:
    """Someone signed in. The oldest session goes when there are too many."""
    meta.stamp_access(session)
    _forget_ended(session, now_ns)
    live = _live_ids(session, now_ns, Kind.BROWSER, user)
    surplus = live[: max(0, len(live) - limits.BROWSER_SESSIONS_PER_USER_MAX + 1)]
    session.execute(sa.update(TokenRow).where(TokenRow.id.in_(surplus)).values(revoked_ns=now_ns))
    token, secret = _add(session, now_ns, Kind.BROWSER, "browser", role, user, limits.BROWSER_SESSION_DAYS_MAX)
    audit.record(session, now_ns, who, "session.add", who, id=token.id)
    return token, secret


def revoke(session: Session, now_ns: int, who: Principal | str, kind: Kind, token_id: int) -> None:
    """One's own, or anyone's for an admin. A name in place of a principal is the command line."""
    meta.stamp_access(session)
    row = session.get(TokenRow, token_id)
    mine = row is not None and (not isinstance(who, Principal) or who.is_admin or _owns(who, row))
    if row is None or row.kind != kind or row.revoked_ns is not None or not mine:
        raise NotFound(f"There is no such {'token' if kind is Kind.API else 'session'}, or it is revoked already.")
    row.revoked_ns = now_ns
    noun = "token" if kind is Kind.API else "session"
    name = who.name if isinstance(who, Principal) else who
    audit.record(session, now_ns, name, f"{noun}.revoke", row.label, id=token_id)


def listed(
    session: Session, now_ns: int, kind: Kind, *, owner: Principal | None, after_id: int = 0, count: int
) -> list[Token]:
    """Those that open something now; of one owner, or all."""
    query = _live(now_ns).where(TokenRow.kind == kind.value, TokenRow.id > after_id)
    if owner is not None:
        own = TokenRow.id == owner.token_id
        query = query.where(own if owner.user_id is None else own | (TokenRow.user_id == owner.user_id))
    return [_token(row, user) for row, user in session.execute(query.order_by(TokenRow.id).limit(count))]


def live(session: Session, now_ns: int) -> list[tuple[bytes, Token]]:
    """All that open something now, by their digest."""
    return [(row.digest, _token(row, user)) for row, user in session.execute(_live(now_ns))]


def touch(session: Session, used_ns: dict[int, int]) -> None:
    for token_id, at_ns in sorted(used_ns.items()):
        session.execute(sa.update(TokenRow).where(TokenRow.id == token_id).values(last_used_ns=at_ns))


def _live(now_ns: int) -> sa.Select[TokenRow, UserRow | None]:
    both: sa.Select[TokenRow, UserRow | None] = sa.select(TokenRow, UserRow)
    return both.outerjoin(UserRow, TokenRow.user_id == UserRow.id).where(
        TokenRow.revoked_ns.is_(None),
        TokenRow.expires_ns.is_(None) | (TokenRow.expires_ns > now_ns),
        UserRow.disabled_ns.is_(None),
    )


def _live_ids(session: Session, now_ns: int, kind: Kind, user: User | None) -> list[int]:
    query = sa.select(TokenRow.id).where(
        TokenRow.kind == kind.value,
        TokenRow.user_id == user.id if user else TokenRow.user_id.is_(None),
        TokenRow.revoked_ns.is_(None),
        TokenRow.expires_ns.is_(None) | (TokenRow.expires_ns > now_ns),
    )
    return list(session.scalars(query.order_by(TokenRow.id)))


def _forget_ended(session: Session, now_ns: int) -> None:
    long_ago = now_ns - limits.ENDED_TOKENS_KEPT_DAYS * DAY_NS
    session.execute(sa.delete(TokenRow).where((TokenRow.revoked_ns < long_ago) | (TokenRow.expires_ns < long_ago)))


def _add(
    session: Session, now_ns: int, kind: Kind, label: str, role: Role, user: User | None, days: int | None
) -> tuple[Token, str]:
    secret = new_secret(Prefix.API if kind is Kind.API else Prefix.BROWSER)
    row = TokenRow(
        user_id=user.id if user else None,
        kind=kind.value,
        role=role.value,
        digest=digest_of(secret),
        label=label,
        created_ns=now_ns,
        expires_ns=None if days is None else now_ns + days * DAY_NS,
    )
    session.add(row)
    session.flush()
    return _token(row, session.get(UserRow, user.id) if user else None), secret


def _owns(who: Principal, row: TokenRow) -> bool:
    return row.id == who.token_id or (who.user_id is not None and row.user_id == who.user_id)


def _token(row: TokenRow, user: UserRow | None) -> Token:
    return Token(
        id=row.id,
        kind=Kind(row.kind),
        label=row.label,
        role=lesser(Role(row.role), Role(user.role)) if user else Role(row.role),
        user=user.name if user else None,
        user_id=row.user_id,
        created_ns=row.created_ns,
        expires_ns=row.expires_ns,
        last_used_ns=row.last_used_ns,
    )
