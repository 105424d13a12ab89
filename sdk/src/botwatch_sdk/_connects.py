"""Connecting to a database as a call of its own: OpenTelemetry times only what is asked over a connection that stands,
and a database that lets nobody in any more would not be seen at all."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import get_value
from opentelemetry.trace import SpanKind

from botwatch_sdk import _names
from botwatch_sdk._guard import contained

_SCOPE: Final = "botwatch_sdk.connects"
_NAME: Final = "connect"
Place = Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[object, object]]


def watch(library: str) -> None:
    """After the library was instrumented, and once."""
    if library not in _ENTRANCES:
        return
    from wrapt import wrap_function_wrapper  # of OpenTelemetry's instrumentation

    place, entrances = _ENTRANCES[library]
    for module, name, is_async in entrances:
        if module in sys.modules or module == library:
            wrap_function_wrapper(module, name, _awaited(place) if is_async else _called(place))


def _called(place: Place) -> Callable[..., Any]:
    def wrapper(wrapped: Callable[..., Any], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with _span(place, args, kwargs):
            return wrapped(*args, **kwargs)

    return wrapper


def _awaited(place: Place) -> Callable[..., Any]:
    async def wrapper(
        wrapped: Callable[..., Awaitable[Any]], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        with _span(place, args, kwargs):
            return await wrapped(*args, **kwargs)

    return wrapper


def _span(place: Place, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> AbstractContextManager[object]:
    try:
        if get_value("suppress_instrumentation"):
            return nullcontext()
        attributes: dict[str, str | int] = {"db.system": "postgresql"}
        host, port = place(args, kwargs)
        if host and not str(host).startswith("/"):
            attributes[_names.SERVER_ADDRESS] = str(host)
        if port:
            attributes["server.port"] = int(str(port))
        return trace.get_tracer(_SCOPE).start_as_current_span(_NAME, kind=SpanKind.CLIENT, attributes=attributes)
    except Exception as error:
        contained("timing a connect", error)
        return nullcontext()


def _of_psycopg(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[object, object]:
    from psycopg.conninfo import conninfo_to_dict

    said = conninfo_to_dict(args[0] if args else kwargs.get("conninfo", ""))
    return kwargs.get("host", said.get("host")), kwargs.get("port", said.get("port"))


def _of_asyncpg(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[object, object]:
    dsn = args[0] if args else kwargs.get("dsn")
    parts = urlsplit(dsn) if isinstance(dsn, str) else None
    return (
        kwargs.get("host") or (parts.hostname if parts else None),
        kwargs.get("port") or (parts.port if parts else None),
    )


_ENTRANCES: Final[Mapping[str, tuple[Place, tuple[tuple[str, str, bool], ...]]]] = {
    "psycopg": (
        _of_psycopg,
        (
            ("psycopg", "connect", False),
            ("psycopg", "Connection.connect", False),
            ("psycopg", "AsyncConnection.connect", True),
        ),
    ),
    "asyncpg": (_of_asyncpg, (("asyncpg", "connect", True), ("asyncpg.connection", "connect", True))),
}
