"""Documents: which sources send them, what they look like, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy.orm import Session

from botwatch.api.asking import Listed, Timed
from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Ctx
from botwatch.api.pages import ID_MAX, Cursor, Id, Limit, Page, id_in, moment, page_of
from botwatch.api.reads import invalid
from botwatch.api.shapes_drift import (
    CriticalShape,
    DriftShape,
    Flaw,
    InvalidShape,
    PlaceShape,
    ProfileShape,
    SourceShape,
    VariantShape,
)
from botwatch.api.telemetry import Asks
from botwatch.clock import SECOND_NS
from botwatch.detect.drift.critical import EMPTY, MISSING, NULL, States
from botwatch.detect.drift.critical import Place as CriticalPlace
from botwatch.detect.drift.profile import Place, Profile, has_presence
from botwatch.detect.drift.shape import ROOT
from botwatch.detect.drift.source import KIND, Profiles, merged
from botwatch.detect.rows_drift import DeclaredRow, DriftRow, SourceRow
from botwatch.errors import NotFound
from botwatch.limits import DRIFT_SOURCES_MAX, PAYLOAD_SOURCE_CHARS_MAX
from botwatch.state import audit
from botwatch.watch.payloads import criticals, findings, profiles

router = APIRouter(prefix="/api", tags=["payloads"])

Name = Annotated[str, Path(min_length=1, max_length=PAYLOAD_SOURCE_CHARS_MAX)]
Live = Annotated[bool, Query(description="only what is going on now")]
Whole = Annotated[bool, Query(description="with all that began in the same minutes at its source and goes on")]
Of = Annotated[str | None, Query(max_length=PAYLOAD_SOURCE_CHARS_MAX)]


class InvalidAsked(Listed, Timed):
    source: str | None = Field(default=None, max_length=PAYLOAD_SOURCE_CHARS_MAX)
    fault: Flaw | None = None


@router.get("/drift")
async def list_drift(
    context: Ctx, _: SignedIn, live: Live = False, source: Of = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[DriftShape]:
    """What changed in the documents that come in, the newest first."""
    query = sa.select(DriftRow).where(DriftRow.id < id_in(cursor, start=ID_MAX)).order_by(DriftRow.id.desc())
    if live:
        query = query.where(DriftRow.ended_ns.is_(None))
    if source is not None:
        query = query.where(DriftRow.source == source)

    def read(session: Session) -> Page[DriftShape]:
        rows = list(session.scalars(query.limit(limit + 1)))
        event = findings.together(session, rows)
        return page_of(rows, limit, lambda row: DriftShape.of(row, event[row.id]), lambda row: row.id)

    return await context.database.read(read)


@router.get("/drift/{id}")
async def read_drift(context: Ctx, _: SignedIn, id: Id) -> DriftShape:
    return await context.database.read(lambda session: _shape(session, _row(session, id)))


@router.post("/drift/{id}/accept")
async def accept_drift(context: Ctx, principal: Admin, id: Id, event: Whole = False) -> DriftShape:
    """This is the new normal: it is over, and not found again unless it changes further."""
    now_ns = context.clock.now_ns()

    def write(session: Session) -> DriftShape:
        row = _row(session, id)
        for one in findings.beside(session, row) if event else [row]:
            if one.accepted_ns is None:
                one.accepted_ns, one.accepted_by = now_ns, principal.name
                one.ended_ns = one.ended_ns or now_ns
                audit.record(
                    session, now_ns, principal.name, "drift.accept", f"{one.source} {one.path}", change=one.what
                )
        return _shape(session, row)

    return await context.database.write(write)


def _shape(session: Session, row: DriftRow) -> DriftShape:
    return DriftShape.of(row, findings.together(session, [row])[row.id])


def _row(session: Session, id: int) -> DriftRow:
    row = session.get(DriftRow, id)
    if row is None:
        raise NotFound("There is no such change.", hint="GET /api/drift lists them")
    return row


@router.get("/payloads/sources")
async def list_sources(context: Ctx, _: SignedIn) -> list[SourceShape]:
    """Every source that is declared, or whose kinds of documents are known: a new one is looked at for a day first."""

    def read(session: Session) -> list[SourceShape]:
        live = sa.select(DriftRow.source, sa.func.count()).where(DriftRow.ended_ns.is_(None)).group_by(DriftRow.source)
        drifting = {row[0]: int(row[1]) for row in session.execute(live)}
        rows = session.scalars(sa.select(SourceRow).order_by(SourceRow.name).limit(DRIFT_SOURCES_MAX))
        known = {row.name: row for row in rows}
        declared = {row.source: row for row in session.scalars(sa.select(DeclaredRow))}
        return [
            _source(name, known.get(name), declared.get(name), drifting.get(name, 0))
            for name in sorted(known.keys() | declared.keys())
        ]

    return await context.database.read(read)


def _source(name: str, known: SourceRow | None, declared: DeclaredRow | None, drifting: int) -> SourceShape:
    kinds = known.kinds if known is not None else {"fields": declared.fields if declared is not None else []}
    return SourceShape(
        source=name,
        learning_since=moment(known.since_ns) if known is not None else None,
        kinds_fields=kinds.get("fields", []),
        kinds_carried=kinds.get("carried", []),
        drifting=drifting,
        declared=declared.origin if declared is not None else None,
        session=(declared.session if declared is not None else "") or None,
        schema_file=(declared.schema_file if declared is not None else "") or None,
        schema_problem=(declared.problem if declared is not None else "") or None,
        critical=declared.critical if declared is not None else [],
    )


@router.get("/payloads/invalid")
async def list_invalid(asks: Asks, asked: Annotated[InvalidAsked, Query()]) -> Page[InvalidShape]:
    """What was sent for a document and is none, or does not fit what is expected (the last day if no time is said)."""
    window = asked.window(asks.now_ns, asks.zone, "24h")
    return await invalid.page(asks.store, window, asked.source, asked.fault, asked.limit, asked.cursor)


@router.get("/payloads/sources/{source}/profile")
async def read_profile(asks: Asks, source: Name, asked: Annotated[Timed, Query()]) -> ProfileShape:
    """What the documents of a source looked like, over the hours of a window (the last day if none is said)."""
    window = asked.window(asks.now_ns, asks.zone, "24h")
    from_s, to_s = window.from_ns // SECOND_NS, window.to_ns // SECOND_NS
    hours = await profiles.hours(asks.store, source, from_s, to_s)
    critical = await criticals.counted(asks.store, source, from_s, to_s)
    if not hours and not critical:
        raise NotFound("There is no profile of this source in this time.", hint="GET /api/payloads/sources lists them")
    return _profile(source, merged([parts for _, parts in hours]), critical)


def _profile(source: str, found: Profiles, critical: Sequence[tuple[CriticalPlace, States]]) -> ProfileShape:
    variants = [
        VariantShape(
            variant=variant,
            documents=profile.documents,
            partly=max(0, profile.documents - int(profile.places[ROOT].present)) if ROOT in profile.places else 0,
            places=[_place(profile, path, place) for path, place in sorted(profile.places.items())],
        )
        for variant, profile in sorted(found.items(), key=lambda item: -item[1].documents)
        if KIND not in profile.places
    ]
    return ProfileShape(source=source, variants=variants, critical=[_critical(*one) for one in critical])


def _critical(place: CriticalPlace, states: States) -> CriticalShape:
    variant, path = place
    faults = {fault: states.get(fault, 0) for fault in (MISSING, NULL, EMPTY)}
    types = {state: count for state, count in states.items() if state not in faults}
    return CriticalShape(path=path, variant=variant, documents=sum(states.values()), types=types, **faults)


def _place(profile: Profile, path: str, place: Place) -> PlaceShape:
    around, filled = profile.around(path, place.parent), place.filled
    return PlaceShape(
        path=path,
        present=min(1.0, place.present / around) if around and has_presence(path) else None,
        null=1 - filled / place.present if place.present else 0.0,
        empty=place.empty / filled if filled else None,
        types={kind.value: count / place.present for kind, count in place.types.items()},
        values=None if place.values is None else {value: count / filled for value, count in place.values.items()},
        seen=int(place.present),
    )
