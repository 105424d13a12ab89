"""What is told: the facts of one message, fixed when it is written, read by every channel.

A channel turns a `Note` into its own words; no channel looks anything up.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from botwatch.detect.rule import Severity
from botwatch.incident.steps import Status, Step, subject_said

ESCALATED: Final = "escalated"  # nobody acknowledged: a step of telling, not of the incident
TEST_MARK: Final = "test"
DRILL_MARK: Final = "drill"


class Purpose(StrEnum):
    INCIDENT = "incident"
    DIGEST = "digest"
    TROUBLE = "trouble"  # another channel does not deliver
    TEST = "test"
    HOOK = "hook"
    REPORT = "report"  # one of people's own


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Link(_Frozen):
    name: str
    url: str


class Moment(_Frozen):
    """One step of what happened, where several are told at once."""

    step: str
    at_ns: int
    who: str = ""


class Judged(_Frozen):
    """What the rule asked when the incident opened."""

    field: str = ""
    per: str = ""
    aggregation: str = ""
    operand: str = ""
    value: float | None = None
    timeframe_s: int = 0
    unit: str = ""


class Told(_Frozen):
    """One incident, as it stood when the message was written."""

    incident: str
    rule: str
    labels: dict[str, str]
    severity: Severity
    status: Status
    step: str  # the step that is told: the latest of `story`
    at_ns: int
    who: str = ""
    why: str = ""
    story: Annotated[tuple[Moment, ...], Field(max_length=64)] = ()
    late: bool = False  # told together because earlier messages could not be delivered
    summary: str = ""
    reason: str = ""
    value: float | None = None  # the latest
    trigger: float | None = None
    peak: float | None = None
    judged: Judged = Judged()
    began_ns: int
    started_ns: int
    acknowledged_by: str = ""
    resolved_ns: int | None = None
    runbook: str = ""
    message: str = ""
    cause: str = ""  # what it may come from, and how sure that is
    links: tuple[Link, ...] = ()
    mark: str = ""  # `drill` for what is not real

    @property
    def subject(self) -> str:
        return subject_said(dict(sorted(self.labels.items()))) or "everything"

    @property
    def steps(self) -> tuple[str, ...]:
        """What is told of it here, oldest first."""
        return tuple(moment.step for moment in self.story) or (self.step,)

    @property
    def over(self) -> bool:
        return self.status is Status.RESOLVED


class File(_Frozen):
    """What comes with a message. Its bytes are kept beside the message, and only until it has arrived."""

    name: str
    media_type: str
    body: Annotated[bytes, Field(exclude=True, repr=False)] = b""


class Note(_Frozen):
    """`ref` is what the provider answered to the message before this one of the same thread."""

    id: str
    purpose: Purpose
    channel: str
    thread: str
    created_ns: int
    told: tuple[Told, ...] = ()
    more: int = 0  # incidents that are not listed
    text: str = ""  # for a test, for trouble and for a report: what to say beside the incidents
    subject: str = ""  # for a report: what it is called
    to: tuple[str, ...] = ()  # for a report: whom it is for, where that is not whom the channel reaches
    links: tuple[Link, ...] = ()  # of the message itself
    files: tuple[File, ...] = ()
    tried: tuple[str, ...] = ()  # for trouble: the channels that failed
    url: str = ""  # where Botwatch is
    zone: str = "UTC"  # in which times are written
    ref: dict[str, str] = {}

    @property
    def firing(self) -> tuple[Told, ...]:
        return tuple(told for told in self.told if not told.over)

    @property
    def severity(self) -> Severity:
        return max((told.severity for told in self.told), key=lambda found: found.rank, default=Severity.INFO)

    @property
    def late(self) -> bool:
        return any(told.late for told in self.told)

    @property
    def drill(self) -> bool:
        return any(told.mark == DRILL_MARK for told in self.told)


STEPS: Final = (*Step, ESCALATED)


def as_json(note: Note) -> dict[str, Any]:
    return note.model_dump(mode="json", exclude_defaults=True)
