"""PostgreSQL, Redis, InfluxDB 1.x: the real ones."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import pytest

from botwatch.watch.probes.model import Status
from botwatch.watch.services import Services, View
from tests.real.postgres import running_replica
from tests.watch.conftest import until as eventually
from tests.watch.probes.answering import Said, http, serving
from tests.watch.probes.conftest import CONNECTIONS, PASSWORD, PostgresPart
from tests.watch.probes.looking import SOON_S, described, fast, figure, look, until, until_status, watching
from tests.watch.probes.parts import Part


async def test_postgresql_tells_its_connections_rate_and_longest_transaction(postgres: PostgresPart) -> None:
    with psycopg.connect(postgres.url) as busy:
        busy.execute("SELECT 1")  # begins a transaction that stays open
        async with watching(fast(described("postgresql", postgres.url))) as services:
            view = await counted(services, 2, lambda view: bool(figure(view, "transactions.rate")))
    assert (view.status, view.reason) == (Status.RUNNING, "")
    assert view.version.startswith(psycopg_version(postgres))
    assert view.headline == f"2/{CONNECTIONS} connections"
    assert figure(view, "connections.max") == CONNECTIONS
    assert (figure(view, "transaction.longest") or 0) > 0
    assert figure(view, "replication.lag") is None


async def counted(services: Services, connections: int, holds: Callable[[View], bool] = lambda _: True) -> View:
    """What is told once so many are connected: that somebody has left is noted a moment later, and so are his
    transactions."""
    return await until(services, "postgresql", lambda view: figure(view, "connections") == connections and holds(view))


async def one_more(stack: ExitStack, url: str) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            with suppress(psycopg.OperationalError):  # one who has left, or the probe, still has the last one
                stack.enter_context(psycopg.connect(url))
                return
            await asyncio.sleep(0.02)


def psycopg_version(postgres: PostgresPart) -> str:
    with psycopg.connect(postgres.url) as connection:
        return f"{connection.info.server_version // 10_000}."


async def test_postgresql_does_not_guess_what_its_user_may_not_see(postgres: PostgresPart) -> None:
    url = f"postgresql://looker:looks-only@127.0.0.1:{postgres.port}/postgres"
    async with watching(fast(described("postgresql", url))) as services:
        view = await counted(services, 1)
    assert view.status is Status.RUNNING
    assert figure(view, "transaction.longest") is None


async def test_postgresql_with_every_connection_in_use_is_degraded(postgres: PostgresPart) -> None:
    async with watching(fast(described("postgresql", postgres.url))) as services:
        with ExitStack() as stack:
            for _ in range(CONNECTIONS - 2):
                await one_more(stack, postgres.url)
            nearly = await counted(services, CONNECTIONS - 1)
            for _ in range(2):
                await one_more(stack, postgres.url)
            full = await until(services, "postgresql", lambda view: "no connection is free" in view.reason)
        await until_status(services, "postgresql", Status.RUNNING)
    assert nearly.status is Status.DEGRADED
    assert "the next may find none" in nearly.reason
    assert (full.status, full.reason) == (Status.DEGRADED, "no connection is free: all are in use")


async def lag_of(services: Services, name: str, holds: Callable[[float], bool]) -> float:
    """The lag it is told to have, once that is as it should be."""
    view = await until(services, name, lambda view: holds(_lag(view)))
    return _lag(view)


def _lag(view: View) -> float:
    found = figure(view, "replication.lag")
    return -1.0 if found is None else found


async def test_a_replica_that_stops_replaying_falls_behind_on_both_sides_and_catches_up(
    postgres: PostgresPart,
) -> None:
    with running_replica(postgres.url) as replica, connected(postgres.url) as here, connected(replica.url) as there:
        here.execute("CREATE TABLE followed (n int)")
        both = [fast(described("postgresql", postgres.url)), fast(described("replica", replica.url))]
        while there.execute("SELECT to_regclass('followed')").fetchone() == (None,):
            await asyncio.sleep(0.02)
        async with watching(*both) as services:
            await lag_of(services, "replica", lambda lag: lag == 0)
            there.execute("SELECT pg_wal_replay_pause()")
            here.execute("INSERT INTO followed VALUES (1)")
            first = await lag_of(services, "replica", lambda lag: lag > 0)
            await lag_of(services, "replica", lambda lag: lag > first + 0.2)
            await lag_of(services, "postgresql", lambda lag: lag > 0.5)  # as its primary sees it
            paused = await until_status(services, "replica", Status.DEGRADED)
            assert "its replay is paused" in paused.reason
            assert there.execute("SELECT count(*) FROM followed").fetchone() == (0,)
            assert _lag(paused) < 60, "not since whatever its primary did before"
            there.execute("SELECT pg_wal_replay_resume()")
            await lag_of(services, "replica", lambda lag: lag == 0)
            assert there.execute("SELECT count(*) FROM followed").fetchone() == (1,)
            await until_status(services, "replica", Status.RUNNING)

            with replica.cut_off():  # nothing comes any more: that it replayed all it has is no comfort
                cut = await until(services, "replica", lambda view: "nothing comes from its primary" in view.reason)
                assert cut.status is Status.DEGRADED
                await lag_of(services, "replica", lambda lag: lag > _lag(cut) > 0)
            await until_status(services, "replica", Status.RUNNING)


def connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True)


async def test_queries_are_counted_where_postgresql_counts_them(postgres: PostgresPart) -> None:
    async with watching(described("postgresql", postgres.url)) as services:
        with connected(postgres.url) as client:
            client.execute("CREATE EXTENSION pg_stat_statements")
            try:
                began_s = time.monotonic()
                first = await services.check("postgresql")
                for _ in range(200):
                    client.execute("SELECT 1")
                view = await services.check("postgresql")
                took_s = time.monotonic() - began_s
            finally:
                client.execute("DROP EXTENSION pg_stat_statements")
        assert figure(first, "queries.rate") is None, "since when?"
        assert (figure(view, "queries.rate") or 0) >= 200 / took_s
        without = await services.check("postgresql")
    assert (without.status, figure(without, "queries.rate")) == (Status.RUNNING, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("postgresql://botwatch:", "postgresql://botwatch:x"), "does not accept the user or password"),
        (("/postgres", "/nothing_here"), "does not have or open this database"),
        (("/postgres", "/postgres?sslmode=require"), "does not speak TLS"),
    ],
)
async def test_postgresql_that_does_not_let_us_in_is_unknown(
    postgres: PostgresPart, change: tuple[str, str], reason: str
) -> None:
    start, _, end = postgres.url.rpartition("/")
    url = postgres.url.replace(*change) if change[0].startswith("postgresql") else f"{start}{change[1]}"
    assert end == "postgres"
    view = await look("postgresql", url)
    assert (view.status, reason in view.reason) == (Status.UNKNOWN, True), view.reason


async def test_redis_tells_its_hit_rate_memory_and_clients(redis: Part) -> None:
    import redis as library

    client = library.Redis(port=redis.port, password=PASSWORD)
    with client:
        client.set("here", 1)
        for key in ("here", "here", "here", "gone"):
            client.get(key)
        view = await look("redis", f"redis://:{PASSWORD}@127.0.0.1:{redis.port}/0")
        memory = used(client)
    assert (view.status, view.reason, view.headline) == (Status.RUNNING, "", "75.0% hit rate")
    assert view.version.count(".") == 2
    assert figure(view, "hit_rate") == 0.75
    assert figure(view, "clients") == 2
    assert figure(view, "memory") == pytest.approx(memory, rel=0.2)


async def test_redis_that_may_not_evict_and_is_full_is_degraded(redis: Part) -> None:
    import redis as library

    with library.Redis(port=redis.port, password=PASSWORD) as client:
        client.config_set("maxmemory", used(client))
        try:
            view = await look("redis", f"redis://:{PASSWORD}@127.0.0.1:{redis.port}")
        finally:
            client.config_set("maxmemory", 0)
    assert (view.status, "of the memory it may use" in view.reason) == (Status.DEGRADED, True)


def used(client: Any) -> int:
    return int(client.info()["used_memory"])


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        (":wrong@", "does not accept the user or password"),
        (f"nobody:{PASSWORD}@", "does not accept the user or password"),
        ("", "asks for a password: none is configured"),
    ],
)
async def test_redis_that_does_not_let_us_in_is_unknown(redis: Part, login: str, reason: str) -> None:
    view = await look("redis", f"redis://{login}127.0.0.1:{redis.port}")
    assert (view.status, reason in view.reason) == (Status.UNKNOWN, True), view.reason


async def test_redis_of_before_there_were_users_is_let_in_by_the_password_alone() -> None:
    """As in REDIS_URL=redis://user:pass@hostname:port with an old server."""
    heard: list[str] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = {
            "AUTH user pass": "-ERR wrong number of arguments for 'auth' command",
            "AUTH pass": "+OK",
            "INFO": "$20\r\nredis_version:2.8.24",
        }
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                await reader.readline()
                words.append((await reader.readline()).decode().strip())
            heard.append(" ".join(words))
            writer.write(f"{answers[heard[-1]]}\r\n".encode())

    async with serving(old) as port:
        view = await look("redis", f"redis://user:pass@127.0.0.1:{port}")
    assert heard == ["AUTH user pass", "AUTH pass", "INFO"]
    assert (view.status, view.version) == (Status.RUNNING, "2.8.24")


