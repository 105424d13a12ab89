"""Real parts for tests: found or named, started, awaited, stopped, killed.

A test that needs a part which is not installed is skipped and names the package. Where
`BOTWATCH_REAL=require` is set it fails instead, so that a gate cannot pass by skipping.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import NoReturn, Self

import pytest

POLL_S = 0.02
START_S = 150.0
STOP_S = 60.0
OUTPUT_CHARS_SHOWN = 4_000
_WORKERS_MAX = 8
_CHANCE = random.SystemRandom()  # other tests seed the common one
_GIVEN: set[int] = set()


def missing(what: str, package: str) -> NoReturn:
    """End the test: skipped, or failed where every part must be there."""
    text = f"{what} is not installed; install the package {package}"
    if os.environ.get("BOTWATCH_REAL") == "require":
        pytest.fail(f"{text} (BOTWATCH_REAL=require allows no skip)", pytrace=False)
    pytest.skip(text)


def require_part(name: str, package: str) -> Path:
    """The program `name`, looked for on the path and where Debian keeps PostgreSQL's."""
    found = shutil.which(name)
    if found:
        return Path(found)
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return debian[-1] if debian else missing(f"the program {name}", package)


def require_module(name: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise  # the part is there and itself broken
        missing(f"the module {name}", package)


def require_library(name: str, package: str) -> None:
    try:
        ctypes.CDLL(name)
    except OSError:
        missing(f"the library {name}", package)


def free_port() -> int:
    """A port nobody listens on now. Prefer port 0 and `wait_for_line` where the part can say its port.

    Below the range from which outgoing connections take theirs, given once, and to no other of the processes that run
    tests side by side: so it is still free when the part that is starting comes to listen on it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _WORKERS_MAX
    if len(_GIVEN) > 1_000:
        _GIVEN.clear()  # the first of them are long free again
    while True:
        port = _CHANCE.randrange(20_000 + worker, 32_000, _WORKERS_MAX)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _GIVEN:
                _GIVEN.add(port)
                return port


def zone_at_noon() -> str:
    """Where it is between twelve and one: midnight, when the figures of a day begin anew, is far."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # it says how far Greenwich is ahead


class Process:
    """A part in a process of its own, its output in a file. Ends with the `with` block, whatever happened."""

    def __init__(
        self,
        args: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.args = [str(arg) for arg in args]
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                self.args,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
                cwd=cwd,
                user=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for_line(self, pattern: str, seconds: float = START_S) -> re.Match[str]:
        """The first match in the output: the honest way to learn that a part is ready, and where."""
        compiled = re.compile(pattern, re.MULTILINE)
        for _ in self._until(seconds, f"a line that matches {pattern!r}"):
            if match := compiled.search(self.output()):
                return match
        raise AssertionError("unreachable")

    def wait_for_port(self, port: int, seconds: float = START_S) -> None:
        for _ in self._until(seconds, f"a listener on port {port}"):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return

    def wait(self, seconds: float = STOP_S) -> int:
        """The exit code, once it has ended by itself."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._fail(f"still runs after {seconds} s")

    def stop(self, seconds: float = STOP_S) -> int:
        """SIGTERM, and the exit code: a part that does not end when told to has failed its test."""
        self._popen.terminate()
        return self.wait(seconds)

    def kill(self) -> None:
        """kill -9: no handler runs, nothing is flushed."""
        self._popen.kill()
        self._popen.wait(STOP_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # its own group, children included
        self._popen.wait(STOP_S)

    def _until(self, seconds: float, wanted: str) -> Iterator[None]:
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            ended = not self.alive
            yield  # once more after the end: its last words may be what is waited for
            if ended:
                self._fail(f"ended with {self._popen.returncode} before there was {wanted}")
            time.sleep(POLL_S)
        self._fail(f"no {wanted} after {seconds} s")

    def _fail(self, what: str) -> NoReturn:
        pytest.fail(f"{' '.join(self.args)}\n{what}\n{self.output()[-OUTPUT_CHARS_SHOWN:]}", pytrace=False)


class ClickHouse(Process):
    """The test-only ClickHouse endpoint over `folder`; `refusing` makes it fail in a chosen way."""

    def __init__(self, folder: Path, port: int = 0, *, cluster: str = "") -> None:
        self._refuse_file = folder.with_name(folder.name + ".refuse")
        script = Path(__file__).with_name("clickhouse_http.py")
        options = [f"--path={folder}", f"--port={port}", f"--refuse-file={self._refuse_file}", f"--cluster={cluster}"]
        super().__init__([sys.executable, script, *options], folder.with_name(folder.name + ".log"))
        self.port = int(self.wait_for_line(r"^listening on 127\.0\.0\.1:(\d+)$")[1])

    def url(self, database: str = "") -> str:
        return f"clickhouse://127.0.0.1:{self.port}/{database}"

    @contextmanager
    def refusing(self, how: str) -> Iterator[None]:
        """How: `503`, `error 241`, `drop`, `hang` or `lose`, with ` inserts` where reading goes on."""
        draft = self._refuse_file.with_suffix(".draft")
        draft.write_text(how, encoding="utf-8")
        draft.replace(self._refuse_file)  # never seen half written
        try:
            yield
        finally:
            self._refuse_file.unlink()
