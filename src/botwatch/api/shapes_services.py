"""Services as the API gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from botwatch import limits
from botwatch.watch.given import Described
from botwatch.watch.probes.model import Status


class FigureShape(BaseModel):
    name: str
    value: float
    unit: str
    measure: str = Field(description="under which its history is asked for")


class ServiceItem(BaseModel):
    """null: it is not known. An address is shown without user, password, path and query."""

    name: str
    kind: str
    address: str
    host: str = Field(description="the machine it is asked from")
    status: Status
    reason: str | None
    version: str | None
    key_figure: str | None = Field(description="for people, such as '24/100 connections'")
    figures: list[FigureShape]
    latency_ms: float | None
    since: datetime | None = Field(description="when it was told to be so")
    checked: datetime | None
    interval_seconds: float | None
    source: str | None = Field(description="settings or api; null: another server asks it")


class ServiceList(BaseModel):
    items: list[ServiceItem]
    running: int
    total: int


class ServiceChange(BaseModel):
    at: datetime
    host: str
    before: str
    status: str
    reason: str | None
    version: str | None


class ServiceDetail(BaseModel):
    service: ServiceItem
    changes: list[ServiceChange] = Field(description="the newest first")


class NewService(Described):
    """Secrets are kept and never shown again."""

    name: str = Field(min_length=1, max_length=64, description="small letters, digits, '.', '_' and '-'")


class ChangedService(Described):
    """As it is to be. A secret that is left out stays, unless the address becomes another."""

    url: SecretStr = Field(default=SecretStr(""), max_length=limits.SECRET_CHARS_MAX, description="empty: where it was")


class ServiceToTry(ChangedService):
    name: str = Field(min_length=1, max_length=64, description="of one there is: its secrets are taken along")


class ServiceOptions(BaseModel):
    """How a service that was added here is asked."""

    name: str
    address: str
    options: dict[str, Any] = Field(description="without secrets")
    secrets: list[str] = Field(description="the secret ones that are set")
