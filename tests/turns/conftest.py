from __future__ import annotations

import pytest

from botwatch.store.client import Store
from tests.turns.talk import House


@pytest.fixture
def house(store: Store) -> House:
    return House(store)
