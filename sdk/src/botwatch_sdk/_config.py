"""What `init` was told, what the environment says, and what is taken where neither is of use."""

from __future__ import annotations

import re
import socket
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.version import __version__ as OPENTELEMETRY_VERSION

from botwatch_sdk import _limits, _names
from botwatch_sdk._guard import warn_once
from botwatch_sdk._text import identifier
from botwatch_sdk._version import __version__

DEFAULT_URL = "http://127.0.0.1:4318"
_ENDPOINTS = (
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SDK = Resource(
    {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": OPENTELEMETRY_VERSION,
        "telemetry.distro.name": "botwatch-sdk",
        "telemetry.distro.version": __version__,
    }
)
_KEY_FORM = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(frozen=True, slots=True)
class Config:
    """What two equal calls of `init` have in common. The key is never shown."""

    bot: str
    version: str
    host: str
    url: str
    key: str = field(repr=False)
    timeout_s: float
    heartbeat_s: float
    attributes: tuple[tuple[str, str], ...]

    def endpoint(self, signal: str) -> str | None:
        """None where OpenTelemetry's own variables name the place: the stock exporter reads them."""
        if self.url:
            return f"{self.url}/v1/{signal}"
        return None

    @property
    def headers(self) -> dict[str, str] | None:
        return {"authorization": f"Bearer {self.key}"} if self.key else None

    def resource(self, *, forked: bool = False) -> Resource:
        """One per process: a fork counts from zero, so it has an instance id of its own."""
        said = dict(self.attributes)
        instance = said.get(_names.SERVICE_INSTANCE)
        said |= {
            _names.BOT_NAME: self.bot,
            _names.SERVICE_NAME: said.get(_names.SERVICE_NAME, self.bot),
            _names.HOST_NAME: self.host,
            _names.SERVICE_INSTANCE: instance if instance and not forked else uuid.uuid4().hex,
            _names.BOT_MESSAGES: "events",
        }
        if self.version:
            said[_names.SERVICE_VERSION] = self.version
        return _SDK.merge(Resource(said))


def resolve(
    environ: Mapping[str, str],
    *,
    bot: object = None,
    url: object = None,
    key: object = None,
    version: object = None,
    attributes: object = None,
    heartbeat_s: object = None,
) -> Config:
    """Argument, then `BOTWATCH_*`, then `OTEL_*`, then a default. A bad value is told and passed over."""
    said = _attributes(attributes)
    named = _word("bot", bot) or environ.get("BOTWATCH_BOT", "") or said.get(_names.BOT_NAME, "")
    return Config(
        bot=identifier(named or said.get(_names.SERVICE_NAME, "") or _program()),
        version=identifier(
            _word("version", version) or environ.get("BOTWATCH_VERSION", "") or said.get(_names.SERVICE_VERSION, "")
        ),
        host=identifier(said.get(_names.HOST_NAME, "") or socket.gethostname()),
        url=_url(_word("url", url) or environ.get("BOTWATCH_URL", ""), environ),
        key=_key(_word("key", key) or environ.get("BOTWATCH_KEY", "") or _key_file(environ)),
        timeout_s=_seconds(OTEL_EXPORTER_OTLP_TIMEOUT, environ.get(OTEL_EXPORTER_OTLP_TIMEOUT) or None, _TIMEOUT),
        heartbeat_s=_seconds("heartbeat_s", heartbeat_s, _HEARTBEAT),
        attributes=tuple(sorted(said.items())),
    )


def is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


def _word(name: str, value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    warn_once(
        f"init:{name}",
        "botwatch: init(%s=…): expected a string, found %s; it is passed over",
        name,
        type(value).__name__,
    )
    return ""


def _attributes(given: object) -> dict[str, str]:
    """Resource attributes of the environment (OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME), then those of the call."""
    said = {identifier(name): identifier(value) for name, value in OTELResourceDetector().detect().attributes.items()}
    if isinstance(given, Mapping):
        said |= {identifier(name): identifier(value) for name, value in given.items()}
    elif given is not None:
        warn_once(
            "init:attributes",
            "botwatch: init(attributes=…): expected a mapping of strings, found %s; it is passed over",
            type(given).__name__,
        )
    return {name: value for name, value in said.items() if name and value}


def _program() -> str:
    """A name to begin with for a bot nobody named: that of its file."""
    stem = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] not in ("", "-", "-c", "-m") else ""
    warn_once("init:unnamed", "botwatch: the bot has no name; call init('name') or set BOTWATCH_BOT")
    return stem or "unnamed-bot"


def _url(given: str, environ: Mapping[str, str]) -> str:
    """The base URL, or empty where only OpenTelemetry's variables name one."""
    if not given:
        return "" if any(map(environ.get, _ENDPOINTS)) else DEFAULT_URL
    if not re.match(r"https?://[^/\s]", given):
        warn_once(
            "init:url",
            "botwatch: url: expected something like %s, found another form; nothing can be sent",
            DEFAULT_URL,
        )
    return given.rstrip("/")


def _key(given: str) -> str:
    found = given.strip()
    if found and not _KEY_FORM.fullmatch(found):
        warn_once("init:key", "botwatch: key: expected printable ASCII without spaces; it is passed over")
        return ""
    return found


def _key_file(environ: Mapping[str, str]) -> str:
    path = environ.get("BOTWATCH_KEY_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        warn_once("init:key_file", "botwatch: BOTWATCH_KEY_FILE: %s cannot be read (%s)", path, type(error).__name__)
        return ""


@dataclass(frozen=True, slots=True)
class _Range:
    least: float
    default: float
    most: float


_TIMEOUT = _Range(0.1, _limits.SEND_TIMEOUT_S, 300.0)
_HEARTBEAT = _Range(_limits.HEARTBEAT_S_MIN, _limits.HEARTBEAT_S, 3_600.0)


def _seconds(name: str, given: object, bounds: _Range) -> float:
    if given is None:
        return bounds.default
    try:
        found = float(given) if isinstance(given, str | int | float) else float("nan")
    except ValueError:
        found = float("nan")
    if bounds.least <= found <= bounds.most:
        return found
    warn_once(
        f"init:{name}",
        "botwatch: %s: expected seconds between %g and %g, found %r; taking %g",
        name,
        bounds.least,
        bounds.most,
        given,
        bounds.default,
    )
    return bounds.default
