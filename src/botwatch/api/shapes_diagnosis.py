"""What is wrong and what to do, as the API gives it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from botwatch.api.diagnosis.finding import Finding, Level, Topic
from botwatch.api.diagnosis.registry import Looked


class FindingItem(BaseModel):
    code: str = Field(description="stable, for programs")
    level: Level = Field(description="a notice may be meant to be so")
    subject: dict[str, str] = Field(description="the bot, host, session, channel or rule; empty: the server as a whole")
    found: str = Field(description="what was seen")
    remedy: str = Field(description="what to do")
    evidence: dict[str, str | int | float | None]

    @classmethod
    def of(cls, finding: Finding) -> FindingItem:
        return cls(
            code=finding.code,
            level=finding.level,
            subject=dict(finding.subject),
            found=finding.found,
            remedy=finding.remedy,
            evidence=dict(finding.evidence),
        )


class TopicItem(BaseModel):
    topic: Topic
    question: str
    looked: bool = Field(description="false: it could not be looked at, so that no findings mean nothing")
    why_not: str | None
    findings: list[FindingItem]

    @classmethod
    def of(cls, looked: Looked, bot: str | None) -> TopicItem:
        findings = [f for f in looked.findings if bot is None or f.subject.get("bot") in (None, bot)]
        return cls(
            topic=looked.question.topic,
            question=looked.question.asks,
            looked=not looked.why_not,
            why_not=looked.why_not or None,
            findings=[FindingItem.of(finding) for finding in findings],
        )


class Diagnosis(BaseModel):
    as_of: datetime
    topics: list[TopicItem]
    listening: dict[str, int] = Field(description="the ports of this server, by what they are for")
    ingest_key_needed: bool
