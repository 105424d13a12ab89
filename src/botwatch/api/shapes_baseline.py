"""What is normal for a measure, as the API gives it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class Learning(BaseModel):
    days: int = Field(description="of which something is known")
    of_days: int = Field(description="from which on the hour of the week is known; before, the hour of the day")
    judged: bool = Field(description="whether rules judge by it yet")
    text: str = Field(description="'learning, 3 of 14 days'; empty: it is known")


class BaselineSeries(BaseModel):
    """One subject; each list has a number for each step. Null where nothing came, or nothing is known to be normal."""

    labels: dict[str, str]
    learning: Learning
    value: list[float | None]
    low: list[float | None] = Field(description="less would be surprising")
    usual: list[float | None]
    high: list[float | None] = Field(description="more would be surprising")


class Baseline(BaseModel):
    measure: str
    unit: str
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    step_seconds: int = Field(description="longer than asked where only longer ones are still kept")
    sensitivity: str
    left_out: int = Field(description="subjects of which less came, that are not shown")
    at: list[int] = Field(description="seconds since 1970 at which each step begins, as in `/api/monitoring/history`")
    series: list[BaselineSeries]
