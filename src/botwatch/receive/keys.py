"""Finding the ingest key in a request: one header for HTTP and for gRPC metadata."""

from __future__ import annotations

_SCHEME = "bearer"


def token_in(authorization: str | None) -> str | None:
    """The token of `Bearer TOKEN`, or of a bare `TOKEN`; None when there is none.

    OpenTelemetry's exporters take headers as free text, so that a key without its scheme is common.
    """
    words = (authorization or "").split()
    match words:
        case [scheme, token] if scheme.lower() == _SCHEME:
            return token
        case [token] if token.lower() != _SCHEME:
            return token
        case _:
            return None
