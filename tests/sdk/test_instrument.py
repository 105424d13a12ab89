"""Calls of a bot to others, timed by OpenTelemetry's instrumentation, named and read by ours."""

from __future__ import annotations

import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.real.parts import Process, free_port, require_part
from tests.real.postgres import running_postgres
from tests.sdk.conftest import Script
from tests.sdk.provider import Provider
from tests.sdk.sink import Sink, attributes

HTTP_BOTS = {
    "httpx": """
        import httpx
        def get(path, timeout=20): return httpx.get(url + path, timeout=timeout)
    """,
    "httpx async": """
        import asyncio, httpx
        def get(path, timeout=20):
            async def ask():
                async with httpx.AsyncClient() as client:
                    return await client.get(url + path, timeout=timeout)
            return asyncio.run(ask())
    """,
    "requests": """
        import requests
        def get(path, timeout=20): return requests.get(url + path, timeout=timeout)
    """,
    "aiohttp": """
        import asyncio, aiohttp
        def get(path, timeout=20):
            async def ask():
                async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session:
                    async with session.get(url + path) as answer:
                        await answer.read()
            asyncio.run(ask())
    """,
}


def bot_of(preamble: str, body: str) -> str:
    head = """
        import contextlib, sys
        import botwatch_sdk as bot
        url = sys.argv[1] if len(sys.argv) > 1 else __import__("os").environ["PROVIDER"]
        bot.init("caller")
    """
    return "".join(map(textwrap.dedent, (head, preamble, body)))


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def calls(sink: Sink) -> list[dict[str, Any]]:
    return [attributes(span.attributes) for span in sink.spans() if span.kind == span.SPAN_KIND_CLIENT]


@pytest.mark.parametrize("library", HTTP_BOTS)
def test_a_call_has_a_name_a_time_and_the_kind_of_its_failure(
    script: Script, sink: Sink, provider: Provider, library: str
) -> None:
    provider.headers = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "41"}
    body = """
        print(bot.instrument(names={url.partition("//")[2]: "crm"}))
        get("/ok")
        with contextlib.suppress(Exception):
            get("/slow", timeout=0.2)
        get("/limited")
        bot.flush(60)
    """
    ran = script(bot_of(HTTP_BOTS[library], body), BOTWATCH_URL=sink.url, PROVIDER=provider.url)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    assert library.partition(" ")[0] in ran.stdout

    ok, slow, limited = calls(sink)
    assert {call["peer.service"] for call in (ok, slow, limited)} == {"crm"}
    assert "error.type" not in ok
    assert "timeout" in slow["error.type"].lower()
    assert limited.get("http.status_code", limited.get("http.response.status_code")) == 429
    timed = [span.end_time_unix_nano - span.start_time_unix_nano for span in sink.spans()]
    assert timed[1] >= 100_000_000, "a call that failed is timed as long as it took"

    quota = {"bot_dependency_name": "crm"}
    assert sink.latest("bot.dependency.retry_after", **quota) == 17
    assert sink.latest("bot.dependency.limit", **quota) == 100
    assert sink.latest("bot.dependency.remaining", **quota) == 41
    assert {said["bot.dependency.limit.name"] for said, _ in sink.points("bot.dependency.limit")} == {"requests"}


def test_what_the_sdk_sends_itself_is_no_call_of_the_bot(script: Script, sink: Sink) -> None:
    body = """
        bot.instrument("requests", "httpx")
        for _ in range(3):
            with bot.action("work"):
                pass
            bot.flush(60)
    """
    ran = script(bot_of("", body), BOTWATCH_URL=sink.url, PROVIDER="")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [span.name for span in sink.spans()] == ["work"] * 3


def test_a_changed_limit_is_an_event_and_limits_by_turns_are_none(
    script: Script, sink: Sink, provider: Provider
) -> None:
    body = """
        bot.instrument("httpx", names={"127.0.0.1": "llm"})
        for limit in (500, 500, 200, 500, 200, 900):
            get(f"/allows/{limit}")
        bot.flush(60)
    """
    ran = script(bot_of(HTTP_BOTS["httpx"], body), BOTWATCH_URL=sink.url, PROVIDER=provider.url)
    assert (ran.returncode, ran.stderr) == (0, "")
    told = [(attributes(record.attributes), record) for record in sink.records("bot.dependency.limit_changed")]
    assert [(said["bot.dependency.limit.before"], said["bot.dependency.limit.after"]) for said, _ in told] == [
        (500.0, 200.0),
        (200.0, 900.0),
    ]
    assert [record.severity_number for _, record in told] == [13, 9]
    assert told[0][1].body.string_value == "the limit requests of llm went from 500 to 200"


def test_without_a_name_it_has_the_one_of_its_address(script: Script, sink: Sink, provider: Provider) -> None:
    body = 'bot.instrument("httpx"); get("/ok"); bot.flush(60)'
    script(bot_of(HTTP_BOTS["httpx"], body), BOTWATCH_URL=sink.url, PROVIDER=provider.url)
    (call,) = calls(sink)
    assert call["peer.service"] == f"127.0.0.1:{provider.port}"
    assert call["server.address"] == "127.0.0.1"


