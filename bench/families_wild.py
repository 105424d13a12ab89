"""Payload families as they come in the wild, for the quiet part of the drift bench: nothing changes, and much goes on.

Maps keyed by ids and by names, experiments that are switched on and off, versions that only go up, duty rosters, campaigns,
weekdays, rare outages, optional objects and lists of any length.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid

from families import WORDS, Document, Make, day, text
from habits import DAY_S, block, habit, iso, someone


def state(r: random.Random, at_s: int) -> Document:
    """A snapshot of a bot's memory: maps keyed by chat ids, UUIDs, dates, team members and form blocks."""
    members = [
        "anna",
        "ben",
        "carol",
        "dan",
        "eve",
        "finn",
        "gus",
        "hana",
        "ivan",
        "jo",
        "kim",
        "lea",
        "max",
        "nora",
        "otto",
        "pia",
    ]
    present = [m for n, m in enumerate(members) if block(f"shift {m}", at_s, 8 * 3_600) < 0.4]
    return {
        "version": at_s // 3_600,
        "chats": {
            str(r.randint(10**8, 10**9)): {
                "step": r.choice(["start", "ask_name", "done"]),
                "data": {"name": text(r)} if r.random() < 0.6 else {},
            }
            for _ in range(r.randint(0, 5))
        },
        "jobs": {
            str(uuid.UUID(int=r.getrandbits(128))): {
                "state": r.choice(["waiting", "running"]),
                "tries": r.randint(0, 3),
                **({"error": text(r)} if r.random() < 0.05 else {}),
            }
            for _ in range(r.randint(0, 4))
        },
        "by_day": {iso(at_s - n * DAY_S)[:10]: r.randint(0, 10**4) for n in range(7)},
        "agents": {
            m: {"open": r.randint(0, 9), "since": iso(at_s), **({"note": text(r)} if r.random() < 0.05 else {})}
            for m in present
        },
        "forms": {
            "".join(r.choices("abcdefghijklmnopqrstuvwxyzABCDEF", k=4)): {
                "".join(r.choices("abcdefXYZ", k=5)): {
                    "type": "plain_text_input",
                    "value": text(r) if r.random() < 0.9 else None,
                }
            }
            for _ in range(r.randint(1, 3))
        },
        "counters": {
            "total": at_s - 1_700_000_000,
            "today": at_s % DAY_S,
            "errors": r.choices([0, 1, 2], [95, 4, 1])[0],
        },
    }


