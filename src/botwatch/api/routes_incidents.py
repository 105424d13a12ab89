"""Incidents: looking at them, saying that one takes care, and what rules would have done."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from botwatch.api.asking import Listed, Name, Timed, Window
from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Context, Ctx
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.shapes_incidents import (
    Acknowledgement,
    BacktestShape,
    IncidentItem,
    IncidentShape,
    Judging,
    NewNote,
    NoiseItem,
    NoiseShape,
    ToBacktest,
)
from botwatch.clock import SECOND_NS
from botwatch.detect.problems import Misfits, read_rule
from botwatch.detect.rule import Rule, Severity
from botwatch.errors import BadRequest, NotFound, StateAway
from botwatch.incident import gaps, ledger
from botwatch.incident.health import Judgement
from botwatch.incident.ledger import Filter
from botwatch.incident.noise import noise
from botwatch.incident.nouns import Incident
from botwatch.incident.steps import Status
from botwatch.measure.query import near, parse_condition, parse_duration_s
from botwatch.settings import Settings

router = APIRouter(prefix="/api", tags=["incidents"])
IncidentId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_ALIGNED_S = 60  # so that dragging a threshold asks about the same ticks


async def judgement_of(context: Ctx) -> Judgement:
    if context.judgement is None:
        raise StateAway("This server was started without judging.")
    return context.judgement


Judged = Annotated[Judgement, Depends(judgement_of)]


class IncidentsAsked(Listed, Timed):
    """Without a time: all there are, the newest first."""

    open: bool | None = Field(default=None, description="true: only those that are not over, false: only the others")
    status: Status | None = None
    severity: Severity | None = None
    rule: Name | None = None
    label: Name | None = Field(default=None, description="one label of the subject, as in host=web-1")


class NoiseAsked(Timed):
    """The window is that of the last 30 days unless it is said."""


@router.get("/incidents")
async def list_incidents(context: Ctx, _: SignedIn, asked: Annotated[IncidentsAsked, Query()]) -> Page[IncidentItem]:
    """The ones that started last first."""
    window = asked.reach(context.clock.now_ns(), _zone(context.settings))
    wanted = Filter(
        window.from_ns, window.to_ns, asked.open, asked.status, asked.severity, asked.rule, _label(asked.label)
    )
    before = None
    if asked.cursor is not None:
        at_ns, incident_id = parts_of(asked.cursor, int, str)
        before = (int(at_ns), str(incident_id))
    rows = await context.database.read(lambda session: ledger.listed(session, wanted, before, asked.limit + 1))
    shown = rows[: asked.limit]
    more = cursor_of(shown[-1].started_ns, shown[-1].id) if len(rows) > asked.limit else None
    return Page(items=[IncidentItem.of(row) for row in shown], next=more)


@router.get("/incidents/judging")
async def read_judging(context: Ctx, _: SignedIn, judged: Judged) -> Judging:
    """How judging itself is doing: how far it is, and which rules it cannot judge."""
    counted = await context.database.read(ledger.counted)
    return Judging.of(judged.health, {severity: counted.get(severity, 0) for severity in Severity})


@router.get("/incidents/{incident_id}")
async def read_incident(context: Ctx, _: SignedIn, incident_id: IncidentId) -> IncidentShape:
    found, changes = await context.database.read(lambda session: ledger.one(session, incident_id))
    return IncidentShape.whole(found, changes)


@router.post("/incidents/{incident_id}/acknowledge")
async def acknowledge_incident(
    context: Ctx, principal: Admin, incident_id: IncidentId, given: Acknowledgement
) -> IncidentItem:
    """Say that you take care of it: nobody else is called. Doing it again changes nothing."""
    now_ns = context.clock.now_ns()
    found = await context.database.write(
        lambda session: ledger.acknowledge(session, now_ns, principal.name, incident_id, given.note)
    )
    return _told(context, found)


@router.post("/incidents/{incident_id}/notes", status_code=201)
async def note_incident(context: Ctx, principal: Admin, incident_id: IncidentId, given: NewNote) -> IncidentItem:
    now_ns = context.clock.now_ns()
    found = await context.database.write(
        lambda session: ledger.note(session, now_ns, principal.name, incident_id, given.text)
    )
    return _told(context, found)


@router.post("/rules/backtest")
async def backtest_rule(context: Ctx, _: SignedIn, judged: Judged, given: ToBacktest) -> BacktestShape:
    """What a rule would have opened over stored history, by the same judgement as the live one. Nothing is written."""
    rules = {rule.name: rule for rule in context.rules.rules()} if context.rules else {}
    rule = await asyncio.to_thread(_rule, given.rule, rules)
    end_s = context.clock.now_ns() // SECOND_NS // _ALIGNED_S * _ALIGNED_S
    start_s = max(0, end_s - parse_duration_s(given.period))
    unwatched = await context.database.read(gaps.read)
    return BacktestShape.of(await judged.backtester.run(rule, rules, start_s, end_s, unwatched))


@router.get("/rules/noise")
async def read_noise(context: Ctx, _: SignedIn, asked: Annotated[NoiseAsked, Query()]) -> NoiseShape:
    """Which rules fire often and nobody acknowledges, which never fired, which flap."""
    window: Window = asked.window(context.clock.now_ns(), _zone(context.settings), "30d")
    names = [rule.name for rule in context.rules.rules() if rule.enabled] if context.rules else []
    found = await context.database.read(lambda session: noise(session, names, window.from_ns, window.to_ns))
    return NoiseShape(
        start=moment(window.from_ns), end=moment(window.to_ns), rules=[NoiseItem.of(one) for one in found]
    )


def _rule(given: dict[str, object] | str, rules: dict[str, Rule]) -> Rule:
    if isinstance(given, str):
        if given not in rules:
            text = f"There is no rule called {given!r}{near(given, list(rules))}"
            raise NotFound(text, hint="/api/rules lists them")
        return rules[given]
    try:
        return read_rule(given, "api")
    except Misfits as error:
        raise BadRequest("; ".join(problem.words for problem in error.problems[:5])) from None


def _told(context: Context, found: Incident) -> IncidentItem:
    if context.notifier is not None:
        context.notifier.hint()
    return IncidentItem.of(found)


def _label(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    condition = parse_condition(text)
    if condition.op != "=" or len(condition.values) != 1:
        raise BadRequest("label: expected one label and its value, as in host=web-1")
    return condition.label, condition.values[0]


def _zone(settings: Settings) -> ZoneInfo:
    return ZoneInfo(settings.time_zone)
