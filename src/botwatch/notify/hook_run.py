"""Run by itself, not imported: calls the Python function of one hook with the incident from standard input."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

FUNCTION = "on_incident_status_changed"


def main(path: Path) -> None:
    incident = json.load(sys.stdin)
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("hook", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, FUNCTION, None)
    if not callable(function):
        sys.exit(f"{path.name} has no function {FUNCTION}(incident)")
    function(incident)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
