"""Every setting, declared once: name, default, help. Flag > environment > file > default.

A setting `otlp_port` is the flag `--otlp-port`, the variable `BOTWATCH_OTLP_PORT` and the line
`otlp_port = 4318` in `botwatch.toml`. A secret is also read from the file that `BOTWATCH_<NAME>_FILE`
names. `docs/operations.md` lists them; a test holds the two together.

A setting of `TABLES` is a table for each thing it names, as `[queues.jobs]` in the file. Its most needed line is the
address: `BOTWATCH_QUEUE_JOBS` is `url` of that table, `BOTWATCH_QUEUE_JOBS_FILE` names a file that holds it, and
`BOTWATCH_QUEUE_JOBS_PASSWORD_FILE` is its `password_file`.
"""

from __future__ import annotations

import json
import os
import tomllib
import zoneinfo
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from botwatch import limits
from botwatch.errors import SettingError

PREFIX = "BOTWATCH_"
FILE_NAME = "botwatch.toml"
# The setting, and what it is called in a variable.
TABLES = {"queues": "QUEUE", "services": "SERVICE", "states": "STATES", "bots": "BOT", "payloads": "PAYLOAD"}
_MAIN_LINE = {"BOT": "done", "PAYLOAD": "schema"}  # of a table, where it is not `url`
_SECRET_FILES = ("password_file", "token_file")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def machine_time_zone() -> str:
    """The IANA name of the machine's zone, or UTC where it does not say."""
    candidates = [os.environ.get("TZ", "").lstrip(":")]
    with suppress(OSError):
        candidates.append(Path("/etc/timezone").read_text(encoding="utf-8").strip())
    candidates.append(os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2])
    for name in candidates:
        if name and is_time_zone(name):
            return name
    return "UTC"


def is_time_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


