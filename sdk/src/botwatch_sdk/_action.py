"""A named thing the bot does. Its span is the count, the success and the latency."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast, overload

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span, set_span_in_context

from botwatch_sdk import _faults, _live, _names, _scope
from botwatch_sdk._guard import contained, warn_once
from botwatch_sdk._text import Scalar, identifier

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class Action:
    """A decorator and a context manager, sync and async. One object may be in use in many threads and tasks at once:
    the state of a use is found through the span that is current in it."""

    __slots__ = ("_attributes", "_given", "_name", "_open")

    def __init__(self, name: str, attributes: Mapping[str, Scalar] | None = None) -> None:
        self._given = (name, attributes or {})
        self._name = name or "unnamed"
        self._attributes: Mapping[str, Scalar] = {_names.ACTION: self._name, **self._given[1]}
        self._open: dict[Span, Context] = {}

    def __enter__(self) -> Span:
        before = get_current()
        span = self.begin(before)
        if span is not INVALID_SPAN:
            self._open[span] = before
            attach(set_span_in_context(span, before))
        return span

    def begin(self, context: Context) -> Span:
        """The span alone, not made current."""
        runtime = _live.runtime
        if runtime is None:
            _live.idle()
            return INVALID_SPAN
        try:
            scope = _scope.of(context)
            attributes = self._attributes if scope is None else {**scope.attributes, **self._attributes}
            return runtime.tracer.start_span(self._name, context, attributes=attributes)
        except Exception as error:
            contained("action", error)
            return INVALID_SPAN

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        opened = self._open
        if not opened:
            return
        try:
            span = get_current_span()
            before = opened.pop(span, None)
            if before is None:
                # Something inside left its own span behind, or this is another context (an async generator's end).
                span, before = opened.popitem()
            attach(before)
            if error is None:
                span.end()
            else:
                ended_ns = time.time_ns()
                _fail(span, error)
                span.end(ended_ns)
        except Exception as failed:
            contained("action", failed)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: F) -> F:
        """Without a name of its own the action has that of the function."""
        try:
            name, attributes = self._given
            return cast(F, _wrapped(function, self if name else Action(_name_of(function), attributes)))
        except Exception as error:
            contained("@action", error)
            return function


@overload
def action(name: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def action(name: str | None = None, /, attributes: Mapping[str, Scalar] | None = None) -> Action: ...


def action(*args: Any, **kwargs: Any) -> object:
    """`@action`, `@action("name")`, `with action("name"):`, `async with action("name"):`.

    An exception that leaves it is recorded, makes it a failure, and goes on.
    """
    try:
        return _action(*args, **kwargs)
    except Exception as error:
        contained("action()", error)
        return args[0] if args and callable(args[0]) else Action("")


def _action(name: Any = None, /, attributes: Mapping[str, Scalar] | None = None) -> object:
    if callable(name) or isinstance(name, staticmethod | classmethod):
        return Action("", attributes)(name)
    if name is not None and not isinstance(name, str):
        warn_once("action:name", "botwatch: action(…): expected a name or a function, found %s", type(name).__name__)
        name = None
    return Action(identifier(name), attributes)


def _fail(span: Span, error: BaseException) -> None:
    runtime = _live.runtime
    if runtime is not None:
        _faults.fail(span, error, runtime.counters)


def _name_of(function: object) -> str:
    named = getattr(function, "__name__", None) or type(function).__name__
    return identifier(named)


def _wrapped(function: Any, action: Action) -> Any:
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_wrapped(function.__func__, action))
    if inspect.isasyncgenfunction(function):
        return _wrapped_async_generator(function, action)
    if inspect.isgeneratorfunction(function):
        return _wrapped_generator(function, action)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with action:
                return await function(*args, **kwargs)

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with action:
            return function(*args, **kwargs)

    return called


class _Steps:
    """One use of a generator: its span is current while the generator runs, and not while its caller does."""

    __slots__ = ("_before", "_inside", "_span")

    def __init__(self, action: Action) -> None:
        self._before = get_current()
        self._span = action.begin(self._before)
        self._inside = set_span_in_context(self._span, self._before)

    def __enter__(self) -> None:
        self._before = get_current()
        attach(self._inside)

    def __exit__(self, *_: object) -> None:
        self._inside = get_current()
        attach(self._before)

    def fail(self, error: BaseException) -> None:
        _fail(self._span, error)

    def end(self) -> None:
        self._span.end()


def _wrapped_generator(function: Callable[..., Generator[Any, Any, Any]], action: Action) -> Any:
    @functools.wraps(function)
    def generated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = _Steps(action)
        try:
            inner = function(*args, **kwargs)
            step: Callable[[], Any] = functools.partial(next, inner)
            while True:
                try:
                    with steps:
                        item = step()
                except StopIteration as stop:
                    return stop.value
                try:
                    step = functools.partial(inner.send, (yield item))
                except GeneratorExit:
                    with steps:
                        inner.close()
                    raise
                except BaseException as thrown:
                    step = functools.partial(inner.throw, thrown)
        except BaseException as error:
            steps.fail(error)
            raise
        finally:
            steps.end()

    return generated


def _wrapped_async_generator(function: Callable[..., AsyncGenerator[Any, Any]], action: Action) -> Any:
    @functools.wraps(function)
    async def generated(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        steps = _Steps(action)
        try:
            inner = function(*args, **kwargs)
            step: Callable[[], Any] = functools.partial(anext, inner)
            while True:
                try:
                    with steps:
                        item = await step()
                except StopAsyncIteration:
                    return
                try:
                    step = functools.partial(inner.asend, (yield item))
                except GeneratorExit:
                    with steps:
                        await inner.aclose()
                    raise
                except BaseException as thrown:
                    step = functools.partial(inner.athrow, thrown)
        except BaseException as error:
            steps.fail(error)
            raise
        finally:
            steps.end()

    return generated
