"""Measures, their values over time, and what bots consist of, as the API gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from botwatch.measure.model import Description, Direction, Empty, Thresholds
from botwatch.measure.names import Metric
from botwatch.measure.reader import Series


class ThresholdsShape(BaseModel):
    """Beyond each is worse: above where high is bad, below where low is."""

    warning: float
    critical: float

    @classmethod
    def of(cls, thresholds: Thresholds | None) -> Self | None:
        return cls(warning=thresholds.warning, critical=thresholds.critical) if thresholds else None


class MeasureShape(BaseModel):
    name: str
    unit: str
    help: str
    labels: list[str] = Field(description="what it can be grouped and filtered by")
    aliases: list[str]
    aggregations: list[str] = Field(description="what else can be asked of it")
    worse: Direction = Field(description="which side is bad")
    empty: Empty = Field(description="what a step without data means")
    thresholds: ThresholdsShape | None
    colours: ThresholdsShape | None
    remedy: str = Field(description="what to do about a bad value; empty: that depends")

    @classmethod
    def of(cls, found: Description) -> Self:
        return cls(
            name=found.name,
            unit=found.unit,
            help=found.help,
            labels=list(found.labels),
            aliases=list(found.aliases),
            aggregations=list(found.aggregations),
            worse=found.direction,
            empty=found.empty,
            thresholds=ThresholdsShape.of(found.thresholds),
            colours=ThresholdsShape.of(found.colours),
            remedy=found.remedy,
        )


class MetricShape(BaseModel):
    """A metric as its senders describe it; it is asked for as the measure `metric:NAME`."""

    name: str
    kind: str
    unit: str
    help: str
    labels: list[str]

    @classmethod
    def of(cls, found: Metric) -> Self:
        return cls(name=found.name, kind=found.kind, unit=found.unit, help=found.help, labels=list(found.labels))


class Catalogue(BaseModel):
    measures: list[MeasureShape]
    metrics: list[MetricShape] = Field(description="those that have come, by name; as many as `limit`")


class LabelValues(BaseModel):
    label: str
    values: list[str] = Field(description="the most recent first")


class SeriesShape(BaseModel):
    measure: str
    labels: dict[str, str]
    step_seconds: int | None = Field(description="longer than asked where only longer ones are still kept")
    points: list[tuple[int, float | None]] = Field(
        description="seconds since 1970 at which a step begins, and its value"
    )
    notes: list[str] = Field(description="what the values leave out, in words")

    @classmethod
    def of(cls, found: Series) -> Self:
        return cls(
            measure=found.measure,
            labels=dict(found.labels),
            step_seconds=found.step_s,
            points=list(found.points),
            notes=list(found.notes),
        )


class History(BaseModel):
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    step_seconds: int
    units: dict[str, str] = Field(description="of each measure")
    series: list[SeriesShape]


class Latency(BaseModel):
    """In milliseconds; quantiles are within 1 %."""

    avg: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class ActionItem(BaseModel):
    bot: str
    name: str
    count: int
    errors: int
    success_rate: float | None = Field(description="percent")
    latency_ms: Latency
    last_seen: datetime | None


class DependencyItem(BaseModel):
    bot: str
    name: str
    count: int
    errors: int
    error_rate: float | None = Field(description="percent")
    timeouts: int
    rate_limited: int
    latency_ms: Latency
    last_seen: datetime | None


class ModelItem(BaseModel):
    bot: str
    name: str
    provider: str
    count: int
    errors: int
    error_rate: float | None = Field(description="percent")
    tokens_in: int
    tokens_out: int
    cost_usd: float | None = Field(description="by list price; null where none is known")
    latency_ms: Latency
    last_seen: datetime | None


class BotItem(BaseModel):
    name: str
    first_seen: datetime
    last_seen: datetime
    hosts: list[str]
    channels: list[str]
