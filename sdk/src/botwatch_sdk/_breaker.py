"""A circuit breaker: what fails again and again is left alone for a while, so that the bot survives it.

    closed ──failures in a row──▶ open ──it rested──▶ half-open ──the trial succeeds──▶ closed
                                   ▲                      │
                                   └───the trial fails────┘

Half-open lets one call through at a time; the others are turned away as when it is open. A call that began before
the state changed says nothing about the state after.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, TypeVar, cast

from opentelemetry._logs import SeverityNumber

from botwatch_sdk import _limits, _live, _names, _tally
from botwatch_sdk._emit import event
from botwatch_sdk._guard import contained, never_raises, warn_once
from botwatch_sdk._tally import Labels, Tally
from botwatch_sdk._text import identifier, number

F = TypeVar("F", bound=Callable[..., Any])
Errors = type[BaseException] | tuple[type[BaseException], ...]


class State(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


_NUMBERS: Final = {State.CLOSED: 0.0, State.HALF_OPEN: 1.0, State.OPEN: 2.0}
_UNKNOWN: Final = -1


class BreakerOpen(Exception):
    """The call was not made: its breaker is open."""

    def __init__(self, name: str, retry_in_s: float) -> None:
        super().__init__(f"the breaker of {name} is open: the next call is tried in {retry_in_s:.1f} s")
        self.name = name
        self.retry_in_s = retry_in_s


class Breaker:
    """A decorator and a context manager, sync and async; one object for all threads and tasks."""

    def __init__(
        self,
        name: str,
        *,
        failures: int = _limits.BREAKER_FAILURES,
        rest_s: float = _limits.BREAKER_REST_S,
        on: Errors = Exception,
        fallback: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self._failures_max = failures
        self._rest_s = rest_s
        self._on = on
        self._fallback = fallback
        self._labels: Labels = ((_names.BREAKER_NAME, name),)
        self._lock = threading.RLock()
        self._state = State.CLOSED
        self._failures = 0
        self._era = 0  # grows with each change of state
        self._until_s = 0.0  # open: when a trial is let in; half-open: when another is, should that one never end
        self._inside: ContextVar[tuple[int, ...]] = ContextVar(f"botwatch_breaker_{id(self)}", default=())

    @property
    def state(self) -> str:
        return self._state.value

    # --- use

    def __call__(self, function: F) -> F:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                try:
                    era = self._admit()
                except BreakerOpen:
                    if self._fallback is None:
                        raise
                    answer = self._fallback(*args, **kwargs)
                    return await answer if inspect.isawaitable(answer) else answer
                try:
                    answer = await function(*args, **kwargs)
                except BaseException as error:
                    self._ended(era, error)
                    raise
                self._ended(era, None)
                return answer

            return cast(F, awaited)

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                era = self._admit()
            except BreakerOpen:
                if self._fallback is None:
                    raise
                return self._fallback(*args, **kwargs)
            try:
                answer = function(*args, **kwargs)
            except BaseException as error:
                self._ended(era, error)
                raise
            self._ended(era, None)
            return answer

        return cast(F, called)

    def __enter__(self) -> Breaker:
        self._inside.set((self._admit(), *self._inside.get()))
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        era, *outer = self._inside.get() or (_UNKNOWN,)
        self._inside.set(tuple(outer))
        self._ended(era, error)

    async def __aenter__(self) -> Breaker:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    # --- the state

    def _admit(self) -> int:
        """The era the call belongs to; raises where it is not to be made."""
        with self._lock:
            if self._state is State.CLOSED:
                return self._era
            now_s = time.monotonic()
            wait_s = self._until_s - now_s
            before = self._state
            if wait_s <= 0:
                self._become(State.HALF_OPEN, now_s + self._rest_s)
                era = self._era
        if wait_s > 0:
            self._count(_names.BREAKER_REJECTED)
            raise BreakerOpen(self.name, wait_s)
        if before is State.OPEN:
            self._tell_change(before, State.HALF_OPEN)
        return era

    def _ended(self, era: int, error: BaseException | None) -> None:
        with self._lock:
            before = self._state
            if era != self._era:
                return
            if error is None:
                self._failures = 0
                if before is State.HALF_OPEN:
                    self._become(State.CLOSED, 0.0)
            elif isinstance(error, self._on):
                self._failures += 1
                if before is State.HALF_OPEN or self._failures >= self._failures_max:
                    self._become(State.OPEN, time.monotonic() + self._rest_s)
            elif before is State.HALF_OPEN:
                # Cancelled, or an error that says nothing of the dependency: the next call is the trial.
                self._until_s = 0.0
            after = self._state
        if after is not before:
            self._tell_change(before, after)

    def _become(self, state: State, until_s: float) -> None:
        self._state, self._until_s, self._failures = state, until_s, 0
        self._era += 1

    # --- what is told

    def tell(self, tally: Tally) -> None:
        tally.read(_names.BREAKER_STATE, self._labels, _NUMBERS[self._state])
        for metric in (_names.BREAKER_REJECTED, _names.BREAKER_OPENED, _names.BREAKER_HEALED):
            tally.add(metric, self._labels, 0)

    def _tell_change(self, before: State, after: State) -> None:
        if after is State.OPEN:
            self._count(_names.BREAKER_OPENED)
        elif after is State.CLOSED:
            self._count(_names.BREAKER_HEALED)
        try:
            runtime = _live.runtime
            if runtime is not None:
                said = {
                    _names.BREAKER_NAME: self.name,
                    _names.BREAKER_BEFORE: before.value,
                    _names.BREAKER_AFTER: after.value,
                }
                severity = SeverityNumber.WARN if after is State.OPEN else SeverityNumber.INFO
                event(runtime, _names.BREAKER, said, f"the breaker of {self.name} is {after.value}", severity)
        except Exception as error:
            contained("breaker", error)

    def _count(self, metric: str) -> None:
        try:
            runtime = _live.runtime
            if runtime is not None:
                runtime.counters.tally.add(metric, self._labels)
        except Exception as error:
            contained("breaker", error)

    def renew_lock(self) -> None:
        """After a fork."""
        self._lock = threading.RLock()


_breakers: dict[str, Breaker] = {}


@never_raises(lambda: Breaker("unnamed"))
def breaker(
    name: str,
    *,
    failures: int = _limits.BREAKER_FAILURES,
    rest_s: float = _limits.BREAKER_REST_S,
    on: Errors = Exception,
    fallback: Callable[..., Any] | None = None,
) -> Breaker:
    """`@breaker("crm")`, `with breaker("crm"):`, `async with breaker("crm"):`. One name is one breaker.

    So many failures in a row open it; then calls raise `BreakerOpen` at once, or a decorated function answers with
    `fallback`, and after `rest_s` one call is tried. `on` says which exceptions are failures; put a timeout inside.
    It works without `init` too; only nothing is told.
    """
    known = identifier(name) or "unnamed"
    found = _breakers.get(known)
    if found is not None:
        return found
    made = Breaker(
        known,
        failures=max(int(_fitting(failures, "breaker(failures)", _limits.BREAKER_FAILURES)), 1),
        rest_s=_fitting(rest_s, "breaker(rest_s)", _limits.BREAKER_REST_S),
        on=_exceptions(on),
        fallback=fallback if callable(fallback) else None,
    )
    if len(_breakers) >= _limits.READING_NAMES_MAX:
        warn_once("breakers", "botwatch: there are more than %d breakers; this one is not told of", len(_breakers))
        return made
    kept = _breakers.setdefault(known, made)
    if kept is made:
        _tally.tells(made)
    return kept


def _fitting(given: object, name: str, otherwise: float) -> float:
    try:
        return number(given, name=name)
    except ValueError as error:
        contained("breaker()", error)
        return otherwise


def _exceptions(given: object) -> Errors:
    kinds = given if isinstance(given, tuple) else (given,)
    if kinds and all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        return kinds
    contained("breaker()", ValueError("on: expected an exception class or a tuple of them; taking Exception"))
    return Exception
