"""What is wrong, found by looking, each with its remedy: for `botwatch doctor` and for pages with nothing on them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from botwatch.api.asking import Asked, Name
from botwatch.api.context import Ctx
from botwatch.api.diagnosis.facts import Standing
from botwatch.api.diagnosis.finding import Topic
from botwatch.api.diagnosis.registry import QUESTIONS, look
from botwatch.api.pages import moment
from botwatch.api.reads.facts_alerts import alerts
from botwatch.api.reads.facts_arrivals import arrivals
from botwatch.api.reads.facts_load import load
from botwatch.api.reads.facts_talk import talk
from botwatch.api.reads.facts_users import users
from botwatch.api.shapes_diagnosis import Diagnosis, TopicItem
from botwatch.api.telemetry import Asker, Asks
from botwatch.state.rows import KeyRow

_GRACE_S: Final = 15.0
_TTL_S: Final = 5.0

router = APIRouter(prefix="/api", tags=["diagnosis"])


class DiagnosisAsked(Asked):
    topic: Topic | None = None
    bot: Name | None = None


@router.get("/diagnosis")
async def read_diagnosis(
    request: Request, asks: Asks, context: Ctx, asked: Annotated[DiagnosisAsked, Query()]
) -> Diagnosis:
    """Every topic, or one. Findings about a bot can be had for that bot alone."""
    standing = asks.telemetry.standing()
    gathers = _gathers(asks, context, standing)
    questions = [question for question in QUESTIONS if asked.topic in (None, question.topic)]

    async def work() -> Diagnosis:
        looked = await asyncio.gather(*(look(question, gathers[question.topic]) for question in questions))
        return Diagnosis(
            as_of=moment(asks.now_ns),
            topics=[TopicItem.of(found, asked.bot) for found in looked],
            listening=dict(standing.ports),
            ingest_key_needed=context.settings.ingest_needs_key,
        )

    return await asks.once(work, ttl_s=_TTL_S, grace_s=_GRACE_S)


def _gathers(asks: Asker, context: Ctx, standing: Standing) -> dict[Topic, Callable[[], Awaitable[object]]]:
    settings, telemetry = asks.settings, asks.telemetry

    async def of_arrivals() -> object:
        live_keys = await context.database.read(_live_keys)
        ever = {signal: counts.received for signal, counts in telemetry.intake.intake().items()}
        return await arrivals(
            asks.store,
            asks.now_ns,
            standing,
            ever,
            needs_key=settings.ingest_needs_key,
            live_keys=live_keys,
            watches_itself=settings.watch_host,
        )

    return {
        Topic.NO_DATA: of_arrivals,
        Topic.NO_CONVERSATIONS: lambda: talk(asks.store, asks.now_ns),
        Topic.UNKNOWN_USERS: lambda: users(asks.store, asks.now_ns, shown=asks.eyes.users),
        Topic.ALERTS: lambda: alerts(context, asks.now_ns),
        Topic.HIGH_CPU: lambda: load(asks.store, telemetry.measures, asks.now_ns, settings.idle_minutes),
    }


def _live_keys(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count(KeyRow.id)).where(KeyRow.revoked_ns.is_(None))) or 0
