"""API tokens: one's own, and all for an admin."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from botwatch.api.auth import SignedIn
from botwatch.api.context import Ctx
from botwatch.api.pages import Cursor, Id, Limit, Page, id_in, page_of
from botwatch.api.shapes_auth import NewToken, TokenMade, TokenShape
from botwatch.errors import Forbidden
from botwatch.state import tokens, users
from botwatch.state.people import Principal, lesser
from botwatch.state.tokens import Kind, Token

router = APIRouter(prefix="/api/tokens", tags=["tokens"])


@router.get("")
async def list_tokens(context: Ctx, principal: SignedIn, cursor: Cursor = None, limit: Limit = 100) -> Page[TokenShape]:
    owner, after_id, now_ns = None if principal.is_admin else principal, id_in(cursor), context.clock.now_ns()
    rows = await context.database.read(
        lambda session: tokens.listed(session, now_ns, Kind.API, owner=owner, after_id=after_id, count=limit + 1)
    )
    return page_of(rows, limit, TokenShape.of, lambda row: row.id)


@router.post("", status_code=201)
async def add_token(context: Ctx, principal: SignedIn, given: NewToken) -> TokenMade:
    """The secret is in this answer and can never be had again."""
    now_ns = context.clock.now_ns()

    def work(session: Session) -> tuple[Token, str]:
        name = _owner(principal, given.user)
        return tokens.add_api(
            session,
            now_ns,
            principal.name,
            label=given.label,
            role=lesser(given.role or principal.role, principal.role),
            user=users.find(session, name) if name is not None else None,
            days=given.days,
        )

    token, secret = await context.access.change(work)
    return TokenMade(token=TokenShape.of(token), secret=secret)


@router.delete("/{id}", status_code=204)
async def revoke_token(context: Ctx, principal: SignedIn, id: Id) -> None:
    now_ns = context.clock.now_ns()
    await context.access.change(lambda session: tokens.revoke(session, now_ns, principal, Kind.API, id))


def _owner(principal: Principal, wanted: str | None) -> str | None:
    """Whose the new token is. One that belongs to nobody comes only from an admin who is nobody's user."""
    if principal.is_admin:
        return wanted if wanted is not None or principal.user_id is None else principal.name
    if principal.user_id is None:
        raise Forbidden("This token belongs to no user and cannot make others.", hint="ask an admin for one")
    if wanted is not None and wanted.strip().lower() != principal.name:
        raise Forbidden("Only an admin makes tokens for others.")
    return principal.name
