"""What every test stands on: a clean environment, one engine folder, the ClickHouse endpoint."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from botwatch.settings import Settings
from botwatch.state import open_database
from botwatch.state.database import FILE_NAME
from botwatch.store.client import Store
from tests.real.parts import ClickHouse
from tests.store.kept import Databases

# The gate finds the same examples on every machine; `--hypothesis-profile=explore` looks for new ones.
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("gate")
# Else what it tries depends on which modules were imported before: on the order of the files, and on who runs them.
vars(providers)["_get_local_constants"] = lambda: providers._local_constants


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a test that takes minutes first, then those with most tests: so that where two run at once, neither
    waits long for the other at the end."""
    sizes = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.path not in long, -sizes[item.path]))


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """A developer's own BOTWATCH_* and OTEL_* settings must not decide a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("BOTWATCH_", "OTEL_", "REDIS_URL")) and name != "BOTWATCH_REAL":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the embedded engine. A process can open only one: tests part by database."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="session")
def _engine(engine_path: Path) -> Iterator[Store]:
    """Keeps the engine running between tests: opening it again costs more than most of them."""
    anchor = Store.open("", data=engine_path)
    anchor.create()
    anchor.read("SELECT 1")
    yield anchor
    anchor.close()


@pytest.fixture(scope="session")
def databases(_engine: Store, engine_path: Path) -> Iterator[Databases]:
    made = Databases(_engine, engine_path)
    yield made
    made.close()


@pytest.fixture
def bare_store(databases: Databases) -> Iterator[Store]:
    """An embedded store in a database of its own, without the schema."""
    with databases.lent(with_schema=False) as store:
        yield store


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """An embedded store with the schema and nothing in it."""
    with databases.lent() as store:
        yield store


@pytest.fixture(scope="module")
def shared_store(databases: Databases) -> Iterator[Store]:
    """One for all tests of a file, which then look at bots of their own."""
    with databases.lent() as store:
        yield store


@pytest.fixture(scope="session")
def with_state(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Put a state database with the schema into a data folder: to copy one is much faster than to make another."""
    made = tmp_path_factory.mktemp("state")
    open_database(Settings(data=made)).close()

    def put(data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy(made / FILE_NAME, data)

    return put


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with ClickHouse(tmp_path_factory.mktemp("clickhouse") / "data") as endpoint:
        yield endpoint
        assert endpoint.stop() == 0


@pytest.fixture(scope="session")
def clickhouse_url(clickhouse: ClickHouse) -> str:
    """`clickhouse://127.0.0.1:PORT/`; put a database of your own behind it."""
    return clickhouse.url()
