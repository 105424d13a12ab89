"""Who is to hear of a change, and why: pure decisions, each with a named reason.

Asked twice. When a change is taken: which channels, in which group, after how long (`decide`). And when a
notice is due: whether it is still to be told (`verdict`), as a silence, an open incident of a rule it depends
on, or its own end may have come in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from botwatch import limits
from botwatch.detect.rule import Severity
from botwatch.incident.steps import Status, Step
from botwatch.notify.match import Seconds, Where, Words, fits, like
from botwatch.notify.note import ESCALATED
from botwatch.notify.silence import Silence

SETTLE_S: Final = 0.2  # what breaks in one tick is written at once; two seconds are all there is until a page


class Reason(StrEnum):
    """Why a channel hears of a change; the second half: why it does not."""

    RULE = "rule"  # the rule names the channel
    ROUTE = "route"
    DEFAULT = "default"  # no route fits: every channel
    ESCALATION = "escalation"
    FOLLOWS = "follows"  # it heard of the opening
    DIGEST = "digest"
    HOOK = "hook"

    SILENCED = "silenced"
    DEPENDENCY = "dependency"  # an incident of a rule it depends on is open
    NO_CHANNEL = "no_channel"
    UNKNOWN_CHANNEL = "unknown_channel"
    CHANNEL_OFF = "channel_off"
    NO_DIGEST = "no_digest"  # the channels take no digest, and info is told nowhere else
    ANEW = "anew"  # it became more severe, and escalates anew
    ANSWERED = "answered"  # acknowledged before it escalated
    OVER = "over"  # resolved before anybody was told
    UNTOLD = "untold"  # the opening was not told either


class Escalation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Annotated[Seconds, Field(gt=0, le=limits.ESCALATION_S_MAX)]
    channels: Annotated[Words, Field(min_length=1)]


class Route(BaseModel):
    """The first that fits decides; with `continue`, the next ones are asked too. What is left empty fits all."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(max_length=limits.LABEL_CHARS_MAX)] = ""
    severities: tuple[Severity, ...] = ()
    rules: Words = Field(default=(), description="names of rules; * and ? stand for anything")
    bots: Words = Field(default=(), description="names of bots; * and ? stand for anything")
    where: Where = Field(default=(), description="conditions on labels, such as host~web-*")
    channels: Words = Field(default=(), description="by name; none: nobody is told")
    proceed: bool = Field(default=False, alias="continue", description="ask the next routes too")
    group_by: Words = Field(default=("rule",), description="what of one value comes in one message: labels, or rule")
    settle: Annotated[Seconds, Field(ge=0, le=limits.SETTLE_S_MAX)] = Field(
        default=SETTLE_S, description="seconds the first of a group waits for others"
    )
    escalate: Annotated[tuple[Escalation, ...], Field(max_length=limits.ROUTE_STEPS_MAX)] = ()

    def takes(self, facts: Facts) -> bool:
        return (
            (not self.severities or facts.severity in self.severities)
            and (not self.rules or like(self.rules, facts.rule))
            and (not self.bots or like(self.bots, facts.labels.get("bot", "")))
            and fits(self.where, facts.told_labels)
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What decisions need to know of an incident."""

    incident: str
    rule: str
    severity: Severity
    labels: Mapping[str, str]
    status: Status = Status.OPEN
    notify: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()

    @property
    def told_labels(self) -> dict[str, str]:
        return {**self.labels, "rule": self.rule, "severity": self.severity.value}


@dataclass(frozen=True, slots=True)
class Way:
    """What decisions need to know of a channel."""

    name: str
    steps: frozenset[str]
    groups: bool = True
    digests: bool = True
    enabled: bool = True
    hook: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    ways: Mapping[str, Way]
    routes: tuple[Route, ...] = ()
    silences: Mapping[int, Silence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """`told` False: nobody hears of it through this channel, for this reason."""

    channel: str
    reason: Reason
    step: str
    thread: str = ""
    settle_s: float = 0.0
    told: bool = True
    detail: str = ""

    @property
    def digest(self) -> bool:
        return self.told and self.reason is Reason.DIGEST


_DEFAULT: Final = Route(name="default")


def decide(facts: Facts, step: str, plan: Plan, heard: Mapping[str, str]) -> tuple[Decision, ...]:
    """`heard`: the channels that were told of this incident, and the thread they were told in."""
    hooks = [
        Decision(way.name, Reason.HOOK, step, thread=facts.incident)
        for way in plan.ways.values()
        if way.hook and way.enabled and step in way.steps
    ]
    if step in (Step.OPENED, Step.WORSENED):
        return (*hooks, *_opening(facts, step, plan))
    if step in (Step.ACKNOWLEDGED, Step.RESOLVED):
        following = (
            Decision(name, Reason.FOLLOWS, step, thread, SETTLE_S)
            for name, thread in heard.items()
            if (way := plan.ways.get(name)) and not way.hook and step in way.steps
        )
        return (*hooks, *following)
    return ()


def _opening(facts: Facts, step: str, plan: Plan) -> list[Decision]:
    routes = _matching(facts, plan.routes)
    found: dict[tuple[str, str], Decision] = {}
    for route in routes or [_DEFAULT]:
        reason = Reason.RULE if facts.notify else Reason.ROUTE if routes else Reason.DEFAULT
        names = facts.notify or (route.channels if routes else _everybody(facts, plan))
        decisions = [_for(name, reason, facts, step, route, plan) for name in names]
        if facts.severity is not Severity.INFO:
            decisions += _escalations(facts, route, plan)
        for decision in decisions:
            found.setdefault((decision.channel, f"{decision.step}/{decision.detail}"), decision)
    if not found:
        return [Decision("", Reason.NO_CHANNEL, step, told=False, detail=", ".join(route.name for route in routes))]
    return list(found.values())


def _matching(facts: Facts, routes: Sequence[Route]) -> list[Route]:
    found = []
    for route in routes:
        if route.takes(facts):
            found.append(route)
            if not route.proceed:
                break
    return found


def _everybody(facts: Facts, plan: Plan) -> tuple[str, ...]:
    info = facts.severity is Severity.INFO
    return tuple(way.name for way in plan.ways.values() if way.enabled and not way.hook and (way.digests or not info))


def _for(name: str, reason: Reason, facts: Facts, step: str, route: Route, plan: Plan) -> Decision:
    way = plan.ways.get(name)
    if way is None or way.hook:
        return Decision(name, Reason.UNKNOWN_CHANNEL, step, told=False, detail=f"route {route.name}"[:200])
    if not way.enabled:
        return Decision(name, Reason.CHANNEL_OFF, step, told=False)
    thread = thread_of(facts, route) if way.groups else facts.incident
    if facts.severity is Severity.INFO:
        if not way.digests:
            return Decision(name, Reason.NO_DIGEST, step, told=False)
        return Decision(name, Reason.DIGEST, step, thread="digest")
    return Decision(name, reason, step, thread, route.settle, detail=route.name)


def _escalations(facts: Facts, route: Route, plan: Plan) -> list[Decision]:
    found = []
    for number, level in enumerate(route.escalate, 1):
        for name in level.channels:
            way = plan.ways.get(name)
            if way and way.enabled and not way.hook and ESCALATED in way.steps:
                thread = thread_of(facts, route) if way.groups else facts.incident
                detail = f"{route.name or 'route'}: step {number}"
                found.append(Decision(name, Reason.ESCALATION, ESCALATED, thread, level.after, detail=detail))
    return found


def thread_of(facts: Facts, route: Route) -> str:
    """What comes in one message, and must reach a channel in order."""
    parts = [route.name, *(facts.told_labels.get(name, "") for name in route.group_by)]
    return "g" + hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Live:
    """An incident that is not over and may mute others."""

    rule: str
    labels: Mapping[str, str]


class Fate(StrEnum):
    TELL = "tell"
    HOLD = "hold"  # for now: looked at again
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Verdict:
    fate: Fate
    reason: Reason | None = None
    detail: str = ""


TELL: Final = Verdict(Fate.TELL)


def verdict(
    facts: Facts, step: str, *, heard: bool, held: bool, plan: Plan, live: Iterable[Live], now_ns: int
) -> Verdict:
    """Of a notice that is due. `heard`: its channel was told before, or is now; `held`: it was to wait before."""
    if step in (Step.ACKNOWLEDGED, Step.RESOLVED):
        return TELL if heard else Verdict(Fate.DROP, Reason.UNTOLD)
    if step == ESCALATED and facts.status is not Status.OPEN:
        answered = facts.status is Status.ACKNOWLEDGED
        return Verdict(Fate.DROP, Reason.ANSWERED if answered else Reason.OVER)
    muted = muted_by(facts, plan, live, now_ns)
    if facts.status is Status.RESOLVED and (held or muted):
        return Verdict(Fate.DROP, Reason.OVER, muted.detail if muted else "")
    return muted or TELL


def muted_by(facts: Facts, plan: Plan, live: Iterable[Live], now_ns: int) -> Verdict | None:
    for number, silence in plan.silences.items():
        if silence.mutes(facts.told_labels, now_ns):
            return Verdict(Fate.HOLD, Reason.SILENCED, f"silence {number}")
    for other in live:
        if other.rule in facts.depends_on and _same_subject(other.labels, facts.labels):
            return Verdict(Fate.HOLD, Reason.DEPENDENCY, f"rule {other.rule}")
    return None


def _same_subject(above: Mapping[str, str], below: Mapping[str, str]) -> bool:
    """A dead host mutes what runs on it: what both name is the same, and they name something in common."""
    common = above.keys() & below.keys()
    return (not above or bool(common)) and all(above[name] == below[name] for name in common)
