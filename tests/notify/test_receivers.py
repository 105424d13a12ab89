"""Each provider against a receiver that holds its published limits and shapes, and answers as it does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest

from botwatch.incident.steps import Step
from botwatch.notify.channels import KINDS
from botwatch.notify.channels.kind import Undelivered
from botwatch.notify.note import ESCALATED, Moment, Note, Purpose
from tests.notify.house import NOW_NS
from tests.notify.notes import late, means, note, told
from tests.notify.receiver import Got, Receiver, Reply

HUGE = "very <long> *text* & so on " * 400


async def send(kind: str, given: dict[str, Any], message: Note) -> Any:
    does = KINDS[kind]
    tools = means()
    try:
        return await does.send(does.options.model_validate(given), message, tools)
    finally:
        await tools.http.close()


# --- Slack


def check_slack(message: dict[str, Any]) -> None:
    """What Slack refuses as invalid_blocks, msg_too_long or no_text."""
    assert 0 < len(message["text"]) <= 40_000
    assert 0 < len(message["blocks"]) <= 50
    for block in message["blocks"]:
        assert block["type"] in ("header", "section")
        text = block["text"]["text"]
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert 0 < len(text) <= 150
        else:
            assert block["text"]["type"] == "mrkdwn"
            assert 0 < len(text) <= 3_000


class Workspace:
    """chat.postMessage and chat.update as Slack answers them: always 200, the truth in `ok`."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}

    def __call__(self, got: Got) -> Reply:
        if got.headers.get("authorization") != "Bearer xoxb-1":
            return self.say(ok=False, error="invalid_auth")
        body = got.json
        check_slack(body)
        if body["channel"] != "C1":
            return self.say(ok=False, error="channel_not_found")
        if got.path.endswith("/chat.postMessage"):
            stamp = f"1800000000.{len(self.messages):06}"
        elif (stamp := body["ts"]) not in self.messages:
            return self.say(ok=False, error="message_not_found")
        self.messages[stamp] = body
        return self.say(ok=True, channel="C1", ts=stamp)

    @staticmethod
    def say(**body: Any) -> Reply:
        return Reply(200, orjson.dumps(body), {"content-type": "application/json"})


async def test_slack_takes_every_message_within_its_limits(receiver: Receiver) -> None:
    many = note(*(told(rule=HUGE, summary=HUGE, message=HUGE, labels={"bot": HUGE}) for _ in range(20)))
    for message in (note(told()), note(told(Step.RESOLVED)), late(), many, note(purpose=Purpose.TEST, text="ann")):
        await send("slack", {"webhook_url": receiver.url}, message)
    digest = note(*(told(incident=str(n)) for n in range(200)), purpose=Purpose.DIGEST, more=7)
    await send("slack", {"webhook_url": receiver.url}, digest)
    assert len(receiver.got) == 6
    for got in receiver.got:
        check_slack(got.json)
    assert "more" in receiver.got[-1].json["blocks"][-1]["text"]["text"]


async def test_with_a_bots_token_one_message_is_kept_up_to_date(receiver: Receiver) -> None:
    receiver.answer = workspace = Workspace()
    given = {"token": "xoxb-1", "channel": "C1", "api_url": f"{receiver.url}/api"}
    first = await send("slack", given, note(told()))
    await send("slack", given, note(told(Step.RESOLVED), ref=dict(first.ref)))
    assert [got.path for got in receiver.got] == ["/api/chat.postMessage", "/api/chat.update"]
    (message,) = workspace.messages.values()
    assert "resolved" in message["text"]
    assert receiver.got[0].json["metadata"]["event_payload"] == {"id": note().id}


async def test_a_message_that_somebody_deleted_is_written_anew(receiver: Receiver) -> None:
    receiver.answer = Workspace()
    given = {"token": "xoxb-1", "channel": "C1", "api_url": f"{receiver.url}/api"}
    sent = await send("slack", given, note(told(Step.RESOLVED), ref={"channel": "C1", "ts": "1.1"}))
    assert sent.ref["ts"] == "1800000000.000000"


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [
        (Workspace.say(ok=False, error="channel_not_found"), False),
        (Workspace.say(ok=False, error="ratelimited"), True),
        (Reply(200, b"<html>proxy</html>"), True),
        (Reply(429, b"", {"retry-after": "30"}), True),
        (Reply(500), True),
    ],
)
async def test_slacks_refusals_are_for_good_or_for_now(receiver: Receiver, reply: Reply, retryable: bool) -> None:
    receiver.answer = lambda _: reply
    given = {"token": "xoxb-1", "channel": "C1", "api_url": receiver.url}
    with pytest.raises(Undelivered) as error:
        await send("slack", given, note(told()))
    assert error.value.retryable is retryable
    assert error.value.retry_after_s == (30 if reply.status == 429 else None)


