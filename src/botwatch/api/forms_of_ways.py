"""What channels, routes, silences and services are asked for, in the words of the pages."""

from __future__ import annotations

from typing import Final

from botwatch.api.forms import FieldShape, FieldType, Hint, KindShape, Suggest, fields_of
from botwatch.notify.channels import KINDS as CHANNELS
from botwatch.notify.route import Route
from botwatch.notify.silence import Silence
from botwatch.watch.given import Described
from botwatch.watch.probes.registry import KINDS as SERVICES

_INCIDENTS: Final = "labels of incidents, such as host=web-1, severity=warning or rule~CPU*"
_OF_ROUTES: Final = {
    "name": Hint("Name", "for you"),
    "severities": Hint("Severities", "none: all"),
    "rules": Hint("Rules", "none: all; * and ? stand for anything", suggest=Suggest.RULES),
    "bots": Hint("Bots", "none: all; * and ? stand for anything", suggest=Suggest.BOTS),
    "where": Hint("Only where", _INCIDENTS),
    "channels": Hint("Channels", "none: nobody is told", suggest=Suggest.CHANNELS),
    "continue": Hint("Ask the next routes too"),
    "group_by": Hint("In one message", "what has the same of these: labels, or rule", more=True),
    "settle": Hint("Wait for others of a group, seconds", more=True),
    "escalate": Hint("If nobody acknowledges", "who is told then, too"),
    "escalate.after": Hint("After", type=FieldType.DURATION),
    "escalate.channels": Hint("Channels", suggest=Suggest.CHANNELS),
}
_OF_SILENCES: Final = {
    "where": Hint("Be quiet about", _INCIDENTS, suggest=Suggest.CONDITIONS, example="bot=shop"),
    "starts": Hint("From"),
    "ends": Hint("Until", "empty: it recurs without an end"),
    "window": Hint("Only in these hours", "a maintenance window"),
    "window.from": Hint("From"),
    "window.until": Hint("Until", "at or before From: on the next day"),
    "window.days": Hint("On", "the days on which it begins"),
    "window.zone": Hint("Time zone", suggest=Suggest.ZONES),
    "comment": Hint("Why"),
}
_OF_SERVICES: Final = {
    "user": Hint("User", "where the address does not hold it"),
    "interval_seconds": Hint("Ask every, seconds", more=True),
    "timeout_seconds": Hint("Wait for an answer, seconds", "empty: half of that, from 1 to 5", more=True),
    "fails": Hint("Bad answers until it is told", "so many of the last ones", more=True),
    "of": Hint("of the last", more=True),
    "expect_status": Hint("Status that is good", "empty: 200 to 399"),
    "expect_text": Hint("Text that must be in it"),
    "expect_json": Hint("Rules over its JSON", "such as database == ok"),
    "figures": Hint("Key figures", "a name, and the path of a number in its JSON", example="sessions=stats.sessions"),
    "certificate_days": Hint("A certificate is a fault when valid for less days", more=True),
    "region": Hint("Region"),
    "complete": Hint("Try a tiny completion with this model", "it may cost money"),
}
_TOKENS: Final = ("elasticsearch", "grpc", "http", "influxdb", "minio", "models", "nats", "qdrant", "vault")
_NOBODY: Final = ("tcp", "dns", "grpc")  # have no user
_SELDOM: Final = ("interval_seconds", "timeout_seconds", "fails", "of", "certificate_days")
_OWN: Final = {
    "http": ("expect_status", "expect_text", "expect_json", "figures"),
    "s3": ("region",),
    "minio": ("region",),
    "models": ("complete",),
}
_PORTS: Final = {
    "postgresql": "5432/postgres", "redis": "6379/0", "qdrant": "6333", "minio": "9000", "s3": "9000", "vault": "8200",
    "influxdb": "8086", "models": "11434/v1", "http": "8080/health", "rabbitmq": "5672", "nats": "4222",
    "kafka": "9092", "mongodb": "27017", "elasticsearch": "9200", "tcp": "22", "dns": "53/example.com", "grpc": "50051",
}  # fmt: skip


def channels() -> list[KindShape]:
    return [KindShape(name=kind.name, help=kind.help, options=fields_of(kind.options)) for kind in CHANNELS.values()]


def route() -> list[FieldShape]:
    return fields_of(Route, _OF_ROUTES)


def silence() -> list[FieldShape]:
    return fields_of(Silence, _OF_SILENCES)


def services() -> list[KindShape]:
    found = []
    for name, kind in SERVICES.items():
        words = f"{' or '.join(kind.schemes)}; may hold user and password"
        address = Hint("Address", words, example=f"{kind.schemes[0]}://localhost:{_PORTS[name]}")
        hints = _OF_SERVICES | {"url": address}
        login = (*(() if name in _NOBODY else ("user", "password")), *(("token",) if name in _TOKENS else ()))
        options = fields_of(Described, hints, ("url", *login, *_OWN.get(name, ()), *_SELDOM))
        found.append(KindShape(name=name, help=words, options=options, given={"kind": name}))
    return found
