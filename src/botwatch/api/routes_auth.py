"""Signing in and out, and the browsers that are signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.api.auth import SignedIn, clear_cookie, refuse_other_pages, set_cookie
from botwatch.api.context import Ctx
from botwatch.api.pages import Cursor, Id, Limit, Page, id_in, page_of
from botwatch.api.shapes_auth import Credentials, Me, NewPassword, SessionShape
from botwatch.errors import BadRequest, Refused, Unauthorised
from botwatch.state import tokens, users
from botwatch.state.people import Via
from botwatch.state.tokens import Kind
from botwatch.state.users import Change

router = APIRouter(tags=["signing in"])


@router.get("/sign-in", status_code=303, response_class=RedirectResponse)
async def sign_in_by_link(
    request: Request, context: Ctx, code: Annotated[str, Query(max_length=limits.SECRET_CHARS_MAX)] = ""
) -> Response:
    """The link that the server prints when it starts. It works once."""
    purpose = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    if "prefetch" in purpose:
        raise Refused("This link works once and is not fetched ahead.")
    response = RedirectResponse("/", status_code=303)
    try:
        secret = await context.sign_in.by_code(code)
    except Unauthorised:
        if "text/html" in request.headers.get("accept", ""):
            return response  # the page lets in who is signed in already, and asks the others
        raise
    set_cookie(request, response, context.settings, secret)
    return response


@router.post("/api/auth/sign-in")
async def sign_in(request: Request, response: Response, context: Ctx, given: Credentials) -> Me:
    """With a name and a password, for a browser: the session is in the cookie."""
    refuse_other_pages(request, context.settings)
    secret = await context.sign_in.by_password(given.name, given.password.get_secret_value(), address_of(request))
    principal = await context.access.browser(secret)
    if principal is None:
        raise Unauthorised("The session was ended at once.", hint="sign in again")
    set_cookie(request, response, context.settings, secret)
    return Me.of(principal)


@router.post("/api/auth/sign-out", status_code=204)
async def sign_out(response: Response, context: Ctx, principal: SignedIn) -> None:
    if principal.via is not Via.BROWSER or principal.token_id is None:
        raise BadRequest("Only a browser signs out.", hint="to end a token, DELETE /api/tokens/{id}")
    session_id, now_ns = principal.token_id, context.clock.now_ns()
    await context.access.change(lambda session: tokens.revoke(session, now_ns, principal, Kind.BROWSER, session_id))
    clear_cookie(response, context.settings)


@router.get("/api/auth/me")
async def me(principal: SignedIn) -> Me:
    return Me.of(principal)


@router.post("/api/auth/password", status_code=204)
async def change_password(
    request: Request, response: Response, context: Ctx, principal: SignedIn, given: NewPassword
) -> None:
    """One's own. Every browser is signed out, except the one that asks."""
    if principal.user_id is None:
        raise BadRequest(f"{principal.name} is not a user and has no password.")
    name, now_ns = principal.name, context.clock.now_ns()
    await context.sign_in.check_password(name, given.old.get_secret_value(), address_of(request))
    change = Change(password_hash=await context.sign_in.hash_password(given.new.get_secret_value()))

    def work(session: Session) -> str | None:
        user = users.change(session, now_ns, name, name, change)
        if principal.via is not Via.BROWSER:
            return None
        return tokens.add_browser(session, now_ns, name, user=user, role=user.role)[1]

    secret = await context.access.change(work)
    if secret is not None:
        set_cookie(request, response, context.settings, secret)


@router.get("/api/auth/sessions")
async def list_sessions(
    context: Ctx, principal: SignedIn, cursor: Cursor = None, limit: Limit = 100
) -> Page[SessionShape]:
    """Browsers that are signed in: one's own, and all for an admin."""
    owner, after_id, now_ns = None if principal.is_admin else principal, id_in(cursor), context.clock.now_ns()
    rows = await context.database.read(
        lambda session: tokens.listed(session, now_ns, Kind.BROWSER, owner=owner, after_id=after_id, count=limit + 1)
    )
    return page_of(rows, limit, lambda row: SessionShape.of(row, principal), lambda row: row.id)


@router.delete("/api/auth/sessions/{id}", status_code=204)
async def end_session(context: Ctx, principal: SignedIn, id: Id) -> None:
    now_ns = context.clock.now_ns()
    await context.access.change(lambda session: tokens.revoke(session, now_ns, principal, Kind.BROWSER, id))


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""
