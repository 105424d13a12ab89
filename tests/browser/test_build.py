"""The pages' own tests and types, and how they come into the package."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.browser.conftest import ROOT

WEB = ROOT / "web"


def test_the_types_are_those_of_the_api() -> None:
    generated = runpy.run_path(str(WEB / "generate_types.py"))["generated"]()
    assert (WEB / "src" / "api" / "types.ts").read_text(encoding="utf-8") == generated, (
        "the API has changed: uv run python web/generate_types.py"
    )


def test_the_types_fit(builder: SimpleNamespace, node_modules: Path) -> None:
    builder.run_npm(WEB, "run", "check")


def test_the_pages_own_tests_pass(builder: SimpleNamespace, node_modules: Path) -> None:
    assert "passed" in builder.run_npm(WEB, "run", "test")


def test_the_lock_names_hashes_and_no_address() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in lock, 'npm wrote who wants money into it: remove every "funding"'
    assert '"resolved"' not in lock
    assert lock.count('"integrity": "sha512-') > 20


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of the project as the build reads."""
    for name in ("hatch_build.py", "pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    ours = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(WEB, tmp_path / "web", ignore=ours)
    shutil.copytree(ROOT / "src" / "botwatch" / "api", tmp_path / "src" / "botwatch" / "api", ignore=ours)
    return tmp_path


def test_it_builds_only_what_has_changed(built: None, builder: SimpleNamespace, checkout: Path) -> None:
    assert not builder.is_stale(checkout)
    (checkout / "web" / "src" / "lib" / "more.test.ts").write_text("// tests are no part of the pages")
    assert not builder.is_stale(checkout)
    page = checkout / "web" / "src" / "main.tsx"
    page.write_text(page.read_text() + "\n")
    assert builder.is_stale(checkout)
    builder.build(checkout)
    assert not builder.is_stale(checkout)
    shutil.rmtree(checkout / "src" / "botwatch" / "api" / "static")
    assert builder.is_stale(checkout)


def test_a_wheel_has_the_pages(built: None, checkout: Path) -> None:
    names = _wheel(checkout)
    assert "botwatch/api/static/index.html" in names
    assert sum(name.startswith("botwatch/api/static/assets/") for name in names) >= 3


def test_a_wheel_can_go_without(checkout: Path) -> None:
    shutil.rmtree(checkout / "src" / "botwatch" / "api" / "static", ignore_errors=True)
    assert not [name for name in _wheel(checkout, BOTWATCH_SKIP_WEB="1") if "static" in name]


def _wheel(checkout: Path, **more: str) -> list[str]:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out"],
        cwd=checkout,
        env={**os.environ, **more},
        check=True,
        capture_output=True,
    )
    wheel = next((checkout / "out").glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_without_a_registry_it_says_what_to_do(
    builder: SimpleNamespace, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(checkout / "cache"))
    before = sorted((checkout / "src" / "botwatch" / "api").rglob("*"))
    with pytest.raises(SystemExit, match=r"(?s)could not be built.*'npm ci --omit=dev' failed.*BOTWATCH_SKIP_WEB=1"):
        builder.build(checkout)
    assert sorted((checkout / "src" / "botwatch" / "api").rglob("*")) == before
