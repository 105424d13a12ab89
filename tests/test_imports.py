"""The import law: imports point back along the flow and to the base, never forward.

    base < state < receive < spool < store < measure < turns < detect < incident < notify < watch < reports < api

Only `server`, which joins everything, stands outside. A room that is not in `MAY_IMPORT` yet is
given its place there, by whoever adds it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
BASE = {"nouns", "errors", "limits", "settings", "clock"}
FLOW = (
    *("state", "receive", "spool", "store", "measure", "turns"),
    *("detect", "incident", "notify", "watch", "reports", "api"),
)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
NEVER = {"api": ("receive", "detect.loop")}  # the API reads what they left behind

MAY_IMPORT: dict[str, set[str]] = {
    "": BASE,
    **dict.fromkeys(BASE, BASE),
    **{room: BASE | set(FLOW[: place + 1]) for place, room in enumerate(FLOW)},
    "console": BASE | {"console"},  # speaks HTTP, as the browser does
    "demo": BASE | {"demo", "state", "store", "watch", "server", "process"},
    "process": BASE,
    "server": BASE | set(FLOW) | {"server", "process"},
    "__main__": {"cli"},
    "cli": BASE
    | {"cli", "state", "server", "demo", "console", "measure", "detect", "incident", "notify", "watch", "process"},
}
LAZY = {"cli": {"server", "demo", "console", "incident", "notify", "watch"}}  # `--help` must not load an engine


class Import(NamedTuple):
    target: str
    line: int
    lazy: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import in the text, also inside functions; relative ones made absolute."""
    tree = ast.parse(source)
    within = {id(node) for scope in ast.walk(tree) if isinstance(scope, SCOPES) for node in ast.walk(scope)}
    for node in ast.walk(tree):
        lazy = id(node) in within
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(package.split(".")[: 1 - node.level or None]) if node.level else ""
            module = ".".join(filter(None, (parent, node.module)))
            yield from (Import(f"{module}.{alias.name}", node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (Import(str(arg.value), node.lineno, lazy) for arg in node.args if isinstance(arg, ast.Constant))


def broken(file: Path, source: str, root: Path) -> list[str]:
    """What in this file breaks the law, as `file:line: room -> target: why`."""
    module = file.relative_to(root).with_suffix("").parts[1:]
    package = ".".join(("botwatch", *module[:-1]))
    room = "" if module[0] == "__init__" else module[0]
    if room not in MAY_IMPORT:
        return [f"{file}:1: {room} has no place in the import law: give it one in {Path(__file__).name}"]
    found = []
    for target, line, lazy in imports(source, package):
        top, _, path = target.partition(".")
        to = path.partition(".")[0]
        if top != "botwatch":
            continue
        arrow = f"{file}:{line}: {room or 'botwatch'} -> {path}"
        forbidden = [name for name in NEVER.get(room, ()) if f"{path}.".startswith(f"{name}.")]
        if to not in MAY_IMPORT[room]:
            found.append(f"{arrow}: it may import only {', '.join(sorted(MAY_IMPORT[room]))}")
        elif forbidden:
            found.append(f"{arrow}: {room} never imports {forbidden[0]}")
        elif to in LAZY.get(room, ()) and not lazy:
            found.append(f"{arrow}: only inside the function that needs it")
    return found


def test_every_import_points_back_along_the_flow() -> None:
    root = ROOT / "src"
    files = sorted((root / "botwatch").rglob("*.py"))
    assert files
    assert [line for file in files for line in broken(file, file.read_text(encoding="utf-8"), root)] == []


def test_the_sdk_knows_nothing_of_the_server() -> None:
    files = sorted((ROOT / "sdk" / "src").rglob("*.py"))
    assert files
    for file in files:
        for target, line, _ in imports(file.read_text(encoding="utf-8"), "botwatch_sdk"):
            assert target.partition(".")[0] not in {"botwatch", "chdb"}, f"{file}:{line}: the SDK imports {target}"


@pytest.mark.parametrize(
    ("file", "source", "why"),
    [
        ("store/writer.py", "import botwatch.measure.catalogue", ":1: store -> measure.catalogue: it may import only"),
        ("store/writer.py", "def f():\n    from botwatch import turns", ":2: store -> turns"),
        ("store/writer.py", "from ..api import routes", ":1: store -> api.routes"),
        ("store/deep/a.py", "from ...api import routes", ":1: store -> api.routes"),
        ("store/writer.py", "if TYPE_CHECKING:\n    from botwatch.api.auth import Who", ":2: store -> api.auth.Who"),
        ("store/writer.py", "import_module('botwatch.api')", ":1: store -> api"),
        ("notify/outbox.py", "from botwatch.api import auth", "notify -> api"),
        ("api/routes.py", "from botwatch.receive import http", "api never imports receive"),
        ("api/routes.py", "from botwatch.detect.loop import run", "api never imports detect.loop"),
        ("console/app.py", "from botwatch.api.shapes import Status", "console -> api"),
        ("clock.py", "import botwatch.store", "clock -> store"),
        ("__init__.py", "import botwatch.server", "botwatch -> server"),
        ("cli.py", "import botwatch.server", "only inside the function"),
        ("rooms/new.py", "", "has no place in the import law"),
    ],
)
def test_a_broken_arrow_is_named(tmp_path: Path, file: str, source: str, why: str) -> None:
    assert [line for line in broken(tmp_path / "botwatch" / file, source, tmp_path) if why in line and file in line]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "store/writer.py",
            "from botwatch import limits\nfrom botwatch.spool.queue import Batch\nfrom . import client",
        ),
        ("store/writer.py", "import chdb, botwatch_sdk\nfrom .client import open\nfrom ..state import keys"),
        ("api/routes.py", "from botwatch.detect.rules import Rule"),
        ("cli.py", "def serve():\n    from botwatch import server"),
        ("server.py", "from botwatch.api import app\nfrom botwatch.detect.loop import run"),
    ],
)
def test_a_lawful_arrow_is_left_alone(tmp_path: Path, file: str, source: str) -> None:
    assert broken(tmp_path / "botwatch" / file, source, tmp_path) == []
