"""The band of what is normal beside what came: what baseline rules judge by, to be looked at."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from botwatch.api.asking import Duration, Name, Timed, Window, end_of_tick
from botwatch.api.context import Ctx
from botwatch.api.pages import moment
from botwatch.api.shapes_baseline import Baseline, BaselineSeries, Learning
from botwatch.api.telemetry import Asker, Asks
from botwatch.clock import SECOND_NS
from botwatch.detect.curve import Curve, curve
from botwatch.detect.finding import Floats, Subject
from botwatch.detect.normal import JUDGED_DAYS, LEARNED_DAYS
from botwatch.detect.past import Past
from botwatch.detect.plan import Sensitivity, plan_of
from botwatch.detect.rule import TICK_S, Kind, Rule
from botwatch.detect.ticks import Need
from botwatch.errors import BadRequest, BotwatchError
from botwatch.incident import gaps
from botwatch.incident.gaps import Gap
from botwatch.incident.pasts import pasts_of
from botwatch.limits import BASELINE_SERIES_MAX, BASELINE_STEPS_MAX, FILTER_CHARS_MAX, MEASURE_WHERE_MAX
from botwatch.measure import catalogue
from botwatch.measure.frames import Frame, Values
from botwatch.measure.query import DAY_S, METRIC, parse_conditions, parse_duration_s, parse_labels
from botwatch.measure.query import Query as Question

_STEP_S_SUITS: Final = 300  # of shorter ones chance is all there is to see
_TTL_S: Final = 10.0
_GRACE_S: Final = 60.0  # a band hardly moves: whoever looks again does not wait for it

router = APIRouter(prefix="/api", tags=["measures"])


class BaselineAsked(Timed):
    """The window is that of the last 24 hours unless it is said."""

    measure: Name
    by: str = Field(
        default="",
        max_length=FILTER_CHARS_MAX,
        description="labels to tell apart, or `everything`; default: as a rule's",
    )
    where: list[Name] = Field(default_factory=list, max_length=MEASURE_WHERE_MAX)
    step: Duration | None = Field(default=None, description="10s to 1d; default: 5m, or what suits the window")
    guard: Name | None = Field(default=None, description="the measure that counts what a share or mean is taken over")
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    limit: int = Field(default=10, ge=1, le=BASELINE_SERIES_MAX, description="subjects, those with most first")


@router.get("/baseline")
async def show_baseline(context: Ctx, asks: Asks, asked: Annotated[BaselineAsked, Query()]) -> Baseline:
    """What a measure was, within which bounds it was to be expected, and how well that is known."""
    window = asked.window(end_of_tick(asks.now_ns), asks.zone, "24h")
    rule = _rule(asked)
    unwatched = await context.database.read(gaps.read)
    return await asks.once(lambda: _answer(asks, asked, rule, window, unwatched), ttl_s=_TTL_S, grace_s=_GRACE_S)


def _rule(asked: BaselineAsked) -> Rule:
    """The question is the rule that would judge so."""
    given = {
        "name": "asked",
        "kind": Kind.BASELINE,
        "field": asked.measure,
        "by": parse_labels(asked.by),
        "where": parse_conditions(asked.where),
        "guard": asked.guard or "",
        "options": {"sensitivity": asked.sensitivity},
    }
    try:
        rule = Rule.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        raise BadRequest(f"{found.get('ctx', {}).get('field', '') or found['loc'][0]}: {found['msg']}") from None
    for name in filter(None, (rule.field, rule.guard)):
        if not name.startswith(METRIC):
            catalogue.check(Question(name, 0, TICK_S, TICK_S, rule.labels, rule.where), catalogue.find(name))
    return rule


def _step_s(asked: BaselineAsked, window: Window) -> int:
    length_s = (window.to_ns - window.from_ns) // SECOND_NS
    if asked.step is None:
        suits = -(-length_s // BASELINE_STEPS_MAX)
        return max(_STEP_S_SUITS, -(-suits // _STEP_S_SUITS) * _STEP_S_SUITS)
    step_s = parse_duration_s(asked.step)
    if not TICK_S <= step_s <= DAY_S or step_s % TICK_S or length_s > BASELINE_STEPS_MAX * step_s:
        raise BadRequest(
            f"step: expected 10s to 1d in whole tens of seconds, at most {BASELINE_STEPS_MAX} of them in the window",
            hint="ask for a shorter period, or a longer step",
        )
    return step_s


@dataclass(frozen=True, slots=True)
class _Read:
    """What came in each step, over how many, and what was before; the grid is that of the measure."""

    values: Frame
    over: Frame | None
    pasts: tuple[Past, Past | None]

    @property
    def steps(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """From when to when: of the first and the last only what lies in the window."""
        window = self.values.window
        starts = np.array(window.grid.starts, dtype=np.int64)
        ends = np.append(starts[1:], window.end_s)
        return np.maximum(starts, window.start_s), ends


async def _answer(
    asks: Asker, asked: BaselineAsked, rule: Rule, window: Window, unwatched: tuple[Gap, ...]
) -> Baseline:
    step_s = _step_s(asked, window)
    start_s, end_s = window.from_ns // SECOND_NS, -(-window.to_ns // SECOND_NS)
    measures, needs = asks.telemetry.measures, [Need(n, rule.labels, rule.where) for n in (rule.field, rule.guard) if n]
    queries = [Question(need.measure, start_s, end_s, step_s, need.by, need.where) for need in needs]
    answers, pasts = await asyncio.gather(
        measures.frames(queries), pasts_of(measures, needs, start_s + 1, end_s, unwatched, asks.zone.key)
    )
    told: list[Frame | None] = []
    for answer in answers:
        if isinstance(answer, BotwatchError):
            raise answer
        told.append(answer)
    found = Baseline(
        measure=rule.field,
        unit=_unit(rule.field),
        start=moment(start_s * SECOND_NS),
        end=moment(end_s * SECOND_NS),
        step_seconds=step_s,
        sensitivity=asked.sensitivity,
        left_out=0,
        at=[],
        series=[],
    )
    if told[0] is None:
        return found  # a metric that never came
    guard = pasts[needs[1]] if len(needs) > 1 else None
    read = _Read(told[0], told[1] if len(told) > 1 else None, (pasts[needs[0]], guard))
    return await asyncio.to_thread(_drawn, found, asked, rule, read)


def _unit(measure: str) -> str:
    return "" if measure.startswith(METRIC) else catalogue.find(measure).unit


def _drawn(found: Baseline, asked: BaselineAsked, rule: Rule, read: _Read) -> Baseline:
    plan, starts = plan_of(rule), read.values.window.grid.starts
    subjects = _most(read.values.groups, read.pasts[0])
    shown = tuple(subjects[: asked.limit])
    values = _matrix(read.values, shown, starts)
    of = np.ones(values.shape) if read.over is None else np.nan_to_num(_matrix(read.over, shown, starts))
    if plan.counts:
        values = np.where(np.isnan(values), 0.0, values)
    series = []
    if shown:
        drawn = curve(plan, read.pasts, shown, read.steps, of)
        series = [_series(rule, subject, values[row], drawn, row) for row, subject in enumerate(shown)]
    return found.model_copy(
        update={
            "step_seconds": read.values.window.grid.step_s or found.step_seconds,
            "left_out": len(subjects) - len(shown),
            "at": list(starts),
            "series": series,
        }
    )


def _most(groups: Mapping[Subject, Values], past: Past) -> list[Subject]:
    """Those of which most came, also where it came only in the weeks before: they may have vanished."""
    total = dict(zip(past.subjects, np.nansum(past.values, axis=1).tolist(), strict=True))
    return sorted({*groups, *past.subjects}, key=lambda subject: (-total.get(subject, 0.0), subject))


def _matrix(frame: Frame, subjects: tuple[Subject, ...], starts: Sequence[int]) -> Floats:
    """On the grid of the measure; what is asked over a coarser one counts for all of its steps."""
    found = np.full((len(subjects), len(starts)), np.nan)
    places = np.searchsorted(np.array(frame.window.grid.starts), np.array(starts), side="right") - 1
    for row, subject in enumerate(subjects):
        told = frame.groups.get(subject)
        if told is not None:
            found[row] = np.array(told, dtype=np.float64)[np.maximum(places, 0)]
    return found


def _series(rule: Rule, subject: Subject, values: Floats, drawn: Curve, row: int) -> BaselineSeries:
    days = int(drawn.days[row])
    return BaselineSeries(
        labels=dict(zip(rule.labels, subject, strict=True)),
        learning=Learning(days=days, of_days=LEARNED_DAYS, judged=days >= JUDGED_DAYS, text=drawn.learning[row]),
        value=_known(values),
        low=_known(drawn.low[row]),
        usual=_known(drawn.usual[row]),
        high=_known(drawn.high[row]),
    )


def _known(values: Floats) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
