"""The exception nobody caught: told before its thread ends by it, then left to whoever listened before."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from opentelemetry._logs import SeverityNumber

from botwatch_sdk import _faults, _live, _names
from botwatch_sdk._counters import Kind
from botwatch_sdk._emit import event
from botwatch_sdk._guard import contained


def listen() -> None:
    """Once a process. Other hooks, set before or after, are called as they were."""
    of_process = sys.excepthook
    of_threads = threading.excepthook

    def in_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        tell(error)
        of_process(kind, error, trace)

    def in_thread(args: threading.ExceptHookArgs, /) -> None:
        tell(args.exc_value)
        of_threads(args)

    sys.excepthook = in_process
    threading.excepthook = in_thread


def tell(error: BaseException | None) -> None:
    try:
        runtime = _live.runtime
        if runtime is not None and isinstance(error, Exception) and _faults.first_seen(error):
            runtime.counters.event(Kind.ERROR)
            event(runtime, _names.EXCEPTION, _faults.attributes(error), severity=SeverityNumber.FATAL)
    except Exception as failed:
        contained("the crash hook", failed)
