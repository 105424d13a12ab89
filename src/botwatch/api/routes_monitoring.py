"""Status, history and sessions."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field, model_validator

from botwatch.api.asking import Asked, Listed, Name, Search
from botwatch.api.reads import session, sessions
from botwatch.api.shapes_monitoring import Session, SessionPage, SessionState
from botwatch.api.telemetry import Asks
from botwatch.errors import NotFound
from botwatch.limits import FILTER_CHARS_MAX, PAGED_ITEMS_MAX

SessionId = Annotated[str, Path(min_length=1, max_length=FILTER_CHARS_MAX)]

router = APIRouter(prefix="/api/monitoring", tags=["monitoring"])


class SessionsAsked(Listed):
    state: SessionState | Literal["all"] = "all"
    bot: Name | None = None
    channel: Name | None = None
    q: Search = Field(default="", description="all words in the session's id, or its user's where you may see users")
    page: int | None = Field(default=None, ge=1, description="instead of a cursor: the number of the page, from 1")

    @model_validator(mode="after")
    def _within_reach(self) -> Self:
        if self.page is not None and self.cursor is not None:
            raise ValueError("expected a page number or a cursor, not both")
        if (self.page or 1) * self.limit > PAGED_ITEMS_MAX:
            raise ValueError(f"page numbers go to item {PAGED_ITEMS_MAX}: go on with a cursor, or filter")
        return self


class OneSession(Asked):
    bot: Name | None = None


@router.get("/sessions")
async def list_sessions(asks: Asks, asked: Annotated[SessionsAsked, Query()]) -> SessionPage:
    """The ones seen last first."""
    wanted = sessions.Wanted(
        state=None if asked.state == "all" else asked.state,
        bot=asked.bot,
        channel=asked.channel,
        search=asked.q,
        limit=asked.limit,
        offset=((asked.page or 1) - 1) * asked.limit,
        cursor=asked.cursor,
        now_us=asks.now_ns // 1_000,
        idle_s=asks.idle_s,
    )
    return await sessions.page(asks.store, wanted, asks.eyes)


@router.get("/sessions/{session_id:path}")
async def read_session(asks: Asks, session_id: SessionId, asked: Annotated[OneSession, Query()]) -> Session:
    """The conversation with everything behind it. Where several bots have a session of this id, the one seen last."""
    found = await session.read(asks.store, session_id, asked.bot, asks.now_ns, asks.idle_s, asks.eyes)
    if found is None:
        raise NotFound("There is no session of this id.", hint="it may be older than what is kept, or be another bot's")
    return found
