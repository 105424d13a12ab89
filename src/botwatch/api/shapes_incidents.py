"""Incidents, what rules would have done, and which of them are noise, as the API gives them.

The six properties Botpress's incidents have stand under its names; everything else is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from botwatch import limits
from botwatch.api.pages import moment
from botwatch.clock import SECOND_NS
from botwatch.detect.finding import Reason
from botwatch.detect.rule import Severity
from botwatch.incident.backtest import Backtest, Would
from botwatch.incident.health import Health
from botwatch.incident.noise import Noise, Verdict
from botwatch.incident.nouns import Change, Incident
from botwatch.incident.steps import Status, Step


class LinkShape(BaseModel):
    name: str
    url: str


class IncidentItem(BaseModel):
    """`hostName` is the host of its subject, or the whole subject where that has no host."""

    id: str
    rule_name: str = Field(serialization_alias="ruleName")
    host_name: str = Field(serialization_alias="hostName")
    start_time: datetime = Field(serialization_alias="startTime")
    end_time: datetime | None = Field(serialization_alias="endTime", description="null: it is not over")
    trigger_value: float | None = Field(serialization_alias="triggerValue")
    severity: Severity
    status: Status
    reason: Reason
    summary: str
    labels: dict[str, str] = Field(description="the subject; empty: everything")
    began: datetime = Field(description="the first tick that was wrong, as far as it is known")
    peak_value: float | None
    last_value: float | None
    unit: str = Field(description="of its values; share: of a ratio, 0 to 1")
    acknowledged: datetime | None
    acknowledged_by: str | None

    @classmethod
    def facts(cls, found: Incident) -> dict[str, Any]:
        return {
            "id": found.id,
            "rule_name": found.rule,
            "host_name": found.labels.get("host") or found.subject,
            "start_time": moment(found.started_ns),
            "end_time": moment(found.resolved_ns),
            "trigger_value": found.trigger_value,
            "severity": found.severity,
            "status": found.status,
            "reason": found.reason,
            "summary": found.summary,
            "labels": dict(found.labels),
            "began": moment(found.began_ns),
            "peak_value": found.peak_value,
            "last_value": found.last_value,
            "unit": "share" if found.snapshot.get("per") else str(found.evidence.get("unit", "")),
            "acknowledged": moment(found.acknowledged_ns),
            "acknowledged_by": found.acknowledged_by,
        }

    @classmethod
    def of(cls, found: Incident) -> Self:
        return cls(**cls.facts(found))


class ChangeShape(BaseModel):
    at: datetime
    what: Step
    who: str = Field(description="`rule` where no person did it")
    why: str
    value: float | None

    @classmethod
    def of(cls, change: Change) -> Self:
        at = moment(change.at_ns)
        return cls(at=at, what=change.what, who=change.who, why=change.why, value=change.value)


class RelatedShape(BaseModel):
    """`sure`: measured (where two versions ran side by side), likely, possible or unlikely; null: nobody looked."""

    what: str = Field(description="deploy, model, dependency, limit, breaker, service, document, incident or rule")
    text: str
    at: datetime
    url: str
    about: bool = Field(description="it is what the incident is about, and no cause of it")
    sure: str | None
    chance: float | None = Field(description="of one like it standing so near without having to do with it, 0 to 1")
    measured: str = Field(description="what was measured of both versions; empty: nothing could be")

    @classmethod
    def of(cls, one: Mapping[str, Any]) -> Self:
        return cls(
            what=one["what"],
            text=one["text"],
            at=moment(int(one["at_ns"])),
            url=one["link"],
            about=bool(one.get("about", False)),
            sure=one.get("sure"),
            chance=one.get("chance"),
            measured=one.get("told", ""),
        )


class UsualShape(BaseModel):
    """Of a baseline: what came, and what was to be expected, in the time over which that was noticed."""

    came: float
    expected: float
    over_s: int


class ExampleShape(BaseModel):
    at: datetime
    text: str
    session: str | None
    trace: str | None


class TouchedShape(BaseModel):
    """What it touched from when it began to when it was looked at last."""

    noun: str = Field(description="turns, actions, calls, …")
    count: int = Field(description="that went wrong; where it is about times, all of them")
    of: int
    sessions: int
    examples: list[ExampleShape] = Field(description="the newest; where it is about times, the slowest")

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        examples = [
            ExampleShape(
                at=moment(int(one["at_ns"])),
                text=one["text"],
                session=one["session"] or None,
                trace=one["trace"] or None,
            )
            for one in row["examples"]
        ]
        return cls(noun=row["noun"], count=row["count"], of=row["of"], sessions=row["sessions"], examples=examples)


class EvidenceShape(BaseModel):
    measure: str
    points: list[tuple[int, float | None]] = Field(description="the measure around the moment: second, value")
    last_heard: dict[str, datetime] = Field(description="where something was silent: of the series, the bot, the host")
    usual: UsualShape | None
    parts: list[str] = Field(description="the rules a composite one is made of")
    links: list[LinkShape]
    related: list[RelatedShape] = Field(description="what it is about, then the suspects, likeliest first")
    cause: str = Field(description="the likeliest cause in a sentence; empty: none is likely")
    cause_found: datetime | None = Field(description="when; while it is young, it is looked for a few times")
    looked_at: datetime | None = Field(description="when causes were looked for last")
    looked: bool = Field(description="false: the store did not answer in time, so less is known of what changed")
    touched: TouchedShape | None = Field(description="null: no rows of a bot stand behind it")

    @classmethod
    def of(cls, found: Incident) -> Self:
        evidence = found.evidence
        heard = {name: moment(int(at_s) * SECOND_NS) for name, at_s in evidence.get("last_heard_s", {}).items()}
        return cls(
            measure=str(evidence.get("measure", "")),
            points=[(int(at), value) for at, value in evidence.get("points", [])],
            last_heard=heard,
            usual=UsualShape(**evidence["usual"]) if evidence.get("usual") else None,
            parts=list(evidence.get("parts", [])),
            links=[LinkShape(**link) for link in evidence.get("links", [])],
            related=[RelatedShape.of(one) for one in evidence.get("related", [])],
            cause=str(evidence.get("cause", "")),
            cause_found=moment(evidence.get("cause_ns")),
            looked_at=moment(evidence.get("looked_ns")),
            looked=bool(evidence.get("asked", True)),
            touched=TouchedShape.of_row(evidence["touched"]) if evidence.get("touched") else None,
        )


class IncidentShape(IncidentItem):
    rule: dict[str, Any] = Field(description="as it was when the incident opened")
    runbook: str
    evidence: EvidenceShape
    changes: list[ChangeShape]

    @classmethod
    def whole(cls, found: Incident, changes: list[Change]) -> Self:
        return cls(
            **cls.facts(found),
            rule=dict(found.snapshot),
            runbook=str(found.snapshot.get("runbook", "")),
            evidence=EvidenceShape.of(found),
            changes=[ChangeShape.of(change) for change in changes],
        )


Note = Annotated[str, Field(max_length=limits.RULE_TEXT_CHARS_MAX)]


class Acknowledgement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: Note = Field(default="", description="what you are going to do about it")


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=limits.RULE_TEXT_CHARS_MAX)]


class Judging(BaseModel):
    """How judging itself is doing."""

    leading: bool = Field(description="whether this node judges; of several nodes one does")
    judged: datetime | None = Field(description="the end of the newest tick that was judged")
    paused: str = Field(description="why nothing is judged just now; empty: it goes on")
    rules: int
    series: int
    round_ms: float = Field(description="what the last round took")
    left_out: int = Field(description="incidents that were not opened because so many are open")
    troubles: dict[str, str] = Field(description="rules that cannot be judged, and why")
    crowded: dict[str, str] = Field(description="rules that are not judged of everybody, and why")
    open: dict[Severity, int]

    @classmethod
    def of(cls, health: Health, open_: dict[Severity, int]) -> Self:
        judged = moment(health.judged_s * SECOND_NS) if health.judged_s else None
        return cls(
            leading=health.leading,
            judged=judged,
            paused=health.paused,
            rules=health.rules,
            series=health.series,
            round_ms=round(health.round_ms, 1),
            left_out=health.left_out,
            troubles=dict(health.troubles),
            crowded=dict(health.crowded),
            open=open_,
        )


class ToBacktest(BaseModel):
    """A rule as it is, or the name of one there is."""

    model_config = ConfigDict(extra="forbid")

    rule: dict[str, Any] | Annotated[str, Field(max_length=limits.RULE_NAME_CHARS_MAX)]
    period: Annotated[str, Field(max_length=32)] = "24h"


class WouldShape(BaseModel):
    labels: dict[str, str]
    start_time: datetime = Field(serialization_alias="startTime")
    end_time: datetime | None = Field(serialization_alias="endTime", description="null: it would still be open")
    seconds: int
    reason: Reason
    trigger_value: float | None = Field(serialization_alias="triggerValue")
    peak_value: float | None

    @classmethod
    def of(cls, would: Would, end_s: int) -> Self:
        return cls(
            labels=dict(would.labels),
            start_time=moment(would.opened_s * SECOND_NS),
            end_time=moment(would.resolved_s * SECOND_NS) if would.resolved_s is not None else None,
            seconds=would.lasted_s(end_s),
            reason=would.reason,
            trigger_value=would.value,
            peak_value=would.peak,
        )


class BacktestShape(BaseModel):
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    subjects: int = Field(description="that were judged")
    incidents: int
    incidents_a_day: float
    open_seconds: int = Field(description="of all incidents together")
    notes: list[str]
    items: list[WouldShape] = Field(description=f"the first {limits.BACKTEST_TOLD_MAX} of them")

    @classmethod
    def of(cls, found: Backtest) -> Self:
        return cls(
            start=moment(found.start_s * SECOND_NS),
            end=moment(found.end_s * SECOND_NS),
            subjects=found.subjects,
            incidents=len(found.incidents),
            incidents_a_day=round(found.a_day, 2),
            open_seconds=found.open_s,
            notes=list(found.notes),
            items=[WouldShape.of(one, found.end_s) for one in found.incidents[: limits.BACKTEST_TOLD_MAX]],
        )


class NoiseItem(BaseModel):
    rule: str
    verdict: Verdict
    advice: str
    incidents: int
    incidents_a_day: float
    acknowledged: int
    flapped: int = Field(description="that opened again soon after the one before had ended")
    subjects: int
    open_seconds: float
    seconds_to_detect: float | None
    seconds_to_acknowledge: float | None
    seconds_to_resolve: float | None

    @classmethod
    def of(cls, found: Noise) -> Self:
        return cls(
            rule=found.rule,
            verdict=found.verdict,
            advice=found.advice,
            incidents=found.incidents,
            incidents_a_day=round(found.a_day, 2),
            acknowledged=found.acknowledged,
            flapped=found.flapped,
            subjects=found.subjects,
            open_seconds=found.open_s,
            seconds_to_detect=found.detect_s,
            seconds_to_acknowledge=found.acknowledge_s,
            seconds_to_resolve=found.resolve_s,
        )


class NoiseShape(BaseModel):
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    rules: list[NoiseItem]
