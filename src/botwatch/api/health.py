"""How the server is: for load balancers, supervisors and Prometheus."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from botwatch.api.auth import signed_in_if_exposed
from botwatch.api.context import Context, Ctx
from botwatch.api.errors import RESPONSES_BESIDE_TEXT
from botwatch.errors import StateAway
from botwatch.limits import READY_CHECK_S_MAX

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    alive: bool


class Ready(BaseModel):
    ready: bool
    reasons: list[str] = Field(description="why not, in plain words")


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers; it says nothing about what it depends on."""
    return Alive(alive=True)


@router.get("/readyz", responses={503: {"model": Ready, "description": "not ready, and why"}})
async def readyz(response: Response, context: Ctx) -> Ready:
    """Whether requests should come here: not while it replays, nor while something it needs is away."""
    reasons = await _reasons(context)
    response.status_code = 503 if reasons else 200
    response.headers["cache-control"] = "no-store"
    return Ready(ready=not reasons, reasons=reasons)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=RESPONSES_BESIDE_TEXT,
    dependencies=[Depends(signed_in_if_exposed)],
)
async def metrics(context: Ctx) -> Response:
    """What the server knows about itself, for Prometheus: free on the machine itself, else with any role."""
    return Response(context.self_metrics.render(), media_type=_PROMETHEUS)


async def _reasons(context: Context) -> list[str]:
    try:
        async with asyncio.timeout(READY_CHECK_S_MAX):
            try:
                await context.access.current()
                away = context.access.away
            except StateAway:
                away = True
            return (["the state database is away"] if away else []) + await context.readiness.reasons()
    except TimeoutError:
        return [f"it could not be found out within {READY_CHECK_S_MAX} s"]
