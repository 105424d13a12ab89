"""Any list of the API, and any measure over time, as one file.

An export asks the list itself, page after page, as whoever wants it: with the same filters, the same
right to look and the same masking. A list that is new can be exported from its first day.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, get_args
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.types import Message

from botwatch import limits
from botwatch.api.auth import SignedIn
from botwatch.api.context import Ctx
from botwatch.api.shapes_measures import History
from botwatch.api.streaming import Stream
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest, NotFound, Refused, StoreAway, TryAgain
from botwatch.measure.query import DAY_S, parse_duration_s
from botwatch.reports.tables import MEDIA, WRITERS, Column, Format, Kind, Row, columns_of

_PREFIX: Final = "/api/"
_KEPT: Final = ("type", "asgi", "http_version", "scheme", "headers", "client", "server")
_POINTS_PER_PAGE: Final = 5_000
_OF_POINTS: Final = (
    Column("time", Kind.TIME, ("time",)),
    Column("measure", Kind.TEXT, ("measure",)),
    Column("value", Kind.NUMBER, ("value",)),
)
Params = list[tuple[str, str]]

router = APIRouter(prefix="/api", tags=["export"])


@dataclass(slots=True)
class Running:
    """Exports under way."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A list, by what the application says of its own route."""

    path: str
    columns: tuple[Column, ...]
    parameters: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Piece:
    rows: Sequence[Row]
    next: str | None = None
    total: int | None = None


@router.get("/export/{table:path}", response_class=Response, status_code=200)
async def export(
    request: Request,
    context: Ctx,
    _: SignedIn,
    table: Annotated[str, Path(max_length=limits.FILTER_CHARS_MAX, description="logs, traces, monitoring/history …")],
    format: Annotated[Format, Query()] = Format.CSV,
) -> Response:
    """All pages of a list as one file; every other parameter is the list's own. `X-Rows` says about how many rows
    there will be, where that is known."""
    app, running = request.app, running_exports(request)
    found = _table(app, table)
    params: Params = [pair for pair in request.query_params.multi_items() if pair[0] not in ("format", "limit")]
    params = _held(found, params, context.clock.now_ns())
    if any(name == "cursor" for name, _ in params):
        raise BadRequest("An export begins at the beginning and takes no cursor.")
    first = await _first(request, found, params)
    columns = found.columns if found.path != _history(app) else _point_columns(params)
    headers = file_headers(found.path.removeprefix(_PREFIX), format, first.total, context.clock.now_ns())
    return Stream(_file(request, running, found, params, first, format, columns), MEDIA[format], headers)


def running_exports(request: Request) -> Running:
    """Of which there may be one more."""
    running: Running = request.app.state.exports
    if running.count >= limits.EXPORTS_AT_ONCE_MAX:
        raise TryAgain("Other exports are under way.", retry_after_s=limits.LIVE_EVERY_S, hint="wait for one of them")
    return running


def file_headers(table: str, format: Format, rows: int | None, now_ns: int) -> dict[str, str]:
    """For a file of about so many rows, where that is known."""
    if (rows or 0) > limits.EXPORT_ROWS_MAX:
        raise BadRequest(
            f"This has {rows} rows; an export holds at most {limits.EXPORT_ROWS_MAX}.",
            hint="choose a shorter time, or narrower filters",
        )
    day = datetime.fromtimestamp(now_ns / SECOND_NS, UTC)
    name = f"botwatch-{table.replace('/', '-')}-{day:%Y%m%d-%H%M}.{format}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return headers if rows is None else {**headers, "x-rows": str(rows)}


async def _file(
    request: Request,
    running: Running,
    table: Table,
    params: Params,
    piece: Piece,
    format: Format,
    columns: Sequence[Column],
) -> AsyncGenerator[bytes]:
    running.count += 1
    try:
        writer, rows = WRITERS[format](columns), 0
        while True:
            for start in range(0, len(piece.rows), _POINTS_PER_PAGE):
                out = await asyncio.to_thread(writer.rows, piece.rows[start : start + _POINTS_PER_PAGE])
                if out:
                    yield out
            rows += len(piece.rows)
            if rows > limits.EXPORT_ROWS_MAX:
                raise Refused(f"the export grew beyond {limits.EXPORT_ROWS_MAX} rows")
            if piece.next is None:
                break
            piece = _page(await _ask(request, table, [*params, *_paging(table), ("cursor", piece.next)]))
        yield await asyncio.to_thread(writer.end)
    finally:
        running.count -= 1


