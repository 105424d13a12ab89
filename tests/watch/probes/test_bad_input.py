"""What no honest service does, and what people mistype: a status and a reason, no exception in the log, no secret.

Each kind is asked at an address where nobody listens, where somebody takes the connection and never answers, where
the answer is of 100 MB, and where it is nonsense or of another protocol.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator, Mapping

import pytest

from botwatch.errors import SettingError
from botwatch.watch.probes.model import Status
from botwatch.watch.probes.registry import KINDS, guessed
from tests.real.parts import free_port
from tests.watch.probes.answering import Said, flooding, http, serving, silent
from tests.watch.probes.looking import Collected, described, fast, look, watching

# A library that is cut off in the middle of a TLS handshake leaves its socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SECRET = "hush-hush-0123"
URLS = {
    "postgresql": "postgresql://who:{s}@{a}/db",
    "redis": "redis://who:{s}@{a}",
    "qdrant": "http://{a}",
    "minio": "http://who:{s}@{a}",
    "s3": "http://who:{s}@{a}/bucket",
    "vault": "http://{a}",
    "influxdb": "http://who:{s}@{a}/db",
    "models": "http://{a}/v1",
    "http": "http://who:{s}@{a}/health?key={s}",
    "rabbitmq": "amqp://who:{s}@{a}",
    "nats": "nats://who:{s}@{a}",
    "kafka": "kafka://who:{s}@{a}",
    "mongodb": "mongodb://who:{s}@{a}",
    "elasticsearch": "http://who:{s}@{a}",
    "tcp": "tcp://{a}",
    "dns": "dns://{a}/example.test",
    "grpc": "grpc://{a}",
}
OVER_TLS = {
    "redis": "rediss://who:{s}@{a}",
    "http": "https://who:{s}@{a}",
    "rabbitmq": "amqps://who:{s}@{a}",
    "tcp": "tls://{a}",
    "grpc": "grpcs://{a}",
    "kafka": "kafkas://{a}",
    "mongodb": "mongodbs://who:{s}@{a}",
    "postgresql": "postgresql://who:{s}@{a}/db?sslmode=require",
}
# A connection is all that is asked of the others.
ANSWERED = {kind: url for kind, url in URLS.items() if kind not in ("dns", "tcp")}
WAIT_S = 0.8


def test_each_kind_is_tried() -> None:
    assert set(URLS) == set(KINDS)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is asked, nobody is told of an exception, and no secret is written down."""
    with caplog.at_level(logging.DEBUG):
        yield
    told = [record for record in caplog.records if record.levelno >= logging.WARNING or record.exc_info]
    assert [f"{record.name}: {record.getMessage()}" for record in told] == []
    assert SECRET not in "".join(record.getMessage() for record in caplog.records)


async def asked(urls: Mapping[str, str], port: int, wait_s: float = WAIT_S) -> dict[str, tuple[Status, str]]:
    """What is told of each after asking twice, all at once. No secret is in it, and nothing is green."""
    told = Collected()
    services = [
        fast(described(kind, url.format(a=f"127.0.0.1:{port}", s=SECRET), kind=kind, token=SECRET), timeout_s=wait_s)
        for kind, url in urls.items()
    ]
    async with watching(*services, reporter=told) as watch:
        for _ in range(2):
            views = await asyncio.gather(*(watch.check(service.name) for service in services))
    gc.collect()
    assert SECRET not in f"{views!r}{told.everything()}"
    assert [reading for reading in told.readings if reading.name == "service.up" and reading.value] == []
    assert [view for view in views if not view.reason or view.status is Status.RUNNING] == []
    return {view.service.name: (view.status, view.reason) for view in views}


async def test_nobody_listens() -> None:
    assert {status for status, _ in (await asked(URLS, free_port())).values()} == {Status.STOPPED}


async def test_it_takes_the_connection_and_never_answers() -> None:
    async with serving(silent) as port:
        found = await asked(ANSWERED, port)
    assert {kind: told for kind, told in found.items() if told[0] is not Status.STOPPED} == {}


async def test_tls_is_spoken_to_a_port_that_does_not() -> None:
    async with http({"/": Said(b"hello")}) as endpoint:
        await asked(OVER_TLS, endpoint.port)


HTTP_START = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\ncontent-type: application/json\r\n\r\n"
STARTS = {"redis": b"+OK\r\n$100000000\r\n", "nats": b"INFO {"}


async def test_the_answer_is_of_100_megabytes() -> None:
    urls = {kind: url for kind, url in ANSWERED.items() if kind not in ("kafka", "mongodb")}
    async with serving(flooding(HTTP_START)) as port:
        await asked(urls, port, wait_s=20)


async def test_mongodb_does_not_read_a_message_of_100_megabytes() -> None:
    async with serving(flooding(b"\x00\xe1\xf5\x05" + bytes(12))) as port:
        await asked({"mongodb": URLS["mongodb"]}, port)


