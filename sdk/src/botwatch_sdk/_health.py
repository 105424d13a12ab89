"""Health endpoints a bot can mount: alive, and ready only if what it depends on answers.

`…/healthz` says that the process answers. `…/readyz` asks the checks, each within its time and at most one at a
time: one that hangs is not started again, and everybody who asks within a moment shares one answer.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Overdue
from dataclasses import dataclass
from typing import Any, Final

from botwatch_sdk import _limits
from botwatch_sdk._guard import never_raises
from botwatch_sdk._text import identifier, number

Check = Callable[[], object]
_ALIVE: Final = "healthz"
_READY: Final = "readyz"
_METHODS: Final = ("GET", "HEAD")
_REASONS: Final = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check said. `reason` never holds the text of an error: it may hold an address or a password."""

    ok: bool
    reason: str
    ms: float


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [
            ("content-type", "application/json"),
            ("content-length", str(len(self.body))),
            ("cache-control", "no-store"),
        ]


class _Probe:
    """One check, and what it last said."""

    def __init__(self, name: str, check: Check, timeout_s: float, fresh_s: float) -> None:
        self.name = name
        self._check = check
        self._timeout_s = timeout_s
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._said: Checked | None = None
        self._said_s = 0.0
        self._running: Future[Checked] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop | None) -> Future[Checked]:
        """The answer that is fresh, the run that is under way, or a new one. A coroutine runs on the bot's loop,
        where there is one: its pools belong there."""
        with self._lock:
            if self._running is not None and not self._running.done():
                return self._running
            future: Future[Checked] = Future()
            if self._said is not None and time.monotonic() - self._said_s < self._fresh_s:
                future.set_result(self._said)
                return future
            self._running = future
        if loop is not None and inspect.iscoroutinefunction(self._check):
            task = loop.create_task(self._ask_here(future))
            task.add_done_callback(lambda _: None)  # keeps the task as long as the loop does
        else:
            threading.Thread(target=self._ask, args=(future,), name=f"botwatch-check-{self.name}", daemon=True).start()
        return future

    def outcome(self, future: Future[Checked]) -> Checked:
        if future.done():
            return future.result()
        return Checked(False, f"no answer within {self._timeout_s:g} s", self._timeout_s * 1_000)

    def _ask(self, future: Future[Checked]) -> None:
        began_s = time.monotonic()
        try:
            answer = self._check()
            if inspect.isawaitable(answer):
                answer = asyncio.run(_awaited(answer))
            self._settle(future, began_s, answer is not False, "" if answer is not False else "it said no")
        except BaseException as error:
            self._settle(future, began_s, False, type(error).__name__)

    async def _ask_here(self, future: Future[Checked]) -> None:
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await _awaited(self._check())
            self._settle(future, began_s, answer is not False, "" if answer is not False else "it said no")
        except TimeoutError:
            self._settle(future, began_s, False, f"no answer within {self._timeout_s:g} s")
        except BaseException as error:
            self._settle(future, began_s, False, type(error).__name__)
            if not isinstance(error, Exception):
                raise

    def _settle(self, future: Future[Checked], began_s: float, ok: bool, reason: str) -> None:
        now_s = time.monotonic()
        said = Checked(ok, reason, round((now_s - began_s) * 1_000, 1))
        with self._lock:
            self._said, self._said_s = said, now_s
        future.set_result(said)


async def _awaited(found: object) -> object:
    return await found if isinstance(found, Awaitable) else found


class Health:
    """Mount `.asgi` or `.wsgi`: `app.mount("/health", bot.health({...}).asgi)`."""

    def __init__(self, checks: Mapping[str, Check], timeout_s: float, fresh_s: float) -> None:
        self._timeout_s = timeout_s
        self._probes = [_Probe(name, check, timeout_s, fresh_s) for name, check in checks.items()]

    def ready(self) -> Mapping[str, Checked]:
        """Each check and what it says. It waits as long as the timeout; in a coroutine use `ready_async`."""
        asked = [(probe, probe.begin(None)) for probe in self._probes]
        deadline_s = time.monotonic() + self._timeout_s
        for _, future in asked:
            try:
                future.result(max(deadline_s - time.monotonic(), 0.0))
            except Overdue:
                continue
        return {probe.name: probe.outcome(future) for probe, future in asked}

    async def ready_async(self) -> Mapping[str, Checked]:
        loop = asyncio.get_running_loop()
        asked = [(probe, probe.begin(loop)) for probe in self._probes]
        if asked:
            # Shielded: whoever stops asking does not stop the check for the others.
            waiting = [asyncio.ensure_future(asyncio.shield(asyncio.wrap_future(future))) for _, future in asked]
            _, late = await asyncio.wait(waiting, timeout=self._timeout_s)
            for waiter in late:
                waiter.cancel()
        return {probe.name: probe.outcome(future) for probe, future in asked}

    async def asgi(self, scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] == "lifespan":
            for said in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{said}.complete"})
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        asked = _asked(scope["method"], scope["path"])
        answer = _ready(await self.ready_async()) if asked is None else asked
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    def wsgi(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = str(environ.get("REQUEST_METHOD", "GET")), str(environ.get("PATH_INFO", ""))
        asked = _asked(method, path)
        answer = _ready(self.ready()) if asked is None else asked
        start_response(f"{answer.status} {_REASONS[answer.status]}", answer.headers)
        return [b"" if method == "HEAD" else answer.body]


def _asked(method: str, path: str) -> _Answer | None:
    """The answer where no check has to be asked; the last part of the path decides, wherever it is mounted."""
    last = path.rstrip("/").rpartition("/")[2]
    if last not in (_ALIVE, _READY):
        return _json(404, {"error": f"expected {_ALIVE} or {_READY}"})
    if method not in _METHODS:
        return _json(405, {"error": f"expected {' or '.join(_METHODS)}"})
    return _json(200, {"alive": True}) if last == _ALIVE else None


def _ready(checked: Mapping[str, Checked]) -> _Answer:
    ready = all(check.ok for check in checked.values())
    told = {name: {"ok": check.ok, "reason": check.reason, "ms": check.ms} for name, check in checked.items()}
    return _json(200 if ready else 503, {"ready": ready, "checks": told})


def _json(status: int, body: object) -> _Answer:
    return _Answer(status, json.dumps(body).encode() + b"\n")


def _unwell() -> Health:
    return Health({"checks": _no_check}, _limits.HEALTH_TIMEOUT_S, _limits.HEALTH_FRESH_S)


@never_raises(_unwell)
def health(
    checks: Mapping[str, Check] | None = None,
    *,
    timeout_s: float = _limits.HEALTH_TIMEOUT_S,
    fresh_s: float = _limits.HEALTH_FRESH_S,
) -> Health:
    """`bot.health({"postgres": ping}).asgi`, or `.wsgi`. A check is a function or a coroutine function without
    arguments; it raises, or answers False, when what it asks is not well. Its answer holds for `fresh_s`."""
    found = {} if checks is None else checks
    return Health(
        {identifier(name): _callable(check) for name, check in found.items()},
        number(timeout_s, name="health(timeout_s)"),
        number(fresh_s, name="health(fresh_s)"),
    )


def _callable(given: object) -> Check:
    return given if callable(given) else _no_check


def _no_check() -> object:
    """Stands where no function was given: what is not asked is not well."""
    raise TypeError
