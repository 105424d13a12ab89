from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.timeline.story import Story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    found = Story(tmp_path)
    yield found
    found.close()
