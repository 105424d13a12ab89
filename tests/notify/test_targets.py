"""Nothing goes to the inside: not by an address, a name, a changed answer, or a redirect."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from botwatch.errors import SettingError
from botwatch.notify.channels import KINDS
from botwatch.notify.channels.kind import Undelivered
from botwatch.notify.targets import TargetRefused, Targets
from tests.notify.notes import means, note, told
from tests.notify.receiver import Receiver


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1"),
    ],
)
def test_an_address_of_the_inside_is_refused_however_it_is_written(address: str) -> None:
    with pytest.raises(TargetRefused, match="notify_networks"):
        Targets().check("host", address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_outside_is_taken(address: str) -> None:
    Targets().check("host", address)


def test_a_network_of_the_settings_is_taken_and_no_other() -> None:
    targets = Targets.of("10.0.0.0/8, 192.168.1.7")
    targets.check("host", "10.200.0.1")
    targets.check("host", "192.168.1.7")
    for other in ("192.168.1.8", "127.0.0.1"):
        with pytest.raises(TargetRefused):
            targets.check("host", other)
    with pytest.raises(SettingError, match=r"10\.0\.0\.0/8"):
        Targets.of("10.0.0.1/8")


async def send(url: str, targets: Targets) -> None:
    kind, tools = KINDS["webhook"], means(targets)
    try:
        await kind.send(kind.options.model_validate({"url": url}), note(told()), tools)
    finally:
        await tools.http.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "127.1"])
async def test_no_spelling_of_loopback_is_reached(receiver: Receiver, host: str) -> None:
    with pytest.raises(Undelivered) as error:
        await send(f"http://{host}:{receiver.port}/", Targets())
    assert receiver.connections == 0
    assert "inside" in error.value.answer or error.value.retryable, error.value.answer


async def test_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers with the outside when it is checked, and with loopback a moment later."""
    asked: list[str] = []
    connected: list[str] = []

    async def lookup(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "203.0.114.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async def connect(host: str, port: int, **_: Any) -> None:
        connected.append(host)
        raise OSError("unreachable")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    monkeypatch.setattr("asyncio.open_connection", connect)
    with pytest.raises(Undelivered):
        await send(f"http://rebind.example.com:{receiver.port}/", Targets())
    assert asked == ["rebind.example.com"]
    assert connected == ["203.0.114.9"]


async def test_one_address_of_the_inside_among_others_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    with pytest.raises(Undelivered, match=r"10\.0\.0\.1") as error:
        await send("http://mixed.example.com/", Targets())
    assert not error.value.retryable


async def test_a_mail_server_of_the_inside_is_refused_too() -> None:
    kind, tools = KINDS["email"], means(Targets())
    options = kind.options.model_validate({"host": "127.0.0.1", "sender": "a@example.com", "to": ["b@example.com"]})
    with pytest.raises(Undelivered, match="inside"):
        await kind.send(options, note(told()), tools)
    await tools.http.close()
