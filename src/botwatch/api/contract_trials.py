"""A contract is tried before it is saved: on how much of what has happened, and how much of that it would miss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import Field

from botwatch.api.asking import Window
from botwatch.api.context import Context
from botwatch.api.shapes_contracts import TrialShape
from botwatch.api.shapes_rules import RuleItem
from botwatch.api.telemetry import Telemetry
from botwatch.clock import SECOND_NS
from botwatch.detect.contract import read
from botwatch.detect.rule import Kind, Rule
from botwatch.errors import BadRequest, StoreError
from botwatch.store.client import Store
from botwatch.watch.contracts.known import unknowns
from botwatch.watch.contracts.settler import Way
from botwatch.watch.contracts.trial import tried

DAYS: Final = 7
OFTEN_PERCENT: Final = 20  # breached: as in the default rule that judges them all
_DAY_NS: Final = 86_400 * SECOND_NS


class SavedRule(RuleItem):
    trial: TrialShape | None = Field(description="of a contract that was made or changed: what it would have counted")
    warnings: list[str] = Field(description="what whoever saved it should know")


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it; `trial` is None for other rules, and where the store could not tell."""

    trial: TrialShape | None = None
    warnings: tuple[str, ...] = ()


async def before_saving(context: Context, rule: Rule, *, unseen: bool) -> Tried:
    """Raises `BadRequest` where what it speaks of was never seen, unless that may be `unseen`."""
    if rule.kind is not Kind.CONTRACT or not isinstance(context.telemetry, Telemetry):
        return Tried()
    now_ns = context.clock.now_ns()
    window = Window(now_ns - DAYS * _DAY_NS, now_ns)
    store = context.telemetry.store
    try:
        missing = await _missing(store, rule, window)
        if missing and not unseen:
            raise BadRequest(
                f"options: nothing can be judged by it: {'; '.join(missing)}",
                hint="correct the name, or save it with ?unseen=true before the first of them comes",
            )
        trial = await trial_of(store, way_of(context), rule, window, now_ns)
    except StoreError as error:
        return Tried(warnings=(f"it could not be tried on the past: {error.message}",))
    return Tried(trial, tuple(trial.warnings))


async def trial_of(store: Store, way: Way, rule: Rule, window: Window, now_ns: int) -> TrialShape:
    """With what whoever saves it should know."""
    low_us, high_us, now_us = window.from_ns // 1_000, window.to_ns // 1_000, now_ns // 1_000
    found = await tried(store, way, rule.name, read(rule.options), low_us, high_us, now_us)
    shape = TrialShape.of(rule.name, found, window.from_ns, window.to_ns)
    missing = await _missing(store, rule, window)
    return shape.model_copy(update={"warnings": [*missing, *_warnings(shape)]})


async def _missing(store: Store, rule: Rule, window: Window) -> list[str]:
    return await unknowns(store, read(rule.options), window.from_ns // 1_000, window.to_ns // 1_000)


def way_of(context: Context) -> Way:
    return Way(context.settings.time_zone, context.settings.late_hours * 3_600)


def _warnings(trial: TrialShape) -> list[str]:
    if trial.rate is None:
        return ["nothing had to be followed in this time, so nothing is known of how well it would be kept"]
    breached = 100 - trial.rate
    if breached <= OFTEN_PERCENT:
        return []
    count = trial.kept + trial.breached
    return [f"{trial.breached:,} of {count:,} ({breached:.0f} %) would have been breached"]
