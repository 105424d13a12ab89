"""What the conversations show: who comes, what they ask, what was not understood, what they thought."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import Field

from botwatch import limits
from botwatch.api import rows_review
from botwatch.api.asking import Asked, Listed, Name, Timed, Window, end_of_tick
from botwatch.api.auth import Admin
from botwatch.api.context import Ctx
from botwatch.api.pages import Page, moment
from botwatch.api.reads import dropoff, feedback, insights, misunderstood, questions, week
from botwatch.api.shapes_insights import (
    CommonQueries,
    DropOff,
    Engagement,
    Every,
    FeedbackItem,
    Misunderstood,
    Reason,
    Stop,
    ToTreat,
    Week,
    WeekHour,
    WeekSpike,
)
from botwatch.api.telemetry import Asker, Asks
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest
from botwatch.measure import catalogue
from botwatch.measure.query import DAY_S, METRIC, Condition, Op
from botwatch.measure.query import Query as Question

_TTL_S: Final = 10.0
_GRACE_S: Final = 60.0
_PERIODS: Final = {Every.DAY: "30d", Every.WEEK: "12w", Every.MONTH: "365d"}

Phrase = Annotated[str, Query(min_length=1, max_length=limits.PHRASE_CHARS_MAX)]
router = APIRouter(prefix="/api/insights", tags=["insights"])


class EngagementAsked(Timed):
    every: Every = Every.DAY
    bot: Name | None = None


class QueriesAsked(Timed):
    """The window is that of the last 7 days unless it is said."""

    bot: Name | None = None
    limit: int = Field(default=50, ge=1, le=limits.INSIGHT_ITEMS_MAX)


class DropOffAsked(Timed):
    """The window is that of the last 7 days unless it is said."""

    stop: Stop = Stop.ACTION
    bot: Name | None = None
    channel: Name | None = None
    limit: int = Field(default=20, ge=1, le=limits.INSIGHT_ITEMS_MAX)


class WeekAsked(Asked):
    measure: str = Field(default="messages.in", min_length=1, max_length=limits.MEASURE_TEXT_CHARS_MAX)
    bot: Name | None = None
    weeks: int = Field(default=4, ge=1, le=limits.INSIGHT_WEEKS_MAX)


class MisunderstoodAsked(Listed, Timed):
    bot: Name | None = None
    reason: Reason | None = None
    treated: bool | None = Field(default=False, description="false: those nobody has dealt with; null: all")
    limit: int = Field(default=20, ge=1, le=limits.INSIGHT_ITEMS_MAX)


class FeedbackAsked(Listed, Timed):
    bot: Name | None = None
    mood: feedback.Mood | None = Field(default=None, description="a score above 0 is good, one below is bad")
    limit: int = Field(default=50, ge=1, le=limits.INSIGHT_ITEMS_MAX)


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
    """What users write most often, put together by what it means as far as its words tell."""
    window = _bounded(asked.window(end_of_tick(asks.now_ns), asks.zone, "7d"))
    return await asks.once(
        lambda: questions.common_queries(asks.store, window, asked.bot, asked.limit), ttl_s=_TTL_S, grace_s=_GRACE_S
    )


@router.get("/dropoff")
async def read_dropoff(asks: Asks, asked: Annotated[DropOffAsked, Query()]) -> DropOff:
    """Where conversations stop that are over and were not done."""
    window = _bounded(asked.window(end_of_tick(asks.now_ns), asks.zone, "7d"))
    wanted = dropoff.Asked(window, asked.stop, asked.bot, asked.channel, asked.limit)
    talking = asks.telemetry.measures.talking
    return await asks.once(
        lambda: dropoff.dropoff(asks.store, talking, wanted, asks.eyes), ttl_s=_TTL_S, grace_s=_GRACE_S
    )


@router.get("/week")
async def read_week(asks: Asks, asked: Annotated[WeekAsked, Query()]) -> Week:
    """What is usual at each hour of the week, and which hours stand out week after week."""
    return await asks.once(lambda: _week(asks, asked), ttl_s=_TTL_S, grace_s=_GRACE_S)


async def _week(asks: Asker, asked: WeekAsked) -> Week:
    zone = asks.zone
    start_s, end_s, step_s = week.span_of(asks.now_ns // SECOND_NS, asked.weeks, zone)
    where = (Condition("bot", Op.IS, (asked.bot,)),) if asked.bot is not None else ()
    found = await asks.telemetry.measures.series(Question(asked.measure, start_s, end_s, step_s, (), where))
    measure = None if asked.measure.startswith(METRIC) else catalogue.find(asked.measure)
    adds_up = measure is not None and catalogue.adds_up(measure)
    hours = week.hours_of(found[0].points if found else (), zone, adds_up=adds_up)
    spikes = week.spikes_of(hours, zone, adds_up=adds_up)
    return Week(
        measure=asked.measure,
        unit=measure.unit if measure else "",
        zone=zone.key,
        from_=moment(start_s * SECOND_NS),
        to=moment(end_s * SECOND_NS),
        hours=[WeekHour(day=h.day, hour=h.hour, mean=h.mean, weeks=h.weeks) for h in week.week_of(hours, zone)],
        spikes=[
            WeekSpike(day=s.day, hour=s.hour, weeks=s.weeks, of=s.of, mean=s.mean, times=s.times, sentence=s.sentence)
            for s in spikes
        ],
    )


@router.get("/misunderstood")
async def list_misunderstood(
    asks: Asks, context: Ctx, asked: Annotated[MisunderstoodAsked, Query()]
) -> Page[Misunderstood]:
    """Each with six messages before it and three after; newest first, by default of 7 days."""
    window = _reach(asks, asked)
    wanted = misunderstood.Wanted(
        window, asked.bot, asked.reason, misunderstood.patterns(asks.settings.fallbacks), asked.treated
    )
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
    if window.to_ns - window.from_ns > limits.INSIGHT_DAYS_MAX * DAY_S * SECOND_NS:
        raise BadRequest(f"expected a window of at most {limits.INSIGHT_DAYS_MAX} days")
    return window
