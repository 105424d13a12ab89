"""What changed, and which version of a bot ran when, as the API gives it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from botwatch.api.pages import moment
from botwatch.clock import SECOND_NS
from botwatch.incident.causes.change import Change, Kind
from botwatch.incident.causes.deploys import Deploy


class ChangeItem(BaseModel):
    kind: Kind
    at: datetime
    text: str
    bot: str | None = Field(description="null: it is about no bot, or about several")
    url: str = Field(description="the page that shows more; empty: there is none")

    @classmethod
    def of(cls, found: Change) -> Self:
        bots = [value for name, value in found.places if name == "bot"]
        bot = bots[0] if len(bots) == 1 else None
        return cls(kind=found.kind, at=moment(found.at_ns), text=found.text, bot=bot, url=found.link)


class DeployItem(BaseModel):
    bot: str
    version: str
    environment: str | None
    revision: str | None = Field(description="of the source code, where the bot tells it")
    before: str | None = Field(description="the version that was seen last before it; null: none is known")
    beside_seconds: int = Field(description="for how long both were seen")
    hosts: list[str]
    processes: int
    first_seen: datetime
    last_seen: datetime

    @classmethod
    def of(cls, found: Deploy) -> Self:
        now = found.now
        return cls(
            bot=now.bot,
            version=now.version,
            environment=now.environment or None,
            revision=now.revision or None,
            before=found.before or None,
            beside_seconds=found.beside_ns // SECOND_NS,
            hosts=list(now.hosts),
            processes=now.processes,
            first_seen=moment(now.began_ns),
            last_seen=moment(now.ended_ns),
        )
