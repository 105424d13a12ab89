"""Own reports as the API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from botwatch import limits
from botwatch.api.pages import ID_MAX, moment
from botwatch.api.shapes_auth import Given
from botwatch.api.shapes_measures import SeriesShape, ThresholdsShape
from botwatch.clock import SECOND_NS
from botwatch.measure.model import Direction
from botwatch.reports.answer import Answer
from botwatch.reports.book import Kept, Share
from botwatch.reports.make import Read
from botwatch.reports.report import Panel, Period, Report
from botwatch.state.people import Principal


class ReportGiven(Given):
    revision: int = Field(ge=1, le=ID_MAX, description="the one that was changed")
    report: Report


class PreviewGiven(Given):
    period: Period = "24h"
    panels: Annotated[tuple[Panel, ...], Field(max_length=limits.REPORT_PANELS_MAX)]


class ShareGiven(Given):
    label: str = Field(max_length=limits.LABEL_CHARS_MAX, description="whom it is for")
    days: int = Field(default=30, ge=1, le=limits.REPORT_SHARE_DAYS_MAX, description="after which it shows no more")


class ReportShape(BaseModel):
    id: int
    report: Report
    revision: int
    owner: str
    may_change: bool = Field(description="whether you may")
    created: datetime
    changed: datetime
    changed_by: str
    due: datetime | None = Field(description="when it is sent next")
    sent: datetime | None = Field(description="the time it was sent for last")
    delivery: str | None = Field(description="the latest mail, in /api/deliveries")
    problem: str = Field(description="why it could not be made; it is tried again")

    @classmethod
    def of(cls, kept: Kept, who: Principal) -> Self:
        return cls(
            id=kept.id,
            report=kept.report,
            revision=kept.revision,
            owner=kept.owner,
            may_change=kept.may_change(who),
            created=moment(kept.created_ns),
            changed=moment(kept.changed_ns),
            changed_by=kept.changed_by,
            due=moment(kept.due_ns),
            sent=moment(kept.sent_ns),
            delivery=kept.delivery_id,
            problem=kept.problem,
        )


class AnswerShape(BaseModel):
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    step_seconds: int | None = Field(description="null: one value of the whole window for each series")
    unit: str
    help: str
    worse: Direction = Field(description="which side is bad")
    bounds: ThresholdsShape | None
    series: list[SeriesShape] = Field(
        description="the greatest first; in a table of what is bad when it is low, the least"
    )
    left_out: int = Field(description="series beyond those")
    notes: list[str] = Field(description="what the values leave out, in words")
    problem: str = Field(description="why there are no values; empty: there is none")

    @classmethod
    def of(cls, found: Answer) -> Self:
        return cls(
            start=moment(found.window.start_s * SECOND_NS),
            end=moment(found.window.end_s * SECOND_NS),
            step_seconds=found.step_s,
            unit=found.unit,
            help=found.help,
            worse=found.worse,
            bounds=ThresholdsShape.of(found.bounds),
            series=[SeriesShape.of(series) for series in found.series],
            left_out=found.left_out,
            notes=list(found.notes),
            problem=found.problem,
        )


class ReportData(BaseModel):
    """A report with its values, and nothing of who made it or whom it is sent to."""

    name: str
    period: str
    as_of: datetime
    panels: list[Panel]
    answers: list[AnswerShape] = Field(description="of each panel, in the same order")

    @classmethod
    def of(cls, read: Read, found: list[Answer]) -> Self:
        return cls(
            name=read.report.name,
            period=read.report.period,
            as_of=moment(read.now_s * SECOND_NS),
            panels=list(read.report.panels),
            answers=[AnswerShape.of(answer) for answer in found],
        )


class ShareShape(BaseModel):
    id: int
    label: str
    created: datetime
    created_by: str
    expires: datetime

    @classmethod
    def of(cls, share: Share) -> Self:
        return cls(
            id=share.id,
            label=share.label,
            created=moment(share.created_ns),
            created_by=share.created_by,
            expires=moment(share.expires_ns),
        )


class ShareMade(BaseModel):
    share: ShareShape
    secret: str = Field(description="cannot be had again; the link is /shared#SECRET")
