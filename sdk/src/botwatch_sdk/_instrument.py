"""Turns on OpenTelemetry's own instrumentation of the libraries a bot calls others with, where both are installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final, Protocol, cast

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import Span

from botwatch_sdk import _calls, _connects, _taps
from botwatch_sdk._guard import describe, log, never_raises, warn_once


class _Instrumentor(Protocol):
    is_instrumented_by_opentelemetry: bool

    def instrument(self, **kwargs: Any) -> None: ...


def _answered(span: Span, _: object, answer: Any) -> None:
    """httpx gives a tuple with names, requests its response."""
    _calls.answered(span, answer.status_code, answer.headers)


async def _answered_async(span: Span, request: object, answer: Any) -> None:
    _answered(span, request, answer)


def _answered_aiohttp(span: Span, ended: Any) -> None:
    answer = getattr(ended, "response", None)  # of an exception there is none
    if answer is not None:
        _calls.answered(span, answer.status, answer.headers)


@dataclass(frozen=True, slots=True)
class _Library:
    """`name` is also that of its module. `system` is the database whose calls it tells."""

    name: str
    package: str
    instrumentor: str
    hooks: Mapping[str, Callable[..., object]]
    system: str = ""
    below: int = 0  # the major version it was tried with, where OpenTelemetry's own range lags behind

    @property
    def module(self) -> str:
        return f"opentelemetry.instrumentation.{self.package.replace('-', '_')}"

    @property
    def installed(self) -> bool:
        return find_spec(self.name) is not None

    def turn_on(self, arguments: Mapping[str, object]) -> bool:
        found = cast(_Instrumentor, getattr(importlib.import_module(self.module), self.instrumentor)())
        if found.is_instrumented_by_opentelemetry:
            log.info("botwatch: %s was instrumented before; the limits in its answers are not read", self.name)
            return True
        known = bool(self.below) and int(version(self.name).partition(".")[0]) < self.below
        found.instrument(skip_dep_check=known, **arguments, **self.hooks)
        if found.is_instrumented_by_opentelemetry:
            _connects.watch(self.name)
        return found.is_instrumented_by_opentelemetry


_HTTPX: Final = {"response_hook": _answered, "async_response_hook": _answered_async}
_LIBRARIES: Final = (
    _Library("httpx", "httpx", "HTTPXClientInstrumentor", _HTTPX),
    _Library("aiohttp", "aiohttp-client", "AioHttpClientInstrumentor", {"response_hook": _answered_aiohttp}),
    _Library("requests", "requests", "RequestsInstrumentor", {"response_hook": _answered}),
    _Library("psycopg", "psycopg", "PsycopgInstrumentor", {}, "postgresql"),
    _Library("asyncpg", "asyncpg", "AsyncPGInstrumentor", {}, "postgresql"),
    _Library("redis", "redis", "RedisInstrumentor", {}),
    _Library("sqlalchemy", "sqlalchemy", "SQLAlchemyInstrumentor", {}, below=3),
)


def _nothing_on() -> tuple[str, ...]:
    return ()


@never_raises(_nothing_on)
def instrument(*libraries: str, names: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Time every call of the bot to others: `instrument()` all that is installed, `instrument("httpx", "redis")` those.

    `names` says what a dependency is called: `{"api.stripe.com": "stripe", "10.0.0.7:5432": "orders db"}`. Answers
    the libraries that are on. It wants `pip install 'botwatch-sdk[instrument]'`.
    """
    _calls.names.take(names or {})
    _calls.listen()
    wanted = set(libraries) or {library.name for library in _LIBRARIES}
    for unknown in wanted - {library.name for library in _LIBRARIES}:
        known = ", ".join(library.name for library in _LIBRARIES)
        warn_once(f"instrument:{unknown}", "botwatch: instrument(): expected some of %s, found %.64r", known, unknown)
    # How long calls take is told by their spans: the libraries' own histograms would say it a second time.
    arguments = {} if _taps.has_meters_of_its_own() else {"meter_provider": NoOpMeterProvider()}
    on = [library for library in _LIBRARIES if library.name in wanted and _tried(library, arguments, bool(libraries))]
    _calls.names.drivers |= {library.system for library in on if library.system}
    return tuple(library.name for library in on)


def _tried(library: _Library, arguments: Mapping[str, object], asked: bool) -> bool:
    try:
        if not library.installed:
            if asked:
                warn_once(f"instrument:{library.name}", "botwatch: instrument(): %s is not installed", library.name)
            return False
        if library.turn_on(arguments):
            return True
        why = "its version is not one OpenTelemetry knows"
    except ModuleNotFoundError:
        why = "pip install 'botwatch-sdk[instrument]'"
    except Exception as error:
        why = describe(error)
    warn_once(f"instrument:{library.name}", "botwatch: calls through %s are not timed: %s", library.name, why)
    return False
