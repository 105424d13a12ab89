"""People's own programs, run when an incident opens and when it is resolved.

They come only from a folder of the server's file system: no answer of the API can put one there. Each runs in
a process of its own with the incident as JSON on its standard input: whatever is executable as it is, a `.py` file
that is not through our Python, which calls its `on_incident_status_changed(incident)`. A run has a receipt like a
delivery; one that fails is not tried again, as it may have done half its work.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import ClassVar, Final

import orjson

from botwatch import limits
from botwatch.incident.steps import Step
from botwatch.notify import child, shape
from botwatch.notify.channels.kind import Kind, Means, Options, Sent, Undelivered
from botwatch.notify.escape import plain
from botwatch.notify.note import Note
from botwatch.notify.render import duration

EVENT: Final = "on_incident_status_changed"
PREFIX: Final = "hook:"
_SAID_CHARS_MAX: Final = 400
_RUNNER: Final = Path(__file__).with_name("hook_run.py")


class HookOptions(Options):
    path: Path
    seconds: int


class Hook(Kind[HookOptions]):
    name = "hook"
    help = "a program of yours"
    options: ClassVar[type[HookOptions]] = HookOptions
    steps = frozenset({Step.OPENED, Step.RESOLVED})
    digests = False
    at_once_max = limits.HOOKS_AT_ONCE_MAX
    total_s_max = limits.HOOK_S_MAX + 5

    def groups(self, options: HookOptions) -> bool:
        return False

    async def send(self, options: HookOptions, note: Note, means: Means) -> Sent:
        if problem := refusal(options.path):
            raise Undelivered(problem, retryable=False)
        given = orjson.dumps(shape.incident(note.told[0]))
        runs = os.access(options.path, os.X_OK)
        command: list[str | Path] = [options.path] if runs else [sys.executable, "-I", _RUNNER, options.path]
        try:
            ended = await child.run(
                command,
                given,
                seconds=options.seconds,
                output_bytes_max=limits.HOOK_OUTPUT_BYTES_MAX,
                cwd=options.path.parent,
                environ={"BOTWATCH_DELIVERY": note.id},
            )
        except OSError as error:
            raise Undelivered(f"could not be started: {error.strerror}", retryable=False) from None
        said = _end_of(plain(ended.output)) + (" … and more than is kept" if ended.cut else "")
        if ended.code is None:
            raise Undelivered(f"ended after {duration(options.seconds * 10**9)}: {said}", retryable=False)
        if ended.code:
            raise Undelivered(f"exit code {ended.code}: {said}", retryable=False)
        return Sent(f"exit code 0: {said}" if said else "exit code 0")


def _end_of(text: str) -> str:
    """Where an error message stands."""
    return text if len(text) <= _SAID_CHARS_MAX else f"…{text[-_SAID_CHARS_MAX:]}"


def find(folder: Path) -> list[Path]:
    """The programs for our event, by name. Hidden files and notes beside them are none."""
    try:
        files = sorted((folder / EVENT).iterdir())
    except OSError:
        return []
    return [file for file in files if _is_hook(file)][: limits.HOOKS_MAX]


def _is_hook(file: Path) -> bool:
    return (
        not file.name.startswith((".", "_"))
        and file.name.isprintable()
        and len(file.name) <= limits.LABEL_CHARS_MAX
        and file.is_file()
        and (file.suffix == ".py" or os.access(file, os.X_OK))
    )


def refusal(file: Path) -> str:
    """Why it is not run: somebody else could have written it. Empty: it is run."""
    try:
        real = file.resolve(strict=True)
        for each in (real, real.parent, file.parent):
            found = each.stat()
            if found.st_mode & stat.S_IWOTH and not (each is not real and found.st_mode & stat.S_ISVTX):
                return f"{each.name} can be written by everybody, so it is not run; chmod o-w {plain(str(each))}"
            if found.st_uid not in (0, os.geteuid()):
                return f"{each.name} belongs to another user, so it is not run; chown it to the server's user"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""
