"""Status, history and sessions."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, model_validator

from botwatch.api.asking import Asked, Duration, Listed, Name, Search, Timed, end_of_tick
from botwatch.api.context import Context, Ctx
from botwatch.api.pages import moment
from botwatch.api.reads import session, sessions, status
from botwatch.api.shapes_measures import History
from botwatch.api.shapes_monitoring import Session, SessionPage, SessionState, Status
from botwatch.api.telemetry import Asker, Asks, Telemetry
from botwatch.errors import NotFound
from botwatch.limits import FILTER_CHARS_MAX, MEASURE_WHERE_MAX, PAGED_ITEMS_MAX
from botwatch.measure.query import parse_conditions, parse_duration_s, parse_labels

_TTL_S: Final = 1.0
_SESSION_GRACE_S: Final = 2.0
_MEASURES_MAX: Final = 50
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


class HistoryAsked(Timed):
    measure: list[Name] = Field(
        default_factory=list, max_length=_MEASURES_MAX, description="none: those of the status page"
    )
    by: str = Field(default="", max_length=FILTER_CHARS_MAX, description="labels to tell apart, as in bot,host")
    where: list[Name] = Field(
        default_factory=list,
        max_length=MEASURE_WHERE_MAX,
        description="label=value, label!=value or label~pattern; all must hold",
    )
    step: Duration | None = Field(default=None, description="whole tens of seconds; none: about 300 points")
    aggregation: str = Field(
        default="", max_length=FILTER_CHARS_MAX, description="another than its own: `rate`; of metrics also max, p95 …"
    )


@router.get("/status")
async def read_status(asks: Asks, context: Ctx, response: Response) -> Status:
    """Today and this hour are those of the time zone in the settings. `X-As-Of` says when it was true."""
    as_of_ns, found = await status_now(asks.telemetry, context)
    response.headers["X-As-Of"] = moment(as_of_ns).isoformat()
    return found


async def status_now(telemetry: Telemetry, context: Context) -> tuple[int, Status]:
    """And as of when; the same for everybody."""
    settings, now_ns = context.settings, context.clock.now_ns()
    watched = telemetry.roster.services if telemetry.roster is not None else None

    async def work() -> tuple[int, Status]:
        zone = ZoneInfo(settings.time_zone)
        return now_ns, await status.status(
            telemetry.store, telemetry.measures, telemetry.fresh, now_ns, zone, settings.idle_minutes, watched
        )

    return await telemetry.fresh.get("status", _TTL_S, work)


@router.get("/history", response_model=History)
async def read_history(asks: Asks, asked: Annotated[HistoryAsked, Query()]) -> Response:
    """Measures over time; by default those of the status page over the last 24 hours."""
    window = asked.window(end_of_tick(asks.now_ns), asks.zone, "24h")
    names = tuple(dict.fromkeys(asked.measure)) or status.ON_THE_PAGE
    step_s = parse_duration_s(asked.step) if asked.step is not None else None
    by, where = parse_labels(asked.by), parse_conditions(asked.where)
    return await asks.written(
        lambda: status.history(asks.telemetry.measures, names, window, step_s, by, where, asked.aggregation),
        ttl_s=window.serves_s,
        grace_s=window.grace_s,
    )


@router.get("/sessions", response_model=SessionPage)
async def list_bot_sessions(asks: Asks, asked: Annotated[SessionsAsked, Query()]) -> Response:
    """The ones seen last first."""
    wanted = sessions_wanted(asks, asked)
    return await asks.written(lambda: sessions.page(asks.store, wanted, asks.eyes))


@router.get("/sessions/{session_id:path}", response_model=Session)
async def read_bot_session(asks: Asks, session_id: SessionId, asked: Annotated[OneSession, Query()]) -> Response:
    """The conversation with everything behind it. Where several bots have a session of this id, the one seen last."""

    async def work() -> Session:
        fresh = asks.telemetry.fresh
        found = await session.read(asks.store, fresh, session_id, asked.bot, asks.now_ns, asks.idle_s, asks.eyes)
        if found is None:
            hint = "it may be older than what is kept, or be another bot's"
            raise NotFound("There is no session of this id.", hint=hint)
        return found

    return await asks.written(work, grace_s=_SESSION_GRACE_S)


def sessions_wanted(asks: Asker, asked: SessionsAsked) -> sessions.Wanted:
    return sessions.Wanted(
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
