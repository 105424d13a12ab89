"""Flags made of the settings, so that each is declared once; and how commands speak."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import SecretStr

from botwatch.settings import FILE_NAME, Settings

Flags = dict[str, str | bool | None]
Command = Callable[..., None]
SECRETS: Final = tuple(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr)
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help=f"file to read instead of {FILE_NAME}")]


def takes_settings(*names: str) -> Callable[[Command], Command]:
    """Give a command a flag for each of these settings; it gets what was given as `flags`."""

    def decorate(command: Command) -> Command:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "flags"]
        parameters = [*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *map(_flag, names)]

        @functools.wraps(command)
        def run(**given: Any) -> None:
            flags: Flags = {name: given.pop(name) for name in names}
            command(flags=flags, **given)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _flag(name: str) -> inspect.Parameter:
    """Text as it was typed: the settings say what fits, and with which words."""
    field = Settings.model_fields[name]
    kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
    option = "--" + name.replace("_", "-")
    kind: object = str | None
    metavar: str | None = "DIR" if Path in kinds else "NUMBER" if int in kinds else "TEXT"
    if bool in kinds:
        option, kind, metavar = f"{option}/--no-{option[2:]}", bool | None, None
    default = field.get_default(call_default_factory=True)
    text = f"{field.description}" + (f" [default: {default}]" if default not in ("", None) else "")
    flag: object = Annotated[kind, typer.Option(option, metavar=metavar, help=text)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=flag)


def say(text: str) -> None:
    """To people: what a program reads goes to standard output alone."""
    print(plain(text), file=sys.stderr)


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    cells = [list(map(plain, row)) for row in (heading, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def plain(text: str) -> str:
    """One line that a terminal shows and does not obey: others wrote parts of it."""
    return "".join(char if char.isprintable() else "?" for char in text)
