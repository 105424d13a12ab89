"""SMS through Twilio's API, or whatever speaks it: one message of at most 160 characters."""

from __future__ import annotations

import base64
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlencode

import orjson
from pydantic import Field, StringConstraints

from botwatch.notify import render
from botwatch.notify.channels.http import post
from botwatch.notify.channels.kind import WITHOUT_ACKNOWLEDGED, Kind, Means, Options, Secret, Sent, Url, cleaned
from botwatch.notify.note import Note

Number = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+[1-9][0-9]{6,14}$")]
Sender = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
_ID: Final = r"^AC[0-9a-fA-F]{32}$"


class SmsOptions(Options):
    account_sid: Annotated[str, StringConstraints(pattern=_ID)] = Field(description="AC and 32 digits")
    auth_token: Secret
    sender: Sender = Field(description="a number such as +41790000000, or MG… for a messaging service")
    to: Number = Field(description="one number such as +41790000001; for several people make several channels")
    base_url: Url = Field(default="https://api.twilio.com", description="another region, or a service of the same API")


class Sms(Kind[SmsOptions]):
    name = "sms"
    help = "one SMS through Twilio's API"
    options: ClassVar[type[SmsOptions]] = SmsOptions
    steps = WITHOUT_ACKNOWLEDGED
    digests = False

    async def send(self, options: SmsOptions, note: Note, means: Means) -> Sent:
        sender = "MessagingServiceSid" if options.sender.startswith("MG") else "From"
        body = urlencode({"To": options.to, sender: options.sender, "Body": render.short(note)}).encode()
        pair = f"{options.account_sid}:{options.auth_token.get_secret_value()}".encode()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "authorization": f"Basic {base64.b64encode(pair).decode()}",
        }
        url = f"{options.base_url.rstrip('/')}/2010-04-01/Accounts/{options.account_sid}/Messages.json"
        answer = await post(url, body, headers, options, means)
        known = _json(answer.body)
        sid = known.get("sid") if isinstance(known.get("sid"), str) else ""
        said = f"{known.get('status')} {sid}" if sid else answer.text
        return Sent(f"{answer.status} {cleaned(said, options)}".strip(), {"sid": sid[:64]} if sid else {})


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
