"""What was sent, to whom, and what became of it; and why somebody was not told."""

from __future__ import annotations

from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query

from botwatch import limits
from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Ctx
from botwatch.api.pages import ID_MAX, Cursor, Limit, Page, id_in, page_of
from botwatch.api.shapes_notify import DeliveryShape, DrillGiven, DrillShape, NoticeShape, ReceiptShape
from botwatch.errors import NotFound, StateAway
from botwatch.notify.note import Purpose
from botwatch.notify.rows import DeliveryRow, NoticeRow
from botwatch.state import audit

router = APIRouter(prefix="/api", tags=["notifications"])

Text = Annotated[str | None, Query(max_length=limits.FILTER_CHARS_MAX)]
Status = Annotated[Literal["waiting", "delivered", "failed", "folded"] | None, Query()]
Incident = Annotated[str, Query(max_length=64, description="the id of an incident")]


@router.get("/deliveries")
async def list_deliveries(
    context: Ctx,
    _: SignedIn,
    channel: Text = None,
    status: Status = None,
    purpose: Annotated[Purpose | None, Query()] = None,
    incident: Text = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[DeliveryShape]:
    """Newest first."""
    query = sa.select(DeliveryRow).where(DeliveryRow.seq < id_in(cursor, start=ID_MAX))
    for column, wanted in ((DeliveryRow.channel, channel), (DeliveryRow.status, status)):
        query = query if wanted is None else query.where(column == wanted)
    if purpose is not None:
        query = query.where(DeliveryRow.purpose == purpose.value)
    if incident is not None:
        of_it = sa.select(NoticeRow.delivery_id).where(NoticeRow.incident_id == incident)
        query = query.where(DeliveryRow.id.in_(of_it))
    query = query.order_by(DeliveryRow.seq.desc()).limit(limit + 1)
    rows = await context.database.read(lambda session: list(session.scalars(query)))
    return page_of(rows, limit, DeliveryShape.of, lambda row: row.seq)


@router.get("/deliveries/{id}")
async def show_delivery(context: Ctx, _: SignedIn, id: Annotated[str, Path(max_length=64)]) -> ReceiptShape:
    """One message with its receipt."""
    query = sa.select(DeliveryRow).where(DeliveryRow.id == id)
    row = await context.database.read(lambda session: session.scalars(query).first())
    if row is None:
        raise NotFound("There is no delivery of that id, or it was too long ago.")
    return ReceiptShape.of(row)


@router.get("/notices")
async def list_notices(context: Ctx, _: SignedIn, incident: Incident) -> list[NoticeShape]:
    """Of one incident: who was to hear of each change, and why, or why not."""
    query = sa.select(NoticeRow).where(NoticeRow.incident_id == incident).order_by(NoticeRow.id)
    query = query.limit(limits.PAGE_ITEMS_MAX)
    rows = await context.database.read(lambda session: list(session.scalars(query)))
    return [NoticeShape.of(row) for row in rows]


@router.post("/drill")
async def run_drill(context: Ctx, principal: Admin, given: DrillGiven) -> DrillShape:
    """Send a made-up failure the whole way, from the receiver to whoever is told, and time each leg.

    It takes about half a minute, and changes no figure of any bot or host.
    """
    if context.drill is None:
        raise StateAway("This server was started without what a drill needs.")
    now_ns = context.clock.now_ns()
    await context.database.write(lambda s: audit.record(s, now_ns, principal.name, "drill.run", "drill"))
    return DrillShape.of(await context.drill.run(tuple(given.channels)))
