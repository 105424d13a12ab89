"""Payload families for the drift bench: documents in the shapes that chat platforms and ticket systems send.

Each family is a function of a random generator and the time; the mix of kinds and values follows the hour of
the day, as real traffic does. `mutations` lists, for a family, places where a change can be put.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Make = Callable[[random.Random, int], Document]

WORDS = [
    "order",
    "invoice",
    "refund",
    "hello",
    "thanks",
    "where",
    "is",
    "my",
    "parcel",
    "late",
    "broken",
    "cancel",
    "change",
    "address",
    "card",
    "payment",
    "help",
]


def text(r: random.Random) -> str:
    return " ".join(r.choices(WORDS, k=r.randint(1, 14)))


def day(at_s: int) -> float:
    """0 at night, 1 at noon."""
    return 0.5 - 0.5 * math.cos(2 * math.pi * (at_s % 86_400) / 86_400)


def telegram(r: random.Random, at_s: int) -> Document:
    sender = {"id": r.randint(10**8, 10**9), "is_bot": False, "first_name": r.choice(WORDS)}
    if r.random() < 0.7:
        sender["username"] = f"{r.choice(WORDS)}{r.randint(1, 999)}"
    if r.random() < 0.9:
        sender["language_code"] = r.choices(["en", "de", "pt", "es"], [5, 2, 2, 1])[0]
    chat = {"id": sender["id"], "type": r.choices(["private", "group", "supergroup"], [8, 1, 1])[0]}
    if chat["type"] != "private":
        chat["title"] = text(r)
    update: Document = {"update_id": r.randint(10**8, 10**9)}
    roll = r.random()
    message: Document = {"message_id": r.randint(1, 10**6), "from": sender, "chat": chat, "date": at_s}
    if roll < 0.85:
        kind = r.random()
        if kind < 0.8:
            message["text"] = text(r)
            if r.random() < 0.15:
                message["entities"] = [{"offset": 0, "length": 6, "type": r.choice(["bot_command", "url", "mention"])}]
        elif kind < 0.92:
            message["photo"] = [
                {"file_id": f"AgAC{r.random()}", "file_unique_id": f"{r.random()}", "width": 90 * i, "height": 67 * i}
                for i in range(1, r.randint(2, 5))
            ]
        else:
            message["location"] = {"latitude": r.uniform(-90, 90), "longitude": r.uniform(-180, 180)}
        if r.random() < 0.1:
            message["reply_to_message"] = {"message_id": r.randint(1, 10**6), "date": at_s - 60, "text": text(r)}
        update["message"] = message
    elif roll < 0.95:
        update["callback_query"] = {
            "id": str(r.randint(10**17, 10**18)),
            "from": sender,
            "message": message,
            "chat_instance": str(r.randint(10**17, 10**18)),
            "data": r.choice(["yes", "no", "more", "menu"]),
        }
    else:
        update["edited_message"] = message | {"edit_date": at_s + 5, "text": text(r)}
    return update


def slack(r: random.Random, at_s: int) -> Document:
    event: Document = {"ts": f"{at_s}.{r.randint(0, 999_999):06d}", "event_ts": f"{at_s}.{r.randint(0, 999_999):06d}"}
    kind = r.choices(["message", "app_mention", "reaction_added", "member_joined_channel"], [80, 10, 9, 1])[0]
    event["type"] = kind
    event["user"] = f"U{r.randint(10**8, 10**9)}"
    if kind in ("message", "app_mention"):
        event |= {
            "text": text(r),
            "channel": f"C{r.randint(10**8, 10**8 + 40)}",
            "channel_type": r.choices(["channel", "im"], [3, 2 + 2 * day(at_s)])[0],
        }
        event["blocks"] = [
            {"type": "rich_text", "block_id": f"{r.random()}", "elements": [{"type": "text", "text": text(r)}]}
        ]
        if kind == "message" and r.random() < 0.2:
            event["subtype"] = r.choices(["bot_message", "file_share", "message_changed"], [5, 4, 1])[0]
            if event["subtype"] == "bot_message":
                event |= {"bot_id": f"B{r.randint(10**8, 10**9)}", "username": r.choice(WORDS)}
                del event["user"]
            elif event["subtype"] == "file_share":
                event["files"] = [
                    {"id": f"F{r.randint(10**8, 10**9)}", "mimetype": "image/png", "size": r.randint(100, 10**6)}
                ]
            else:
                event["previous_message"] = {"text": text(r), "user": event.pop("user")}
        if r.random() < 0.25:
            event["thread_ts"] = event["ts"]
    elif kind == "reaction_added":
        event |= {
            "reaction": r.choice(["thumbsup", "eyes", "heart"]),
            "item": {"type": "message", "channel": "C1", "ts": event["ts"]},
        }
    else:
        event |= {"channel": "C2", "team": "T1"}
    return {
        "token": "t",
        "team_id": f"T{r.randint(10**8, 10**8 + 5)}",
        "api_app_id": "A0",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{r.random()}",
        "event_time": at_s,
        "authorizations": [{"team_id": "T1", "user_id": "U1", "is_bot": True}],
    }


def discord(r: random.Random, at_s: int) -> Document:
    kind = r.choices([2, 3, 5], [70, 25, 5])[0]
    body: Document = {
        "id": str(r.randint(10**17, 10**18)),
        "application_id": str(10**17),
        "type": kind,
        "token": f"{r.random()}",
        "version": 1,
        "locale": r.choices(["en-US", "fr", "pt-BR"], [6, 2, 2])[0],
        "guild_id": str(r.randint(10**17, 10**17 + 9)),
        "channel_id": str(r.randint(10**17, 10**17 + 99)),
        "member": {
            "user": {
                "id": str(r.randint(10**17, 10**18)),
                "username": r.choice(WORDS),
                "avatar": f"{r.random()}" if r.random() < 0.8 else None,
            },
            "roles": [str(r.randint(10**17, 10**17 + 9)) for _ in range(r.randint(0, 4))],
            "nick": r.choice(WORDS) if r.random() < 0.4 else None,
            "joined_at": "2023-02-01T10:00:00+00:00",
        },
    }
    if kind == 2:
        body["data"] = {
            "id": "1",
            "name": r.choices(["ticket", "status", "help"], [5, 3, 2])[0],
            "type": 1,
            "options": [{"name": "topic", "type": 3, "value": r.choice(WORDS)}],
        }
    elif kind == 3:
        body["data"] = {"custom_id": r.choice(["close", "escalate"]), "component_type": 2}
        body["message"] = {"id": "9", "content": text(r), "type": 0}
    else:
        body["data"] = {
            "custom_id": "form",
            "components": [{"type": 1, "components": [{"custom_id": "a", "value": text(r)}]}],
        }
    return body


def whatsapp(r: random.Random, at_s: int) -> Document:
    value: Document = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "123"},
    }
    if r.random() < 0.6:
        kind = r.choices(["text", "image", "interactive", "button"], [75, 12, 9, 4])[0]
        message: Document = {
            "from": str(r.randint(10**10, 10**11)),
            "id": f"wamid.{r.random()}",
            "timestamp": str(at_s),
            "type": kind,
        }
        if kind == "text":
            message["text"] = {"body": text(r)}
        elif kind == "image":
            message["image"] = {
                "id": str(r.randint(10**12, 10**13)),
                "mime_type": "image/jpeg",
                "sha256": f"{r.random()}",
            }
            if r.random() < 0.3:
                message["image"]["caption"] = text(r)
        elif kind == "interactive":
            message["interactive"] = {"type": "list_reply", "list_reply": {"id": "1", "title": r.choice(WORDS)}}
        else:
            message["button"] = {"text": r.choice(WORDS), "payload": "p"}
        value["contacts"] = [{"profile": {"name": r.choice(WORDS)}, "wa_id": message["from"]}]
        value["messages"] = [message]
    else:
        status: Document = {
            "id": f"wamid.{r.random()}",
            "status": r.choices(["sent", "delivered", "read", "failed"], [35, 35, 28, 2])[0],
            "timestamp": str(at_s),
            "recipient_id": str(r.randint(10**10, 10**11)),
        }
        if status["status"] == "failed":
            status["errors"] = [{"code": 131_026, "title": "Message undeliverable"}]
        else:
            status["conversation"] = {"id": f"{r.random()}", "origin": {"type": r.choice(["service", "utility"])}}
            status["pricing"] = {"billable": r.random() < 0.5, "category": "service"}
        value["statuses"] = [status]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"value": value, "field": "messages"}]}],
    }


def botpress(r: random.Random, at_s: int) -> Document:
    kind = r.choices(["text", "quick_reply", "session_reset", "typing"], [70, 15, 2, 13])[0]
    event: Document = {
        "type": kind,
        "channel": r.choices(["web", "messenger"], [3, 1])[0],
        "direction": "incoming",
        "target": f"{r.random()}",
        "threadId": str(r.randint(1, 10**5)),
        "botId": "support",
        "id": f"{r.random()}",
        "createdOn": f"2024-01-05T10:{at_s // 60 % 60:02d}:00Z",
        "flags": {},
        "state": {
            "__stacktrace": [],
            "user": {"timezone": r.randint(-8, 8), "language": "en"},
            "context": {"currentFlow": r.choice(["main", "order"])},
        },
    }
    if kind in ("text", "quick_reply"):
        event["payload"] = {"type": kind, "text": text(r)}
        if kind == "quick_reply":
            event["payload"]["payload"] = r.choice(WORDS)
        event["nlu"] = {
            "language": "en",
            "ambiguous": r.random() < 0.05,
            "intent": {"name": r.choices(["order", "refund", "none"], [5, 2, 3])[0], "confidence": r.random()},
            "entities": []
            if r.random() < 0.7
            else [{"name": "any", "type": "system.number", "meta": {"confidence": r.random()}}],
            "slots": {},
        }
    return event


def ticket(r: random.Random, at_s: int) -> Document:
    body: Document = {
        "id": f"msg{r.randint(1, 10**9)}",
        "sender": f"{r.choice(WORDS)}@example.com",
        "text": text(r),
        "category": r.choices(
            ["greeting", "billing", "delivery", "technical", "other"], [20, 8, 30 + 20 * day(at_s), 25, 12]
        )[0],
        "priority": r.choices(["low", "normal", "high"], [3, 6, 1])[0],
        "channel": r.choice(["web", "email"]),
        "customer": {"id": r.randint(1, 10**6), "tier": r.choices(["free", "pro"], [3, 1])[0], "since": "2021-04-01"},
    }
    if r.random() < 0.1:
        body["attachments"] = [{"name": "a.png", "size": r.randint(1, 10**6)}]
    if r.random() < 0.3:
        body["order_id"] = f"ORD-{r.randint(10_000, 99_999)}"
    return body


FAMILIES: dict[str, Make] = {
    "telegram": telegram,
    "slack": slack,
    "discord": discord,
    "whatsapp": whatsapp,
    "botpress": botpress,
    "ticket": ticket,
}


KINDS = ("appeared", "vanished", "rarer", "null", "empty", "type", "nested", "value_collapsed", "value_new")


@dataclass(frozen=True)
class Mutation:
    """One change of a family: of which kind, at which path (`a.b[].c`), and of which value."""

    kind: str
    path: str
    value: str = ""

    def apply(self, r: random.Random, document: Document) -> Document | None:
        """The document as it would come after the change; None: it would not come at all."""
        *above, last = re.findall(r"\[\]|[^.\[\]]+", self.path)
        places: list[Any] = [document]
        for step in above:
            places = [child for place in places for child in _inside(place, step)]
        for place in places:
            if isinstance(place, dict) and (last in place or self.kind == "appeared"):
                if self.kind == "value_collapsed" and str(place[last]) == self.value:
                    return None
                self._change(r, place, last)
        return document

    def _change(self, r: random.Random, place: Document, key: str) -> None:
        old = place.get(key)
        if self.kind == "appeared":
            place[key] = r.choice(WORDS)
        elif self.kind == "vanished" or (self.kind == "rarer" and r.random() < 0.6):
            del place[key]
        elif self.kind == "null" and r.random() < 0.3:
            place[key] = None
        elif self.kind == "empty" and r.random() < 0.3 and isinstance(old, str | list | dict):
            place[key] = type(old)()
        elif self.kind == "type":
            place[key] = str(old) if isinstance(old, int | float) else 7
        elif self.kind == "nested":
            place[key] = {"value": old}
        elif self.kind == "value_new" and r.random() < 0.15:
            place[key] = "unheard-of"


def _inside(place: Any, step: str) -> list[Any]:
    if step == "[]":
        return place if isinstance(place, list) else []
    return [place[step]] if isinstance(place, dict) and step in place else []
