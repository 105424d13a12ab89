"""Channels and routes: looking for everyone, changing for admins. Secrets go in and never come out."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Context, Ctx
from botwatch.api.forms import KindShape
from botwatch.api.forms_of_ways import channels as channel_forms
from botwatch.api.shapes_notify import (
    ChannelGiven,
    ChannelShape,
    Fares,
    ReceiptShape,
    RoutesGiven,
    RoutesShape,
    fares,
)
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest, NotFound
from botwatch.notify import book, outbox
from botwatch.notify.book import Base
from botwatch.notify.note import Purpose
from botwatch.notify.outbox import Frame
from botwatch.notify.rows import DeliveryRow, RouteRow
from botwatch.state import audit

router = APIRouter(prefix="/api", tags=["notifications"])

Name = Annotated[str, Path(max_length=limits.LABEL_CHARS_MAX)]
_TEST_S: Final = limits.DELIVERY_S_MAX + 10
_LOOK_S: Final = 0.05
_RECENT_NS: Final = 7 * 86_400 * SECOND_NS


def base_of(context: Context) -> Base:
    return context.notifier.base if context.notifier is not None else Base.of(context.settings)


def wake(context: Context) -> None:
    if context.notifier is not None:
        context.notifier.hint()


@router.get("/channels/kinds")
async def list_kinds(_: SignedIn) -> list[KindShape]:
    """What a channel can be, and the options of each."""
    return channel_forms()


@router.get("/channels")
async def list_channels(context: Ctx, _: SignedIn) -> list[ChannelShape]:
    """All channels, and how their deliveries fare."""
    now_ns, base = context.clock.now_ns(), base_of(context)
    found, known = await context.database.read(lambda session: (book.channels(session, base), _fares(session, now_ns)))
    return [ChannelShape.of(channel, known.get(name, Fares())) for name, channel in found.items()]


@router.put("/channels/{name}")
async def put_channel(context: Ctx, principal: Admin, name: Name, given: ChannelGiven) -> ChannelShape:
    """Add a channel, or change one. It stands in place of one of that name in the settings."""
    now_ns, base = context.clock.now_ns(), base_of(context)
    if any(key.endswith("_file") for key in given.options):
        raise BadRequest("A file can be named only in the settings.", hint="give the secret itself")
    wanted = (name, given.kind, given.options, given.enabled)
    channel = await context.database.write(lambda s: book.put_channel(s, now_ns, principal.name, base, wanted))
    wake(context)
    known = await context.database.read(lambda session: _fares(session, now_ns))
    return ChannelShape.of(channel, known.get(name, Fares()))


@router.delete("/channels/{name}", status_code=204)
async def remove_channel(context: Ctx, principal: Admin, name: Name) -> None:
    now_ns, base = context.clock.now_ns(), base_of(context)
    await context.database.write(lambda session: book.remove_channel(session, now_ns, principal.name, base, name))
    wake(context)


@router.post("/channels/{name}/test")
async def send_test(context: Ctx, principal: Admin, name: Name) -> ReceiptShape:
    """Send a marked test message, and answer with its receipt: taken, refused, or still being tried."""
    now_ns, base = context.clock.now_ns(), base_of(context)
    frame = context.notifier.frame if context.notifier is not None else Frame()

    def order(session: Session) -> str:
        if name not in book.channels(session, base):
            raise NotFound("There is no channel of that name.", hint="see the list of channels")
        audit.record(session, now_ns, principal.name, "channel.test", name)
        return outbox.add(session, frame.note(name, Purpose.TEST, now_ns, text=principal.name)).id

    delivery = await context.database.write(order)
    wake(context)
    until_s = context.clock.monotonic_s() + _TEST_S
    while True:
        row = await context.database.read(lambda session: _delivery(session, delivery))
        if row.attempts or row.status != "waiting" or context.clock.monotonic_s() > until_s:
            return ReceiptShape.of(row)
        await asyncio.sleep(_LOOK_S)


@router.get("/routes")
async def list_routes(context: Ctx, _: SignedIn) -> RoutesShape:
    """Who hears of what: in order, the first that fits."""
    base = base_of(context)
    return await context.database.read(lambda session: _routes(session, base))


@router.put("/routes")
async def put_routes(context: Ctx, principal: Admin, given: RoutesGiven) -> RoutesShape:
    """All routes at once. An empty list gives way to those of the settings."""
    now_ns, base = context.clock.now_ns(), base_of(context)

    def work(session: Session) -> RoutesShape:
        book.put_routes(session, now_ns, principal.name, base, list(given.routes))
        session.flush()
        return _routes(session, base)

    found = await context.database.write(work)
    wake(context)
    return found


def _routes(session: Session, base: Base) -> RoutesShape:
    own = session.scalars(sa.select(RouteRow.position).limit(1)).first() is not None
    found = book.routes(session, base)
    source = book.API if own else book.SETTINGS if found else "default"
    return RoutesShape(source=source, routes=list(found))


def _delivery(session: Session, name: str) -> DeliveryRow:
    return session.scalars(sa.select(DeliveryRow).where(DeliveryRow.id == name)).one()


def _fares(session: Session, now_ns: int) -> dict[str, Fares]:
    """Of the last days, and of whatever still waits."""
    row = DeliveryRow
    recent = (row.created_ns > now_ns - _RECENT_NS) | (row.status == "waiting")
    counts = (sa.func.count(), sa.func.min(row.created_ns), sa.func.max(row.finished_ns))
    query = sa.select(row.channel, row.status, *counts).where(recent).group_by(row.channel, row.status)
    found = fares([(each[0], each[1], each[2], each[3], each[4]) for each in session.execute(query)])
    newest = sa.select(sa.func.max(row.seq)).where(recent, row.status.in_(("delivered", "failed")))
    answers = sa.select(row.channel, row.answer).where(row.seq.in_(newest.group_by(row.channel)))
    for channel, answer in session.execute(answers):
        found[channel].answer = answer
    return found
