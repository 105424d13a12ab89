"""Queues: how deep, how old, and where they are heading."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from botwatch.api.asking import Listed, Name
from botwatch.api.pages import cursor_of, id_in
from botwatch.api.reads import queues
from botwatch.api.shapes_queues import QueuePage
from botwatch.api.telemetry import Asks

_TTL_S: Final = 2.0

router = APIRouter(prefix="/api", tags=["queues"])


class QueuesAsked(Listed):
    bot: Name | None = None
    broker: Name | None = None


@router.get("/queues")
async def list_queues(asks: Asks, asked: Annotated[QueuesAsked, Query()]) -> QueuePage:
    """Every queue that was told of in the last quarter of an hour, as its last look saw it."""
    telemetry = asks.telemetry
    found = await telemetry.fresh.get("queues", _TTL_S, lambda: queues.queues(telemetry.store, asks.now_ns))
    items = [item for item in found.items if asked.bot in (None, item.bot) and asked.broker in (None, item.broker)]
    start = id_in(asked.cursor)
    end = start + asked.limit
    return QueuePage(
        items=items[start:end],
        next=cursor_of(end) if len(items) > end else None,
        brokers=[broker for broker in found.brokers if asked.broker in (None, broker.name)],
    )
