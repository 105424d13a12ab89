"""The version of this distribution; `pyproject.toml` says the same, and a test holds the two together."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
