"""The house's order, held by tests: style, types, lengths, and what must not be in the project.

Printing and reading the clock outside their places are ruff's to find (`pyproject.toml`).
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from botwatch import limits

ROOT = Path(__file__).parents[1]
MODULE_LINES_MAX = {"src": 400, "sdk": 400, "tests": 600, "bench": 600}
FUNCTION_LINES_MAX = 60
UNITS = ("BYTES", "S", "MS", "BLOCKS", "DAYS")
NOT_OURS = {"build", "dist", "node_modules", "artifacts", "botwatch-data", "uv.lock", "__pycache__"}

# Written in pieces, so that this file passes its own tests.
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
REGISTRIES = re.compile(
    r"py" + r"pi\.org|python" + r"hosted|npm" + r"js|yarn" + r"pkg|debian" + r"\.org", re.IGNORECASE
)
MACHINE_PATHS = re.compile(r"(?<![\w.:/])/(?:work|root|home|Users)" + r"/|/opt/" + "(?:wheels|py" + "pi)")


@functools.cache
def tracked() -> list[Path]:
    """The project's files: what git knows or would add; without git, everything that is not made."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
        files = [ROOT / name for name in names if name]
    except (OSError, subprocess.CalledProcessError):
        files = [
            file
            for file in ROOT.rglob("*")
            if not any(
                part in NOT_OURS or (part[0] == "." and part != ".ci") for part in file.relative_to(ROOT).parts[:-1]
            )
        ]
    return sorted(file for file in files if file.is_file() and file.name not in NOT_OURS)


def lines_with(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    found = []
    for file in files:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            continue  # of a build that is under way
        if b"\0" in data:
            continue  # an image or golden bytes
        for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), 1):
            if match := pattern.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {match[0]}")
    return found


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (file for file in tracked() if file.suffix == ".py" and (ROOT / folder) in file.parents)


def run(*arguments: str, text: str | None = None) -> tuple[int, str]:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True, input=text)
    return done.returncode, done.stdout + done.stderr


def passes(*arguments: str) -> None:
    code, output = run(*arguments)
    if code:
        pytest.fail(f"{' '.join(arguments)}\n{output}", pytrace=False)


def test_style() -> None:
    passes("ruff", "check", "--quiet", "--output-format=concise", ".")


def test_format() -> None:
    passes("ruff", "format", "--check", "--output-format=concise", ".")


@pytest.mark.timeout(600)  # without its cache, on a small machine
def test_types() -> None:
    passes("mypy")


@pytest.mark.parametrize(
    ("file", "text", "rule"),
    [
        ("src/botwatch/detect/judge.py", "import time\n\nNOW = time.time()\n", "TID251"),
        ("src/botwatch/detect/judge.py", "from time import time_ns\n\nNOW = time_ns()\n", "TID251"),
        ("src/botwatch/api/a.py", "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n", "TID251"),
        ("src/botwatch/store/writer.py", 'print("stored")\n', "T201"),
        ("src/botwatch/api/a.py", 'def f(name: str) -> str:\n    return f"SELECT * FROM {name}"\n', "S608"),
        ("sdk/src/botwatch_sdk/a.py", 'print("sent")\n', "T201"),
    ],
)
def test_style_finds(file: str, text: str, rule: str) -> None:
    code, output = run(
        "ruff", "check", "--no-cache", "--output-format=concise", f"--stdin-filename={file}", "-", text=text
    )
    assert (code, rule in output) == (1, True), output


def test_modules_are_short() -> None:
    counted = [
        (len(file.read_text(encoding="utf-8").splitlines()), lines_max, file.relative_to(ROOT))
        for folder, lines_max in MODULE_LINES_MAX.items()
        for file in python_files(folder)
    ]
    assert len(counted) > 10
    assert [f"{file}: {lines} lines, at most {most}" for lines, most, file in counted if lines > most] == []


def test_functions_are_short() -> None:
    long = []
    for file in python_files(*MODULE_LINES_MAX):
        if "migrations" in file.parts:
            continue  # a step of a schema is one list, however long
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{file.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines")
    assert long == [], f"at most {FUNCTION_LINES_MAX} lines"


def test_nothing_is_left_unfinished() -> None:
    assert lines_with(UNFINISHED, tracked()) == []


def test_no_registry_is_named() -> None:
    assert lines_with(REGISTRIES, tracked()) == []


def test_no_path_of_a_machine_is_named() -> None:
    assert lines_with(MACHINE_PATHS, tracked()) == []


def test_the_search_sees_what_it_looks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    file = tmp_path / "page.md"
    file.write_text("\n".join(("TO" + "DO: x", "https://py" + "pi.org/simple", "cd /ro" + "ot/x", "see docs/home/a")))
    assert lines_with(UNFINISHED, [file]) == ["page.md:1: TO" + "DO"]
    assert lines_with(REGISTRIES, [file]) == ["page.md:2: py" + "pi.org"]
    assert lines_with(MACHINE_PATHS, [file]) == ["page.md:3: /ro" + "ot/"]


def bounds() -> dict[str, int]:
    return {name: value for name, value in vars(limits).items() if isinstance(value, int) and name[:1] != "_"}


def test_a_limit_is_a_positive_number_with_its_unit_in_its_name() -> None:
    assert len(bounds()) > 10
    for name, value in bounds().items():
        assert value > 0, name
        assert re.fullmatch(rf"[KMG]IB|[A-Z0-9_]+_(?:MAX|MIN|{'|'.join(UNITS)})", name), (
            f"limits.{name}: expected capitals that end in _MAX, _MIN or a unit ({', '.join(UNITS)})"
        )


def test_every_limit_holds_somewhere() -> None:
    used = {"KIB", "MIB", "GIB"}
    for file in python_files("src"):
        source = file.read_text(encoding="utf-8")
        used |= set(re.findall(r"\blimits\.(\w+)", source))
        used.update(*(re.findall(r"\w+", names) for names in re.findall(r"\bimport (.*)", source)))
    unused = sorted(bounds().keys() - used)
    assert unused == [], "a bound that nothing keeps is no bound: use it or remove it"


def test_the_constraints_fit_the_requirements_and_hold_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    pinned = {canonicalize_name(name): at for name, at in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}
    wanted = set()
    for place in (ROOT, ROOT / "sdk"):
        file = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
        extras = file["project"].get("optional-dependencies", {})
        groups = file.get("dependency-groups", {})
        wanted |= {*file["project"]["dependencies"], *chain(*extras.values()), *chain(*groups.values())}
    for requirement in map(Requirement, wanted):
        found = pinned.get(canonicalize_name(requirement.name), "nothing")
        assert requirement.name.startswith("botwatch") or (
            found != "nothing" and requirement.specifier.contains(found)
        ), f"constraints.txt has {found} for {requirement}: run .ci/constraints"