def order(r: random.Random, at_s: int) -> Document:
    """A shop: experiments are switched on and off, versions go up, who is on duty changes by the week."""
    when = dt.datetime.fromtimestamp(at_s, dt.UTC)
    version = 40 + at_s // (2 * DAY_S + 7_000) % 1_000
    body: Document = {
        "order_id": f"ORD-{r.randint(10**5, 10**6)}",
        "created_at": when.isoformat(),
        "weekday": when.strftime("%A"),
        "month": when.strftime("%B"),
        "week": f"{when:%G}-W{when:%V}",
        "app": {
            "version": f"3.{version}.{r.choice([0, 0, 0, 1])}" if r.random() < 0.8 else f"3.{version - 1}.0",
            "platform": r.choices(["ios", "android", "web"], [4, 4, 3])[0],
            "build": version * 10,
        },
        "on_duty": ["mira", "theo", "sam", "lou", "ada", "kai"][at_s // (7 * DAY_S) % 6],
        "shift": "night" if when.hour < 6 or when.hour >= 22 else "day",
        "items": [
            {
                "sku": f"SKU{r.randint(1, 9_000)}",
                "qty": r.randint(1, 5),
                "price": round(r.uniform(1, 90), r.choice([0, 2])),
                **(
                    {"discount": {"kind": r.choice(["percent", "amount"]), "value": r.randint(1, 30)}}
                    if r.random() < 0.2
                    else {}
                ),
                **({"gift_note": text(r)} if r.random() < 0.03 else {}),
                "tags": r.sample(WORDS, r.randint(0, 3)),
            }
            for _ in range(min(30, int(r.paretovariate(0.9))))
        ],
        "coupon": f"{when:%B}".upper() + "10" if r.random() < 0.15 else None,
        "address": {
            "street": text(r),
            "country": r.choices(["DE", "US", "BR", "JP"], [3 + 3 * day(at_s), 3 + 3 * day(at_s + 8 * 3_600), 1, 2])[0],
            "state": text(r) if r.random() < 0.4 else "",
            "zip": str(r.randint(10**4, 10**5)),
        },
        "payment": {"method": r.choices(["card", "paypal", "invoice"], [6, 3, 1])[0]},
        "total": r.randint(5, 500) if r.random() < 0.3 else round(r.uniform(5, 500), 2),
        "seq": at_s - 1_700_000_000,
        "note": r.choices(["", text(r)], [9, 1])[0],
    }
    if body["payment"]["method"] == "card":
        body["payment"]["last4"] = f"{r.randint(0, 9999):04d}"
    for number in range(4):
        on = block(f"experiment {number}", at_s, (5 + 4 * number) * 3_600) < 0.45
        if on and r.random() < 0.5:
            body.setdefault("experiments", {})[f"exp_{WORDS[number]}"] = r.choice(["a", "b"])
    if block("banner", at_s, 9 * 3_600) < 0.4:
        body["banner_seen"] = r.random() < 0.5
    return body


def completion(r: random.Random, at_s: int) -> Document:
    """Calls of a language model as they are logged: tools, refusals, models that are replaced."""
    tools = r.random() < 0.3
    who = someone(r, at_s, "llm", 12)
    message: Document = {
        "role": "assistant",
        "content": None if tools and r.random() < 0.8 else text(r),
        "refusal": None if r.random() < 0.995 else text(r),
    }
    if tools:
        message["tool_calls"] = [
            {
                "id": f"call_{r.random()}",
                "type": "function",
                "function": {
                    "name": r.choices(["search", "lookup_order", "refund", "handoff"], [5, 4, 1, 0.3])[0],
                    "arguments": '{"q": 1}',
                },
            }
            for _ in range(r.randint(1, 3))
        ]
    model = "small-2024-07-18" if habit("llm", who, "small", 0.5) else "large-2024-11-20"
    usage: Document = {
        "prompt_tokens": r.randint(20, 9_000),
        "completion_tokens": r.randint(1, 900),
        "total_tokens": r.randint(21, 9_900),
    }
    if habit("llm", who, "cached", 0.5):
        usage["prompt_tokens_details"] = {"cached_tokens": r.choice([0, 0, 1_024, 2_048]), "audio_tokens": 0}
    return {
        "id": f"chatcmpl-{r.random()}",
        "object": "chat.completion",
        "created": at_s,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": r.choices(
                    ["tool_calls" if tools else "stop", "length", "content_filter"], [96, 3.5, 0.1]
                )[0],
                "logprobs": None,
            }
        ],
        "usage": usage,
        "system_fingerprint": f"fp_{at_s // (3 * DAY_S):x}" if r.random() < 0.9 else None,
        **({"service_tier": "default"} if habit("llm", who, "tier", 0.6) else {}),
    }


