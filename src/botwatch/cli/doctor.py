"""`botwatch doctor`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from botwatch.clock import SystemClock


def doctor(
    url: Annotated[
        str, typer.Option(help="the server's web port [default: from BOTWATCH_URL, else http://127.0.0.1:8600]")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Find out what is wrong, and what to do. The exit code is 1 where there is a problem.

    It tries the way a bot on this machine would send, and asks the server what it finds; that needs an API token in
    BOTWATCH_TOKEN.
    """
    from botwatch.cli.examine import examine, json_of, text_of

    report = examine(url, os.environ.get("BOTWATCH_TOKEN", ""), os.environ, SystemClock())
    print(json_of(report) if as_json else "\n".join(text_of(report)))
    raise typer.Exit(1 if report.failed else 0)
