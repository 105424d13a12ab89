"""What is normal for a measure, as the API gives it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class BaselinePoint(BaseModel):
    """One step. Null where nothing came, or where nothing is known to be normal yet."""

    at: datetime = Field(description="when the step begins")
    value: float | None
    low: float | None = Field(description="less would be surprising")
    expected: float | None
    high: float | None = Field(description="more would be surprising")


class Learning(BaseModel):
    days: int = Field(description="of which something is known")
    of_days: int = Field(description="from which on the hour of the week is known; before, the hour of the day")
    judged: bool = Field(description="whether rules judge by it yet")
    text: str = Field(description="'learning, 3 of 14 days'; empty: it is known")


class BaselineSeries(BaseModel):
    labels: dict[str, str]
    learning: Learning
    points: list[BaselinePoint]


class Baseline(BaseModel):
    measure: str
    step_s: int
    sensitivity: str
    left_out: int = Field(description="subjects of which less came, that are not shown")
    series: list[BaselineSeries]
