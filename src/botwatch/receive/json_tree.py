"""Reading JSON with a bound on what it builds in memory."""

from __future__ import annotations

from typing import Any

import orjson

from botwatch import limits
from botwatch.errors import InvalidBody, TooLarge


def loads(body: bytes) -> Any:
    """Any JSON. `[[],[],…` would take 20 times its bytes: refused by what it would build.

    orjson bounds the depth and takes neither NaN nor half a surrogate pair.
    """
    if len(body) > limits.JSON_VALUES_MAX // 2:  # what is shorter cannot reach the bound
        weight = 2 * body.count(b"{") + body.count(b"[") + body.count(b",")
        if weight > limits.JSON_VALUES_MAX:
            raise TooLarge(
                f"The body has too many JSON values: {weight}, objects counted twice; "
                f"{limits.JSON_VALUES_MAX} are read in one request.",
                hint="send fewer items in one request",
            )
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidBody(
            f"The body is not JSON: line {error.lineno}, column {error.colno}.",
            hint="check that it is complete, and UTF-8",
        ) from None
