"""`botwatch doctor`: tries the way from this machine to the server, then asks the server what it finds wrong."""

from __future__ import annotations

import email.utils
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from botwatch.cli.flags import plain
from botwatch.clock import SECOND_NS, Clock
from botwatch.errors import SettingError
from botwatch.limits import SECRET_CHARS_MAX
from botwatch.settings import LOOPBACK

PATH: Final = "/api/diagnosis"
_OTLP_PATH: Final = "/v1/traces"
_OURS_PATH: Final = "/v1/logs/json"  # no other collector has it
_OTLP_DEFAULT: Final = "http://127.0.0.1:4318"
_WEB_DEFAULT: Final = "http://127.0.0.1:8600"
_WAIT_S: Final = 10.0
_CLOCK_OFF_S: Final = 30
_PROBLEM, _NOTICE, _FINE, _UNKNOWN = "problem", "notice", "fine", "not looked"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `level` is a problem, a notice, fine, or that it could not be looked at."""

    level: str
    about: str
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    lines: list[Line]
    server: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return any(line.level == _PROBLEM for line in self.lines)


def examine(url: str, token: str, environ: Mapping[str, str], clock: Clock) -> Report:
    """`url` is the server's web port; empty: worked out from where bots send to."""
    url = _checked(url).rstrip("/") if url else _found(environ)
    with _client(url) as client:
        lines = list(_server(client, url, clock))
        reached = any(line.about == "clock" for line in lines)
        told, server = _diagnosis(client, url, token) if reached else ([], {})
    sender = list(_sender(environ, url, _ports(server)))
    return Report([*lines, *sender, *told], server)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits:
        raise SettingError("--url: expected an address such as http://127.0.0.1:8600")
    return url


def _found(environ: Mapping[str, str]) -> str:
    """Where bots send to may be the port of OTLP alone: then the web is beside it, on its usual port."""
    target = environ.get("BOTWATCH_URL", "").rstrip("/")
    if not target:
        return _WEB_DEFAULT
    parts = urlsplit(_checked(target))
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    for url in (target, f"{parts.scheme}://{host}:{urlsplit(_WEB_DEFAULT).port}"):
        try:
            with _client(url) as client:
                if _field(client.get(f"{url}/healthz"), "alive") is True:
                    return url
        except (httpx.HTTPError, UnicodeError, ValueError):
            continue
    return target


def _client(url: str) -> httpx.Client:
    return httpx.Client(timeout=_WAIT_S, trust_env=(urlsplit(url).hostname or "") not in LOOPBACK)


def _server(client: httpx.Client, url: str, clock: Clock) -> Iterator[Line]:
    try:
        alive, asked_s = client.get(f"{url}/healthz"), _now_s(clock)
        ready, answered_s = client.get(f"{url}/readyz"), _now_s(clock)
        takes_only = _field(alive, "alive") is not True and _is_ours(client, url)
    except (httpx.HTTPError, UnicodeError, ValueError) as error:
        yield Line(_PROBLEM, "server", f"{url} cannot be asked ({type(error).__name__}).", _NOBODY)
        return
    if _field(alive, "alive") is not True:
        if takes_only:
            found = f"{url} is a port of Botwatch that only takes what bots send."
            yield Line(
                _PROBLEM, "server", found, "name the web port with --url; it is 8600 unless it was set to another"
            )
        else:
            found = f"{url} answers, but not as a Botwatch server."
            yield Line(_PROBLEM, "server", found, "look at the address in --url")
        return
    reasons = _field(ready, "reasons")
    if isinstance(reasons, list) and reasons:
        why = "; ".join(map(str, reasons))
        yield Line(_PROBLEM, "server", f"The server runs, and is not ready: {why}.", "look at its log")
    else:
        yield Line(_FINE, "server", "It runs and is ready.")
    yield from _clock(ready, asked_s, answered_s)


_NOBODY: Final = "start it with 'botwatch serve', or name its address with --url"


def _now_s(clock: Clock) -> float:
    return clock.now_ns() / SECOND_NS


def _clock(answer: httpx.Response, asked_s: float, answered_s: float) -> Iterator[Line]:
    """The server told its time somewhere between the two: that it was slow to answer is no other clock."""
    try:
        told_s = email.utils.parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        yield Line(_UNKNOWN, "clock", "The server's answer does not say its time.")
        return
    off_s = max(asked_s - told_s, 0) or min(answered_s - told_s, 0)
    if abs(off_s) > _CLOCK_OFF_S:
        way = "ahead of" if off_s > 0 else "behind"
        yield Line(
            _PROBLEM,
            "clock",
            f"The clock of this machine is {abs(off_s):.0f} seconds {way} the server's.",
            "set it (chronyd or systemd-timesyncd): what is sent from here is drawn at another time",
        )
    else:
        yield Line(_FINE, "clock", "This machine and the server have the same time.")


# --- what a bot on this machine would do


def _sender(environ: Mapping[str, str], url: str, ports: Mapping[str, int]) -> Iterator[Line]:
    target, named = _target(environ)
    said = f"A bot here sends to {target} ({named})"
    try:
        with _client(target) as client:
            yield from _tried(client, target, said, _key(environ), ports)
    except (httpx.RemoteProtocolError, httpx.ReadError):
        yield Line(
            _PROBLEM, "sending", f"{said}, which does not speak HTTP: it may be the port of gRPC.", _way(url, ports)
        )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        yield Line(_PROBLEM, "sending", f"{said}, where nobody answers ({type(error).__name__}).", _way(url, ports))


