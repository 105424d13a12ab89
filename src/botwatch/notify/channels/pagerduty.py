"""PagerDuty's Events API v2: one incident is one dedup key from trigger to resolve."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import orjson
from pydantic import Field, SecretStr, field_validator

from botwatch import limits
from botwatch.detect.rule import Severity
from botwatch.incident.steps import Status, Step
from botwatch.notify import render, shape
from botwatch.notify.channels.http import post
from botwatch.notify.channels.kind import Kind, Means, Options, Secret, Sent, Url, cleaned
from botwatch.notify.escape import cut, link, plain
from botwatch.notify.note import ESCALATED, Note, Purpose, Told

_KEY_CHARS: Final = 32
_OPENING: Final = frozenset({Step.OPENED, Step.WORSENED, ESCALATED})


class PagerDutyOptions(Options):
    routing_key: Secret = Field(description="the integration key of a service: 32 characters")
    url: Url = Field(default="https://events.pagerduty.com/v2/enqueue", description="another region, or a relay")

    @field_validator("routing_key")
    @classmethod
    def _a_key(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) != _KEY_CHARS or not value.get_secret_value().isalnum():
            raise ValueError(f"expected the {_KEY_CHARS} letters and digits of an Events API v2 integration")
        return value


class PagerDuty(Kind[PagerDutyOptions]):
    name = "pagerduty"
    help = "triggers, acknowledges and resolves through PagerDuty's Events API v2"
    options: ClassVar[type[PagerDutyOptions]] = PagerDutyOptions
    digests = False

    def groups(self, options: PagerDutyOptions) -> bool:
        return False

    async def send(self, options: PagerDutyOptions, note: Note, means: Means) -> Sent:
        answers = []
        for event in events(note):
            body = orjson.dumps({"routing_key": options.routing_key.get_secret_value(), **event})
            headers = {"content-type": "application/json"}
            answer = await post(options.url, body, headers, options, means)
            answers.append(f"{event['event_action']}: {answer.status} {cleaned(answer.text, options)}")
        return Sent(cut("; ".join(answers), limits.DELIVERY_ANSWER_CHARS_MAX))


def events(note: Note) -> list[dict[str, Any]]:
    """In the order they are sent. What opened and ended while PagerDuty was away is there, and over at once."""
    if note.purpose is not Purpose.INCIDENT:
        key = f"botwatch-{note.purpose.value}-{note.id if note.purpose is Purpose.TEST else '-'.join(note.tried)}"[:255]
        trigger = _event(key, "trigger", payload=_said(note), client="Botwatch")
        return [trigger, _event(key, "resolve")] if note.purpose is Purpose.TEST else [trigger]
    return [event for told in note.told for event in _of_one(told, note)]


def _of_one(told: Told, note: Note) -> list[dict[str, Any]]:
    key = f"botwatch-{told.incident}"
    found = []
    if set(told.steps) & _OPENING:
        links = [{"href": each.url, "text": cut(plain(each.name), 100)} for each in told.links if link(each.url)]
        more = {"client_url": links[0]["href"]} if links else {}
        found.append(_event(key, "trigger", payload=_payload(told, note), links=links, client="Botwatch", **more))
    if told.status is Status.ACKNOWLEDGED:
        found.append(_event(key, "acknowledge"))
    if told.over:
        found.append(_event(key, "resolve"))
    return found


def _event(key: str, action: str, **more: Any) -> dict[str, Any]:
    return {"event_action": action, "dedup_key": key, **more}


def _payload(told: Told, note: Note) -> dict[str, Any]:
    found = {
        "summary": cut(render.headline(told), limits.PAGERDUTY_SUMMARY_CHARS_MAX),
        "source": plain(told.labels.get("host") or told.subject, 255),
        "severity": Severity.INFO.value if told.over else told.severity.value,
        "timestamp": render.iso(told.started_ns),
        "component": plain(told.labels.get("bot", ""), 255),
        "group": plain(told.rule, 255),
        "class": plain(told.reason, 255),
        "custom_details": {**dict(render.facts(told, note.zone)), "incident": shape.incident(told)},
    }
    if len(orjson.dumps(found)) > limits.PAGERDUTY_BYTES_MAX // 2:
        found["custom_details"] = dict(render.facts(told, note.zone))
    return found


def _said(note: Note) -> dict[str, Any]:
    return {
        "summary": cut(render.title(note), limits.PAGERDUTY_SUMMARY_CHARS_MAX),
        "source": "botwatch",
        "severity": Severity.INFO.value if note.purpose is Purpose.TEST else Severity.WARNING.value,
        "timestamp": render.iso(note.created_ns),
        "custom_details": {"text": render.text(note)},
    }
