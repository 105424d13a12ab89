"""Any HTTP receiver: our own JSON, or Alertmanager's version-4 payload, signed.

The signature is that of the Standard Webhooks specification: `webhook-id`, `webhook-timestamp` and
`webhook-signature: v1,BASE64`, an HMAC-SHA256 over `id.timestamp.body`. The id is the delivery's, the same
however often it is sent, and also the `idempotency-key`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import StrEnum
from typing import Any, ClassVar, Final

import orjson
from pydantic import Field, SecretStr, field_validator

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.notify import render, shape
from botwatch.notify.channels import labels
from botwatch.notify.channels.http import post
from botwatch.notify.channels.kind import WITHOUT_ACKNOWLEDGED, Kind, Means, Options, Secret, Sent, Undelivered, cleaned
from botwatch.notify.escape import plain
from botwatch.notify.note import Note, Purpose, Told

SIGNING: Final = "whsec_"
_OWN_HEADERS: Final = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})


class Format(StrEnum):
    BOTWATCH = "botwatch"
    ALERTMANAGER = "alertmanager"


class WebhookOptions(Options):
    url: Secret = Field(description="where to post to; may hold a token, so it is kept as a secret")
    format: Format = Field(default=Format.BOTWATCH, description="our own JSON, or Alertmanager's version 4")
    secret: Secret = Field(default=SecretStr(""), description="signs every request; whsec_BASE64, or any text")
    headers: dict[str, Secret] = Field(default={}, max_length=20, description="sent with every request")

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: SecretStr) -> SecretStr:
        return checked_url(value)

    @field_validator("headers")
    @classmethod
    def _plain_headers(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, text in value.items():
            token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
            if not token or name.lower() in _OWN_HEADERS or not text.get_secret_value().isprintable():
                raise ValueError(f"{name[:40]!r} cannot be set as a header")
        return value


def checked_url(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    scheme, _, rest = text.partition("://")
    if scheme not in ("http", "https") or not rest or rest[0] in "/?#:" or not text.isascii() or " " in text:
        raise ValueError("expected an address such as https://example.com/hook")
    return SecretStr(text)


class Webhook(Kind[WebhookOptions]):
    name = "webhook"
    help = "posts JSON to an address of yours, signed"
    options: ClassVar[type[WebhookOptions]] = WebhookOptions

    async def send(self, options: WebhookOptions, note: Note, means: Means) -> Sent:
        if options.format is Format.ALERTMANAGER and note.purpose is Purpose.INCIDENT:
            note = _without_acknowledged(note)
            if not note.told:
                return Sent("not sent: Alertmanager's format knows no acknowledgement")
        body = orjson.dumps(payload(note) if options.format is Format.BOTWATCH else version_4(note))
        given = {name: text.get_secret_value() for name, text in options.headers.items()}
        headers = {**given, "content-type": "application/json", **signed(options, note, body, means.clock.now_ns())}
        answer = await post(options.url.get_secret_value(), body, headers, options, means)
        return Sent(f"{answer.status} {cleaned(answer.text, options)}".strip())


def signed(options: WebhookOptions, note: Note, body: bytes, now_ns: int) -> dict[str, str]:
    at = str(now_ns // SECOND_NS)
    found = {"webhook-id": note.id, "webhook-timestamp": at, "idempotency-key": note.id}
    secret = options.secret.get_secret_value()
    if secret:
        digest = hmac.digest(_key(secret), f"{note.id}.{at}.".encode() + body, hashlib.sha256)
        found["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return found


def _key(secret: str) -> bytes:
    if secret.startswith(SIGNING):
        try:
            return base64.b64decode(secret.removeprefix(SIGNING), validate=True)
        except binascii.Error:
            raise Undelivered("the secret begins with whsec_ and is not Base64", retryable=False) from None
    return secret.encode()


def payload(note: Note) -> dict[str, Any]:
    return {
        "version": 1,
        "id": note.id,
        "purpose": note.purpose.value,
        "channel": note.channel,
        "created": render.iso(note.created_ns),
        "title": render.title(note),
        "text": render.text(note),
        "incidents": [shape.incident(told) for told in note.told],
        "more": note.more,
    }


def version_4(note: Note) -> dict[str, Any]:
    """As Alertmanager writes it; a test compares the shape with a real one."""
    alerts = [_alert(told, note) for told in note.told] or [_said(note)]
    all_labels = [alert["labels"] for alert in alerts]
    return {
        "receiver": plain(note.channel),
        "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
        "alerts": alerts,
        "groupLabels": {"alertname": all_labels[0]["alertname"]},
        "commonLabels": labels.common(all_labels),
        "commonAnnotations": labels.common([alert["annotations"] for alert in alerts]),
        "externalURL": note.url,
        "version": "4",
        "groupKey": f'{{}}/{{}}:{{thread="{note.thread}"}}',
        "truncatedAlerts": note.more,
    }


def _alert(told: Told, note: Note) -> dict[str, Any]:
    found = labels.of(told)
    return {
        "status": "resolved" if told.over else "firing",
        "labels": found,
        "annotations": labels.notes(told, note),
        "startsAt": render.iso(told.started_ns),
        "endsAt": labels.NEVER if told.resolved_ns is None else render.iso(told.resolved_ns),
        "generatorURL": told.links[0].url if told.links else "",
        "fingerprint": labels.fingerprint(found),
    }


def _said(note: Note) -> dict[str, Any]:
    """A test or trouble, which is about no incident: told and over at once."""
    found = labels.test_labels(note)
    return {
        "status": "firing" if note.purpose is Purpose.TROUBLE else "resolved",
        "labels": found,
        "annotations": {"summary": render.title(note), "description": render.preface(note)},
        "startsAt": render.iso(note.created_ns),
        "endsAt": labels.NEVER if note.purpose is Purpose.TROUBLE else render.iso(note.created_ns),
        "generatorURL": note.url,
        "fingerprint": labels.fingerprint(found),
    }


def _without_acknowledged(note: Note) -> Note:
    kept = tuple(told for told in note.told if (not told.over and set(told.steps) & WITHOUT_ACKNOWLEDGED) or told.over)
    return note.model_copy(update={"told": kept[: limits.TOLD_PER_DELIVERY_MAX]})
