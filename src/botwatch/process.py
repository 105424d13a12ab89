"""What a long-running process owes the machine it runs on: sockets, a log, a word to its supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import logging
import os
import resource
import socket
import sys
import time
from collections.abc import Iterator
from typing import Final

from botwatch.errors import SettingError

log = logging.getLogger(__name__)

_AGAIN_S: Final = 60.0
_AT_ONCE_MAX: Final = 5
_REMEMBERED_MAX: Final = 1_000

_PLAIN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line. What is logged about requests are names and numbers, never texts."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "service": "botwatch",
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update({key: value for key, value in record.__dict__.items() if key not in _PLAIN})
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{key}={value}" for key, value in record.__dict__.items() if key not in _PLAIN)
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = f"{clock} {record.levelname.lower():7} {record.getMessage()}"
        text = f"{text}  {extra}" if extra else text
        if record.exc_info and record.exc_info[0]:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return text


class Seldom(logging.Filter):
    """Of a warning or an error that comes again and again the first five of a minute are written, and then how many
    were not: trouble that lasts must not fill the disk with itself. What was over and comes again is told again."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        extra = repr([(key, value) for key, value in record.__dict__.items() if key not in _PLAIN])
        key = (record.name, record.getMessage(), extra)
        since, times = self._said.get(key, (record.created, 0))
        if 0 <= record.created - since < _AGAIN_S:
            if len(self._said) >= _REMEMBERED_MAX:
                self._said.clear()
            self._said[key] = (since, times + 1)
            return times < _AT_ONCE_MAX
        self._said[key] = (record.created, 1)
        if times > _AT_ONCE_MAX:
            record.again = times - _AT_ONCE_MAX
        return True


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """For many imports at once. What they make stays for good: looking for garbage in it is a fifth of their time, and
    later, each time, a pause."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def event_loop() -> asyncio.AbstractEventLoop:
    """The fast one, where there is one for the platform."""
    with contextlib.suppress(ModuleNotFoundError):
        loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
        return loop
    return asyncio.new_event_loop()


def raise_open_files() -> None:
    """As many as we are let: the usual 1,024 are fewer than the bots of a large fleet keep connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # some systems do not take their own word for it
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def set_up_log(level: str) -> None:
    """Ours at the level that was asked for, the libraries' only when they warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
    handler.addFilter(Seldom())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("botwatch").setLevel(level.upper())
    for told_by_us in ("urllib3", "clickhouse_connect"):  # of each attempt to reach a store that is away
        logging.getLogger(told_by_us).setLevel(logging.ERROR)


def listen(host: str, port: int, *, name: str, setting: str) -> socket.socket:
    """A bound, listening socket, or a `SettingError` that says which port and why."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SettingError(
            f"{name} cannot listen on {host}:{port}: {reason}; choose another with --{setting}"
        ) from None
    sock.setblocking(False)
    return sock


def notify(state: str) -> None:
    """Tell systemd, where it listens (sd_notify): READY=1, RELOADING=1, STOPPING=1."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            log.warning("the supervisor could not be told", extra={"reason": os.strerror(error.errno or 0)})
