"""What changed in how bots call others, as the API gives it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field


class Change(StrEnum):
    LIMIT = "limit"
    BREAKER = "breaker"


class DependencyChange(BaseModel):
    at: datetime
    bot: str
    host: str
    what: Change
    name: str = Field(description="of the dependency, or of the breaker")
    limit: str = Field(description="which of the limits of a dependency; empty: it has one, or this is a breaker")
    before: str = Field(description="a number, or closed, half_open, open")
    after: str
    session_id: str | None
    trace_id: str | None
