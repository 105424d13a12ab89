"""Users, ingest keys and the audit: for admins."""

from __future__ import annotations

from fastapi import APIRouter

from botwatch.api.auth import Admin
from botwatch.api.context import Ctx
from botwatch.api.pages import ID_MAX, Cursor, Id, Limit, Page, id_in, page_of
from botwatch.api.shapes_auth import AuditShape, KeyMade, KeyShape, NewKey, NewUser, UserChange, UserShape
from botwatch.state import audit, keys, users
from botwatch.state.users import Change

router = APIRouter(prefix="/api", tags=["administration"])


@router.get("/users")
async def list_users(context: Ctx, _: Admin, cursor: Cursor = None, limit: Limit = 100) -> Page[UserShape]:
    after_id = id_in(cursor)
    rows = await context.database.read(lambda session: users.listed(session, after_id=after_id, count=limit + 1))
    return page_of(rows, limit, UserShape.of, lambda row: row.id)


@router.post("/users", status_code=201)
async def add_user(context: Ctx, principal: Admin, given: NewUser) -> UserShape:
    name, now_ns = users.clean_name(given.name), context.clock.now_ns()
    kept = await context.sign_in.hash_password(given.password.get_secret_value())
    user = await context.access.change(
        lambda session: users.add(session, now_ns, principal.name, name, given.role, kept)
    )
    return UserShape.of(user)


@router.patch("/users/{name}")
async def change_user(context: Ctx, principal: Admin, name: str, given: UserChange) -> UserShape:
    """Disabling someone ends all their sessions and tokens; a new password ends the sessions."""
    now_ns = context.clock.now_ns()
    kept = await context.sign_in.hash_password(given.password.get_secret_value()) if given.password else None
    change = Change(role=given.role, disabled=given.disabled, password_hash=kept)
    user = await context.access.change(lambda session: users.change(session, now_ns, principal.name, name, change))
    return UserShape.of(user)


@router.get("/keys")
async def list_keys(context: Ctx, _: Admin, cursor: Cursor = None, limit: Limit = 100) -> Page[KeyShape]:
    """Ingest keys: they let a bot send, and open nothing else."""
    after_id = id_in(cursor)
    rows = await context.database.read(lambda session: keys.listed(session, after_id=after_id, count=limit + 1))
    return page_of(rows, limit, KeyShape.of, lambda row: row.id)


@router.post("/keys", status_code=201)
async def add_key(context: Ctx, principal: Admin, given: NewKey) -> KeyMade:
    """The secret is in this answer and can never be had again."""
    now_ns = context.clock.now_ns()
    key, secret = await context.access.change(lambda session: keys.add(session, now_ns, principal.name, given.label))
    return KeyMade(key=KeyShape.of(key), secret=secret)


@router.delete("/keys/{id}", status_code=204)
async def revoke_key(context: Ctx, principal: Admin, id: Id) -> None:
    now_ns = context.clock.now_ns()
    await context.access.change(lambda session: keys.revoke(session, now_ns, principal.name, id))


@router.get("/audit")
async def list_audit(context: Ctx, _: Admin, cursor: Cursor = None, limit: Limit = 100) -> Page[AuditShape]:
    """Who changed what, newest first."""
    before_id = id_in(cursor, start=ID_MAX)
    rows = await context.database.read(lambda session: audit.entries(session, before_id=before_id, count=limit + 1))
    return page_of(rows, limit, AuditShape.of, lambda row: row.id)
