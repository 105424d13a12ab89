"""A program of somebody else in a process of its own: bounded in time and output, and ended with all it started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")  # never our own secrets
_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Ended:
    """`code` is None where its time was over."""

    code: int | None
    output: str  # its beginning
    cut: bool


async def run(
    command: Sequence[str | Path],
    given: bytes,
    *,
    seconds: float,
    output_bytes_max: int,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Ended:
    """OSError where it cannot be started."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        env={**kept, **(environ or {})},
        start_new_session=True,
    )
    given_to, heard = process.stdin, process.stdout
    if given_to is None or heard is None:
        raise OSError("no pipe")
    found = bytearray()
    seen = 0

    async def feed() -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            given_to.write(given)
            await given_to.drain()
            given_to.close()

    async def read() -> None:
        nonlocal seen
        while chunk := await heard.read(65_536):
            seen += len(chunk)
            found.extend(chunk[: output_bytes_max - len(found)])

    code: int | None = None
    tasks = [asyncio.create_task(feed()), asyncio.create_task(read())]
    try:
        async with asyncio.timeout(seconds):
            code = await _end_of(process)
            await asyncio.wait(tasks, timeout=1.0)
    except TimeoutError:
        pass
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await _end_of(process)
        await _end(tasks)
    return Ended(code, bytes(found).decode("utf-8", "replace"), seen > len(found))


async def _end_of(process: asyncio.subprocess.Process) -> int:
    """Its own: `wait` also waits, on some loops, for whoever it left in the background to let go of its output."""
    while process.returncode is None:  # noqa: ASYNC110 - there is no event that tells it on every loop
        await asyncio.sleep(_LOOK_S)
    return process.returncode


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
