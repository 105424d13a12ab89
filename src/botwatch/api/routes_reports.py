"""Own reports: put together by whoever is signed in, sent and shared by admins."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response
from sqlalchemy.orm import Session

from botwatch.api.asking import Timed, end_of_tick
from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Context, Ctx
from botwatch.api.pages import Cursor, Id, Limit, Page, id_in, page_of
from botwatch.api.routes_channels import base_of, wake
from botwatch.api.shapes_notify import ReceiptShape
from botwatch.api.shapes_reports import (
    PreviewGiven,
    ReportData,
    ReportGiven,
    ReportShape,
    ShareGiven,
    ShareMade,
    ShareShape,
)
from botwatch.api.telemetry import Asker, Asks
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest
from botwatch.notify import book as ways
from botwatch.notify import outbox
from botwatch.notify.outbox import Frame
from botwatch.reports import answer, book, post
from botwatch.reports.answer import Window
from botwatch.reports.book import Kept
from botwatch.reports.make import MEDIA, Maker, Read, answers, file_name
from botwatch.reports.report import FileKind, Report
from botwatch.state import audit

router = APIRouter(prefix="/api/reports", tags=["reports"])
_TTL_S = 5.0
_GRACE_S = 25.0


class TimeAsked(Timed):
    """A window in place of the report's own."""


Asked = Annotated[TimeAsked, Query()]


@router.get("")
async def list_reports(
    context: Ctx, principal: SignedIn, cursor: Cursor = None, limit: Limit = 100
) -> Page[ReportShape]:
    """In the order in which they were made."""
    after_id = id_in(cursor)
    rows = await context.database.read(lambda session: book.listed(session, after_id=after_id, count=limit + 1))
    return page_of(rows, limit, lambda kept: ReportShape.of(kept, principal), lambda kept: kept.id)


@router.post("", status_code=201)
async def add_report(context: Ctx, asks: Asks, principal: SignedIn, given: Report) -> ReportShape:
    report = _filled(given, context)
    await answer.check(asks.telemetry.measures.names, report.panels)

    def work(session: Session) -> Kept:
        _check_channel(session, context, report)
        return book.add(session, asks.now_ns, principal, report)

    return ReportShape.of(await context.database.write(work), principal)


@router.post("/preview")
async def preview_report(asks: Asks, given: PreviewGiven) -> ReportData:
    """What the panels of a report would show. Nothing is kept."""
    await answer.check(asks.telemetry.measures.names, given.panels)
    read = read_of(asks, Report(name="preview", period=given.period, panels=given.panels))
    key = ("preview", given.model_dump_json())
    return await asks.telemetry.fresh.get(key, _TTL_S, lambda: _data(asks, read), grace_s=_GRACE_S)


@router.get("/{id}")
async def show_report(context: Ctx, principal: SignedIn, id: Id) -> ReportShape:
    return ReportShape.of(await _kept(context, id), principal)


@router.put("/{id}")
async def change_report(context: Ctx, asks: Asks, principal: SignedIn, id: Id, given: ReportGiven) -> ReportShape:
    report, before = _filled(given.report, context), await _kept(context, id)
    await answer.check(asks.telemetry.measures.names, report.panels, before.report.panels)

    def work(session: Session) -> Kept:
        if report.schedule != before.report.schedule:
            _check_channel(session, context, report)
        return book.change(session, asks.now_ns, principal, id, given.revision, report)

    return ReportShape.of(await context.database.write(work), principal)


@router.delete("/{id}", status_code=204)
async def remove_report(context: Ctx, principal: SignedIn, id: Id) -> None:
    """Links to it show nothing from then on."""
    now_ns = context.clock.now_ns()
    await context.database.write(lambda session: book.remove(session, now_ns, principal, id))


@router.get("/{id}/data")
async def read_report(context: Ctx, asks: Asks, id: Id, asked: Asked) -> ReportData:
    """The values of all its panels."""
    return await data_of(asks, await _kept(context, id), asked)


@router.get("/{id}/report.pdf", response_class=Response)
async def read_report_as_pdf(request: Request, context: Ctx, asks: Asks, id: Id, asked: Asked) -> Response:
    read = read_of(asks, (await _kept(context, id)).report, asked)
    return await file_of(request, asks, read, FileKind.PDF)


@router.get("/{id}/report.csv", response_class=Response)
async def read_report_as_csv(request: Request, context: Ctx, asks: Asks, id: Id, asked: Asked) -> Response:
    read = read_of(asks, (await _kept(context, id)).report, asked)
    return await file_of(request, asks, read, FileKind.CSV)


