"""Who asks, and whether they may: the dependencies every route takes one of."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from botwatch.api.context import Ctx
from botwatch.errors import Forbidden, Unauthorised
from botwatch.limits import BROWSER_SESSION_DAYS_MAX
from botwatch.settings import Settings
from botwatch.state.people import Principal
from botwatch.state.secrets import Prefix

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_DAY_S: Final = 86_400

_bearer = HTTPBearer(auto_error=False, description="an API token, or the admin token of the settings")


async def signed_in(
    request: Request, context: Ctx, _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Principal:
    """Any role. The header counts before the cookie: a script in a browser may hold a token."""
    headers = request.headers.getlist("authorization")
    if headers:
        return await _by_header(headers, context)
    secret = request.cookies.get(cookie_name(context.settings))
    principal = await context.access.browser(secret) if secret else None
    if principal is None:
        raise Unauthorised("Nobody is signed in.", hint="sign in, or send 'Authorization: Bearer TOKEN'")
    if request.method not in SAFE_METHODS and not _from_our_pages(request, context.settings):
        raise Forbidden("A browser says that this request does not come from a page of Botwatch.")
    return principal


async def admin(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    if not principal.is_admin:
        raise Forbidden(f"This needs the role admin; {principal.name} has {principal.role}.")
    return principal


async def signed_in_if_exposed(
    request: Request, context: Ctx, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> None:
    """For what tells nothing of anybody: free on the machine itself, with any role from elsewhere."""
    if context.settings.exposed:
        await signed_in(request, context, bearer)


SignedIn = Annotated[Principal, Depends(signed_in)]
Admin = Annotated[Principal, Depends(admin)]


async def _by_header(headers: list[str], context: Ctx) -> Principal:
    scheme, _, secret = headers[0].partition(" ")
    secret = secret.strip()
    if len(headers) > 1 or scheme.lower() != "bearer" or not secret:
        raise Unauthorised("The Authorization header is not of the form 'Bearer TOKEN'.")
    principal = await context.access.bearer(secret)
    if principal is None:
        if secret.startswith(Prefix.INGEST):
            raise Unauthorised(
                "This is an ingest key, which can only send.", hint="use an API token: botwatch token add"
            )
        raise Unauthorised("The token is not known, has expired or was revoked.", hint="make one: botwatch token add")
    return principal


def refuse_other_pages(request: Request, settings: Settings) -> None:
    """For requests that need no sign-in yet: a program sends neither header, a foreign page must."""
    said = "sec-fetch-site" in request.headers or "origin" in request.headers
    if said and not _from_our_pages(request, settings):
        raise Forbidden("A browser says that this request does not come from a page of Botwatch.")


def _from_our_pages(request: Request, settings: Settings) -> bool:
    """What browsers say of where a request comes from, and no page can change."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    if settings.public_url and origin == settings.public_url:
        return True
    place = origin.partition("://")[2]
    return bool(place) and place == request.headers.get("host")


def cookie_name(settings: Settings) -> str:
    """Cookies know no ports, and two servers on one machine must not sign each other out."""
    return f"botwatch_{settings.port}"


def set_cookie(request: Request, response: Response, settings: Settings, secret: str) -> None:
    response.set_cookie(
        cookie_name(settings),
        secret,
        max_age=BROWSER_SESSION_DAYS_MAX * _DAY_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https" or settings.public_url.startswith("https:"),
    )


def clear_cookie(response: Response, settings: Settings) -> None:
    response.delete_cookie(cookie_name(settings), httponly=True, samesite="strict")
