"""The web pages: files that were built into the package, kept in memory as they are sent.

They stand behind every route. Where a browser goes to an address that is none of ours and none of
theirs, that is a view of the application, which reads it by itself, so that any screen can be sent
to a colleague. Programs are told that there is nothing.
"""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from botwatch.api.errors import answer_to
from botwatch.errors import NotFound

STATIC: Final = Path(__file__).parent / "static"
_INDEX: Final = "/index.html"
_HASHED: Final = "/assets/"  # what changes gets another name
_NOT_VIEWS: Final = ("/api/", "/v1/", _HASHED)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SMALL_BYTES: Final = 1_024


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    packed: bytes | None
    media_type: str
    cache: str

    def answer(self, request: Headers) -> Response:
        headers = {"cache-control": self.cache, "vary": "accept-encoding"}
        if self.packed is None or "gzip" not in request.get("accept-encoding", ""):
            return Response(self.body, headers=headers, media_type=self.media_type)
        return Response(self.packed, headers=headers | {"content-encoding": "gzip"}, media_type=self.media_type)


class Pages:
    def __init__(self, files: dict[str, File], otherwise: ASGIApp) -> None:
        self._files = files
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._otherwise(scope, receive, send)
            return
        path, request = scope["path"], Headers(scope=scope)
        file = self._files.get(path)
        if file is not None:
            await file.answer(request)(scope, receive, send)
        elif path == "/" or (_is_browser(request) and not f"{path}/".startswith(_NOT_VIEWS)):
            index = self._files.get(_INDEX)
            await (index.answer(request) if index else answer_to(_not_built()))(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)


def install(app: FastAPI, static: Path = STATIC) -> None:
    app.router.default = Pages(load(static), app.router.default)


def load(static: Path) -> dict[str, File]:
    """By path; nothing outside the folder can be asked for, for only what is listed here is known."""
    paths = (path for path in static.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {f"/{path.relative_to(static).as_posix()}": _file(path, static) for path in paths}


def _file(path: Path, static: Path) -> File:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0) if len(body) > _SMALL_BYTES else None
    hashed = f"/{path.relative_to(static).as_posix()}".startswith(_HASHED)
    return File(body, packed, media_type, _FOR_EVER if hashed else "no-store")


def _is_browser(request: Headers) -> bool:
    return "text/html" in request.get("accept", "")


def _not_built() -> NotFound:
    return NotFound(
        "This server was installed without its web pages; the API is all there.",
        hint="install it again without BOTWATCH_SKIP_WEB, in a checkout with: uv sync --reinstall-package botwatch",
    )