async def test_influxdb_1_tells_points_and_retention(influxdb: Part) -> None:
    base = f"http://127.0.0.1:{influxdb.port}"

    def made() -> bool:
        """Asked in its first moments it has once answered, and not made it."""
        ask(f"{base}/query", b"q=CREATE DATABASE bots WITH DURATION 7d")
        return '"bots"' in ask(f"{base}/query", b"q=SHOW DATABASES")

    await eventually(made)
    ask(f"{base}/write?db=bots", b"m v=1")
    view = await look("influxdb", f"{base}/bots", times=2)
    assert (view.status, view.version[:2]) == (Status.RUNNING, "1.")
    assert figure(view, "retention") == 7 * 86_400
    assert figure(view, "points.rate") is not None
    assert view.headline.endswith("pts/sec")


def ask(url: str, body: bytes) -> str:
    with urllib.request.urlopen(url, data=body, timeout=30) as answer:
        return str(answer.read().decode())


def influxdb_2(points: int) -> dict[str, Said]:
    token = {"authorization": "Token t0ken"}
    metrics = (
        b"# TYPE storage_writer_ok_points histogram\n"
        b'storage_writer_ok_points_bucket{path="/e",le="10"} 6\n'
        b'storage_writer_ok_points_sum{path="/e"} %d\nstorage_writer_ok_points_count{path="/e"} 6\n' % points
    )
    rules = [{"type": "expire", "everySeconds": 2_592_000}]
    return {
        "/ping": Said(status=204, headers={"X-Influxdb-Version": "v2.7.3", "X-Influxdb-Build": "OSS"}),
        "/health": Said({"name": "influxdb", "status": "pass", "version": "v2.7.3"}),
        "/metrics": Said(metrics),
        "/api/v2/buckets": Said({"buckets": [{"name": "bots", "retentionRules": rules}]}, needs=token),
    }


async def test_influxdb_2_tells_points_and_retention() -> None:
    answers = influxdb_2(100)
    async with http(answers) as endpoint:
        view = await look("influxdb", f"http://127.0.0.1:{endpoint.port}/bots", times=2, token="t0ken")
        assert (view.status, view.version, view.headline) == (Status.RUNNING, "2.7.3", "0 pts/sec")
        assert figure(view, "retention") == 2_592_000
        answers["/health"] = Said({"status": "fail", "message": "secret text of the engine"}, 503)
        ill = await look("influxdb", f"http://127.0.0.1:{endpoint.port}")
    assert (ill.status, ill.reason) == (Status.DEGRADED, "its own health check does not pass")


async def test_influxdb_with_a_wrong_token_runs_and_says_why_there_are_no_figures() -> None:
    async with http(influxdb_2(1)) as endpoint:
        view = await look("influxdb", f"http://127.0.0.1:{endpoint.port}/bots", token="wrong")
    assert (view.status, "no figures" in view.reason) == (Status.RUNNING, True)
    assert figure(view, "retention") is None
