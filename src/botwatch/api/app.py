"""The web application: every file of routes, in one shell."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from botwatch.api import (
    errors,
    health,
    routes_admin,
    routes_auth,
    routes_baseline,
    routes_changes,
    routes_channels,
    routes_contracts,
    routes_declarations,
    routes_deliveries,
    routes_dependencies,
    routes_diagnosis,
    routes_drift,
    routes_export,
    routes_export_whole,
    routes_forms,
    routes_hosts,
    routes_incidents,
    routes_insights,
    routes_live,
    routes_measures,
    routes_monitoring,
    routes_queues,
    routes_reports,
    routes_rules,
    routes_services,
    routes_shared,
    routes_silences,
    routes_telemetry,
    routes_tokens,
    web,
)
from botwatch.api.context import Context
from botwatch.api.shell import Shell

ROUTERS: Final[tuple[APIRouter, ...]] = (
    health.router,
    routes_auth.router,
    routes_tokens.router,
    routes_admin.router,
    routes_monitoring.router,
    routes_queues.router,
    routes_measures.router,
    routes_baseline.router,
    routes_hosts.router,
    routes_services.router,
    routes_telemetry.router,
    routes_changes.router,
    routes_dependencies.router,
    routes_diagnosis.router,
    routes_drift.router,
    routes_declarations.router,
    routes_contracts.router,
    routes_insights.router,
    routes_live.router,
    routes_export_whole.router,  # before the one that takes any list
    routes_export.router,
    routes_reports.router,
    routes_shared.router,
    routes_forms.router,
    routes_channels.router,
    routes_silences.router,
    routes_deliveries.router,
    routes_incidents.router,
    routes_rules.router,  # after all others under /api/rules: it takes any name
)


def create_app(context: Context) -> FastAPI:
    app = FastAPI(
        title="Botwatch",
        version=version("botwatch"),
        openapi_url="/api/openapi.json",
        docs_url=None,  # the pages that come with the framework load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=errors.RESPONSES,
        generate_unique_id_function=_name,
        # A bot in this process may have set up OpenTelemetry; our own requests are none of its business.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.context = context
    errors.install(app)
    app.add_middleware(Shell, settings=context.settings)
    for router in ROUTERS:
        app.include_router(router)
    routes_live.install(app)
    routes_export.install(app)
    routes_reports.install(app)
    web.install(app)
    return app


def _name(route: APIRoute) -> str:
    """The function's name names the operation, also in generated clients."""
    return route.name
