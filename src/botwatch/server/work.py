"""What runs beside the doors: started here, told to end, and waited for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any, Final

from botwatch.errors import StoreError
from botwatch.store.writer import Writer

log = logging.getLogger(__name__)

Run = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
_PREPARED_S: Final = 60.0
_LOOK_S: Final = 0.05
_AGAIN_S: Final = 5.0


class Work:
    """Ends with the stack it is given. `remote`: the store may be away for long, and is asked again by each job."""

    def __init__(self, exit: contextlib.AsyncExitStack, writer: Writer, *, remote: bool) -> None:
        self._exit = exit
        self._writer = writer
        self._remote = remote

    def beside(self, run: Run) -> None:
        """Run it until we end; it is told by the event, and waited for. One that fails is told and begins again."""
        stop = asyncio.Event()
        task = asyncio.create_task(_kept_going(run, stop))

        async def end() -> None:
            stop.set()
            await task

        self._exit.push_async_callback(end)

    def once_stored(self, run: Run) -> None:
        """The same, for what reads the store: there is nothing to read before there is a schema."""

        async def when_prepared(stop: asyncio.Event) -> None:
            await self._prepared(stop)
            if not stop.is_set():
                await run(stop)

        self.beside(when_prepared)

    async def _prepared(self, stop: asyncio.Event) -> None:
        """Looked for now and then: threads that waited for it would be missing elsewhere, and hold up the end."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + (_PREPARED_S if self._remote else math.inf)
        while not self._writer.prepared.is_set() and loop.time() < until_s and not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_S)

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a job in a thread, again and again. One that fails is told and tried again."""

        async def again(stop: asyncio.Event) -> None:
            while not stop.is_set():
                if self._writer.prepared.is_set():
                    await _tried(job)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), seconds)

        self.beside(again)


async def _kept_going(run: Run, stop: asyncio.Event) -> None:
    while True:
        try:
            return await run(stop)
        except Exception:
            log.exception("a part of the server failed; it begins again")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN_S)
        if stop.is_set():
            return


async def _tried(job: Callable[[], object]) -> None:
    try:
        await asyncio.to_thread(job)
    except StoreError as error:
        log.warning("a job has to wait for the store", extra={"reason": error.message})
    except Exception:
        log.exception("a job failed; it is tried again")
