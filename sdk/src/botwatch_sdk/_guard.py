"""The promise that nothing of ours is ever raised into the bot, and how a mistake is told instead."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

from botwatch_sdk import _limits

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger("botwatch_sdk")
_told: dict[str, object] = {}


def warn_once(key: str, message: str, *values: object) -> None:
    """Say it the first time only: what a bot does wrong it does a thousand times a second."""
    ours = object()
    if len(_told) >= _limits.WARNINGS_MAX or _told.setdefault(key, ours) is not ours:
        return
    with suppress(Exception):  # of a log handler of the bot's own; there is nowhere else to tell it
        log.warning(message, *values)


def contained(where: str, error: Exception) -> None:
    """Swallow an error of ours or a mistake in the call; `where` is the public name that was called."""
    warn_once(
        f"{where}:{type(error).__name__}",
        "botwatch: %s did nothing: %s. The bot goes on; said once.",
        where,
        describe(error),
    )


def never_raises(default: Callable[[], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Also a wrong argument list is contained: the default stands in for the answer."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                contained(f"{function.__name__}()", error)
                return default()

        return guarded

    return decorate


def nothing() -> None:
    """The default of a call that answers nothing."""


def describe(error: BaseException) -> str:
    """`Type: message` of any exception, also of one whose `__str__` fails."""
    try:
        return f"{type(error).__name__}: {error}"[: _limits.REASON_CHARS_MAX]
    except Exception:
        return type(error).__name__
