"""The HTTP API: one error shape, two roles, cursor pages.

A file of routes has a `router`; adding one is an import and an entry in `app.ROUTERS`.
"""

from botwatch.api.app import create_app
from botwatch.api.context import Context, Readiness, SelfMetrics
from botwatch.api.sign_in import SignIn

__all__ = ["Context", "Readiness", "SelfMetrics", "SignIn", "create_app"]