def _target(environ: Mapping[str, str]) -> tuple[str, str]:
    """As botwatch-sdk chooses it."""
    for name in ("BOTWATCH_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        if environ.get(name):
            return environ[name].rstrip("/"), name
    if environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"].removesuffix(
            _OTLP_PATH
        ), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    return _OTLP_DEFAULT, "nothing else is set"


def _is_ours(client: httpx.Client, url: str) -> bool:
    error = _field(client.get(url + _OURS_PATH), "error")
    return isinstance(error, Mapping) and error.get("code") == "wrong_method"


def _key(environ: Mapping[str, str]) -> str:
    key, file = environ.get("BOTWATCH_KEY", ""), environ.get("BOTWATCH_KEY_FILE", "")
    if not key and file:
        try:
            with Path(file).open(encoding="utf-8") as opened:
                key = opened.read(SECRET_CHARS_MAX)
        except (OSError, UnicodeDecodeError):
            return ""
    return key.strip()


def _tried(client: httpx.Client, target: str, said: str, key: str, ports: Mapping[str, int]) -> Iterator[Line]:
    """Two requests that store nothing: one that tells who is there, and an empty one with the bot's key."""
    if not _is_ours(client, target):
        found = f"{said}, where something answers that is not Botwatch."
        yield Line(_PROBLEM, "sending", found, _way("", ports))
        return
    headers = {"content-type": "application/x-protobuf", **({"authorization": f"Bearer {key}"} if key else {})}
    try:
        answer = client.post(target + _OTLP_PATH, content=b"", headers=headers)
    except UnicodeError:
        yield Line(_PROBLEM, "key", "The ingest key here is not one: it has letters no header can hold.", _SET_KEY)
        return
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        what = (
            "the ingest key in BOTWATCH_KEY is not known, or revoked"
            if key
            else "there is no ingest key in BOTWATCH_KEY"
        )
        yield Line(_PROBLEM, "key", f"{said} and is turned away: {what}.", _SET_KEY)
    elif answer.is_success:
        yield Line(_FINE, "sending", f"{said}, and is let in.")
    else:
        yield Line(
            _PROBLEM, "sending", f"{said}, and is refused (HTTP {answer.status_code}).", "look at the server's log"
        )


_SET_KEY: Final = "make one on the server with 'botwatch key add LABEL', and set BOTWATCH_KEY here"


def _way(url: str, ports: Mapping[str, int]) -> str:
    host = urlsplit(url).hostname or "SERVER"
    port = ports.get("otlp") or ports.get("web")
    if port:
        return f"set BOTWATCH_URL to http://{host}:{port}"
    return f"set BOTWATCH_URL to {url or 'the address of the server'}: its web port takes what bots send, too"


# --- what the server finds


def _diagnosis(client: httpx.Client, url: str, token: str) -> tuple[list[Line], Mapping[str, Any]]:
    if not token:
        how = "make a token with 'botwatch token add LABEL' on the server, and set BOTWATCH_TOKEN here"
        return [Line(_UNKNOWN, "diagnosis", "Without an API token the server does not tell what it finds.", how)], {}
    try:
        answer = client.get(url + PATH, headers={"authorization": f"Bearer {token}"})
    except (httpx.HTTPError, UnicodeError) as error:
        return [Line(_PROBLEM, "diagnosis", f"The server did not answer ({type(error).__name__}).", "try again")], {}
    found = _json(answer)
    if answer.status_code != httpx.codes.OK or not isinstance(found, Mapping):
        return [
            Line(_UNKNOWN, "diagnosis", f"The server did not tell (HTTP {answer.status_code}).", "look at the token")
        ], {}
    return [line for topic in found.get("topics", ()) for line in _topic(topic)], found


def _topic(topic: Mapping[str, Any]) -> Iterator[Line]:
    about = str(topic.get("topic", "")).replace("_", " ")
    if not topic.get("looked"):
        yield Line(_UNKNOWN, about, str(topic.get("why_not")))
        return
    for finding in topic.get("findings", ()):
        level = _NOTICE if finding.get("level") == _NOTICE else _PROBLEM
        yield Line(level, about, str(finding.get("found")), str(finding.get("remedy")))
    if not topic.get("findings"):
        yield Line(_FINE, about, "Nothing was found.")


def _ports(server: Mapping[str, Any]) -> dict[str, int]:
    listening = server.get("listening")
    if not isinstance(listening, Mapping):
        return {}
    return {str(name): port for name, port in listening.items() if isinstance(port, int)}


def text_of(report: Report) -> Iterator[str]:
    for line in report.lines:
        yield f"{line.level:<11}{plain(line.about)}: {plain(line.found)}"
        if line.remedy:
            yield f"{'':<11}→ {plain(line.remedy)}"


def json_of(report: Report) -> str:
    lines = [asdict(line) for line in report.lines]
    return orjson.dumps({"lines": lines, "diagnosis": report.server or None}).decode()


def _field(answer: httpx.Response, name: str) -> Any:
    found = _json(answer)
    return found.get(name) if isinstance(found, Mapping) else None


def _json(answer: httpx.Response) -> Any:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return None
