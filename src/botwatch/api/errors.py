"""The one shape an error has, whatever went wrong and wherever."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from botwatch import errors

RETRY_AFTER_S: Final = 1
_SHOWN_CHARS: Final = 64
_SHOWN_PROBLEMS: Final = 10

_log = logging.getLogger(__name__)


class ErrorDetail(BaseModel):
    code: str = Field(description="stable, for programs")
    message: str = Field(description="what was expected, and what was found")
    hint: str | None = Field(description="what to do")


class ErrorBody(BaseModel):
    error: ErrorDetail


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "the request was not taken"},
    "5XX": {"model": ErrorBody, "description": "it could not be answered now"},
}
# For routes that answer with text: the framework would describe their errors as text too.
RESPONSES_BESIDE_TEXT: dict[int | str, dict[str, Any]] = {
    status: {
        "description": response["description"],
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorBody.__name__}"}}},
    }
    for status, response in RESPONSES.items()
}
_OF_STATUS: dict[int, tuple[str, str]] = {
    400: (errors.InvalidBody.code, "The body cannot be read."),
    404: (errors.NotFound.code, "There is nothing at this address."),
    405: (errors.WrongMethod.code, "This address does not take that method."),
    413: (errors.TooLarge.code, "The request is too large."),
}


def answer(
    status: int, code: str, message: str, hint: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = ErrorBody(error=ErrorDetail(code=code, message=message, hint=hint))
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


def answer_to(error: errors.BotwatchError) -> JSONResponse:
    headers: dict[str, str] = {}
    if error.retryable:
        headers["Retry-After"] = str(getattr(error, "retry_after_s", RETRY_AFTER_S))
    if error.status == errors.Unauthorised.status:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(error.status, error.code, error.message, error.hint, headers)


def answer_unexpected(error: Exception) -> JSONResponse:
    """The text of an unknown error may hold anything, so it is neither sent nor logged: where it came from is."""
    incident = secrets.token_hex(6)
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    _log.error("incident %s: unexpected %s at %s", incident, type(error).__qualname__, where)
    hint = f"the server's log has more under incident {incident}"
    return answer(500, errors.BotwatchError.code, "Something went wrong here that should not have.", hint)


def install(app: FastAPI) -> None:
    app.add_exception_handler(errors.BotwatchError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_the_framework)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    ours = cast(errors.BotwatchError, error)
    if ours.status >= 500:
        _log.warning("%s: %s", ours.code, ours.message)
    return answer_to(ours)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    problems = cast(RequestValidationError, error).errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return answer_to(errors.InvalidBody("The body is not JSON.", hint="send application/json"))
    return answer_to(errors.BadRequest(_told(problems)))


async def _of_the_framework(_: Request, error: Exception) -> JSONResponse:
    theirs = cast(HTTPException, error)
    code, message = _OF_STATUS.get(theirs.status_code, (errors.Refused.code, "The request was not taken."))
    return answer(theirs.status_code, code, message, "/api/openapi.json lists what there is", theirs.headers)


def _told(problems: Sequence[Mapping[str, Any]]) -> str:
    """Where and what, never the value: it may be a password."""
    told = [
        f"{'.'.join(str(part) for part in problem['loc'])[:_SHOWN_CHARS]}: {problem['msg']}" for problem in problems
    ]
    more = [f"and {len(told) - _SHOWN_PROBLEMS} more"] if len(told) > _SHOWN_PROBLEMS else []
    return "; ".join(told[:_SHOWN_PROBLEMS] + more)