async def _first(request: Request, table: Table, params: Params) -> Piece:
    if table.path == _history(request.app):
        rows = list(_points(await _ask(request, table, params)))
        return Piece(rows, total=len(rows))
    bounded = "from" in dict(params) and "buckets" in table.parameters and "buckets" not in dict(params)
    counted = [("buckets", "1")] if bounded else []
    return _page(await _ask(request, table, [*params, *_paging(table), *counted]))


def _held(table: Table, params: Params, now_ns: int) -> Params:
    """A length of time ends now, and now moves while pages are asked for: it becomes a beginning."""
    if "from" not in table.parameters or not table.columns:
        return params
    return [("from", _since(text, now_ns)) if name == "period" else (name, text) for name, text in params]


def _since(period: str, now_ns: int) -> str:
    seconds = parse_duration_s(period)
    if seconds > limits.DAYS_KEPT_MAX * DAY_S:
        raise BadRequest(f"period: expected at most {limits.DAYS_KEPT_MAX}d")
    return datetime.fromtimestamp(now_ns / SECOND_NS - seconds, UTC).isoformat()


def _page(body: Mapping[str, Any]) -> Piece:
    items, more = body["items"], body.get("next")
    total = len(items) if more is None else body.get("total")
    histogram = body.get("histogram")
    if histogram is not None and more is not None:
        total = sum(sum(counts) for counts in histogram["levels"].values())
    return Piece(items, more, total)


def _points(body: Mapping[str, Any]) -> Iterator[Row]:
    for series in body["series"]:
        labels = {_label(name): value for name, value in series["labels"].items()}
        for at_s, value in series["points"]:
            time = datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
            yield {"time": time, "measure": series["measure"], **labels, "value": value}


def _point_columns(params: Params) -> tuple[Column, ...]:
    by = [part.strip() for name, text in params if name == "by" for part in text.split(",") if part.strip()]
    labels = (Column(_label(name), Kind.TEXT, (_label(name),)) for name in by)
    return (*_OF_POINTS[:2], *labels, _OF_POINTS[2])


def _label(name: str) -> str:
    return f"label.{name}" if name in {column.name for column in _OF_POINTS} else name


def _table(app: FastAPI, name: str) -> Table:
    path = _history(app) if name == "measures" else _PREFIX + name
    for route in iter_route_contexts(app.routes):
        if route.path == path and "GET" in (route.methods or ()):
            model = getattr(route.original_route, "response_model", None)
            columns = () if model is History else _columns(model)
            if columns is not None:
                described = app.openapi()["paths"][path]["get"].get("parameters", ())
                return Table(path, columns, {one["name"]: one["schema"] for one in described})
    known = sorted(route.path or "" for route in iter_route_contexts(app.routes) if _is_list(route.original_route))
    names = ", ".join(["measures", *(path.removeprefix(_PREFIX) for path in known if "{" not in path)])
    raise NotFound("There is no list of this name to export.", hint=f"there are {names}")


def _is_list(route: object) -> bool:
    return "GET" in getattr(route, "methods", ()) and _columns(getattr(route, "response_model", None)) is not None


def _columns(model: object) -> tuple[Column, ...] | None:
    """Of what has `items`; None: it is no list."""
    if not (isinstance(model, type) and issubclass(model, BaseModel) and "items" in model.model_fields):
        return None
    (item,) = get_args(model.model_fields["items"].annotation) or (None,)
    return columns_of(item) if isinstance(item, type) and issubclass(item, BaseModel) else None


def _history(app: FastAPI) -> str:
    return str(app.url_path_for("read_history"))


def _paging(table: Table) -> Params:
    limit = table.parameters.get("limit")
    return [] if limit is None else [("limit", str(limit.get("maximum", limits.PAGE_ITEMS_MAX)))]


async def _ask(request: Request, table: Table, params: Params) -> dict[str, Any]:
    """The application itself, as the one who asks: what refuses them there refuses them here."""
    status, parts = 500, []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    scope = {
        key: request.scope[key] for key in ("type", "asgi", "http_version", "scheme", "headers", "client", "server")
    }
    query = urlencode(params).encode()
    scope |= {"method": "GET", "path": table.path, "raw_path": table.path.encode(), "query_string": query}
    scope |= {"root_path": "", "state": {}}
    await request.app(scope, receive, send)
    body = orjson.loads(b"".join(parts))
    if status != 200:
        raise _refusal(status, body)
    return dict(body)


def _refusal(status: int, body: Mapping[str, Any]) -> Exception:
    """As the list itself said it."""
    said = body["error"]
    kinds: list[type[Refused]] = Refused.__subclasses__()
    for kind in kinds:
        if kind.status == status:
            return kind(said["message"], hint=said["hint"])
    return StoreAway(said["message"], hint=said["hint"])


def install(app: FastAPI) -> None:
    app.state.exports = Running()
