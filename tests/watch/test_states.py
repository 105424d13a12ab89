"""What bots store, checked from outside: against a real PostgreSQL, a real Redis and SQLite files."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from botwatch.clock import ManualClock, SystemClock
from botwatch.errors import SettingError
from botwatch.measure.query import Query
from botwatch.measure.reader import Measures
from botwatch.settings import Settings
from botwatch.store.client import Store
from botwatch.watch.reading import Attributes, Happening, Reading
from botwatch.watch.report import LocalReporter
from botwatch.watch.states import State, Watch, configured
from botwatch.watch.states_ask import seconds_of
from tests.real.parts import Process, free_port, require_part
from tests.real.postgres import Postgres, running_postgres
from tests.watch.conftest import Reported


class Heard:
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.resources: list[Attributes] = []
        self.readings: list[Reading] = []
        self.happenings: list[Happening] = []

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        self.resources.append(resource)
        self.readings = list(readings)
        self.happenings = list(happenings)

    def value(self, name: str) -> float | None:
        return next((reading.value for reading in self.readings if reading.name == name), None)

    @property
    def reason(self) -> str:
        (watched,) = (reading for reading in self.readings if reading.name == "bot.state.watched")
        return str(watched.attributes.get("bot.state.reason"))


def one(**table: Any) -> State:
    (state,) = configured({"basket": table})
    return state


Watching = Callable[..., Watch]


@pytest.fixture
async def watching() -> AsyncIterator[Watching]:
    made: list[Watch] = []

    def watch(heard: Heard, **table: Any) -> Watch:
        made.append(Watch(one(**{"timeout_s": 60, **table}), heard, SystemClock()))
        return made[-1]

    yield watch
    for old in made:
        await old._store.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE baskets (id int, total int, updated_at timestamptz)")
        yield url


def put(url: str, *rows: tuple[int, int, float]) -> None:
    """Baskets by id and total, made fresh so many seconds ago."""
    with psycopg.connect(url, autocommit=True) as connection:
        for number, total, ago_s in rows:
            connection.execute(
                "INSERT INTO baskets VALUES (%s, %s, now() - make_interval(secs => %s))", (number, total, ago_s)
            )


AGE = "SELECT max(updated_at) FROM baskets;"
INVALID = "SELECT count(*) FROM baskets WHERE total < 0"


async def test_postgres_stale_and_corrupted_state_is_seen(watching: Watching, database: str, heard: Heard) -> None:
    put(database, (1, 10, 500), (2, 20, 100))
    watch = watching(heard, url=database, age=AGE, invalid=INVALID, bot="shop")
    await watch.once()
    assert heard.resources[-1] == {"bot.name": "shop"}
    assert heard.value("bot.state.watched") == 1
    age_s = heard.value("bot.state.age")
    assert age_s is not None
    assert 100 <= age_s < 400
    assert (heard.value("bot.state.invalid_items"), heard.value("bot.state.invalid")) == (0, 0)
    assert heard.happenings == []

    put(database, (3, -1, 0), (4, -1, 0))
    for failed in (1, 2):
        await watch.once()
        assert (heard.value("bot.state.invalid_items"), heard.value("bot.state.invalid")) == (2, failed)
        assert [(told.name, told.warning) for told in heard.happenings] == [("bot.state.broken", True)][: 2 - failed]

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DELETE FROM baskets WHERE total < 0")
    await watch.once()
    assert [told.name for told in heard.happenings] == ["bot.state.mended"]
    assert heard.value("bot.state.invalid") == 2, "what only grows does not fall"


async def test_what_is_older_than_it_may_be_has_failed_its_check(
    watching: Watching, database: str, heard: Heard
) -> None:
    put(database, (1, 10, 500))
    watch = watching(heard, url=database, age=AGE, stale_s=400)
    await watch.once()
    (told,) = heard.happenings
    assert (told.name, told.warning, heard.value("bot.state.invalid")) == ("bot.state.broken", True, 1)
    assert told.body.startswith("basket was last made fresh 5")
    assert told.body.endswith(" s ago, and is stale after 400 s")
    put(database, (2, 10, 0))
    await watch.once()
    assert [told.name for told in heard.happenings] == ["bot.state.mended"]
    assert (heard.value("bot.state.invalid"), heard.value("bot.state.invalid_items")) == (1, None)


@pytest.mark.parametrize(
    "query",
    ["DELETE FROM baskets", "SELECT 1; DELETE FROM baskets", "SELECT 1) AS x; DELETE FROM baskets; SELECT (1", "SELEC"],
)
async def test_a_query_that_would_write_or_cannot_run_does_neither(
    watching: Watching, database: str, heard: Heard, query: str
) -> None:
    put(database, (1, 1, 0))
    await watching(heard, url=database, age=query).once()
    assert (heard.value("bot.state.watched"), heard.reason) == (0, "answer")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM baskets").fetchone() == (1,)


async def test_an_empty_table_is_not_taken_for_a_fresh_one(watching: Watching, database: str, heard: Heard) -> None:
    await watching(heard, url=database, age=AGE).once()
    assert (heard.value("bot.state.watched"), heard.value("bot.state.age")) == (0, None)


async def test_a_database_that_is_away_says_nothing_of_what_it_holds(
    watching: Watching, database: str, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    put(database, (1, 1, 0))
    password = database.partition("://")[2].partition("@")[0].partition(":")[2]
    watch = watching(heard, url=database.replace(password, "wrong-secret"), age=AGE)
    for told in (["bot.state.away"], []):
        await watch.once()
        assert [(heard.value("bot.state.watched"), heard.value("bot.state.age"))] == [(0, None)]
        assert heard.reason == "login"
        assert [happening.name for happening in heard.happenings] == told
    nobody = watching(heard, url=f"postgresql://u:pw-secret@127.0.0.1:{free_port()}/x", age=AGE)
    await nobody.once()
    assert heard.reason == "refused"
    assert "secret" not in caplog.text + "".join(happening.body for happening in heard.happenings)


async def test_a_database_that_hangs_is_given_up_and_seen_again(
    watching: Watching, postgres: Postgres, database: str, heard: Heard
) -> None:
    put(database, (1, 1, 0))
    watch = watching(heard, url=database, age=AGE, timeout_s=0.5)
    os.kill(postgres.pid, signal.SIGSTOP)
    try:
        await watch.once()
        assert heard.reason == "timeout"
    finally:
        os.kill(postgres.pid, signal.SIGCONT)
    patient = watching(heard, url=database, age=AGE)
    patient._trouble = watch._trouble
    await patient.once()
    assert heard.value("bot.state.watched") == 1
    assert [happening.name for happening in heard.happenings] == ["bot.state.back"]


async def test_a_slow_query_is_given_up(watching: Watching, database: str, heard: Heard) -> None:
    await watching(heard, url=database, age="SELECT 1 FROM pg_sleep(20)", timeout_s=0.3).once()
    assert heard.reason == "timeout"


# --- SQLite


async def test_a_sqlite_file_is_read_and_never_written(watching: Watching, tmp_path: Path, heard: Heard) -> None:
    file = tmp_path / "state.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE t (at TEXT, ok INT)")
        connection.execute("INSERT INTO t VALUES (?, 0)", (dt.datetime.now(dt.UTC).isoformat(),))
    url = f"sqlite:///{file}"
    await watching(heard, url=url, age="SELECT at FROM t", invalid="SELECT count(*) FROM t WHERE NOT ok").once()
    age_s = heard.value("bot.state.age")
    assert age_s is not None
    assert age_s < 100
    assert heard.value("bot.state.invalid_items") == 1
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    await watching(heard, url=url, age=endless, timeout_s=0.3).once()
    assert heard.reason == "timeout"
    file.write_bytes(b"not a database " * 100)
    await watching(heard, url=url, age="SELECT at FROM t").once()
    assert heard.reason == "answer"
    await watching(heard, url=f"sqlite:///{tmp_path}/gone.db", age="SELECT 1").once()
    assert heard.reason == "unreachable"
    assert not (tmp_path / "gone.db").exists()


# --- Redis


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = require_part("redis-server", "redis-server")
    folder = tmp_path_factory.mktemp("redis")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with Process([program, *options], folder / "redis.log") as server:
        server.wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"


async def test_redis_keys_tell_their_age_and_what_is_invalid(watching: Watching, redis_url: str, heard: Heard) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.set("session:refreshed", time.time() - 300)
        client.sadd("session:broken", "a", "b")
    watch = watching(heard, url=redis_url, age="GET session:refreshed", invalid="SCARD session:broken")
    await watch.once()
    age_s = heard.value("bot.state.age")
    assert age_s is not None
    assert 300 <= age_s < 400
    assert heard.value("bot.state.invalid_items") == 2
    await watching(heard, url=redis_url, age="GET no:such:key").once()
    assert (heard.value("bot.state.watched"), heard.reason) == (0, "answer")
    await watching(heard, url=redis_url, age="OBJECT IDLETIME session:refreshed").once()
    assert heard.value("bot.state.watched") == 1


# --- what can be said in a table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"url": "postgresql://h/d"}, "expected a query in age or invalid"),
        ({"url": "mysql://h/d", "age": "SELECT 1"}, "states.basket.url: expected one of"),
        ({"url": "redis://h", "age": "FLUSHALL"}, "states.basket.age: expected a Redis command that reads"),
        ({"url": "redis://h", "age": "'"}, "states.basket.age: expected a Redis command that reads"),
        ({"url": "sqlite:///x", "invalid": " ; "}, "states.basket.invalid: expected a query"),
        ({"url": "postgresql://h/d", "age": "SELECT 1", "every": 5}, "states.basket.every"),
        ({"url": "postgresql://h/d", "age": "SELECT 1", "every_s": 0}, "states.basket.every_s"),
        ({"age": "SELECT 1"}, "states.basket.url"),
        ({"url": "postgresql://h/d", "invalid": "SELECT 1", "stale_s": 5}, "states.basket.stale_s: expected a query"),
        ({"url": "postgresql://h/d", "age": "SELECT 1", "stale_s": 0}, "states.basket.stale_s"),
    ],
)
def test_a_table_that_does_not_fit_is_told_without_its_values(table: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError) as refused:
        one(**table, password="pw-secret")
    assert message in refused.value.message
    assert "secret" not in refused.value.message


NOW_S = 1_800_000_000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (30, 30.0),
        ("30.5", 30.5),
        (b"31", 31.0),
        (NOW_S - 60, 60.0),
        ((NOW_S - 60) * 1_000, 60.0),
        (dt.datetime.fromtimestamp(NOW_S - 60, dt.UTC), 60.0),
        (dt.datetime.fromtimestamp(NOW_S - 60, dt.UTC).replace(tzinfo=None), 60.0),
        ("2027-01-15T07:59:00+00:00", 60.0),
        (dt.timedelta(minutes=1), 60.0),
        (NOW_S + 60, 0.0),
        (-5, None),
        ("yesterday", None),
        (None, None),
        (float("nan"), None),
        (b"\xff", None),
    ],
)
def test_an_age_is_a_moment_or_seconds(value: Any, seconds: float | None) -> None:
    assert seconds_of(value, NOW_S) == seconds


# --- all the way


async def test_it_becomes_the_measures_a_bot_sends_itself(
    database: str, reporter: LocalReporter, reported: Reported, store: Store
) -> None:
    put(database, (1, -1, 900))
    watch = Watch(one(url=database, age=AGE, invalid=INVALID, bot="shop", timeout_s=60), reporter, SystemClock())
    stop = asyncio.Event()
    looking = asyncio.create_task(watch.run(stop))
    async with asyncio.timeout(60):
        while watch._failed == 0:
            await asyncio.sleep(0.05)
    stop.set()
    await looking
    await reported()
    now_s = int(time.time())
    measures = Measures(store, Settings(time_zone="UTC"), ManualClock(now_s * 10**9))
    told = {}
    for name in ("state.age", "state.invalid_items", "state.watched", "state.invalid"):
        (value,) = await measures.value(Query(name, now_s - 600, now_s + 60, by=("bot", "state")))
        told[name] = value.value
        assert value.labels == {"bot": "shop", "state": "basket"}
    assert told["state.age"] is not None
    assert told["state.age"] >= 900
    assert (told["state.invalid_items"], told["state.watched"]) == (1, 1)
    assert told["state.invalid"] == 1, "the first failure counts"
