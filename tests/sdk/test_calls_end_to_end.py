"""From a bot's calls to the measures in the store: a real provider, a real server, the SDK between them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.fault.harness import Botwatch, running
from tests.sdk.provider import Provider

Fold = Callable[[list[float]], float]
BOT = """
import contextlib, sys, time, httpx
from types import SimpleNamespace
import botwatch_sdk as bot
from botwatch_sdk import _breaker

url = sys.argv[1]
bot.init("caller", heartbeat_s=3600)
bot.flush(60)
place = url.partition("//")[2]
shop = url.replace("127.0.0.1", "localhost")
bot.instrument("httpx", names={place: "crm", shop.partition("//")[2]: "shop"})
gateway, guard = bot.socket("gateway"), bot.breaker("crm", failures=2, rest_s=3600)
bot.flush(60)
for n in range(20):
    with contextlib.suppress(httpx.TimeoutException):
        httpx.get(shop + ("/slow" if n % 5 == 0 else "/ok"), timeout=0.2 if n % 5 == 0 else 20)
for path in ("/limited", "/limited", "/allows/500", "/allows/200"):
    httpx.get(url + path, timeout=20)
for n in range(5):
    with contextlib.suppress(httpx.HTTPError, bot.BreakerOpen), guard:
        httpx.get(url + "/down", timeout=20).raise_for_status()
bot.flush(60)
_breaker.time = SimpleNamespace(monotonic=lambda: time.monotonic() + 3601)  # its rest is over
with guard:
    pass
for n in range(2):
    with contextlib.suppress(ConnectionError), gateway:
        if n == 0:
            raise ConnectionError
bot.flush(60)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Botwatch]:
    with running(tmp_path_factory.mktemp("calls")) as server, Provider() as provider:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("BOTWATCH_", "OTEL_"))}
        subprocess.run(
            [sys.executable, "-c", BOT, provider.url],
            env=environ | {"BOTWATCH_URL": f"http://127.0.0.1:{server.otlp}", "OTEL_EXPORTER_OTLP_TIMEOUT": "60"},
            check=True,
            timeout=200,
        )
        server.wait_drained()
        yield server


def figure(server: Botwatch, measure: str, labels: dict[str, str], fold: Fold = sum) -> float | None:
    """Over the last hour, which may lie in two pieces of the chart."""
    asked = [("measure", measure), ("period", "1h"), ("step", "1h")]
    asked += [("where", f"{label}={value}") for label, value in labels.items()]
    series = server.get(f"/api/monitoring/history?{urlencode(asked)}")["series"]
    values = [value for found in series for _, value in found["points"] if value is not None]
    return fold(values) if values else None


def eventually(look: Callable[[], Any], expected: Any, within_s: float = 60.0) -> Any:
    deadline_s = time.monotonic() + within_s
    while (found := look()) != expected and time.monotonic() < deadline_s:
        time.sleep(0.2)
    return found


CRM = {"dependency": "crm"}
SHOP = {"dependency": "shop"}
FIGURES: list[tuple[str, dict[str, str], Fold, float]] = [
    ("dependency.count", SHOP, sum, 20),
    ("dependency.timeouts", SHOP, sum, 4),
    ("dependency.count", CRM, sum, 4 + 2),
    ("dependency.rate_limited", CRM, sum, 2),
    ("dependency.retry_after", CRM, max, 17),
    ("dependency.limit", CRM, min, 200),
    ("breaker.state", {"breaker": "crm"}, max, 2),
    ("breaker.opens", {"breaker": "crm"}, sum, 1),
    ("breaker.rejections", {"breaker": "crm"}, sum, 3),
    ("breaker.heals", {"breaker": "crm"}, sum, 1),
    ("sockets.drops", {"socket": "gateway"}, sum, 1),
    ("sockets.reconnects", {"socket": "gateway"}, sum, 1),
]


@pytest.mark.parametrize(
    ("measure", "labels", "fold", "value"), FIGURES, ids=[" ".join((name, *of.values())) for name, of, *_ in FIGURES]
)
def test_what_a_bot_met_with_is_a_measure(
    server: Botwatch, measure: str, labels: dict[str, str], fold: Fold, value: float
) -> None:
    assert eventually(lambda: figure(server, measure, labels, fold), value) == value


def test_a_fifth_of_the_calls_timed_out_shows_as_20_percent(server: Botwatch) -> None:
    """Where the run lies in two hours, each has its own share: then the counts tell it."""
    rates = figure(server, "dependency.timeout_rate", SHOP, max)
    counts = figure(server, "dependency.timeouts", SHOP), figure(server, "dependency.count", SHOP)
    assert counts == (4, 20)
    assert rates == pytest.approx(20) or (rates is not None and rates > 20)


def test_failed_calls_are_timed_too(server: Botwatch) -> None:
    slowest = figure(server, "dependency.latency.p99", SHOP, max)
    assert slowest is not None
    assert slowest >= 190


def test_what_changed_can_be_seen(server: Botwatch) -> None:
    changes = server.get("/api/dependencies/changes?bot=caller")["items"]
    told = [(item["what"], item["name"], item["before"], item["after"]) for item in reversed(changes)]
    assert told == [
        ("limit", "crm", "500", "200"),
        ("breaker", "crm", "closed", "open"),
        ("breaker", "crm", "open", "half_open"),
        ("breaker", "crm", "half_open", "closed"),
    ]
    assert changes[-1]["limit"] == "requests"
