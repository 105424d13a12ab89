"""The band of what is normal beside what came: what baseline rules judge by, to be looked at."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field, ValidationError

from botwatch.api.asking import Duration, Name, Timed, Window, end_of_tick
from botwatch.api.context import Ctx
from botwatch.api.pages import moment
from botwatch.api.shapes_baseline import Baseline, BaselinePoint, BaselineSeries, Learning
from botwatch.api.telemetry import Asker, Asks
from botwatch.clock import SECOND_NS
from botwatch.detect.baseline import Sensitivity, plan_of
from botwatch.detect.curve import Curve, curve
from botwatch.detect.finding import Subject
from botwatch.detect.normal import JUDGED_DAYS, LEARNED_DAYS, Of
from botwatch.detect.past import Past
from botwatch.detect.rule import TICK_S, Kind, Rule
from botwatch.detect.ticks import Need
from botwatch.errors import BadRequest, BotwatchError
from botwatch.incident import gaps
from botwatch.incident.gaps import Gap
from botwatch.incident.pasts import pasts_of
from botwatch.limits import BASELINE_SERIES_MAX, BASELINE_STEPS_MAX, FILTER_CHARS_MAX, MEASURE_WHERE_MAX
from botwatch.measure import catalogue
from botwatch.measure.frames import Frame, Values
from botwatch.measure.query import METRIC, parse_conditions, parse_duration_s, parse_labels
from botwatch.measure.query import Query as Question

_STEP_S_MIN: Final = 300  # of shorter ones chance is all there is to see
_STEP_S_MAX: Final = 3_600
_TTL_S: Final = 10.0

router = APIRouter(prefix="/api", tags=["measures"])


class BaselineAsked(Timed):
    """The window is that of the last 24 hours unless it is said."""

    measure: Name
    by: str = Field(default="", max_length=FILTER_CHARS_MAX, description="labels to tell apart; default: as a rule's")
    where: list[Name] = Field(default_factory=list, max_length=MEASURE_WHERE_MAX)
    step: Duration | None = Field(default=None, description="5m to 1h; default: what suits the window")
    guard: Name | None = Field(default=None, description="the measure that counts what a share or mean is taken over")
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    limit: int = Field(default=10, ge=1, le=BASELINE_SERIES_MAX, description="subjects, those with most first")


@router.get("/baseline")
async def show_baseline(context: Ctx, asks: Asks, asked: Annotated[BaselineAsked, Query()]) -> Baseline:
    """What a measure was, within which bounds it was to be expected, and how well that is known."""
    window = asked.window(end_of_tick(asks.now_ns), asks.zone, "24h")
    rule = _rule(asked)
    unwatched = await context.database.read(gaps.read)
    return await asks.once(lambda: _answer(asks, asked, rule, window, unwatched), ttl_s=_TTL_S)


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
        step_s = max(_STEP_S_MIN, -(-suits // _STEP_S_MIN) * _STEP_S_MIN)
    else:
        step_s = parse_duration_s(asked.step)
    if not _STEP_S_MIN <= step_s <= _STEP_S_MAX or step_s % _STEP_S_MIN or length_s > BASELINE_STEPS_MAX * step_s:
        raise BadRequest(
            f"step: expected 5m to 1h in whole steps of 5m, and at most {BASELINE_STEPS_MAX} of them in the window",
            hint="ask for a shorter period, or a longer step",
        )
    return step_s


async def _answer(
    asks: Asker, asked: BaselineAsked, rule: Rule, window: Window, unwatched: tuple[Gap, ...]
) -> Baseline:
    step_s = _step_s(asked, window)
    start_s, end_s = window.from_ns // SECOND_NS // step_s * step_s, -(-window.to_ns // SECOND_NS)
    measures, needs = asks.telemetry.measures, [Need(n, rule.labels, rule.where) for n in (rule.field, rule.guard) if n]
    queries = [Question(need.measure, start_s, end_s, step_s, need.by, need.where) for need in needs]
    told: list[Frame | None] = []
    for answer in await measures.frames(queries):
        if isinstance(answer, BotwatchError):
            raise answer
        told.append(answer)
    pasts = await pasts_of(measures, needs, start_s + 1, end_s, unwatched)
    return await asyncio.to_thread(_drawn, asked, rule, needs, (told, pasts), (start_s, end_s, step_s))


def _drawn(
    asked: BaselineAsked,
    rule: Rule,
    needs: list[Need],
    read: tuple[list[Frame | None], Mapping[Need, Past]],
    span: tuple[int, int, int],
) -> Baseline:
    told, pasts = read
    start_s, end_s, step_s = span
    starts = np.arange(start_s, end_s, step_s, dtype=np.int64)
    groups = [frame.groups if frame is not None else {} for frame in told]
    counts = plan_of(rule).how.of is Of.COUNT
    subjects = _most(groups[0], pasts[needs[0]])
    shown = tuple(subjects[: asked.limit])
    values = _matrix(groups[0], shown, len(starts))
    of = np.nan_to_num(_matrix(groups[1], shown, len(starts))) if len(groups) > 1 else np.ones(values.shape)
    if counts:
        values = np.where(np.isnan(values), 0.0, values)
    guard = pasts[needs[1]] if len(needs) > 1 else None
    ends = np.minimum(starts + step_s, end_s)
    series = []
    if shown:
        found = curve(plan_of(rule), (pasts[needs[0]], guard), shown, (starts, ends), of)
        series = [_series(rule, shown[row], starts, values[row], found, row) for row in range(len(shown))]
    return Baseline(
        measure=rule.field,
        step_s=step_s,
        sensitivity=asked.sensitivity,
        left_out=len(subjects) - len(shown),
        series=series,
    )


def _most(groups: Mapping[Subject, Values], past: Past) -> list[Subject]:
    """Those of which most came, also where it came only in the weeks before: they may have vanished."""
    total = dict(zip(past.subjects, np.nansum(past.values, axis=1).tolist(), strict=True))
    return sorted({*groups, *past.subjects}, key=lambda subject: (-total.get(subject, 0.0), subject))


def _matrix(groups: Mapping[Subject, Values], subjects: tuple[Subject, ...], columns: int) -> np.ndarray:
    found = np.full((len(subjects), columns), np.nan)
    for row, subject in enumerate(subjects):
        values = np.array(groups.get(subject, ()), dtype=np.float64)[:columns]
        found[row, : len(values)] = values
    return found


def _series(
    rule: Rule, subject: Subject, starts: np.ndarray, values: np.ndarray, found: Curve, row: int
) -> BaselineSeries:
    points = zip(starts.tolist(), values.tolist(), *(part[row].tolist() for part in _parts(found)), strict=True)
    days = int(found.days[row])
    return BaselineSeries(
        labels=dict(zip(rule.labels, subject, strict=True)),
        learning=Learning(days=days, of_days=LEARNED_DAYS, judged=days >= JUDGED_DAYS, text=found.learning[row]),
        points=[
            BaselinePoint(
                at=moment(int(at_s) * SECOND_NS),
                value=_known(value),
                low=_known(low),
                expected=_known(expected),
                high=_known(high),
            )
            for at_s, value, low, expected, high in points
        ],
    )


def _parts(found: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return found.low, found.expected, found.high


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
