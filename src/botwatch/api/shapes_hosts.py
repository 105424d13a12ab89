"""Hosts, as the API gives them. null: there is no such figure, and `unknown` may say why."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from botwatch.api.shapes_monitoring import ResourceFigures


class HostProcess(BaseModel):
    """A process of a bot with its children, as the agent on its machine sees it."""

    bot: str
    instance: str
    cpu_percent: float | None = Field(description="of one core")
    memory_bytes: float | None
    memory_left_bytes: float | None = Field(description="until a limit, or the machine, stops it")
    memory_growth_bytes_per_hour: float | None = Field(description="a leak; null: none is seen")
    memory_time_left_seconds: float | None = Field(description="until the leak has eaten what is left")
    threads: int | None
    open_files: int | None
    connections: int | None
    uptime_seconds: float | None


class HostLimit(BaseModel):
    name: str
    percent: float


class HostItem(BaseModel):
    name: str
    first_seen: datetime
    last_seen: datetime
    measured: datetime | None = Field(description="when an agent last told of it; null: not lately")
    bots: list[str]
    resources: ResourceFigures
    cpus: int | None
    load: list[float] = Field(description="over 1, 5 and 15 minutes; empty: not known")
    memory_total_bytes: float | None
    memory_free_bytes: float | None
    connections: int | None = Field(description="established TCP connections")
    open_files: int | None
    uptime_seconds: float | None
    limits: list[HostLimit] = Field(description="of the machine, and of the container the agent runs in")
    processes: list[HostProcess]
    watched: dict[str, int] = Field(description="how many processes run of each bot the agent is to watch")
    unknown: dict[str, str] = Field(description="why a part has no figures")
