"""What a long-running process does for itself."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from botwatch import process


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_garbage_is_not_looked_for_while_modules_are_loaded_and_never_in_what_they_made() -> None:
    with process.loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000


def test_a_module_that_cannot_be_loaded_leaves_the_collector_at_work() -> None:
    with pytest.raises(ImportError), process.loading():
        raise ImportError
    assert gc.isenabled()