def test_the_bots_own_exporters_see_spans_as_they_were(script: Script, sink: Sink, provider: Provider) -> None:
    preamble = """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        mine = InMemorySpanExporter()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(mine))
        trace.set_tracer_provider(tracers)
    """
    head, _, rest = bot_of(HTTP_BOTS["httpx"], "").partition('bot.init("caller")')
    body = textwrap.dedent("""
        bot.instrument("httpx", names={"127.0.0.1": "crm"})
        get("/ok")
        bot.flush(60)
        print(["peer.service" in span.attributes for span in mine.get_finished_spans()])
    """)
    text = head + textwrap.dedent(preamble) + 'bot.init("caller")' + rest + body
    ran = script(text, BOTWATCH_URL=sink.url, PROVIDER=provider.url)
    assert (ran.stdout, ran.stderr) == ("[False]\n", "")
    assert [call["peer.service"] for call in calls(sink)] == ["crm"]


def test_what_is_missing_is_told_once_with_what_to_install(script: Script, sink: Sink) -> None:
    body = """
        import importlib, sys
        sys.modules["opentelemetry.instrumentation.redis"] = None
        print(bot.instrument("redis"), bot.instrument("redis"), bot.instrument("carrier-pigeon"))
    """
    ran = script(bot_of("", body), BOTWATCH_URL=sink.url, PROVIDER="")
    assert ran.stdout == "() () ()\n"
    assert ran.stderr.count("pip install 'botwatch-sdk[instrument]'") == 1
    assert ran.stderr.count("carrier-pigeon") == 1


POSTGRES_BOTS = {
    "psycopg": """
        import psycopg
        def run(sql):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(sql)
    """,
    "asyncpg": """
        import asyncio, asyncpg
        def run(sql):
            async def ask():
                connection = await asyncpg.connect(url)
                try:
                    await connection.execute(sql)
                finally:
                    await connection.close()
            asyncio.run(ask())
    """,
}


TIMEOUTS = {"psycopg": "connect_timeout=2", "asyncpg": "timeout=1"}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with running_postgres() as server, server.database() as url:
        yield url


@pytest.mark.parametrize("library", POSTGRES_BOTS)
def test_a_database_is_a_dependency_and_a_statement_that_takes_too_long_a_timeout(
    script: Script, sink: Sink, database: str, library: str
) -> None:
    body = f"""
        bot.instrument("{library}")
        run("SELECT 1")
        with contextlib.suppress(Exception):
            run("SET statement_timeout = 50; SELECT pg_sleep(5)")
        bot.flush(60)
    """
    ran = script(bot_of(POSTGRES_BOTS[library], body), BOTWATCH_URL=sink.url, PROVIDER=database)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    found = calls(sink)
    assert {call["peer.service"] for call in found} == {"postgresql"}
    assert "error.type" not in found[0]
    assert found[-1]["error.type"] == "timeout"


@pytest.mark.parametrize("library", POSTGRES_BOTS)
def test_a_database_that_lets_nobody_in_is_a_call_that_failed(script: Script, sink: Sink, library: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        body = f"""
            bot.instrument("{library}", names={{"127.0.0.1:{port}": "orders db", "127.0.0.1:{free_port()}": "x"}})
            for place in (url, "postgresql://u:pw-secret@127.0.0.1:1/x"):
                url = place
                with contextlib.suppress(Exception):
                    run("SELECT 1")
            bot.flush(60)
        """
        bots = POSTGRES_BOTS[library].replace("connect(url", "connect(url, " + TIMEOUTS[library])
        address = f"postgresql://u:pw-secret@127.0.0.1:{port}/x"
        ran = script(bot_of(bots, body), BOTWATCH_URL=sink.url, PROVIDER=address)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    hung, refused = calls(sink)
    assert hung["peer.service"] == "orders db"
    assert "timeout" in hung["error.type"].lower()
    assert refused["peer.service"] == "postgresql"
    assert "timeout" not in refused["error.type"].lower()
    assert "secret" not in "".join(str(span) for span in sink.spans())


def test_a_call_through_sqlalchemy_and_its_driver_counts_once(script: Script, sink: Sink, database: str) -> None:
    preamble = """
        import sqlalchemy
        def run(sql):
            engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
            with engine.connect() as connection:
                connection.execute(sqlalchemy.text(sql))
            engine.dispose()
    """
    body = """
        print(bot.instrument("sqlalchemy", "psycopg"))
        run("SELECT 4711")
        bot.flush(60)
    """
    ran = script(bot_of(preamble, body), BOTWATCH_URL=sink.url, PROVIDER=database)
    assert (ran.stdout, ran.stderr) == ("('psycopg', 'sqlalchemy')\n", "")
    asked = [span for span in sink.spans() if attributes(span.attributes).get("db.statement") == "SELECT 4711"]
    assert sorted(span.kind for span in asked) == [Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT]


def test_redis_is_a_dependency(script: Script, sink: Sink, tmp_path: Path) -> None:
    program = require_part("redis-server", "redis-server")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    preamble = "import redis"
    body = f"""
        bot.instrument("redis", names={{"127.0.0.1:{port}": "sessions"}})
        with redis.Redis("127.0.0.1", {port}) as client:
            client.set("a", 1)
        bot.flush(60)
    """
    with Process([program, *options], tmp_path / "redis.log") as server:
        server.wait_for_port(port)
        ran = script(bot_of(preamble, body), BOTWATCH_URL=sink.url, PROVIDER="")
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    assert {call.get("peer.service") for call in calls(sink)} == {"sessions"}