# --- PagerDuty


class Pager:
    """Events API v2: 202 with the key, 400 with what is wrong."""

    def __init__(self) -> None:
        self.states: dict[str, list[str]] = {}

    def __call__(self, got: Got) -> Reply:
        body = got.json
        problems = self.problems(body, len(got.body))
        if problems:
            return Reply(400, orjson.dumps({"status": "invalid event", "message": "bad", "errors": problems}))
        self.states.setdefault(body["dedup_key"], []).append(body["event_action"])
        return Reply(202, orjson.dumps({"status": "success", "message": "ok", "dedup_key": body["dedup_key"]}))

    @staticmethod
    def problems(body: dict[str, Any], size: int) -> list[str]:
        payload = body.get("payload", {})
        checks = {
            "size": size <= 512 * 1024,
            "routing_key": body["routing_key"] == "R" * 32,
            "action": body["event_action"] in ("trigger", "acknowledge", "resolve"),
            "dedup_key": 0 < len(body["dedup_key"]) <= 255,
            "links": all(set(each) == {"href", "text"} for each in body.get("links", [])),
        }
        if body["event_action"] == "trigger":
            checks["summary"] = 0 < len(payload.get("summary", "")) <= 1024
            checks["source"] = bool(payload.get("source"))
            checks["severity"] = payload.get("severity") in ("critical", "error", "warning", "info")
        return [name for name, fine in checks.items() if not fine]


async def test_pagerduty_triggers_acknowledges_and_resolves_by_one_key(receiver: Receiver) -> None:
    receiver.answer = pager = Pager()
    given = {"routing_key": "R" * 32, "url": f"{receiver.url}/v2/enqueue"}
    for step in (Step.OPENED, ESCALATED, Step.ACKNOWLEDGED, Step.RESOLVED):
        await send("pagerduty", given, note(told(step)))
    assert pager.states == {"botwatch-5f3c": ["trigger", "trigger", "acknowledge", "resolve"]}


async def test_pagerduty_hears_of_what_opened_and_ended_while_it_was_away(receiver: Receiver) -> None:
    receiver.answer = pager = Pager()
    await send("pagerduty", {"routing_key": "R" * 32, "url": receiver.url}, late())
    assert pager.states == {"botwatch-5f3c": ["trigger", "resolve"]}
    assert receiver.got[0].json["payload"]["severity"] == "info"


async def test_pagerduty_takes_what_opened_and_was_acknowledged_at_once(receiver: Receiver) -> None:
    receiver.answer = pager = Pager()
    story = (Moment(step="opened", at_ns=NOW_NS), Moment(step="acknowledged", at_ns=NOW_NS))
    await send("pagerduty", {"routing_key": "R" * 32, "url": receiver.url}, note(told(Step.ACKNOWLEDGED, story=story)))
    assert pager.states == {"botwatch-5f3c": ["trigger", "acknowledge"]}


async def test_pagerduty_takes_huge_texts_and_a_test_leaves_nothing_open(receiver: Receiver) -> None:
    receiver.answer = pager = Pager()
    given = {"routing_key": "R" * 32, "url": receiver.url}
    await send("pagerduty", given, note(told(rule=HUGE, summary=HUGE, labels={"host": HUGE})))
    await send("pagerduty", given, note(purpose=Purpose.TEST, text="ann"))
    assert sorted(map(tuple, pager.states.values())) == [("trigger",), ("trigger", "resolve")]


async def test_pagerduty_refuses_for_good_and_its_key_is_not_repeated(receiver: Receiver) -> None:
    receiver.answer = lambda got: Reply(400, got.body)
    with pytest.raises(Undelivered) as error:
        await send("pagerduty", {"routing_key": "R" * 32, "url": receiver.url}, note(told()))
    assert not error.value.retryable
    assert "R" * 32 not in error.value.answer


# --- SMS

SMS = {"account_sid": "AC" + "0" * 32, "auth_token": "s3cret", "sender": "+41790000000", "to": "+41790000001"}


def twilio(got: Got) -> Reply:
    """Messages.json: 201 with a sid, 401 and 400 with a code."""
    pair = base64.b64encode(f"{SMS['account_sid']}:s3cret".encode()).decode()
    if got.headers["authorization"] != f"Basic {pair}":
        return Reply(401, b'{"code": 20003, "message": "Authenticate"}')
    form = {name: values[0] for name, values in parse_qs(got.body.decode(), strict_parsing=True).items()}
    if got.path != f"/2010-04-01/Accounts/{SMS['account_sid']}/Messages.json" or len(form["Body"]) > 1_600:
        return Reply(400, b'{"code": 21617, "message": "The concatenated message body exceeds the limit"}')
    return Reply(201, b'{"sid": "SM00000000000000000000000000000001", "status": "queued", "error_code": null}')


