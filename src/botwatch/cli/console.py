"""`botwatch console`, and the block of five lines that `botwatch serve --console --monitor` prints."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from datetime import datetime
from typing import Annotated

import typer
from pydantic import SecretStr

from botwatch.errors import SettingError
from botwatch.limits import CONSOLE_EVERY_S_MAX
from botwatch.settings import Settings

EVERY_S = 60.0
Every = Annotated[
    float, typer.Option("--every", min=0.5, max=CONSOLE_EVERY_S_MAX, metavar="SECONDS", help="how often it is told")
]


def console(
    url: Annotated[str, typer.Option(envvar="BOTWATCH_URL", help="where the server is")] = "http://127.0.0.1:8600",
    plain: Annotated[bool, typer.Option("--plain", help="five lines at an interval, without drawing")] = False,
    every: Every = EVERY_S,
    times: Annotated[
        int | None, typer.Option(min=1, help="with --plain: so many times [default: until it is stopped]")
    ] = None,
) -> None:
    """Watch a server from a terminal. It needs an API token in BOTWATCH_TOKEN."""
    from botwatch.console.client import Client

    client = Client(url, os.environ.get("BOTWATCH_TOKEN", ""))
    if plain or not (sys.stdout.isatty() and sys.stdin.isatty()):
        from botwatch.console.plain import run

        run(client, sys.stdout, every, times=times, now=now)
        return
    from botwatch.console.app import ConsoleApp

    ConsoleApp(client, now).run()


def now() -> datetime:
    """In the zone of whoever looks."""
    return datetime.now().astimezone()


class Monitor:
    """Prints the five lines beside a server of this process, asked over HTTP as by anybody else."""

    def __init__(self, settings: Settings, every_s: float) -> None:
        given = settings.admin_token.get_secret_value()
        if not given and settings.exposed:
            raise SettingError(
                "--monitor asks the server as an admin does, and others can reach this one: set BOTWATCH_ADMIN_TOKEN"
            )
        self._token = given or secrets.token_urlsafe(32)
        self._every_s = every_s
        self.settings = self.let_in(settings)

    def let_in(self, settings: Settings) -> Settings:
        """The token lives as long as the process."""
        return settings.model_copy(update={"admin_token": SecretStr(self._token)})

    def begin(self, url: str) -> None:
        from botwatch.console.client import Client
        from botwatch.console.plain import run

        client = Client(url, self._token)
        threading.Thread(
            target=lambda: run(client, sys.stdout, self._every_s, now=now), name="monitor", daemon=True
        ).start()
