"""What a link to a report shows: that one report, over its own time, and nothing else.

The secret stands behind the `#` of the link, which browsers send to nobody; the page sends it in a header. A link
opens no other door, and no other token opens this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from botwatch.api.context import Ctx
from botwatch.api.masking import Eyes
from botwatch.api.routes_reports import data_of, file_of, read_of
from botwatch.api.shapes_reports import ReportData
from botwatch.api.telemetry import Asker, Telemetry
from botwatch.errors import StoreAway, Unauthorised
from botwatch.limits import SECRET_CHARS_MAX
from botwatch.reports import book
from botwatch.reports.book import Kept
from botwatch.reports.report import FileKind
from botwatch.state.secrets import Prefix

router = APIRouter(prefix="/api/shared", tags=["reports"])
_bearer = HTTPBearer(auto_error=False, scheme_name="ReportLink", description="the secret of a link to a report")


@dataclass(frozen=True, slots=True)
class Shown:
    kept: Kept
    asks: Asker


async def shown(
    request: Request, context: Ctx, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Shown:
    secret = bearer.credentials if bearer is not None and len(request.headers.getlist("authorization")) == 1 else ""
    if not secret.startswith(Prefix.SHARE) or len(secret) > SECRET_CHARS_MAX:
        raise Unauthorised(
            "Only the secret of a link to a report opens this; a token or an ingest key does not.",
            hint="send 'Authorization: Bearer SECRET' with what stands behind the # of the link",
        )
    now_ns = context.clock.now_ns()
    kept = await context.database.read(lambda session: book.shared(session, now_ns, secret))
    if not isinstance(context.telemetry, Telemetry):
        raise StoreAway("This server was started without its telemetry store.")
    return Shown(kept, Asker(context.telemetry, Eyes(users=False), context.settings, now_ns, request.url.path))


ByLink = Annotated[Shown, Depends(shown)]


@router.get("/report")
async def read_shared_report(shown: ByLink) -> ReportData:
    return await data_of(shown.asks, shown.kept)


@router.get("/report.pdf", response_class=Response)
async def read_shared_report_as_pdf(request: Request, shown: ByLink) -> Response:
    return await file_of(request, shown.asks, read_of(shown.asks, shown.kept.report), FileKind.PDF)


@router.get("/report.csv", response_class=Response)
async def read_shared_report_as_csv(request: Request, shown: ByLink) -> Response:
    return await file_of(request, shown.asks, read_of(shown.asks, shown.kept.report), FileKind.CSV)
