"""How commands ask a server: where it is, and with the API token of the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

Url = Annotated[str, typer.Option(envvar="BOTWATCH_URL", help="where the server is")]
HERE: Final = "http://127.0.0.1:8600"


@contextmanager
def asking(url: str) -> Iterator[Any]:
    from botwatch.console.client import Client

    client = Client(url, os.environ.get("BOTWATCH_TOKEN", ""))
    try:
        yield client
    finally:
        client.close()