async def test_twilio_takes_one_sms(receiver: Receiver) -> None:
    receiver.answer = twilio
    sent = await send("sms", {**SMS, "base_url": receiver.url}, note(told(rule=HUGE)))
    assert sent.answer == "201 queued SM00000000000000000000000000000001"
    form = parse_qs(receiver.got[0].body.decode())
    assert form["To"] == ["+41790000001"]
    assert len(form["Body"][0]) <= 160


async def test_a_messaging_service_sends_in_place_of_a_number(receiver: Receiver) -> None:
    receiver.answer = twilio
    await send("sms", {**SMS, "sender": "MG" + "1" * 32, "base_url": receiver.url}, note(told()))
    assert parse_qs(receiver.got[0].body.decode())["MessagingServiceSid"] == ["MG" + "1" * 32]


async def test_a_wrong_token_is_refused_for_good(receiver: Receiver) -> None:
    receiver.answer = twilio
    with pytest.raises(Undelivered, match="401") as error:
        await send("sms", {**SMS, "auth_token": "wrong", "base_url": receiver.url}, note(told()))
    assert not error.value.retryable


# --- webhooks


async def test_a_webhook_is_signed_as_the_specification_of_standard_webhooks_says(receiver: Receiver) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    secret = "whsec_" + base64.b64encode(key).decode()
    await send("webhook", {"url": receiver.url, "secret": secret, "headers": {"x-team": "ops"}}, note(told()))
    got = receiver.got[0]
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert got.headers["webhook-id"] == got.headers["idempotency-key"] == note().id
    assert got.headers["x-team"] == "ops"


async def test_our_webhook_has_the_six_properties_of_botpress(receiver: Receiver) -> None:
    await send("webhook", {"url": receiver.url}, note(told(), told(Step.RESOLVED)))
    first, ended = receiver.got[0].json["incidents"]
    botpress = {name: first[name] for name in ("id", "ruleName", "hostName", "startTime", "triggerValue")}
    assert botpress == {
        "id": "5f3c",
        "ruleName": "High CPU",
        "hostName": "web-1",
        "startTime": "2027-01-15T08:00:00.000Z",
        "triggerValue": 91.0,
    }
    assert "endTime" not in first
    assert ended["endTime"] == "2027-01-15T08:10:00.000Z"


@pytest.mark.parametrize(
    ("reply", "retryable", "says"),
    [
        (Reply(400, b"no"), False, "answered 400: no"),
        (Reply(302, b"", {"location": "http://169.254.169.254/latest/meta-data"}), False, "redirect"),
        (Reply(408), True, "408"),
        (Reply(429), True, "429"),
        (Reply(503), True, "503"),
        (Reply(raw=b"\x00\xff not http at all \r\n\r\n"), True, "could not be reached"),
        (Reply(raw=b""), True, "could not be reached"),
    ],
)
async def test_what_a_receiver_answers_decides_whether_it_is_tried_again(
    receiver: Receiver, reply: Reply, retryable: bool, says: str
) -> None:
    receiver.answer = lambda _: reply
    with pytest.raises(Undelivered, match=says) as error:
        await send("webhook", {"url": receiver.url}, note(told()))
    assert error.value.retryable is retryable
    assert len(receiver.got) == 1


async def test_an_answer_without_end_is_cut_and_control_characters_fall(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, b"\x1b[31mred\x00" + b"x" * 10_000_000)
    sent = await send("webhook", {"url": receiver.url}, note(told()))
    assert sent.answer.startswith("200 [31mredxxx")
    assert len(sent.answer) < 510


async def test_a_receiver_that_never_answers_is_given_up_for_now(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botwatch.limits.DELIVERY_S_MAX", 0.2)
    receiver.answer = lambda _: Reply(hang=True)
    with pytest.raises(Undelivered, match=r"no answer in time|could not be reached") as error:
        await send("webhook", {"url": receiver.url}, note(told()))
    assert error.value.retryable


async def test_nobody_listens_and_a_name_nobody_knows_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    known = loop.getaddrinfo

    async def lookup(host: str, *given: Any, **more: Any) -> Any:
        if host == "nobody.invalid":  # the network that tests run in may be slow to say so, or not say it at all
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return await known(host, *given, **more)

    monkeypatch.setattr(loop, "getaddrinfo", lookup)
    for url in ("http://127.0.0.1:1/", "http://nobody.invalid/"):
        with pytest.raises(Undelivered, match="could not be reached") as error:
            await send("webhook", {"url": url}, note(told()))
        assert error.value.retryable
