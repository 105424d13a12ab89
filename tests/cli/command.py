"""Commands run in this process, in a folder of their own: what they print, and their exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from botwatch import cli


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Done:
        self.capsys.readouterr()
        code = cli._run([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        return Done(code, out, err)