class Settings(BaseModel):
    """What `botwatch serve` can be told. The description is the help text everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    data: Path = Field(default=Path("botwatch-data"), description="folder of everything that is kept")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8600, ge=0, le=65_535, description="port of web, API and ingest")
    otlp_port: int = Field(default=4318, ge=0, le=65_535, description="port of OTLP over HTTP")
    grpc_port: int = Field(default=4317, ge=0, le=65_535, description="port of OTLP over gRPC")
    public_url: str = Field(
        default="",
        description="address people open this server at, such as https://bots.example.com; set it behind a proxy",
    )
    store: str = Field(
        default="",
        description="ClickHouse URL for telemetry (clickhouse://user:password@host:8123/database); empty: embedded",
    )
    store_cluster: str = Field(
        default="", description="name of the ClickHouse cluster to create tables on; empty: one server"
    )
    state: str = Field(
        default="", description="SQLAlchemy URL for rules, users and keys; empty: SQLite in the data folder"
    )
    rules: Path | None = Field(
        default=None,
        description="folder of rule files (.json, .toml, .yaml); unset: the folder rules in the data folder",
    )
    grafana_link: str = Field(
        default="",
        description="address of your Grafana an incident leads to; `{from_ms}`, `{to_ms}` and labels such as `{host}` "
        "are filled in",
    )
    kibana_link: str = Field(
        default="",
        description="address of your Kibana an incident leads to; `{from}`, `{to}` and labels such as `{host}` are "
        "filled in",
    )
    node: str = Field(
        default="", description="name of this node in batch tokens; empty: made once and kept in the data folder"
    )
    admin_token: SecretStr = Field(
        default=SecretStr(""), description="a bearer token with the admin role, valid while the process runs"
    )
    ingest_auth: bool | None = Field(
        default=None, description="ask ingest for a key: true, false, or unset: only when the listener is not loopback"
    )
    watch_host: bool = Field(default=True, description="measure the machine the server runs on")
    watch_processes: str = Field(
        default="",
        description="bots to watch as processes, parted by ';': NAME=TEXT of the command line, NAME=PID, NAME=FILE.pid",
    )
    host_name: str = Field(default="", description="what this machine is called; empty: its own host name")
    url: str = Field(default="http://127.0.0.1:8600", description="where `botwatch agent` sends to")
    key: SecretStr = Field(default=SecretStr(""), description="the ingest key `botwatch agent` sends with")
    queues: dict[str, dict[str, Any]] = Field(
        default={},
        repr=False,
        description="brokers whose queues are watched: a table `[queues.NAME]` for each, or `BOTWATCH_QUEUE_NAME=URL`",
    )
    services: dict[str, dict[str, Any]] = Field(
        default={},
        repr=False,
        description="services to ask how they are: a table `[services.NAME]` each, or `BOTWATCH_SERVICE_NAME=URL`",
    )
    states: dict[str, dict[str, Any]] = Field(
        default={},
        repr=False,
        description="what bots store, checked by a query: a table `[states.NAME]` each, with `url`, `age`, `invalid`",
    )
    payloads: dict[str, dict[str, Any]] = Field(
        default={}, description="what documents of a source should be: a table `[payloads.SOURCE]` each (docs/drift.md)"
    )
    bots: dict[str, dict[str, Any]] = Field(
        default={},
        description="when a conversation is done: a table `[bots.NAME]` with `done`, one or more of `action:NAME`, "
        "`event:NAME` and `outcome:WORD`, or `BOTWATCH_BOT_NAME=…`; the name `*` stands for all others",
    )
    fallbacks: str = Field(
        default="*fallback*, none, unknown, *not_understood*, *no_match*",
        description="names of actions, events and intents that say the bot did not understand; `*` is any text",
    )
    time_zone: str = Field(default_factory=machine_time_zone, description="zone in which a day and an hour begin")
    idle_minutes: int = Field(
        default=30, ge=1, le=1_440, description="a session is active this long after its last message"
    )
    turn_deadline_seconds: int = Field(
        default=60, ge=1, le=86_400, description="an inbound message without a reply by then is unanswered"
    )
    late_hours: int = Field(
        default=24, ge=1, le=720, description="a reply that comes later than this no longer corrects its turn"
    )
    keep_text: bool = Field(
        default=True, description="keep what users and bots wrote; false: dropped before it is stored"
    )
    show_users: str = Field(default="admin", description="who sees user ids unmasked: admin, all or nobody")
    traces_days: int = Field(default=14, ge=1, le=limits.DAYS_KEPT_MAX, description="days spans are kept")
    logs_days: int = Field(default=14, ge=1, le=limits.DAYS_KEPT_MAX, description="days log records are kept")
    points_days: int = Field(default=14, ge=1, le=limits.DAYS_KEPT_MAX, description="days metric points are kept")
    payloads_days: int = Field(default=14, ge=1, le=limits.DAYS_KEPT_MAX, description="days payloads are kept")
    conversations_days: int = Field(
        default=90, ge=1, le=limits.DAYS_KEPT_MAX, description="days messages, turns and sessions are kept"
    )
    rollups_days: int = Field(default=400, ge=1, le=limits.DAYS_KEPT_MAX, description="days rollups are kept")
    disk_percent_max: int = Field(
        default=90,
        ge=1,
        le=99,
        description="share of the file system in use above which the oldest telemetry is dropped",
    )
    disk_bytes_max: int = Field(
        default=0, ge=0, description="bytes the telemetry may take before the oldest is dropped; 0: no limit of its own"
    )
    disk_free_bytes_min: int = Field(
        default=512 * limits.MIB, ge=0, description="free bytes below which nothing new is taken in"
    )
    spool_bytes_max: int = Field(
        default=2 * limits.GIB,
        ge=16 * limits.MIB,
        description="bytes waiting for the engine before clients are asked to wait",
    )
    engine_memory_bytes_max: int = Field(
        default=0, ge=0, description="memory the embedded engine may use for one query; 0: a quarter of the machine's"
    )
    channels: SecretStr = Field(
        default=SecretStr(""),
        description="ways to reach people: tables [channels.NAME] with a kind and its options, or the same as JSON",
    )
    routes: str = Field(
        default="",
        description="who hears of what: tables [[routes]], the first that fits, or the same as JSON; none: every "
        "channel hears of warning and critical",
    )
    notify_networks: str = Field(
        default="",
        description="networks of the inside that messages may go to, such as 10.0.0.0/8, 127.0.0.1; empty: none",
    )
    digest_at: str = Field(default="08:00", description="when the daily digest of incidents of severity info is sent")
    heartbeat_url: SecretStr = Field(
        default=SecretStr(""), description="address that is asked at an interval while all is well"
    )
    heartbeat_seconds: int = Field(
        default=60, ge=limits.HEARTBEAT_S_MIN, le=86_400, description="seconds between two heartbeats"
    )
    hooks: Path | None = Field(
        default=None, description="folder of your own programs that run on incidents; empty: hooks in the data folder"
    )
    hook_seconds: int = Field(default=10, ge=1, le=limits.HOOK_S_MAX, description="seconds a hook may take")
    report_font: Path | None = Field(
        default=None,
        description="TrueType font (.ttf) for the PDFs of reports, for scripts beyond Latin, Greek and Cyrillic",
    )
    drill_minutes: int = Field(
        default=0, ge=0, le=43_200, description="minutes between two drills, whose loss is an incident; 0: none"
    )
    log_level: str = Field(
        default="info", description="what the server says about itself: debug, info, warning or error"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if not is_time_zone(value):
            raise ValueError("expected an IANA zone such as Europe/Zurich")
        return value

    @field_validator("show_users")
    @classmethod
    def _known_audience(cls, value: str) -> str:
        return _one_of(value, ("admin", "all", "nobody"))

    @field_validator("channels", "routes", mode="before")
    @classmethod
    def _tables_as_text(cls, value: Any) -> Any:
        """Tables of the file and text of the environment are one thing from here on; who reads it checks it."""
        return json.dumps(value, default=str) if isinstance(value, dict | list) else value

    @field_validator("digest_at")
    @classmethod
    def _a_time_of_day(cls, value: str) -> str:
        hours, _, minutes = value.partition(":")
        if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
            raise ValueError("expected a time of day such as 08:00")
        return f"{int(hours):02}:{int(minutes):02}"

    @field_validator("grafana_link", "kibana_link")
    @classmethod
    def _a_web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("expected a URL such as https://grafana.example.com/d/bots?from={from_ms}&to={to_ms}")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        return _one_of(value.lower(), ("debug", "info", "warning", "error"))

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        if not value:
            return value
        url = urlsplit(value)
        try:
            port_fits = url.port is None or url.port > 0
        except ValueError:
            port_fits = False
        if url.scheme not in ("http", "https") or not url.hostname or not port_fits or "@" in url.netloc:
            raise ValueError("expected a URL such as https://bots.example.com")
        if url.path.strip("/") or url.query or url.fragment:
            raise ValueError("expected scheme, host and port only: the server answers at the root of its address")
        return f"{url.scheme}://{url.netloc}"

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK

    @property
    def exposed(self) -> bool:
        """Whether other machines can reach the server: by its address, or through a proxy."""
        return not self.loopback or bool(self.public_url)

    @property
    def ingest_needs_key(self) -> bool:
        return self.exposed if self.ingest_auth is None else self.ingest_auth


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"expected one of {', '.join(allowed)}")
    return value


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Merge the sources; an unknown name or a bad value is a `SettingError` that names its place."""
    environ = os.environ if environ is None else environ
    flags = {name: value for name, value in (flags or {}).items() if value is not None}
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for source, found in (
        (str(file or FILE_NAME), _from_file(file)),
        ("environment", _from_environment(environ)),
        ("flag", flags),
    ):
        for name, value in found.items():
            values[name] = _joined(values[name], value) if name in TABLES and name in values else value
            origin[name] = source
    _take_redis_url(values, environ)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingError(_explain(error, origin)) from None


