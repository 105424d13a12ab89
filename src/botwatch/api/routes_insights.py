"""What the conversations show: who comes, what they ask, what was not understood, what they thought."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import Field

from botwatch.api import rows_review
from botwatch.api.asking import Listed, Name, Timed, Window, end_of_tick
from botwatch.api.auth import Admin
from botwatch.api.context import Ctx
from botwatch.api.pages import Page
from botwatch.api.reads import feedback, insights, misunderstood
from botwatch.api.shapes_insights import CommonQueries, Engagement, Every, FeedbackItem, Misunderstood, Reason, ToTreat
from botwatch.api.telemetry import Asker, Asks
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest
from botwatch.limits import INSIGHT_DAYS_MAX, INSIGHT_ITEMS_MAX, PHRASE_CHARS_MAX
from botwatch.measure.query import DAY_S

_TTL_S: Final = 10.0
_GRACE_S: Final = 60.0
_PERIODS: Final = {Every.DAY: "30d", Every.WEEK: "12w", Every.MONTH: "365d"}

Phrase = Annotated[str, Query(min_length=1, max_length=PHRASE_CHARS_MAX)]
router = APIRouter(prefix="/api/insights", tags=["insights"])


class EngagementAsked(Timed):
    every: Every = Every.DAY
    bot: Name | None = None


class QueriesAsked(Timed):
    """The window is that of the last 7 days unless it is said."""

    bot: Name | None = None
    limit: int = Field(default=50, ge=1, le=INSIGHT_ITEMS_MAX)


class MisunderstoodAsked(Listed, Timed):
    bot: Name | None = None
    reason: Reason | None = None
    treated: bool | None = Field(default=False, description="false: those nobody has dealt with; null: all")
    limit: int = Field(default=20, ge=1, le=INSIGHT_ITEMS_MAX)


class FeedbackAsked(Listed, Timed):
    bot: Name | None = None
    mood: feedback.Mood | None = Field(default=None, description="a score above 0 is good, one below is bad")
    limit: int = Field(default=50, ge=1, le=INSIGHT_ITEMS_MAX)


@router.get("/engagement")
async def read_engagement(asks: Asks, asked: Annotated[EngagementAsked, Query()]) -> Engagement:
    """How many users wrote in each day, week or month, and how many of them for the first time."""
    window = _bounded(asked.window(end_of_tick(asks.now_ns), asks.zone, _PERIODS[asked.every]))
    return await asks.once(
        lambda: insights.engagement(asks.store, asked.every, window, asks.zone, asked.bot),
        ttl_s=_TTL_S,
        grace_s=_GRACE_S,
    )


@router.get("/queries")
async def list_queries(asks: Asks, asked: Annotated[QueriesAsked, Query()]) -> CommonQueries:
    """What users write most often."""
    window = _bounded(asked.window(end_of_tick(asks.now_ns), asks.zone, "7d"))
    return await asks.once(
        lambda: insights.common_queries(asks.store, window, asked.bot, asked.limit), ttl_s=_TTL_S, grace_s=_GRACE_S
    )


@router.get("/misunderstood")
async def list_misunderstood(
    asks: Asks, context: Ctx, asked: Annotated[MisunderstoodAsked, Query()]
) -> Page[Misunderstood]:
    """Each with six messages before it and three after; newest first, by default of 7 days."""
    window = _reach(asks, asked)
    wanted = misunderstood.Wanted(window, asked.bot, asked.reason, asked.treated)
    known = await context.database.read(rows_review.treated)
    return await misunderstood.page(asks.store, wanted, asked.limit, asked.cursor, asks.now_ns, asks.eyes, known)


@router.post("/misunderstood/treated", status_code=204)
async def treat_phrase(context: Ctx, principal: Admin, given: ToTreat) -> None:
    """Somebody has dealt with this phrase: it leaves the list, and does not come back when users write it again."""
    now_ns = context.clock.now_ns()
    await context.database.write(
        lambda session: _nothing(
            rows_review.treat(session, now_ns, principal.name, given.bot, given.phrase, given.note)
        )
    )


@router.delete("/misunderstood/treated", status_code=204)
async def untreat_phrase(context: Ctx, principal: Admin, bot: Name, phrase: Phrase) -> None:
    now_ns = context.clock.now_ns()
    await context.database.write(lambda session: rows_review.take_back(session, now_ns, principal.name, bot, phrase))


def _nothing(_: object) -> None:
    """A row is not for outside its transaction."""


@router.get("/feedback")
async def list_feedback(asks: Asks, asked: Annotated[FeedbackAsked, Query()]) -> Page[FeedbackItem]:
    """Newest first."""
    window = asked.reach(asks.now_ns, asks.zone)
    wanted = feedback.Wanted(window, asked.bot, asked.mood)
    return await feedback.page(asks.store, wanted, asked.limit, asked.cursor, asks.now_ns, asks.eyes)


def _reach(asks: Asker, asked: Timed) -> Window:
    return _bounded(asked.window(asks.now_ns, asks.zone, "7d"))


def _bounded(window: Window) -> Window:
    if window.to_ns - window.from_ns > INSIGHT_DAYS_MAX * DAY_S * SECOND_NS:
        raise BadRequest(f"expected a window of at most {INSIGHT_DAYS_MAX} days")
    return window