@pytest.mark.parametrize("kind", ["http", "elasticsearch", "redis", "nats"])
async def test_too_large_an_answer_is_called_so(kind: str) -> None:
    async with serving(flooding(STARTS.get(kind, HTTP_START))) as port:
        url = URLS[kind].format(a=f"127.0.0.1:{port}", s=SECRET)
        view = await look(kind, url, kind=kind)
    assert (view.status, "it was not read" in view.reason) == (Status.UNKNOWN, True), view.reason


@pytest.mark.parametrize(
    "said",
    [
        b"\0" * 64,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"\xff" * 200 + b"\r\n\r\n",
    ],
    ids=["zeros", "ssh", "empty json", "noise"],
)
async def test_what_answers_is_something_else(said: bytes) -> None:
    async def other(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with serving(other) as port:
        await asked({kind: url for kind, url in ANSWERED.items() if kind != "http"}, port)


async def test_a_version_of_the_future_and_a_hostile_one_are_shown_as_one_plain_line() -> None:
    hostile = "99.0 \x1b[31m<script>\u202e\n" + "x" * 500
    answers = {
        "/_cluster/health": Said({"status": "green", "number_of_nodes": 1, "later": [1]}),
        "/": Said({"version": {"number": hostile}}),
    }
    async with http(answers) as endpoint:
        view = await look("elasticsearch", f"http://127.0.0.1:{endpoint.port}")
    assert view.status is Status.RUNNING
    assert view.version.startswith("99.0 [31m<script>xx")
    assert (view.version.isprintable(), len(view.version)) == (True, 64)


async def test_compressed_answers_are_not_inflated() -> None:
    bomb = Said(b"\x1f\x8b" + b"\0" * 100, headers={"content-encoding": "gzip"})
    async with http({"/": bomb}) as endpoint:
        view = await look("web", f"http://127.0.0.1:{endpoint.port}")
    assert (view.status, "compressed" in view.reason) == (Status.UNKNOWN, True)


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [
        ("x", {}, "kind: expected one of|url: expected an address"),
        ("x", {"url": "nonsense"}, "url: expected an address"),
        ("x", {"url": "http://[::1"}, "url: expected an address"),
        ("x", {"url": "http://h:99999"}, "url: expected an address"),
        ("x", {"url": "ftp://h"}, "kind: expected one of"),
        ("redis", {"url": "redis://"}, "url: expected an address"),
        ("x", {"url": "redis:///0"}, "found no host"),
        ("x", {"url": "http://h", "kind": "redis"}, "with the scheme redis or rediss"),
        ("x", {"url": "http://h", "kind": "oracle"}, "kind: expected one of postgresql, redis"),
        ("X y", {"url": "http://h"}, "small letters"),
        ("x", {"url": "http://h", "fails": 3, "of": 2}, r"fails: expected at most `of` \(2\), found 3"),
        ("x", {"url": "http://h", "interval_seconds": 0.1}, "interval_seconds: Input should be greater"),
        ("x", {"url": "http://h", "pasword": SECRET}, "pasword: Extra inputs"),
        ("x", {"url": "http://h", "password_file": "/nowhere/at/all"}, "password_file: /nowhere/at/all cannot be read"),
        ("x", {"url": "http://h", "token_file": "/nowhere/at/all"}, "token_file: /nowhere/at/all cannot be read"),
        ("x", {"url": "https://h", "ca_file": "/nowhere/at/all"}, "ca_file: /nowhere/at/all cannot be read"),
        ("x", {"url": "http://h", "expect_json": ["a ~ b"]}, "expect_json: expected a rule"),
        ("x", {"url": f"postgresql://u:{SECRET}@h:port/db"}, "url: expected an address"),
    ],
)
def test_what_does_not_fit_is_said_at_once(name: str, table: dict[str, object], words: str) -> None:
    given = {"url": "", **table}
    with pytest.raises(SettingError, match=words) as caught:
        described(name, str(given.pop("url")), **given)
    assert SECRET not in f"{caught.value}{caught.value.hint}"
    assert caught.value.message.startswith("services")


@pytest.mark.parametrize(
    ("scheme", "name", "kind"),
    [
        ("postgresql", "db", "postgresql"),
        ("postgres", "db", "postgresql"),
        ("rediss", "cache", "redis"),
        ("valkey", "cache", "redis"),
        ("http", "qdrant", "qdrant"),
        ("https", "botmodels", "models"),
        ("http", "influxdb", "influxdb"),
        ("http", "anything", "http"),
        ("amqp", "bus", "rabbitmq"),
        ("http", "rabbitmq", "rabbitmq"),
        ("tls", "x", "tcp"),
        ("gopher", "x", ""),
    ],
)
def test_the_kind_is_known_by_the_scheme_or_the_name(scheme: str, name: str, kind: str) -> None:
    assert guessed(scheme, name) == kind
