"""Addresses without their secrets, answers within bounds, and trouble in our own words."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from botwatch.errors import SettingError
from botwatch.watch.asking import Answer, Reason, Target, Trouble, asked, every, expect_ok, get, offset_s, trouble_of


def test_what_an_address_carries_is_taken_out_of_it() -> None:
    target = Target.of("redis://b%40t:p%3Aw@host:1/2?x=y#z")
    assert (target.url, target.user, target.password.get_secret_value()) == ("redis://host:1/2?x=y", "b@t", "p:w")
    assert (target.scheme, target.host, target.port, target.path) == ("redis", "host", 1, "/2")
    assert target.with_password == "redis://b%40t:p%3Aw@host:1/2?x=y"
    assert "p:w" not in repr(target)


def test_what_is_given_beside_an_address_wins(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(" from file \n")
    assert Target.of("x://a:b@h", password_file=file).login == ("a", "from file")
    assert Target.of("x://a:b@h", user="c", password=SecretStr("d"), password_file=file).login == ("c", "d")
    assert Target.of("x://h").login is None


@pytest.mark.parametrize("url", ["", "host", "//h", "x://", "x://h:hush", "x://[::1"])
def test_what_is_no_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingError) as raised:
        Target.of(url)
    assert "hush" not in raised.value.message


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_setting_error(url: str) -> None:
    try:
        target = Target.of(url)
    except SettingError:
        return
    assert target.scheme


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), Reason.TIMEOUT),
        (httpx.ReadTimeout(""), Reason.TIMEOUT),
        (ConnectionRefusedError(), Reason.REFUSED),
        (ConnectionResetError(), Reason.CLOSED),
        (EOFError(), Reason.ANSWER),
        (asyncio.IncompleteReadError(b"", 1), Reason.CLOSED),
        (socket.gaierror(), Reason.UNREACHABLE),
        (ssl.SSLError(), Reason.TLS),
        (httpx.ConnectError(""), Reason.UNREACHABLE),
        (OSError(), Reason.UNREACHABLE),
        (ModuleNotFoundError(), Reason.LIBRARY),
        (ValueError("hush-hush"), Reason.ANSWER),
        (Trouble(Reason.LOGIN, "no"), Reason.LOGIN),
    ],
)
def test_every_failure_has_a_reason(error: Exception, reason: Reason) -> None:
    assert trouble_of(error).reason is reason
    assert "hush" not in trouble_of(error).message


def test_the_reason_may_be_behind_the_exception() -> None:
    error = httpx.ConnectError("All attempts failed")
    error.__cause__ = OSError("several")
    error.__cause__.__context__ = ConnectionRefusedError()
    assert trouble_of(error).reason is Reason.REFUSED


async def test_who_does_not_answer_in_time_is_not_waited_for() -> None:
    with pytest.raises(Trouble) as raised:
        await asked(lambda: asyncio.sleep(60), 0.01)
    assert (raised.value.reason, raised.value.message) == (Reason.TIMEOUT, "there was no answer within 0.01 s")


async def test_being_told_to_end_is_no_trouble() -> None:
    task = asyncio.create_task(asked(lambda: asyncio.sleep(60), 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_takes_longer_than_its_beat_leaves_beats_out() -> None:
    stop, at = asyncio.Event(), list[float]()
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def work() -> None:
        at.append(loop.time() - began_s)
        await asyncio.sleep(0.15)
        if len(at) == 3:
            stop.set()

    await every(0.1, stop, work, after_s=0.05)
    assert all(later - earlier >= 0.15 for earlier, later in pairwise(at))
    assert at[0] >= 0.05


def test_many_are_not_asked_in_the_same_moment() -> None:
    offsets = [offset_s(f"name {i}", 10) for i in range(1_000)]
    assert min(offsets) < 1
    assert max(offsets) > 9
    assert offset_s("name", 10) == offset_s("name", 10)


async def test_an_answer_is_bounded() -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 10

    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body()))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await get(client, "http://h/", bytes_max=100)).body == b"x" * 100
        with pytest.raises(Trouble, match="larger than 99 bytes"):
            await get(client, "http://h/", bytes_max=99)


@pytest.mark.parametrize(
    ("status", "reason"), [(401, Reason.LOGIN), (403, Reason.FORBIDDEN), (404, Reason.ANSWER), (301, Reason.ANSWER)]
)
def test_a_status_is_told_by_its_meaning(status: int, reason: Reason) -> None:
    assert expect_ok(Answer(200, httpx.Headers(), b"fine")).body == b"fine"
    with pytest.raises(Trouble) as raised:
        expect_ok(Answer(status, httpx.Headers(), b""))
    assert raised.value.reason is reason
