"""Queues and the brokers that tell of them, as the API gives them. null: nobody tells."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from botwatch.api.pages import Page


class Trend(StrEnum):
    GROWING = "growing"  # filling faster than it drains
    DRAINING = "draining"
    STEADY = "steady"
    EMPTY = "empty"
    UNKNOWN = "unknown"


class PartitionItem(BaseModel):
    partition: str
    depth: int | None
    age_seconds: float | None


class QueueItem(BaseModel):
    queue: str
    broker: str | None = Field(description="as it is called in the settings; null: a bot tells of this queue itself")
    system: str | None = Field(description="the kind of broker")
    group: str | None = Field(description="consumer group")
    bot: str | None
    host: str | None
    seen: datetime = Field(description="when the figures were true")
    current: bool = Field(description="false: nothing was heard of it since, or its broker does not answer")
    trend: Trend
    depth: int | None = Field(description="waiting, and taken by nobody")
    pending: int | None = Field(description="taken, and not done")
    age_seconds: float | None = Field(description="of the oldest message that is not done")
    age_exact: bool | None = Field(description="false: it is at least so old")
    consumers: int | None
    unattended: int | None = Field(description="waiting where nobody consumes")
    in_per_second: float | None
    out_per_second: float | None
    rates_exact: bool | None = Field(description="false: the broker does not count, it is so much at least")
    growth_per_second: float | None = Field(description="below 0 while it drains")
    time_to_drain_seconds: float | None = Field(description="null: it is not draining")
    growing_seconds: float | None = Field(description="for how long it has been filling faster than it drains")
    stalled_seconds: float | None = Field(description="for how long something has waited while nothing left")
    partitions: list[PartitionItem]


class BrokerItem(BaseModel):
    name: str
    system: str
    asked: datetime
    answers: bool
    reason: str | None = Field(description="why it does not answer")
    queues_left_out: int = Field(description="beyond the bound on queues; use include or exclude")
    current: bool = Field(description="false: whoever asks it has not told of it since")


class QueuePage(Page[QueueItem]):
    """The deepest first."""

    brokers: list[BrokerItem]
