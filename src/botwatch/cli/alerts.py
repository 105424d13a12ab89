"""`botwatch channel`, `silence` and `drill`: whether and how people are told, asked of a server over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from botwatch.cli.asking import HERE, Url, asking
from botwatch.cli.flags import plain, say, table
from botwatch.clock import SystemClock
from botwatch.errors import BadRequest
from botwatch.limits import DELIVERY_S_MAX, DRILL_S_MAX

FAILED: Final = 1
_SLACK_S: Final = 15.0

channel_app = typer.Typer(help="Ways to reach people. It needs an API token in BOTWATCH_TOKEN.")
silence_app = typer.Typer(help="Planned quiet. It needs an API token in BOTWATCH_TOKEN.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="the channel")]


@channel_app.command("list")
def list_channels(url: Url = HERE) -> None:
    """List the channels, and how their deliveries fare."""
    with asking(url) as client:
        found = client.get("/api/channels")
    table(
        ("NAME", "KIND", "FROM", "WAITING", "LAST DELIVERED", "LAST ANSWER"),
        (
            (
                each["name"],
                each["kind"] + ("" if each["enabled"] else " (off)"),
                each["source"],
                str(each["waiting"]),
                _time(each["last_delivered"]),
                each["last_answer"],
            )
            for each in found
        ),
    )


@channel_app.command("kinds")
def list_kinds(url: Url = HERE) -> None:
    """List what a channel can be, with the options of each."""
    with asking(url) as client:
        found = client.get("/api/channels/kinds")
    for kind in found:
        print(f"{plain(kind['name'])}: {plain(kind['help'])}")
        for option in kind["options"]:
            marks = " (required)" * option["required"] + " (secret)" * option["secret"]
            choices = f" [{', '.join(option['choices'])}]" if option["choices"] else ""
            print(f"  {plain(option['name'])}{marks}  {plain(option['help'])}{plain(choices)}")


@channel_app.command("add")
def add_channel(
    name: Name,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="see: botwatch channel kinds")],
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OPTION=VALUE]...", help="=@FILE reads it from a file, =- asks for it at the terminal"),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="keep it, and do not use it")] = False,
    url: Url = HERE,
) -> None:
    """Add a channel, or change one; a secret that is left out stays as it is."""
    body = {"kind": kind, "options": _options(options or []), "enabled": not off}
    with asking(url) as client:
        client.send("PUT", f"/api/channels/{quote(name, safe='')}", body)
    say(f"The channel {name} is kept; try it: botwatch channel test {name}")


@channel_app.command("remove")
def remove_channel(name: Name, url: Url = HERE) -> None:
    """Remove a channel."""
    with asking(url) as client:
        client.send("DELETE", f"/api/channels/{quote(name, safe='')}")
    say(f"The channel {name} is removed.")


@channel_app.command("test")
def try_channel(name: Name, url: Url = HERE) -> None:
    """Send a marked test message and show its receipt. The exit code is 1 where it was not taken."""
    with asking(url) as client:
        receipt = client.send(
            "POST", f"/api/channels/{quote(name, safe='')}/test", wait_s=DELIVERY_S_MAX + 10 + _SLACK_S
        )
    for attempt in receipt["receipt"]:
        taken = "taken" if attempt["taken"] else "not taken"
        print(f"{_time(attempt['at'])}  {taken} after {attempt['latency_ms']:.0f} ms: {plain(attempt['answer'])}")
    if receipt["status"] != "delivered":
        say(f"The test was not delivered; it is {receipt['status']} (delivery {receipt['id']}).")
        raise typer.Exit(FAILED)
    say(f"The test was delivered (delivery {receipt['id']}).")


@silence_app.command("list")
def list_silences(
    over: Annotated[bool, typer.Option("--over", help="also those that are over")] = False, url: Url = HERE
) -> None:
    """List silences, newest first."""
    with asking(url) as client:
        found = client.get("/api/silences", {"over": str(over).lower(), "limit": 500})["items"]
    table(
        ("ID", "WHERE", "FROM", "UNTIL", "IN THESE HOURS", "NOW", "BY", "COMMENT"),
        (_silence_row(each) for each in found),
    )


@silence_app.command("add")
def add_silence(
    where: Annotated[list[str], typer.Argument(metavar="LABEL=VALUE...", help="all must hold: host=web-1 rule~High*")],
    lasts: Annotated[str, typer.Option("--for", help="how long, such as 2h")] = "",
    starts: Annotated[str, typer.Option("--from", help="when, as 2027-01-31T22:00+01:00 [default: now]")] = "",
    window: Annotated[str, typer.Option(help="only in these hours, such as 22:00-06:00")] = "",
    days: Annotated[str, typer.Option(help="with a window: such as sat,sun [default: every day]")] = "",
    zone: Annotated[str, typer.Option(help="with a window: such as Europe/Zurich")] = "UTC",
    comment: Annotated[str, typer.Option(help="why")] = "",
    url: Url = HERE,
) -> None:
    """Keep quiet about some incidents. What is still open at the end is told then."""
    from botwatch.measure.query import parse_duration_s

    begin = _moment(starts) if starts else datetime.fromtimestamp(SystemClock().now_ns() / 1e9, UTC)
    body: dict[str, Any] = {"where": where, "starts": begin.isoformat(), "comment": comment}
    if lasts:
        body["ends"] = (begin + timedelta(seconds=parse_duration_s(lasts))).isoformat()
    if window:
        first, _, last = window.partition("-")
        body["window"] = {"from": first, "until": last, "zone": zone}
        if days:
            body["window"]["days"] = [day.strip().lower() for day in days.split(",")]
    with asking(url) as client:
        made = client.send("POST", "/api/silences", body)
    say(f"Silence {made['id']} " + ("holds now." if made["holds"] else "is kept."))


@silence_app.command("end")
def end_silence(
    number: Annotated[int, typer.Argument(metavar="ID", min=1, help="its number in the list")], url: Url = HERE
) -> None:
    """End a silence now."""
    with asking(url) as client:
        client.send("DELETE", f"/api/silences/{number}")
    say(f"Silence {number} is over.")


def drill(
    channel: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="through this one [default: as the routes say]")
    ] = None,
    url: Url = HERE,
) -> None:
    """Send a made-up failure the whole way, from the receiver to whoever is told, and time each leg.

    The exit code is 1 where it does not come back. It needs an admin's API token in BOTWATCH_TOKEN.
    """
    say("A drill goes its way; it takes about half a minute.")
    with asking(url) as client:
        told = client.send("POST", "/api/drill", {"channels": channel or []}, wait_s=DRILL_S_MAX + _SLACK_S)
    passed_s = 0.0
    for leg in told["legs"]:
        passed_s += leg["took_s"]
        print(f"{leg['name']:<14} {leg['took_s']:>8.3f} s  {passed_s:>8.3f} s")
    if not told["came_back"]:
        say(f"The drill did not come back: {told['problem']}.")
        raise typer.Exit(FAILED)
    say(f"The drill came back, through {', '.join(told['channels'])}.")


def _options(given: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise BadRequest(f"expected OPTION=VALUE, found {plain(each[:40])!r}")
        if value == "-":
            value = getpass(f"{name}: ")
        elif value.startswith("@"):
            try:
                value = Path(value[1:]).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise BadRequest(f"{name}: the file {value[1:]} cannot be read") from None
        if "." in name:  # headers.x-team=ops
            outer, _, inner = name.partition(".")
            found.setdefault(outer, {})[inner] = value
        else:
            found[name] = value
    return found


def _silence_row(each: Mapping[str, Any]) -> tuple[str, ...]:
    silence = each["silence"]
    window = silence["window"]
    hours = f"{window['from'][:5]}-{window['until'][:5]} {','.join(window['days'])} {window['zone']}" if window else "-"
    return (
        str(each["id"]),
        " and ".join(silence["where"]),
        _time(silence["starts"]),
        _time(each["over"]),
        hours,
        "quiet" if each["holds"] else "",
        each["created_by"],
        silence["comment"],
    )


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest("--from: expected a time such as 2027-01-31T22:00+01:00") from None
    return at if at.tzinfo else at.astimezone()


def _time(text: str | None) -> str:
    return "-" if text is None else f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
