"""Prometheus' Alertmanager: takes our incidents as alerts and does its own grouping and routing.

It forgets what is not said again, so what is firing is sent anew every minute, each time valid for five.
"""

from __future__ import annotations

import base64
from typing import Any, ClassVar, Final

import orjson
from pydantic import Field, SecretStr

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.detect.rule import Severity
from botwatch.incident.steps import Step
from botwatch.notify import render
from botwatch.notify.channels import labels
from botwatch.notify.channels.http import post
from botwatch.notify.channels.kind import WITHOUT_ACKNOWLEDGED, Kind, Means, Options, Secret, Sent, Text, Url, cleaned
from botwatch.notify.note import Note, Purpose, Told

_VALID_NS: Final = 5 * limits.ALERTMANAGER_AGAIN_S * SECOND_NS
_TEST_NS: Final = 30 * SECOND_NS


class AlertmanagerOptions(Options):
    url: Url = Field(description="where it is, such as http://alertmanager:9093")
    username: Text = ""
    password: Secret = SecretStr("")
    token: Secret = Field(default=SecretStr(""), description="a bearer token, in place of a user")


class Alertmanager(Kind[AlertmanagerOptions]):
    name = "alertmanager"
    help = "hands incidents to Prometheus' Alertmanager, again and again while they are open"
    options: ClassVar[type[AlertmanagerOptions]] = AlertmanagerOptions
    steps = WITHOUT_ACKNOWLEDGED
    digests = False
    again_s = limits.ALERTMANAGER_AGAIN_S

    async def send(self, options: AlertmanagerOptions, note: Note, means: Means) -> Sent:
        now_ns = means.clock.now_ns()
        alerts = [alert for told in note.told for alert in _alerts(told, note, now_ns)]
        body = orjson.dumps(alerts if note.purpose is Purpose.INCIDENT else [_said(note, now_ns)])
        headers = {"content-type": "application/json", "idempotency-key": note.id, **_authorisation(options)}
        answer = await post(f"{options.url.rstrip('/')}/api/v2/alerts", body, headers, options, means)
        return Sent(f"{answer.status} {cleaned(answer.text, options)}".strip())


def _alerts(told: Told, note: Note, now_ns: int) -> list[dict[str, Any]]:
    found = [_alert(told, note, told.severity, told.resolved_ns or now_ns + _VALID_NS)]
    if Step.WORSENED in told.steps:  # the severity is a label: the milder alert is another one, and over
        milder = [severity for severity in Severity if severity.rank < told.severity.rank]
        found += [_alert(told, note, severity, max(told.at_ns, told.started_ns + 1)) for severity in milder]
    return found


def _alert(told: Told, note: Note, severity: Severity, ends_ns: int) -> dict[str, Any]:
    return {
        "labels": labels.of(told, severity),
        "annotations": labels.notes(told, note),
        "startsAt": render.iso(told.started_ns),
        "endsAt": render.iso(ends_ns),
        "generatorURL": told.links[0].url if told.links else "",
    }


def _said(note: Note, now_ns: int) -> dict[str, Any]:
    ends_ns = now_ns + (_TEST_NS if note.purpose is Purpose.TEST else _VALID_NS)
    return {
        "labels": {**labels.test_labels(note), "channel": note.channel},
        "annotations": {"summary": render.title(note), "description": render.text(note)},
        "startsAt": render.iso(note.created_ns),
        "endsAt": render.iso(ends_ns),
    }


def _authorisation(options: AlertmanagerOptions) -> dict[str, str]:
    if token := options.token.get_secret_value():
        return {"authorization": f"Bearer {token}"}
    if options.username:
        pair = f"{options.username}:{options.password.get_secret_value()}".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}
