"""Real services, each started once for all tests of this folder."""

from __future__ import annotations

import datetime as dt
import os
import signal
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import psutil
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.real.parts import Process, free_port, require_part
from tests.real.postgres import Postgres, _unprivileged_user, running_postgres
from tests.watch.probes import parts
from tests.watch.probes.parts import Part

PASSWORD = "s3cret-of-a-test"
CONNECTIONS = 12


@dataclass(frozen=True)
class Monitored:
    """A part with a port for people beside its own."""

    part: Part
    monitoring: int


class PostgresPart(Part):
    """With few connections. Its processes are many, and each has to be paused."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET max_connections = {CONNECTIONS}".encode())
            connection.execute(b"ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
            connection.execute(b"CREATE ROLE looker LOGIN PASSWORD 'looks-only'")
        os.kill(server.pid, signal.SIGINT)
        server.wait()
        self._server = server
        super().__init__(server.args, folder, server.port, user=_unprivileged_user())
        self.url = server.url()

    def start(self) -> None:
        super().start()
        assert self.process is not None
        self.process.wait_for_line("ready to accept connections")

    def stop(self) -> None:
        """At once, clients or not."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGINT)
        self.process.wait()

    def signal(self, number: int) -> None:
        assert self.process is not None
        whole = psutil.Process(self.process.pid)
        for one in (whole, *whole.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # who was connected has gone
                one.send_signal(number)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresPart]:
    with running_postgres() as server:
        part = PostgresPart(server, server.log.parent)
        with parts.running(part):
            yield part


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    with parts.running(parts.redis(tmp_path_factory.mktemp("redis"), password=PASSWORD)) as part:
        yield part


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    monitoring = free_port()
    login = ("--user", "bot", "--pass", PASSWORD)
    with parts.running(parts.nats(tmp_path_factory.mktemp("nats"), monitoring, login=login)) as part:
        yield Monitored(part, monitoring)


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    with parts.running(parts.influxdb(tmp_path_factory.mktemp("influxdb"))) as part:
        assert part.process is not None
        part.process.wait_for_line("Listening for signals")
        yield part


@pytest.fixture(scope="session")
def dnsmasq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    with parts.running(parts.dnsmasq(tmp_path_factory.mktemp("dnsmasq"))) as part:
        yield part


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    folder, monitoring = tmp_path_factory.mktemp("rabbitmq"), free_port()
    with parts.erlang_names(folder) as names, parts.running(parts.rabbitmq(folder, monitoring, names)) as part:
        assert part.process is not None
        part.process.wait_for_port(monitoring)
        part.process.wait_for_line("completed with")
        yield Monitored(part, monitoring)


@dataclass(frozen=True)
class Certificate:
    file: Path

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


def certificate(folder: Path, days: int) -> Certificate:
    """For 127.0.0.1, signed by itself, valid for so many days; 0: over already."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(now + dt.timedelta(days=days or -1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"certificate-{days}.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return Certificate(file)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    beside = Path(sys.executable).with_name("moto_server")
    server = beside if beside.exists() else require_part("moto_server", "moto")
    port = free_port()
    with Process([server, "-H", "127.0.0.1", "-p", str(port)], tmp_path_factory.mktemp("moto") / "log") as process:
        process.wait_for_port(port)
        yield port
