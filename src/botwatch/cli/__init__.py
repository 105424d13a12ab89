"""The command line. What a command needs is imported when it runs, so that help is there at once."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.exceptions import TyperException

from botwatch import process
from botwatch.cli.accounts import key_app, token_app, user_app
from botwatch.cli.alerts import channel_app, drill, silence_app
from botwatch.cli.console import EVERY_S, Every, Monitor, console
from botwatch.cli.doctor import doctor
from botwatch.cli.export import export
from botwatch.cli.flags import SECRETS, Config, Flags, say, takes_settings
from botwatch.cli.importing import import_file
from botwatch.cli.intake import intake_app
from botwatch.cli.rules_tried import rules_app
from botwatch.errors import BotwatchError, SettingError
from botwatch.limits import DEMO_RATE_MAX
from botwatch.settings import FILE_NAME, PREFIX, TABLES, Settings, load

# A demo writes bots that do not exist: never where the real ones are, whatever the environment says.
NOT_FOR_DEMO: Final = ("data", "store", "store_cluster", "state", "rules", "node")
NOT_FOR_SERVE: Final = ("url",)
AGENT_FLAGS: Final = ("url", "data", "host_name", "watch_processes", "log_level")
DEMO_FLAGS: Final = ("host", "port", "otlp_port", "grpc_port")
USAGE, FAILED, INTERRUPTED = 2, 1, 130

app = typer.Typer(
    help="Botwatch watches bots, and tells the right person when one is not well.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")
app.add_typer(token_app, name="token")
app.add_typer(rules_app, name="rules")
app.add_typer(channel_app, name="channel")
app.add_typer(silence_app, name="silence")
app.add_typer(intake_app, name="intake")


@app.command(
    epilog="Secrets are no flags: "
    + ", ".join(f"set {PREFIX}{name.upper()} or {PREFIX}{name.upper()}_FILE" for name in SECRETS)
    + f". Every flag can also be set as {PREFIX}NAME, or in {FILE_NAME}."
)
@takes_settings(*(name for name in Settings.model_fields if name not in (*SECRETS, *NOT_FOR_SERVE, *TABLES)))
def serve(
    flags: Flags,
    console_: Annotated[bool, typer.Option("--console", help="tell on this terminal how things are")] = False,
    monitor: Annotated[bool, typer.Option("--monitor", help="the same, in five lines at an interval")] = False,
    every: Every = EVERY_S,
    config: Config = None,
) -> None:
    """Run the server: web, API, and what bots send to."""
    settings = load(flags, file=config)
    with process.loading():
        from botwatch import server

    if not (console_ or monitor):
        raise typer.Exit(server.run(settings, reread=lambda: load(flags, file=config)))
    own = Monitor(settings, every)
    raise typer.Exit(server.run(own.settings, reread=lambda: own.let_in(load(flags, file=config)), serving=own.begin))


@app.command()
@takes_settings(*DEMO_FLAGS)
def demo(
    flags: Flags,
    rate: Annotated[
        float, typer.Option(min=0.1, max=DEMO_RATE_MAX, help="conversations a minute at the busiest hour")
    ] = 6.0,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="folder to keep it in [default: a new one, removed at the end]")
    ] = None,
) -> None:
    """Run the server with a believable fleet of bots talking to it."""
    kept_out = {PREFIX + name.upper() for name in NOT_FOR_DEMO}
    environ = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in kept_out}
    with _folder(data) as folder:
        settings = load(flags | {"data": str(folder)}, environ=environ, file=Path(os.devnull))
        from botwatch import demo as fleet

        raise typer.Exit(fleet.run(settings, rate=rate) or 0)


@app.command(epilog=f"The ingest key is no flag: set {PREFIX}KEY or {PREFIX}KEY_FILE.")
@takes_settings(*AGENT_FLAGS)
def agent(
    flags: Flags,
    once: Annotated[bool, typer.Option("--once", help="print what it sees, and end")] = False,
    config: Config = None,
) -> None:
    """Measure this machine and its bots' processes, and send that to a server."""
    settings = load(flags, file=config)
    from botwatch.cli.agent import look_once, run

    if once:
        look_once(settings)
    else:
        raise typer.Exit(run(settings))


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="botwatch-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@app.command()
def status(
    url: Annotated[str, typer.Option(envvar="BOTWATCH_URL", help="where the server is")] = "http://127.0.0.1:8600",
    as_json: Annotated[bool, typer.Option("--json", help="as the API answers it")] = False,
) -> None:
    """Ask a server how things are. It needs an API token in BOTWATCH_TOKEN."""
    from botwatch.cli.status import ask, lines

    body = ask(url, os.environ.get("BOTWATCH_TOKEN", ""))
    print(body.decode() if as_json else "\n".join(lines(body)))


app.command()(console)
app.command()(doctor)
app.command()(drill)
app.command()(export)


@app.command()
def version() -> None:
    """Say which version this is."""
    from importlib.metadata import version as version_of

    print(f"botwatch {version_of('botwatch')}")


app.command("import")(import_file)


def main() -> None:
    """Every failure is one line that says what to do; the exit code is 2 where the command was not right."""
    logging.getLogger("botwatch").addHandler(logging.NullHandler())  # the server sets up a log; others have none
    # Read when gRPC is imported. What we start is another program at once, and gRPC would say so in a line of its own.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        sys.exit(_run(sys.argv[1:] or ["--help"]))
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def _run(arguments: list[str]) -> int:
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="botwatch", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        return _fail(error.format_message(), USAGE)
    except BotwatchError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return _fail(error.message + hint, USAGE if isinstance(error, SettingError) else FAILED)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return _fail(f"unexpected {type(error).__name__} at {place}; this is a fault in Botwatch", FAILED)
    return code if isinstance(code, int) else 0


def _fail(text: str, code: int) -> int:
    say("botwatch: " + " ".join(text.split()))
    return code
