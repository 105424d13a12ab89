"""The block of five lines."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime

import httpx
import pytest

from botwatch.console import plain
from botwatch.console.client import Client
from botwatch.console.words import ago, block, duration, safe
from botwatch.errors import Refused, SettingError, TryAgain, Unauthorised
from tests.console.conftest import EVIL, NOW, STATUS, World

BLOCK = """\
[MONITOR] 2024-01-15 14:32:00
Sessions: 247 active (peak: 312)
Messages: 12,400 today (890/hour)
CPU: 70% | MEM: 60% | GPU: 40%
Services: 7/7 running
"""


def test_it_is_the_block_people_know(client: Client, now: Callable[[], datetime]) -> None:
    out = io.StringIO()
    waited: list[float] = []
    plain.run(client, out, 5.0, times=2, now=now, wait=waited.append)
    assert out.getvalue() == BLOCK * 2
    assert waited == [5.0]


def test_what_is_not_known_is_not_nothing_and_not_green() -> None:
    nothing = {"active": None, "peak_today": None, "today": None, "this_hour": None}
    status = {"sessions": nothing, "messages": nothing, "services": {}}
    status["resources"] = dict.fromkeys(("cpu_percent", "memory_percent", "gpu_percent"))
    assert block(status, NOW)[1:] == [
        "Sessions: unknown active (peak: unknown)",
        "Messages: unknown today (unknown/hour)",
        "CPU: unknown | MEM: unknown | GPU: unknown",
        "Services: none watched",
    ]


def test_a_sealed_vault_does_not_run() -> None:
    status = STATUS | {"services": STATUS["services"] | {"vault": "sealed", EVIL: "stopped"}}
    line = block(status, NOW)[4]
    assert line.startswith("Services: 6/8 running (")
    assert "vault sealed" in line
    assert line.isprintable()


def test_a_server_that_is_away_is_said_to_be_and_asked_again(
    world: World, client: Client, now: Callable[[], datetime]
) -> None:
    out = io.StringIO()
    world.away = True

    def wait(_: float) -> None:
        world.away = False

    plain.run(client, out, 1, times=2, now=now, wait=wait)
    first, second, *others = out.getvalue().splitlines()
    assert first == "[MONITOR] 2024-01-15 14:32:00"
    assert "cannot be asked (ConnectError); is the server running there?" in second
    assert "\n".join(others) + "\n" == BLOCK


def test_what_asking_again_does_not_mend_ends_it(world: World, client: Client, now: Callable[[], datetime]) -> None:
    del world.answers["/api/monitoring/status"]
    with pytest.raises(Refused, match="answered 404: There is nothing at this address"):
        plain.run(client, io.StringIO(), 1, now=now)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": 3}'])
def test_what_is_no_botwatch_is_said_to_be_none(body: bytes) -> None:
    client = Client("http://127.0.0.1", "t", httpx.MockTransport(lambda _: httpx.Response(502, content=body)))
    with pytest.raises(Refused, match="it is not a Botwatch server"):
        client.get("/")
    client = Client("http://127.0.0.1", "t", httpx.MockTransport(lambda _: httpx.Response(200, content=b"<html>")))
    with pytest.raises(Refused, match="does not answer as a Botwatch server does"):
        client.get("/")


def test_a_server_that_is_busy_may_be_asked_again() -> None:
    error = {"error": {"code": "store_away", "message": "the store is away", "hint": None}}
    client = Client("http://127.0.0.1", "t", httpx.MockTransport(lambda _: httpx.Response(503, json=error)))
    with pytest.raises(TryAgain, match="answered 503: the store is away"):
        client.get("/")


def test_the_token_goes_nowhere_else() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"location": "http://evil.example/"})

    with pytest.raises(Refused):
        Client("http://127.0.0.1", "t", httpx.MockTransport(answer)).get("/api")
    assert [request.url.host for request in asked] == ["127.0.0.1"]


def test_an_address_or_a_token_that_cannot_be_one_is_refused() -> None:
    for url in ("", "127.0.0.1:8600", "file:///etc/passwd", "http://"):
        with pytest.raises(SettingError):
            Client(url, "token")
    with pytest.raises(Unauthorised, match="no API token in BOTWATCH_TOKEN"):
        Client("http://127.0.0.1", "")
    with pytest.raises(SettingError) as found:
        Client("http://127.0.0.1", "sécret")
    assert "sécret" not in found.value.message


def test_words() -> None:
    assert [duration(value) for value in (None, 9, 154, 7_300)] == ["unknown", "9 s", "2 min 34 s", "2 h 1 min"]
    assert [ago(f"2024-01-15T{at}Z", NOW) for at in ("14:31:58", "14:30:00", "12:00:00", "15:00:00")] == [
        "just now",
        "2 min ago",
        "2 h ago",
        "just now",
    ]
    assert safe(EVIL).isprintable()