def delivery(r: random.Random, at_s: int) -> Document:
    """Statuses of messages: campaigns make bursts of one template, a carrier fails for an hour now and then."""
    campaign = block("campaign", at_s, 3_600) < 0.05
    template = f"promo_{at_s // DAY_S}" if campaign and r.random() < 0.8 else r.choice(["receipt", "reminder", "code"])
    outage = block("carrier", at_s, 5_400) < 0.015
    status = r.choices(["sent", "delivered", "read", "failed"], [40, 35, 22, 30 if outage else 1.5])[0]
    value: Document = {
        "id": f"wamid.{r.random()}",
        "status": status,
        "timestamp": str(at_s),
        "recipient_id": str(r.randint(10**10, 10**11)),
        "template": {"name": template, "language": {"code": r.choices(["en", "de", "pt_BR"], [5, 3, 2])[0]}},
    }
    if status == "failed":
        value["errors"] = [
            {
                "code": r.choices([131026, 131047, 130472], [5, 3, 1])[0],
                "title": "x",
                **({"error_data": {"details": text(r)}} if r.random() < 0.6 else {}),
            }
        ]
    else:
        value["conversation"] = {
            "id": f"{r.random()}",
            "origin": {"type": "marketing" if template.startswith("promo") else "utility"},
            **({"expiration_timestamp": str(at_s + DAY_S)} if status == "sent" else {}),
        }
        value["pricing"] = {
            "billable": r.random() < 0.8,
            "pricing_model": "CBP",
            "category": "marketing" if template.startswith("promo") else "utility",
        }
    return {
        "object": "account",
        "entry": [
            {
                "id": "1",
                "time": at_s,
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "metadata": {"phone_number_id": str(10**14 + someone(r, at_s, "wa", 5))},
                            "statuses": [value],
                        },
                    }
                ],
            }
        ],
    }


def desk(r: random.Random, at_s: int) -> Document:
    """Tickets of a help desk: custom fields of every type, tags that grow, a queue for each client."""
    client = someone(r, at_s, "desk", 40)
    custom = [
        {"id": 360_000 + n, "value": value}
        for n, value in enumerate(
            [
                None if r.random() < 0.5 else text(r),
                r.random() < 0.2,
                r.choice([None, 12, 3.5]),
                [r.choice(WORDS)] if r.random() < 0.3 else [],
                f"c{client}",
            ]
        )
    ]
    age = at_s // DAY_S - 19_600
    return {
        "ticket": {
            "id": at_s,
            "subject": text(r),
            "status": r.choices(["new", "open", "pending", "solved", "closed"], [20, 30, 20, 25, 5])[0],
            "priority": r.choices([None, "low", "normal", "high", "urgent"], [30, 10, 40, 15, 2])[0],
            "via": {
                "channel": r.choices(["email", "web", "chat", "api"], [5, 3, 2, 40 if client == 3 else 1])[0],
                "source": {
                    "from": {"address": "a@example.com"} if r.random() < 0.6 else {},
                    "rel": None if r.random() < 0.9 else "follow_up",
                },
            },
            "tags": r.sample([*WORDS, *(f"topic_{n}" for n in range(max(1, age)))], r.randint(0, 4)),
            "custom_fields": custom,
            "satisfaction_rating": {
                "score": r.choices(["unoffered", "offered", "good", "bad"], [60, 20, 15, 5])[0],
                **({"comment": text(r)} if r.random() < 0.05 else {}),
            },
            "due_at": None if r.random() < 0.95 else iso(at_s),
            "group": f"group{client % 7}",
            "brand": f"brand{client % 3}",
            "assignee": {"name": r.choice(WORDS), "role": r.choice(["agent", "admin"])}
            if day(at_s) > 0.3 and r.random() < 0.8
            else None,
            "sla": {
                "breached": block("desk storm", at_s, 7_200) < 0.04 and r.random() < 0.6,
                "policy": ["gold", "silver"][client % 2],
            }
            if habit("desk", client, "sla", 0.7)
            else None,
            "attachments": [{"name": "a", "size": 1}] * r.choices([0, 1, 3], [80, 15, 5])[0],
        },
        "current_user": r.choice(WORDS),
        "webhook": {
            "attempt": 1 if r.random() < 0.98 else r.randint(2, 5),
            "host": f"node-{int(block('deploy', at_s, 30 * 3_600) * 10**6):06d}",
        },
    }


WILD: dict[str, Make] = {
    "state": state,
    "order": order,
    "completion": completion,
    "delivery": delivery,
    "desk": desk,
}
