"""Long-lived connections: how many are open, how often they dropped, and how often the bot came back."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Final

from botwatch_sdk import _limits, _live, _names, _tally
from botwatch_sdk._guard import never_raises, nothing, warn_once
from botwatch_sdk._tally import Labels, Tally
from botwatch_sdk._text import identifier

# How a connection ends when somebody wants it to: also libraries that raise say so by the name.
_WANTED: Final = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
_WANTED_SUFFIX: Final = "OK"


class Socket:
    """The connections of one name. `with`, `async with`, or `opened` and then `closed` or `dropped`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._labels: Labels = ((_names.SOCKET_NAME, name),)
        self._open = 0
        self._away = 0  # dropped, and not yet back
        self._lock = threading.RLock()

    @never_raises(nothing)
    def opened(self) -> None:
        """A connection stands. After a drop it is a reconnect."""
        with self._lock:
            self._open += 1
            back = self._away > 0
            self._away -= back
        if back:
            self._count(_names.SOCKET_RECONNECTS)

    @never_raises(nothing)
    def closed(self) -> None:
        """It ended as it should."""
        with self._lock:
            self._open = max(self._open - 1, 0)

    @never_raises(nothing)
    def dropped(self) -> None:
        """It ended, and should not have."""
        with self._lock:
            self._open = max(self._open - 1, 0)
            self._away += 1
        self._count(_names.SOCKET_DROPS)

    def __enter__(self) -> Socket:
        self.opened()
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is None or isinstance(error, _WANTED) or type(error).__name__.endswith(_WANTED_SUFFIX):
            self.closed()
        else:
            self.dropped()

    async def __aenter__(self) -> Socket:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def tell(self, tally: Tally) -> None:
        tally.read(_names.SOCKET_OPEN, self._labels, self._open)
        for metric in (_names.SOCKET_DROPS, _names.SOCKET_RECONNECTS):
            tally.add(metric, self._labels, 0)

    def renew_lock(self) -> None:
        """After a fork."""
        self._lock = threading.RLock()

    def _count(self, metric: str) -> None:
        runtime = _live.runtime
        if runtime is not None:
            runtime.counters.tally.add(metric, self._labels)


_sockets: dict[str, Socket] = {}


@never_raises(lambda: Socket("unnamed"))
def socket(name: str) -> Socket:
    """`async with connect(url) as ws, bot.socket("gateway"):` for a connection the bot keeps: entered when it stands,
    left with an exception it has dropped, and the next time it is a reconnect. One name is one object."""
    known = identifier(name) or "unnamed"
    found = _sockets.get(known)
    if found is not None:
        return found
    if len(_sockets) >= _limits.READING_NAMES_MAX:
        warn_once("sockets", "botwatch: more than %d socket names; this one is not told of", len(_sockets))
        return Socket(known)
    made = Socket(known)
    kept = _sockets.setdefault(known, made)
    if kept is made:
        _tally.tells(made)
    return kept
