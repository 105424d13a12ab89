"""Payload families of services that many bots hear from: a mail service, sensors, payments, records of customers.

Drift was changed after a look at what it made of them.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid

from families import WORDS, Document, Make, day, text
from habits import DAY_S, block, habit, iso, someone


def mail(r: random.Random, at_s: int) -> Document:
    """Events of a mail service: newsletters go out in bursts, opens follow for hours, bounces come by the domain."""
    sending = block("newsletter", at_s, 3 * 3_600) < 0.12
    kind = r.choices(
        ["delivered", "open", "click", "bounce", "spamreport", "unsubscribe"],
        [60 if sending else 20, 40, 8, 6 if block("blocklist", at_s, 7_200) < 0.03 else 1, 0.1, 0.3],
    )[0]
    body: Document = {
        "event": kind,
        "email": f"{r.choice(WORDS)}{r.randint(1, 10**5)}@example.com",
        "timestamp": at_s,
        "sg_message_id": f"{uuid.UUID(int=r.getrandbits(128))}.recv-{r.randint(0, 9)}",
        "category": [f"newsletter-{at_s // (7 * DAY_S)}"] if sending else r.sample(["receipt", "welcome", "digest"], 1),
        "ip": f"10.0.{r.randint(0, 255)}.{r.randint(0, 255)}",
    }
    if kind in ("open", "click"):
        body["useragent"] = text(r)
        body["machine_open"] = r.random() < (0.6 if day(at_s) < 0.3 else 0.3)
    if kind == "click":
        body["url"] = f"https://example.com/{r.choice(WORDS)}"
        if sending:
            body["url_offset"] = {"index": r.randint(0, 9), "type": "html"}
    if kind == "bounce":
        body |= {
            "reason": text(r),
            "status": r.choice(["5.1.1", "5.7.1", "4.2.2"]),
            "type": r.choice(["bounce", "blocked"]),
        }
    if sending and r.random() < 0.9:
        body["marketing_campaign_id"] = str(at_s // (3 * 3_600))
        body["marketing_campaign_split_id"] = r.choice(["a", "b"]) if block("split", at_s, 3 * 3_600) < 0.5 else None
    return body


def device(r: random.Random, at_s: int) -> Document:
    """Sensors: each with its firmware and its own set of readings; firmware is rolled out device by device over weeks."""
    unit = someone(r, at_s, "device", 60)
    updated_s = int(block(f"update {unit}", 0, 1) * 40 * DAY_S)
    firmware = "4.2.0" if at_s - 1_700_000_000 > updated_s else "4.1.7"
    sleeping = not habit("device", unit, "mains", 0.6) and day(at_s) < 0.2
    readings: Document = {"temperature": round(r.gauss(20, 3), 1)}
    for name, share in (("humidity", 0.7), ("pressure", 0.4), ("co2", 0.3), ("lux", 0.5)):
        if habit("device", unit, name, share):
            readings[name] = None if r.random() < 0.01 else round(r.uniform(0, 900), 1)
    if firmware == "4.2.0":
        readings["voc"] = r.randint(0, 500)
    state: Document = {
        "battery": r.randint(5, 100),
        "rssi": -r.randint(40, 95),
        "mode": "sleep" if sleeping else "active",
    }
    if block(f"offline {unit % 6}", at_s, 4 * 3_600) < 0.03:
        state["buffered"] = r.randint(1, 40)
    return {
        "device": f"dev-{unit:04d}",
        "seq": at_s % 65_536,
        "firmware": firmware,
        "site": f"site{unit % 6}",
        "ts": iso(at_s),
        "readings": readings,
        "state": state,
        **({"alarm": {"code": r.choice(["T_HIGH", "BATT_LOW"]), "since": iso(at_s)}} if r.random() < 0.01 else {}),
    }


def payment(r: random.Random, at_s: int) -> Document:
    """A payment provider: accounts pinned to versions of its API move one by one, retries come in storms."""
    merchant = someone(r, at_s, "merchant", 25)
    moved_s = int(block(f"moved {merchant}", 0, 1) * 60 * DAY_S)
    version = "2023-10-16" if at_s - 1_700_000_000 > moved_s else "2022-11-15"
    kind = r.choices(
        ["charge.succeeded", "charge.failed", "payout.paid", "customer.updated", "invoice.paid"],
        [60, 25 if block("acquirer", at_s, 1_800) < 0.02 else 4, 40 if at_s % DAY_S < 3_600 else 0.5, 15, 12],
    )[0]
    thing: Document = {"id": f"obj_{r.getrandbits(60):x}", "livemode": True, "created": at_s, "metadata": {}}
    if habit("payment", merchant, "metadata", 0.5):
        thing["metadata"] = {
            f"key_{merchant}": text(r),
            **({"order": str(r.randint(1, 10**6))} if r.random() < 0.8 else {}),
        }
    if kind.startswith("charge"):
        thing |= {
            "amount": r.randint(100, 10**5),
            "currency": r.choices(["eur", "usd", "gbp"], [5, 3 + 3 * day(at_s + 8 * 3_600), 1])[0],
            "outcome": {
                "network_status": "approved_by_network",
                "risk_level": r.choices(["normal", "elevated"], [97, 3])[0],
            },
            "payment_method_details": {"type": r.choices(["card", "sepa_debit", "link"], [8, 2, 1])[0]},
        }
        if version == "2022-11-15":
            thing["refunds"] = {"data": [], "has_more": False}
        if kind == "charge.failed":
            thing |= {"failure_code": r.choice(["card_declined", "expired_card"]), "failure_message": text(r)}
    elif kind == "invoice.paid":
        thing |= {
            "total": r.randint(100, 10**5),
            "period_end": at_s,
            "discount": None if r.random() < 0.9 else {"coupon": text(r)},
        }
    return {
        "id": f"evt_{r.getrandbits(60):x}",
        "object": "event",
        "api_version": version,
        "type": kind,
        "account": f"acct_{merchant}",
        "pending_webhooks": r.choices([0, 1, 2], [3, 90, 7])[0],
        "request": {"id": f"req_{r.getrandbits(40):x}", "idempotency_key": None} if r.random() < 0.7 else {"id": None},
        "data": {
            "object": thing,
            **({"previous_attributes": {"email": text(r)}} if kind == "customer.updated" else {}),
        },
    }


def record(r: random.Random, at_s: int) -> Document:
    """A CRM: forty custom fields, each used by some teams; an import every week, when everything looks another way."""
    importing = at_s % (7 * DAY_S) < 5 * 3_600 and r.random() < 0.8
    team = 7 if importing else someone(r, at_s, "team", 8)
    fields = {
        f"cf_{WORDS[n % len(WORDS)]}_{n}": r.choice([text(r), "", None, r.randint(1, 9)])
        for n in range(40)
        if habit("crm", team, f"field {n}", 0.25) and r.random() < 0.6
    }
    quarter_ends = dt.datetime.fromtimestamp(at_s, dt.UTC).day > 25
    return {
        "recordId": str(uuid.UUID(int=r.getrandbits(128))),
        "objectType": r.choices(["contact", "deal", "company"], [6, 3 + 2 * quarter_ends, 1])[0],
        "changeSource": "IMPORT"
        if importing
        else r.choices(["CRM_UI", "API", "FORMS"], [6 * day(at_s) + 0.2, 3, 1])[0],
        "owner": None if importing else {"id": team, "team": f"team{team}", "active": r.random() < 0.97},
        "properties": fields,
        "lifecycle": r.choices(["lead", "customer", "former"], [5, 4, 0.05])[0],
        "associations": [
            {"to": r.randint(1, 10**6), "type": r.choice(["deal", "ticket"])} for _ in range(r.choice([0, 0, 1, 3]))
        ],
        "archived": r.random() < (0.3 if block("cleanup", at_s, DAY_S) < 0.05 else 0.005),
    }


SERVICES: dict[str, Make] = {"mail": mail, "device": device, "payment": payment, "record": record}
