"""`botwatch intake`: what became of everything that was sent, asked of a server over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from botwatch.cli.asking import HERE, Url, asking
from botwatch.cli.flags import plain, table

intake_app = typer.Typer(help="What became of what was sent. It needs an API token in BOTWATCH_TOKEN.")


@intake_app.command("list")
def list_intake(url: Url = HERE) -> None:
    """Count every item: received = stored + spooled + duplicate + rejected."""
    with asking(url) as client:
        found = client.get("/api/intake")
    lines = ("received", "stored", "spooled", "duplicate")
    table(
        ("KIND", *(line.upper() for line in lines), "REJECTED"),
        (
            (kind, *(str(counts[line]) for line in lines), _reasons(counts["rejected"]))
            for kind, counts in found.items()
        ),
    )


@intake_app.command("dead")
def list_dead(url: Url = HERE) -> None:
    """List the requests that the engine refused. Their bytes are kept aside."""
    with asking(url) as client:
        found = client.get("/api/intake/dead")
    columns = ("id", "kind", "items", "bytes", "received", "refused", "reason")
    table(
        tuple(name.upper() for name in columns), (tuple(plain(str(each[name])) for name in columns) for each in found)
    )


@intake_app.command("retry")
def retry_dead(url: Url = HERE, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Give the engine once more what it refused, as after an update. What it refuses again is kept aside again."""
    with asking(url) as client:
        count = len(client.get("/api/intake/dead"))
        if not count:
            print("The engine refused nothing that is still kept.")
            return
        if not yes and not typer.confirm(f"Give {count} requests to the engine again?"):
            raise typer.Exit(1)
        done = client.send("POST", "/api/intake/dead/retry")["requests"]
    print(f"{done} requests wait for the engine again; look later with: botwatch intake dead")


def _reasons(rejected: dict[str, int]) -> str:
    return ", ".join(f"{plain(reason)} {count}" for reason, count in sorted(rejected.items())) or "0"
