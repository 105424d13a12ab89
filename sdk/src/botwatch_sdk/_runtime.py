"""One life of the SDK in one process: from `init`, or a fork, to `shutdown`, or the exit."""

from __future__ import annotations

import atexit
import multiprocessing.util
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from botwatch_sdk import _config, _crash, _limits, _live, _taps, _wire
from botwatch_sdk._config import Config
from botwatch_sdk._counters import Counters
from botwatch_sdk._gauges import board, instruments
from botwatch_sdk._guard import log, never_raises, nothing, warn_once
from botwatch_sdk._heart import Heart
from botwatch_sdk._lane import Lane, Reach
from botwatch_sdk._taps import Taps


class Process:
    """Two lanes and a heart, for one process id. Made anew after a fork, with counts from zero."""

    def __init__(self, config: Config, taps: Taps, resource: Resource) -> None:
        self.config = config
        self.taps = taps
        self.resource = resource
        self.tracer = taps.tracer
        self.logger = taps.logger
        self.counters = Counters()
        reach = Reach()
        stamped = taps.resource is resource
        self.spans: Lane[ReadableSpan] = Lane(
            "spans", lambda: _wire.spans(config), self.counters, reach, None if stamped else _span_stamp(resource)
        )
        self.logs: Lane[ReadableLogRecord] = Lane(
            "logs", lambda: _wire.logs(config), self.counters, reach, None if stamped else _log_stamp(resource)
        )
        self.heart = Heart(config, resource, self.counters, taps.readers, reach)

    def flush(self, timeout_s: float) -> bool:
        """All three at the same time, so that one that hangs does not take the others' share."""
        deadline_s = time.monotonic() + timeout_s
        beat, spans, logs = self.heart.urge(), self.spans.urge(), self.logs.urge()
        return all(
            [
                self.spans.wait(spans, deadline_s),
                self.logs.wait(logs, deadline_s),
                self.heart.wait(beat, deadline_s),
            ]
        )

    def close(self, timeout_s: float) -> bool:
        """The lanes first: what they drop is told in the last beat."""
        deadline_s = time.monotonic() + timeout_s
        before = self.spans.lost + self.logs.lost
        self.spans.end()
        self.logs.end()
        left = self.spans.join(deadline_s) + self.logs.join(deadline_s)
        self.heart.close(deadline_s)
        if left:
            log.warning("botwatch: %d items could not be sent within %g s and are lost", left, timeout_s)
        return not left and self.spans.lost + self.logs.lost == before


class _Stamped(Protocol):
    @property
    def resource(self) -> Resource: ...


S = TypeVar("S", bound=_Stamped)


def _stamp(resource: Resource, rebuilt: Callable[[S, Resource], S]) -> Callable[[S], S]:
    """What the bot's own providers made, or ours before a fork, says which bot and which process it is from."""
    merged: tuple[Resource, Resource] = (resource, resource)

    def stamp(item: S) -> S:
        nonlocal merged
        if item.resource is not merged[0]:
            merged = (item.resource, item.resource.merge(resource))
        return rebuilt(item, merged[1])

    return stamp


def _span_stamp(resource: Resource) -> Callable[[ReadableSpan], ReadableSpan]:
    return _stamp(
        resource,
        lambda span, merged: ReadableSpan(
            span.name,
            span.context,
            span.parent,
            merged,
            span.attributes,
            span.events,
            span.links,
            span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        ),
    )


def _log_stamp(resource: Resource) -> Callable[[ReadableLogRecord], ReadableLogRecord]:
    return _stamp(resource, lambda record, merged: replace(record, resource=merged))


# --- the one that is alive


class _Here:
    """The state of this process. `lock` is for `init` and `shutdown`; recording takes none."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.alive: Process | None = None
        self.forking = False
        self.hooked = False

    def become(self, process: Process | None) -> None:
        self.alive = process
        _live.runtime = process


_here = _Here()


@never_raises(nothing)
def init(
    bot: str | None = None,
    *,
    url: str | None = None,
    key: str | None = None,
    version: str | None = None,
    attributes: Mapping[str, str] | None = None,
    heartbeat_s: float | None = None,
) -> None:
    """Begin to record. What is not given is read from `BOTWATCH_BOT`, `BOTWATCH_URL`, `BOTWATCH_KEY`,
    `BOTWATCH_VERSION` and OpenTelemetry's own variables.

    Call it once, after OpenTelemetry was set up if the bot does that itself. Called again with the same, it does
    nothing; with something else, it sends what waits to the old place and goes on with the new.
    """
    config = _config.resolve(
        os.environ, bot=bot, url=url, key=key, version=version, attributes=attributes, heartbeat_s=heartbeat_s
    )
    if os.environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true":
        warn_once("disabled", "botwatch: %s is true, so nothing is recorded", OTEL_SDK_DISABLED)
        return
    with _here.lock:
        before = _here.alive
        if before is not None and before.config == config:
            return
        resource = config.resource()
        _hook_once()
        _here.become(Process(config, _taps.public(_taps.own(resource, instruments)), resource))
    if before is not None:
        before.close(_limits.EXIT_FLUSH_S)


@never_raises(lambda: False)
def flush(timeout_s: float = _limits.FLUSH_S) -> bool:
    """Send now what waits. True when the server took all of it in time. The only call that waits, with `shutdown`;
    in a coroutine use `await asyncio.to_thread(flush)`."""
    process = _here.alive
    return process is not None and process.flush(timeout_s)


@never_raises(lambda: False)
def shutdown(timeout_s: float = _limits.FLUSH_S) -> bool:
    """Send what waits and record nothing more. True when nothing was lost. At the exit of the process it is called
    for you, with less time."""
    with _here.lock:
        process = _here.alive
        _here.become(None)
    return process is None or process.close(timeout_s)


def _hook_once() -> None:
    if _here.hooked:
        return
    _here.hooked = True
    _wire.silence_exporters()
    _crash.listen()
    # urllib3 closes its connections by a finalizer: that exit hook must be there before ours, so as to run after it.
    weakref.finalize(_here, nothing)
    atexit.register(_at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
    # A child of multiprocessing ends without `atexit`, and forgets all finalizers just after the fork.
    multiprocessing.util.register_after_fork(_here, lambda _: _finalize_with_multiprocessing())


@never_raises(nothing)
def _at_exit() -> None:
    shutdown(_limits.EXIT_FLUSH_S)


def _finalize_with_multiprocessing() -> None:
    multiprocessing.util.Finalize(None, _at_exit, exitpriority=0)


@never_raises(nothing)
def _before_fork() -> None:
    # Bounded: an instrument of the bot's own may hang in there, and a fork must not hang with it.
    if board.collecting.acquire(timeout=_limits.FORK_WAIT_S_MAX):
        _here.forking = True


@never_raises(nothing)
def _after_fork() -> None:
    if _here.forking:
        _here.forking = False
        board.collecting.release()


@never_raises(nothing)
def _in_child() -> None:
    """What waited is the parent's to send. The threads did not come along, so all is made anew."""
    parent = _here.alive
    _here.lock, _here.forking, board.collecting = threading.RLock(), False, threading.Lock()
    _wire.forget_threads()
    _here.become(None)
    if parent is not None:
        _here.become(Process(parent.config, parent.taps, parent.config.resource(forked=True)))