def _take_redis_url(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Where bots are told their Redis, as those of Botpress are, it is the service `redis`, unless one is called so."""
    url, services = environ.get("REDIS_URL", ""), values.get("services", {})
    if not url or not isinstance(services, dict) or "redis" in services:
        return
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise SettingError("REDIS_URL: expected redis://user:password@hostname:port, as in redis://localhost:6379")
    values["services"] = {**services, "redis": {"url": url}}


def _from_file(file: Path | None) -> dict[str, Any]:
    path = file or Path(FILE_NAME)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if file is not None:
            raise SettingError(f"{file}: no such file") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: cannot be read ({type(error).__name__})") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: not TOML: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: tables for name in TABLES if (tables := _tables(environ, TABLES[name]))}
    for name in Settings.model_fields:
        if name in TABLES:
            continue
        key = PREFIX + name.upper()
        if environ.get(key):
            found[name] = environ[key]
        elif environ.get(key + "_FILE"):
            found[name] = _text_in(Path(environ[key + "_FILE"]), key)
    return found


def _text_in(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingError(f"{key}_FILE: {path} cannot be read") from None


def _tables(environ: Mapping[str, str], word: str) -> dict[str, dict[str, str]]:
    """`BOTWATCH_<WORD>_<NAME>` and its files, as the tables they stand for."""
    found: dict[str, dict[str, str]] = {}
    start = f"{PREFIX}{word}_"
    for key in sorted(environ):
        if not key.startswith(start) or not environ[key]:
            continue
        name = key.removeprefix(start)
        secret = next((line for line in _SECRET_FILES if name.endswith(f"_{line.upper()}")), "")
        if secret:
            found.setdefault(name.removesuffix(f"_{secret.upper()}").lower(), {})[secret] = environ[key]
        elif name.endswith("_FILE"):
            name = name.removesuffix("_FILE")
            found.setdefault(name.lower(), {}).setdefault("url", _text_in(Path(environ[key]), f"{start}{name}"))
        else:
            found.setdefault(name.lower(), {})[_MAIN_LINE.get(word, "url")] = environ[key]
    return found


def _joined(tables: Any, over: Any) -> Any:
    """What both say, name by name and line by line; `over` wins."""
    if not isinstance(tables, dict) or not isinstance(over, dict):
        return over
    return {**tables, **{name: _joined(tables.get(name), table) for name, table in over.items()}}


def _explain(error: ValidationError, origin: Mapping[str, str]) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        source = origin.get(name, "default")
        what = "is not a setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        lines.append(f"{name} ({source}): {what}")
    return "; ".join(lines)
