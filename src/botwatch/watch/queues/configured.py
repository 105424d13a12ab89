"""The tables `[queues.NAME]`: what can stand in one, and the brokers that come of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from botwatch import limits
from botwatch.errors import SettingError
from botwatch.watch.asking import Target
from botwatch.watch.queues.choice import Choice

_NAME: Final = re.compile(rf"[\w.-]{{1,{limits.NAME_CHARS_MAX}}}")
_LOOPBACK: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_KIND_OF: Final = {
    "redis": "redis",
    "rediss": "redis",
    "http": "rabbitmq",
    "https": "rabbitmq",
    "amqp": "amqp",
    "amqps": "amqp",
    "nats": "nats",
    "kafka": "kafka",
    "kafkas": "kafka",
    "sqs": "sqs",
}
KINDS: Final = ("amqp", "arq", "celery", "dramatiq", "kafka", "nats", "rabbitmq", "redis", "rq", "sqs")
_SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("redis", "celery", "rq", "arq", "dramatiq"), ("redis", "rediss")),
    "rabbitmq": ("http", "https"),
    "amqp": ("amqp", "amqps"),
    "nats": ("nats",),
    "kafka": ("kafka", "kafkas"),
    "sqs": ("sqs", "http", "https"),
}
_OVER_AMQP: Final = ("celery", "dramatiq")  # there, their queues are plain ones
_EVERY_S: Final = {"sqs": 60.0}  # every question costs money

Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=limits.QUEUE_NAME_CHARS_MAX)], ...],
    Field(max_length=limits.QUEUE_PATTERNS_MAX),
]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(min_length=1, max_length=2_048)
    kind: Literal[*KINDS] | None = None  # type: ignore[valid-type]
    user: str = Field(default="", max_length=limits.SECRET_CHARS_MAX)
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    include: Patterns = ()
    exclude: Patterns = ()
    groups: Patterns = ()
    every_s: float | None = Field(default=None, ge=limits.BROKER_EVERY_S_MIN, le=limits.BROKER_EVERY_S_MAX)
    timeout_s: float = Field(default=5.0, gt=0, le=60)
    bot: str = Field(default="", max_length=limits.QUEUE_NAME_CHARS_MAX)
    host: str = Field(default="", max_length=limits.QUEUE_NAME_CHARS_MAX)
    oldest: Literal["left", "right"] = "right"
    time_field: str = Field(default="", max_length=limits.QUEUE_NAME_CHARS_MAX)
    prefix: str = Field(default="", max_length=limits.QUEUE_NAME_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class Watched:
    """One broker to ask. `oldest` is the end of a Redis list that is served; `prefix` is what a library puts first."""

    name: str
    kind: str
    target: Target
    choice: Choice
    groups: Choice
    every_s: float
    timeout_s: float
    bot: str
    host: str
    oldest: str
    time_field: str
    prefix: str


def watched(tables: Mapping[str, Mapping[str, Any]], *, this_host: str) -> list[Watched]:
    """All of them, or a `SettingError` that names the table and its line, and shows no value."""
    if len(tables) > limits.BROKERS_MAX:
        raise SettingError(f"queues: expected at most {limits.BROKERS_MAX} tables, found {len(tables)}")
    return [_watched(name, table, this_host) for name, table in sorted(tables.items())]


def _watched(name: str, given: Mapping[str, Any], this_host: str) -> Watched:
    if not _NAME.fullmatch(name):
        raise SettingError(f"queues: a table's name is 1 to {limits.NAME_CHARS_MAX} letters, digits, dots and dashes")
    try:
        table = _Table.model_validate(given)
        url, kind = _kind(table)
        target = Target.of(url, user=table.user, password=table.password, password_file=table.password_file)
        choice = Choice(table.include, table.exclude)
        if kind == "amqp" and (choice.patterns or not choice.named):
            raise SettingError("include: AMQP cannot list queues: name each one, or give RabbitMQ's management URL")
    except ValidationError as error:
        raise SettingError("; ".join(_explain(name, error))) from None
    except SettingError as error:
        raise SettingError(f"queues.{name}.{error.message}") from None
    return Watched(
        name=name,
        kind=kind,
        target=target,
        choice=choice,
        groups=Choice(table.groups),
        every_s=table.every_s or _EVERY_S.get(kind, 10.0),
        timeout_s=table.timeout_s,
        bot=table.bot,
        host=table.host or (this_host if kind != "sqs" and target.host in _LOOPBACK else ""),
        oldest=table.oldest,
        time_field=table.time_field,
        prefix=table.prefix,
    )


def _kind(table: _Table) -> tuple[str, str]:
    """The address, and the kind: as the table says, or the address: `celery+redis://…`, or its scheme alone."""
    scheme, _, rest = table.url.partition("://")
    said, plus, plain = scheme.partition("+")
    url = f"{plain}://{rest}" if plus else table.url
    scheme = plain if plus else scheme
    kind = table.kind or (said if plus else _KIND_OF.get(scheme, ""))
    if kind in _OVER_AMQP and scheme in (*_SCHEMES["amqp"], *_SCHEMES["rabbitmq"]):
        kind = _KIND_OF[scheme]
    if kind not in KINDS:
        raise SettingError(f"kind: expected one of {', '.join(KINDS)}, as in celery+redis://host")
    if scheme not in _SCHEMES[kind]:
        raise SettingError(f"url: for {kind} expected {' or '.join(f'{known}://' for known in _SCHEMES[kind])}")
    return url, kind


def _explain(name: str, error: ValidationError) -> list[str]:
    return [
        f"queues.{name}.{'.'.join(map(str, problem['loc']))}: "
        + ("is not a setting of a queue" if problem["type"] == "extra_forbidden" else problem["msg"])
        for problem in error.errors(include_input=False, include_url=False)
    ]
