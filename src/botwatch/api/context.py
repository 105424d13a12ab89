"""What routes stand on, given once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request

from botwatch.api.sign_in import SignIn
from botwatch.clock import Clock
from botwatch.detect.book import RuleBook
from botwatch.incident.health import Judgement
from botwatch.notify.drill import Drill
from botwatch.notify.notifier import Notifier
from botwatch.settings import Settings
from botwatch.state import Access, Database


class Readiness(Protocol):
    async def reasons(self) -> list[str]:
        """Why requests should not come here yet, each in a few plain words; empty: ready."""
        ...


class SelfMetrics(Protocol):
    def render(self) -> str:
        """What the server knows about itself, as Prometheus text."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """`telemetry` is whatever the routes over telemetry agree on; they give it its type."""

    settings: Settings
    clock: Clock
    database: Database
    access: Access
    sign_in: SignIn
    readiness: Readiness
    self_metrics: SelfMetrics
    telemetry: Any = None
    rules: RuleBook | None = None
    notifier: Notifier | None = None
    drill: Drill | None = None
    judgement: Judgement | None = None


async def context_of(request: Request) -> Context:
    return cast(Context, request.app.state.context)


Ctx = Annotated[Context, Depends(context_of)]
