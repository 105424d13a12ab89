"""Run by a test in a process of its own: the notifier, killed at a chosen step with no chance to tidy up.

It reads lines of `DATA<tab>STEP` and forks for each: the child ends by SIGKILL at that step, or, with the step `none`,
when everything that is due has been sent. How it ended is printed: the number of the signal, or the exit code.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from botwatch import limits
from botwatch.clock import SystemClock
from botwatch.notify import deliver, outbox, wire
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.settings import Settings
from botwatch.state import Database, open_database

notifier: Any = import_module("botwatch.notify.notifier")  # whose parts are replaced below


limits.DELIVERY_S_MAX = limits.DELIVERY_CONNECT_S_MAX = 60  # a busy machine is no receiver that is sent to again


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*given: Any, **more: Any) -> None:
        work(*given, **more)
        die()

    return run


def after_awaited(work: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*given: Any, **more: Any) -> Any:
        found = await work(*given, **more)
        die()
        return found

    return run


_DONE: list[str] = []


def noted(work: Callable[..., Any], name: str) -> Callable[..., Any]:
    def run(*given: Any, **more: Any) -> Any:
        found = work(*given, **more)
        if found or name == "record":
            _DONE.append(name)
        return found

    return run


def once_committed(name: str) -> None:
    """Kill after the transaction in which this was done."""
    outbox.take = noted(outbox.take, "take")
    notifier.seal = noted(notifier.seal, "seal")
    deliver.Recorder.record = noted(deliver.Recorder.record, "record")  # type: ignore[method-assign]
    plain = Database.write_now

    def write_now(self: Database, work: Callable[[Any], Any]) -> Any:
        found = plain(self, work)
        if name in _DONE:
            die()
        return found

    Database.write_now = write_now  # type: ignore[method-assign]


STEPS: dict[str, Callable[[], None]] = {
    "before anything is taken": lambda: setattr(outbox, "take", die),
    "taken, not committed": lambda: setattr(outbox, "take", after(outbox.take)),
    "taken and committed": lambda: once_committed("take"),
    "sealed, not committed": lambda: setattr(notifier, "seal", _after_some(notifier.seal)),
    "sealed and committed": lambda: once_committed("seal"),
    "before it is sent": lambda: setattr(wire.Http, "send", die),
    "sent and answered": lambda: setattr(wire.Http, "send", after_awaited(wire.Http.send)),
    "receipt written, not committed": lambda: setattr(deliver.Recorder, "record", after(deliver.Recorder.record)),
    "receipt committed": lambda: once_committed("record"),
    "none": lambda: None,
}


def _after_some(work: Callable[..., int]) -> Callable[..., int]:
    def run(*given: Any, **more: Any) -> int:
        found = work(*given, **more)
        if found:
            die()
        return found

    return run


async def main(data: str, step: str) -> None:
    settings = Settings(data=Path(data), notify_networks="127.0.0.0/8")
    database = open_database(settings)
    made = Notifier(database, SystemClock(), settings, Frame())
    STEPS[step]()
    async with asyncio.timeout(90):
        await made.step()
        left = True
        while left:
            await asyncio.sleep(0.02)
            await made.step()
            left = await database.read(_left) or bool(made._sending)
    await made.close()
    database.close()


def _left(session: Any) -> bool:
    return bool(deliver.channels_waiting(session)) or notifier._ahead(session, 0)[1] is not None


def fork(data: str, step: str) -> int:
    """Everything is imported already, and no thread has been started."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio.run(main(data, step))
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(fork(*line.rstrip("\n").split("\t")), flush=True)
