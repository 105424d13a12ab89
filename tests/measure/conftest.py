"""Stores with facts in them. What a module only reads, it writes once."""

from __future__ import annotations

import pytest

from botwatch.store.client import Store
from tests.measure.facts import Facts, measures_of


@pytest.fixture(scope="module")
def facts(shared_store: Store) -> Facts:
    """In a database of the module's own."""
    return Facts(shared_store, measures_of(shared_store))
