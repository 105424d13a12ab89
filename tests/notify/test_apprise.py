"""apprise in a process of its own: sent, refused, kept from the inside."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from botwatch.notify.channels import KINDS
from botwatch.notify.channels.kind import Undelivered
from botwatch.notify.targets import Targets
from tests.notify.notes import LOOPBACK, means, note, told
from tests.notify.receiver import Receiver, Reply
from tests.real.parts import require_module


async def send(url: str, targets: Targets = LOOPBACK) -> str:
    require_module("apprise", "apprise")
    if url.startswith("json:"):
        url += "?cto=60&rto=60"  # of its own it waits for four seconds
    kind, tools = KINDS["apprise"], means(targets)
    try:
        return (await kind.send(kind.options.model_validate({"url": url}), note(told()), tools)).answer
    finally:
        await tools.http.close()


async def test_a_service_that_apprise_knows_gets_the_message(receiver: Receiver) -> None:
    assert await send(f"json://127.0.0.1:{receiver.port}/hook") == "taken"
    body = receiver.got[0].json
    assert body["title"] == "CRITICAL High CPU on bot shop, host web-1"
    assert "85 % or more is too much" in body["message"]


async def test_a_service_that_does_not_take_it_is_tried_again(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(500)
    with pytest.raises(Undelivered) as error:
        await send(f"json://127.0.0.1:{receiver.port}/")
    assert error.value.retryable


async def test_apprise_reaches_no_address_of_the_inside(receiver: Receiver) -> None:
    with pytest.raises(Undelivered, match="inside") as error:
        await send(f"json://localhost:{receiver.port}/", Targets())
    assert not error.value.retryable
    assert receiver.connections == 0


@pytest.mark.parametrize("url", ["", "nothing", "syslog://", "dbus://x", "macosx://x"])
def test_what_is_no_service_is_refused_when_it_is_set_up(url: str) -> None:
    with pytest.raises(ValidationError):
        KINDS["apprise"].options.model_validate({"url": url})