@router.post("/{id}/send")
async def send_report(request: Request, context: Ctx, asks: Asks, principal: Admin, id: Id) -> ReceiptShape:
    """Send it now to whom it is sent by the clock. Its receipt is in /api/deliveries."""
    kept = await _kept(context, id)
    schedule = kept.report.schedule
    if schedule is None:
        raise BadRequest("It is not said to whom this report is sent.", hint="give it a schedule first")
    frame = context.notifier.frame if context.notifier is not None else Frame()
    letter = post.Letter(asks.telemetry.measures, maker_of(request), frame, context.settings.report_font)
    note = await letter.write(kept, schedule, end_of_tick(asks.now_ns), asks.now_ns)

    def work(session: Session) -> ReceiptShape:
        _check_channel(session, context, kept.report)
        row = outbox.add(session, note)
        session.flush()
        book.sent(session, id, row.id)
        audit.record(session, asks.now_ns, principal.name, "report.send", kept.report.name, id=id, delivery=row.id)
        return ReceiptShape.of(row)

    receipt = await context.database.write(work)
    wake(context)
    return receipt


@router.get("/{id}/shares")
async def list_report_shares(context: Ctx, _: Admin, id: Id) -> list[ShareShape]:
    """Links that show this report to whoever has them."""
    now_ns = context.clock.now_ns()
    return [ShareShape.of(found) for found in await context.database.read(lambda s: book.shares(s, now_ns, id))]


@router.post("/{id}/shares", status_code=201)
async def share_report(context: Ctx, principal: Admin, id: Id, given: ShareGiven) -> ShareMade:
    """A link without a sign-in. Its secret is in this answer and can never be had again."""
    now_ns = context.clock.now_ns()
    share, secret = await context.database.write(
        lambda session: book.share(session, now_ns, principal.name, id, given.label, given.days)
    )
    return ShareMade(share=ShareShape.of(share), secret=secret)


@router.delete("/{id}/shares/{share}", status_code=204)
async def revoke_report_share(context: Ctx, principal: Admin, id: Id, share: Id) -> None:
    now_ns = context.clock.now_ns()
    await context.database.write(lambda session: book.unshare(session, now_ns, principal.name, id, share))


async def data_of(asks: Asker, kept: Kept, asked: Timed | None = None) -> ReportData:
    """All who read the same share one answer for a moment."""
    read = read_of(asks, kept.report, asked)
    key = ("report", kept.id, kept.revision, read.wanted)
    return await asks.telemetry.fresh.get(key, _TTL_S, lambda: _data(asks, read), grace_s=_GRACE_S)


async def file_of(request: Request, asks: Asker, read: Read, kind: FileKind) -> Response:
    made = await maker_of(request).files(asks.telemetry.measures, read, (kind,), asks.settings.report_font)
    headers = {"content-disposition": f'attachment; filename="{file_name(read, kind)}"'}
    return Response(made[kind], headers=headers, media_type=MEDIA[kind])


def maker_of(request: Request) -> Maker:
    maker: Maker = request.app.state.reports
    return maker


async def _data(asks: Asker, read: Read) -> ReportData:
    return ReportData.of(read, await answers(asks.telemetry.measures, read))


def read_of(asks: Asker, report: Report, asked: Timed | None = None) -> Read:
    end_s = end_of_tick(asks.now_ns) // SECOND_NS
    read = Read(report, end_s, asks.now_ns // SECOND_NS, asks.zone)
    if asked is None or asked == TimeAsked():
        return read
    found = asked.window(end_s * SECOND_NS, asks.zone, report.period)
    wanted = Window(found.from_ns // SECOND_NS, -(-found.to_ns // SECOND_NS))
    return replace(read, end_s=wanted.end_s, wanted=wanted)


def _filled(report: Report, context: Context) -> Report:
    """A schedule says its time zone itself: that of the settings may be another one some day."""
    schedule = report.schedule
    if schedule is None or schedule.zone:
        return report
    zoned = schedule.model_copy(update={"zone": context.settings.time_zone})
    return report.model_copy(update={"schedule": zoned})


def _check_channel(session: Session, context: Context, report: Report) -> None:
    if report.schedule is not None:
        post.check_channel(report.schedule, ways.channels(session, base_of(context)))


async def _kept(context: Context, report_id: int) -> Kept:
    return await context.database.read(lambda session: book.find(session, report_id))


def install(app: FastAPI) -> None:
    app.state.reports = Maker()
