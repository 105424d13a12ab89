"""What comes out of the routes over payloads: sources, their profiles, and what changed in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, Field

from botwatch.api.pages import moment
from botwatch.detect.rows_drift import DriftRow
from botwatch.watch.payloads.given import Given, Kept


class DriftShape(BaseModel):
    """One change of one place of a source's documents."""

    id: int
    event: int = Field(description="the first change told of those that began in the same minutes at its source")
    source: str
    variant: str = Field(description="the kind of document; empty: it is about which kinds come")
    path: str
    what: str = Field(
        description="appeared, vanished, rarer, more_null, more_empty, type_changed, nested, value_…, critical_…"
    )
    value: str = Field(description="the type or the value it is about, where it is about one")
    sentence: str
    moved_to: str = Field(description="where what is gone has come instead; empty: nowhere")
    before: float = Field(description="the share before, 0 to 1")
    now: float
    before_of: float = Field(description="out of how many documents, older ones counting less")
    now_of: float
    sure: float = Field(description="how sure it is that this is no chance, below 1")
    began: datetime
    found: datetime
    last: datetime
    ended: datetime | None
    accepted: datetime | None
    accepted_by: str | None
    sessions: list[str] = Field(description="some of the conversations it touched")
    traces: list[str]
    bots: list[str]
    actions: list[str] = Field(description="what bots did in those conversations and traces")
    versions: dict[str, tuple[int, int]] = Field(
        description="of each version of a bot, how many documents show it since it began, and of how many"
    )
    example_before: Any = Field(description="a document as they were, masked")
    example_after: Any

    @classmethod
    def of(cls, row: DriftRow, event: int) -> Self:
        evidence = row.evidence
        return cls(
            id=row.id,
            event=event,
            source=row.source,
            variant=row.variant,
            path=row.path,
            what=row.what,
            value=row.value,
            sentence=row.sentence,
            moved_to=row.moved_to,
            before=row.before_count / row.before_of if row.before_of else 0.0,
            now=row.now_count / row.now_of if row.now_of else 0.0,
            before_of=row.before_of,
            now_of=row.now_of,
            sure=evidence.get("sure", 0.0),
            began=moment(row.began_ns),
            found=moment(row.found_ns),
            last=moment(row.last_ns),
            ended=moment(row.ended_ns),
            accepted=moment(row.accepted_ns),
            accepted_by=row.accepted_by,
            sessions=evidence.get("sessions", []),
            traces=evidence.get("traces", []),
            bots=evidence.get("bots", []),
            actions=evidence.get("actions", []),
            versions=evidence.get("versions", {}),
            example_before=next(iter(evidence.get("before", [])), None),
            example_after=next(iter(evidence.get("after", [])), None),
        )


class SourceShape(BaseModel):
    """`kinds` says how documents are told apart: by the values of fields, or by which objects they carry."""

    source: str
    learning_since: datetime | None = Field(description="null: it is declared, and its documents are not known yet")
    kinds_fields: list[str]
    kinds_carried: list[str]
    drifting: int
    declared: str | None = Field(description="where something is declared of it: settings or api")
    session: str | None = Field(description="the place of a document that names its conversation")
    schema_file: str | None = Field(description="the JSON Schema its documents are held against, where it is a file")
    schema_problem: str | None = Field(description="why they are not, or not against the newest")
    critical: list[str] = Field(description="places that are watched in every document")


class DeclarationShape(Given):
    """What was declared of a source through the API."""

    source: str
    changed: datetime
    changed_by: str

    @classmethod
    def of(cls, source: str, kept: Kept) -> Self:
        said = kept.given.model_dump(by_alias=True)
        return cls(**said, source=source, changed=moment(kept.changed_ns), changed_by=kept.changed_by)


class PlaceShape(BaseModel):
    path: str
    present: float | None = Field(description="the share of the objects around it that have it")
    null: float
    empty: float | None
    types: dict[str, float]
    values: dict[str, float] | None = Field(description="null: too many to be a choice")
    seen: int


class VariantShape(BaseModel):
    variant: str
    documents: int
    partly: int = Field(description="of these, with more places than are looked at in one document")
    places: list[PlaceShape]


class CriticalShape(BaseModel):
    """A critical place, in every document of the window."""

    path: str
    variant: str
    documents: int
    missing: int
    null: int
    empty: int
    types: dict[str, int]


class ProfileShape(BaseModel):
    """What was counted in the window: a bounded sample of the documents that came, but for critical places."""

    source: str
    variants: list[VariantShape]
    critical: list[CriticalShape]


class Flaw(StrEnum):
    JSON = "json"  # it is no JSON object or array
    SCHEMA = "schema"  # it does not fit what is expected of it


class InvalidShape(BaseModel):
    """Something that was sent for a document and is none, or does not fit."""

    at: datetime
    source: str
    fault: Flaw
    path: str = Field(description="where the first misfit is")
    reason: str = Field(description="of which kind it is, such as required, type, enum, not JSON")
    times: int = Field(description="how many equal ones came in the same moment")
    bot: str | None
    session_id: str | None
    trace_id: str | None
    sender: str | None = Field(description="of one that came without a bot: the beginning of its key, and the program")
    document: str = Field(description="masked; of what is no JSON, its beginning; empty: whoever checked it kept none")
