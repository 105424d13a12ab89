"""Whose conversation this is: it lives in the OpenTelemetry context, so it follows threads and tasks as spans do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from opentelemetry.context import Context, attach, create_key, get_current, set_value

from botwatch_sdk import _names
from botwatch_sdk._guard import contained

_KEY: Final = create_key("botwatch-scope")

T = TypeVar("T")


class Scope:
    """Immutable. `attributes` is what every span, log record and event inside carries."""

    __slots__ = ("attributes", "channel", "correlation", "message", "session", "user")

    def __init__(
        self, session: str = "", user: str = "", channel: str = "", correlation: str = "", message: str = ""
    ) -> None:
        self.session = session
        self.user = user
        self.channel = channel
        self.correlation = correlation
        self.message = message
        named: dict[str, str] = {}
        if session:
            named[_names.SESSION] = session
        if user:
            named[_names.USER] = user
        if channel:
            named[_names.CHANNEL] = channel
        if correlation:
            named[_names.CORRELATION] = correlation
        self.attributes: Mapping[str, str] = named

    def inside(
        self, *, session: str = "", user: str = "", channel: str = "", correlation: str = "", message: str = ""
    ) -> Scope:
        """What is given wins; another session leaves the old one's user, channel and message behind."""
        if session and session != self.session:
            return Scope(session, user, channel, correlation or self.correlation, message)
        return Scope(
            self.session,
            user or self.user,
            channel or self.channel,
            correlation or self.correlation,
            message or self.message,
        )


EMPTY: Final = Scope()


def of(context: Context) -> Scope | None:
    """The scope a context carries; None costs nothing and is the common case of a bare action."""
    found = context.get(_KEY)
    return found if type(found) is Scope else None


def current() -> Scope:
    return of(get_current()) or EMPTY


def placed(scope: Scope, context: Context) -> Context:
    return set_value(_KEY, scope, context)


class Held(Generic[T]):
    """A context put in place for a `with` block.

    The state of an open block is found through the current context, so one object may be open in many tasks
    and threads at once, and leaving in another order or another context than it was entered never raises.
    """

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[int, tuple[Context, Context]] = {}

    @abstractmethod
    def _enter(self, before: Context) -> tuple[Context, T]:
        """The context to put in place, and what `with … as` names."""

    @abstractmethod
    def _inert(self) -> T:
        """What `with … as` names when entering failed."""

    def __enter__(self) -> T:
        try:
            before = get_current()
            after, named = self._enter(before)
            attach(after)
            self._open[id(after)] = (after, before)
            return named
        except Exception as error:
            contained(type(self).__name__.lower(), error)
            return self._inert()

    def __exit__(self, *_: object) -> None:
        try:
            entry = self._open.pop(id(get_current()), None)
            if entry is None and self._open:
                entry = self._open.popitem()[1]
            if entry is not None:
                attach(entry[1])
        except Exception as error:
            contained(type(self).__name__.lower(), error)

    async def __aenter__(self) -> T:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()
