"""Every kind of service there is a probe for, and the schemes it is known by. A new one is a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from botwatch.watch.probes.dns import DNS
from botwatch.watch.probes.elasticsearch import Elasticsearch
from botwatch.watch.probes.grpc_health import GRPCHealth
from botwatch.watch.probes.http import HTTP
from botwatch.watch.probes.influxdb import InfluxDB
from botwatch.watch.probes.kafka import Kafka
from botwatch.watch.probes.minio import MinIO
from botwatch.watch.probes.model import Probe, Service
from botwatch.watch.probes.models import Models
from botwatch.watch.probes.mongodb import MongoDB
from botwatch.watch.probes.nats import NATS, Monitoring
from botwatch.watch.probes.postgresql import PostgreSQL
from botwatch.watch.probes.qdrant import Qdrant
from botwatch.watch.probes.rabbitmq import AMQP, Management
from botwatch.watch.probes.redis import Redis
from botwatch.watch.probes.s3 import S3
from botwatch.watch.probes.tcp import TCP
from botwatch.watch.probes.vault import Vault

_WEB: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Kind:
    """`schemes` of its addresses; `own` are those that name it without more words, `names` what services of it are
    usually called, where its scheme is only http."""

    make: Callable[[Service], Probe]
    schemes: tuple[str, ...]
    own: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def _by_scheme(wire: Callable[[Service], Probe], web: Callable[[Service], Probe]) -> Callable[[Service], Probe]:
    return lambda service: (web if service.target.scheme in _WEB else wire)(service)


def _own(make: Callable[[Service], Probe], *schemes: str) -> Kind:
    return Kind(make, schemes, schemes)


KINDS: Final[Mapping[str, Kind]] = {
    "postgresql": Kind(PostgreSQL, ("postgresql", "postgres"), ("postgresql", "postgres")),
    "redis": _own(Redis, "redis", "rediss", "valkey", "valkeys"),
    "qdrant": Kind(Qdrant, _WEB, names=("qdrant",)),
    "minio": Kind(MinIO, _WEB, names=("minio",)),
    "s3": Kind(S3, _WEB, names=("s3",)),
    "vault": Kind(Vault, _WEB, names=("vault",)),
    "influxdb": Kind(InfluxDB, _WEB, names=("influxdb", "influx")),
    "models": Kind(Models, _WEB, names=("models", "botmodels", "llm", "ollama", "vllm", "openai")),
    "http": Kind(HTTP, _WEB, _WEB),
    "rabbitmq": Kind(_by_scheme(AMQP, Management), ("amqp", "amqps", *_WEB), ("amqp", "amqps"), ("rabbitmq",)),
    "nats": Kind(_by_scheme(NATS, Monitoring), ("nats", "tls", *_WEB), ("nats",), ("nats",)),
    "kafka": _own(Kafka, "kafka", "kafkas"),
    "mongodb": _own(MongoDB, "mongodb", "mongodbs"),
    "elasticsearch": Kind(Elasticsearch, _WEB, names=("elasticsearch", "opensearch", "elastic")),
    "tcp": _own(TCP, "tcp", "tls"),
    "dns": _own(DNS, "dns"),
    "grpc": _own(GRPCHealth, "grpc", "grpcs"),
}


def guessed(scheme: str, name: str) -> str:
    """The kind that an address of this scheme has, for a service that is called so; empty: there is none."""
    if scheme in _WEB:
        for kind, known in KINDS.items():
            if name in known.names:
                return kind
    return next((kind for kind, known in KINDS.items() if scheme in known.own), "")
