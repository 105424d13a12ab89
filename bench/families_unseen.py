"""Payload families that were written without a look at how drift is found, to see what it makes of what nobody thought of.

What they give is told as it is found. Whoever changes drift because of them moves them to the others and writes new ones.
(Of `booking` and `parcel` it was seen that customers were taken for kinds, and of `repository` that one sender was taken for
a change, which was mended.)
"""

from __future__ import annotations

import random
from typing import Any

from families import WORDS, Document, Make, day, text
from habits import DAY_S, START_S, block, habit, iso, someone


def weekday(at_s: int) -> int:
    return (at_s // DAY_S + 3) % 7  # 0 on Monday


def hour(at_s: int) -> int:
    return at_s % DAY_S // 3_600


def office(at_s: int) -> float:
    """How much goes on where people work: most on weekdays by day, little at night and on weekends."""
    return 0.08 + 0.1 * day(at_s) if weekday(at_s) > 4 else 0.05 + 1.2 * day(at_s) ** 2


def moved(name: str, unit: int, at_s: int) -> bool:
    """Whether a roll-out that takes ten weeks, three of them gone at the start, has come to this one."""
    return START_S + (block(f"{name} {unit}", 0, 1) * 70 - 21) * DAY_S < at_s


def hexes(r: random.Random, many: int = 16) -> str:
    return f"{r.getrandbits(4 * many):0{many}x}"


def account(r: random.Random, robot: bool = False) -> Document:
    who = int(r.paretovariate(0.7)) % 400
    login = ("renovate[bot]", "dependabot[bot]")[who % 2] if robot else f"{WORDS[who % 17]}-{who}"
    return {"login": login, "id": 5_000 + 37 * who, "type": "Bot" if robot else "User", "site_admin": False}


def pull_request(r: random.Random, at_s: int, robot: bool, project: int) -> Document:
    kinds = ["opened", "synchronize", "closed", "labeled", "review_requested", "converted_to_draft"]
    action = r.choices(kinds, [30 if robot else 12, 30, 14, 20 if robot else 6, 8, 0.3])[0]
    number, closed, merged = r.randint(1, 4_000), action == "closed", action == "closed" and r.random() < 0.8
    labels: list[Document] = [{"id": 7, "name": "dependencies", "default": False, "description": None}] * robot
    if action == "labeled" or r.random() < 0.3:
        name = r.choice(["bug", "docs", "size/S", "size/L", f"team-{project % 5}"])
        labels = [*labels, {"id": 9, "name": name, "default": name == "bug", "description": text(r)}]
    fork = not robot and habit("project", project, "open source", 0.4) and r.random() < 0.35
    home = None if closed and r.random() < 0.05 else {"id": r.getrandbits(28), "fork": fork}
    pull: Document = {"number": number, "state": "closed" if closed else "open", "milestone": None, "labels": labels}
    pull |= {"title": text(r), "body": None if r.random() < 0.12 else text(r), "user": account(r, robot)}
    pull |= {"draft": action == "converted_to_draft" or r.random() < 0.04, "base": {"ref": "main", "sha": hexes(r, 40)}}
    pull |= {"merged": merged, "merged_at": iso(at_s) if merged else None, "closed_at": iso(at_s) if closed else None}
    pull |= {"requested_reviewers": [account(r)] * (r.random() < 0.4), "auto_merge": {"by": "bot"} if robot else None}
    pull |= {"head": {"ref": f"fix-{number}", "sha": hexes(r, 40), "repo": home}, "mergeable": r.choice([None, True])}
    more: Document = {"synchronize": {"before": hexes(r, 40)}, "review_requested": {"requested_reviewer": account(r)}}
    more["labeled"] = {"label": labels[-1] if labels else None}
    return {"action": action, "number": number, "pull_request": pull, **more.get(action, {})}


def check(r: random.Random, kind: str, at_s: int, project: int) -> Document:
    done, red = r.random() < 0.5, 30 if block(f"red {project}", at_s, 5_400) < 0.05 else 8
    ends = ["success", "failure", "skipped", "cancelled", "action_required", "timed_out"]
    end = r.choices(ends, [80, red, 9, 4, 0.4, 0.3])[0] if done else None
    run: Document = {"id": r.getrandbits(34), "head_sha": hexes(r, 40), "conclusion": end, "started_at": iso(at_s - 90)}
    run["status"] = "completed" if done else r.choice(["queued", "in_progress"])
    run["pull_requests"] = [{"id": r.getrandbits(31), "base": {"ref": "main"}}] * (r.random() < 0.5)
    if kind == "workflow_run":
        cause = "schedule" if r.random() < (0.4 if hour(at_s) == 3 else 0.02) else r.choice(["push", "pull_request"])
        run |= {"name": r.choice(["CI", "Lint"]), "run_attempt": 1 if r.random() < 0.96 else 2, "event": cause}
        run |= {"head_branch": None if r.random() < 0.003 else "main", "actor": account(r)}
        return {"action": "completed" if done else "requested", kind: run, "workflow": {"id": project}}
    notes = r.randint(1, 30) if end == "failure" and r.random() < 0.6 else 0
    told = {"title": text(r) if done else None, "summary": text(r) if notes else None, "annotations_count": notes}
    run |= {"name": r.choice(["test", "types"]), "output": told, "app": {"id": 15 + (project % 4 == 1)}}
    return {"action": "completed" if done else "created", kind: run | {"completed_at": iso(at_s) if done else None}}


def repository(r: random.Random, at_s: int) -> Document:
    """A code host: builds on weekdays, robots that open pull requests in bursts, forks that are gone."""
    project, work = someone(r, at_s, "project", 30), office(at_s)
    robots = block("robots", at_s, 1_800) < 0.06 or (weekday(at_s) == 0 and hour(at_s) in (4, 5))
    robot, body = r.random() < (0.7 if robots else 0.08), Document(action="started")
    kinds = ["push", "pull_request", "issues", "workflow_run", "check_run", "watch"]
    shares = [14 * work + 0.5, 25 if robots else 10 * work + 1, 4 * work + 1, 16 * work + 1, 30 * work + 2, 0.3]
    kind = r.choices(kinds, shares)[0]
    if kind == "push":
        created, many = r.random() < 0.1, 0 if r.random() < 0.04 else min(20, int(r.paretovariate(1.2)))
        by = {"name": r.choice(WORDS), "email": "a@example.com", **({} if r.random() < 0.1 else {"username": "a"})}
        commit = {"id": hexes(r, 40), "message": text(r), "timestamp": iso(at_s), "author": by.copy(), "added": []}
        body = {"ref": f"refs/heads/{r.choice(['main', 'fix'])}" if r.random() < 0.99 else "refs/tags/v1"}
        body |= {"before": "0" * 40 if created else hexes(r, 40), "created": created, "deleted": not many, "pusher": by}
        body |= {"forced": r.random() < 0.05, "commits": [commit] * many, "head_commit": commit if many else None}
    elif kind == "pull_request":
        body = pull_request(r, at_s, robot, project)
    elif kind in ("workflow_run", "check_run"):
        body = check(r, kind, at_s, project)
    elif kind == "issues":
        action = r.choices(["opened", "closed", "labeled", "transferred"], [40, 30, 20, 0.3])[0]
        issue: Document = {"number": r.randint(1, 4_000), "title": text(r), "body": text(r), "user": account(r)}
        issue["state_reason"] = "completed" if action == "closed" else None
        body = {"action": action, "issue": issue, **({"label": {"name": "bug"}} if action == "labeled" else {})}
    free = habit("project", project, "open source", 0.4)
    place: Document = {"id": 10**6 + project, "full_name": f"acme/p{project}", "private": not free, "fork": False}
    place |= {"license": {"key": "mit"} if free else None, "language": None if project % 11 == 7 else "Python"}
    place |= {"pushed_at": at_s if kind == "push" else iso(at_s), "open_issues_count": 20 + (at_s - START_S) // 90_000}
    body |= {"installation": {"id": 900 + project}} if habit("project", project, "app", 0.6) else {}
    return body | {"repository": place, "organization": {"login": "acme"}, "sender": account(r, robot)}


def line(r: random.Random, cut: bool, gift: bool, taxed: str) -> Document:
    price = r.choice([10, 25, 50]) if gift else round(r.uniform(3, 120), 2)
    item: Document = {"id": r.getrandbits(43), "variant_id": None if r.random() < 0.01 else r.getrandbits(43)}
    item |= {"sku": "" if gift else f"SKU-{r.randint(1, 3_000)}", "price": f"{price:.2f}", "gift_card": gift}
    item["properties"] = [{"name": "Engraving", "value": r.choice(WORDS)}] * (r.random() < 0.05)
    item["discount_allocations"] = [{"amount": f"{price / 5:.2f}", "discount_application_index": 0}] if cut else []
    return item | {"tax_lines": [] if gift else [{"title": taxed, "price": f"{price * 0.19:.2f}", "rate": 0.19}]}


def shop(r: random.Random, at_s: int) -> Document:
    """Orders and checkouts of shops: busy weekends, a sale each Saturday, gift cards, the till by day, refunds."""
    store, saturday = someone(r, at_s, "store", 14), weekday(at_s) == 5 and 8 <= hour(at_s) < 22
    till = habit("store", store, "till", 0.4) and 9 <= hour(at_s) < 19 and weekday(at_s) < 6 and r.random() < 0.5
    kind = "order" if till else r.choices(["order", "checkout", "refund"], [40, 60 + 30 * saturday, 0.8])[0]
    if kind == "refund":
        head = {"order_id": r.getrandbits(42), "created_at": iso(at_s), "note": text(r) if r.random() < 0.3 else None}
        return head | {"refund_line_items": [{"restock_type": r.choice(["return", "cancel"])}], "transactions": []}
    shares = [2 + 5 * day(at_s), 1 + 5 * day(at_s - 21_600), 2 * day(at_s + 25_200) ** 2, 1, 0.15]
    money = r.choices(["EUR", "USD", "JPY", "GBP", "CHF"], shares)[0]
    land, taxed = r.choice(["DE", "FR"]) if money == "EUR" else money[:2], "State Tax" if money == "USD" else "VAT"
    cut, gift = r.random() < (0.6 if saturday else 0.07), r.random() < 0.015
    lines = [line(r, cut, gift, taxed) for _ in range(1 if gift else min(8, int(r.paretovariate(1.5))))]
    code = "SATURDAY20" if r.random() < (0.7 if saturday else 0.05) else r.choice(["WELCOME10", "FRIEND5"])
    home: Document = {"name": r.choice(WORDS), "country_code": land, "zip": f"{r.randint(0, 99_999):05d}"}
    home |= {"company": "Ltd" if r.random() < 0.04 else None, "province_code": "NY" if land == "US" else None}
    total = sum(float(item["price"]) for item in lines)
    body: Document = {"id": r.getrandbits(42), "created_at": iso(at_s), "currency": money, "line_items": lines}
    body |= {"total_price": f"{total:.2f}", "note": text(r) if r.random() < 0.06 else None}
    body["discount_codes"] = [{"code": code, "amount": f"{total / 5:.2f}", "type": "percentage"}] if cut else []
    body["tax_lines"] = [] if gift else [{"title": taxed, "price": f"{total * 0.19:.2f}", "rate": 0.19}]
    asks = habit("store", store, "gift notes", 0.3) and r.random() < 0.4
    body["note_attributes"] = [{"name": f"field_{store}", "value": r.choice(WORDS)}] * asks
    mailing = {"state": r.choices(["not_subscribed", "subscribed", "pending"], [60, 38, 1])[0]}
    body |= {} if till else {"customer": {"id": r.getrandbits(40), "email_marketing_consent": mailing, "phone": None}}
    body |= {} if gift or till else {"shipping_address": home.copy()}
    if kind == "checkout":
        return body | {"completed_at": None, "cart_token": hexes(r), "gateway": None if r.random() < 0.7 else "paypal"}
    paid = r.choices(["paid", "pending", "authorized", "partially_refunded", "voided"], [85, 6, 6, 2, 0.3])[0]
    why = r.choice(["customer", "fraud"]) if r.random() < 0.008 else None
    body |= {"financial_status": paid, "cancel_reason": why, "cancelled_at": iso(at_s) if why else None}
    body |= {"order_number": 1_000 + (at_s - START_S) // 40, "source_name": "pos" if till else "web", "test": False}
    body |= {"fulfillment_status": "fulfilled" if till else r.choices([None, "fulfilled", "partial"], [70, 25, 2])[0]}
    body["refunds"] = [{"id": r.getrandbits(40), "note": None, "transactions": []}] * (paid == "partially_refunded")
    return body | {"location_id": 70 + store if till else None, "billing_address": None if till else home}


def booking(r: random.Random, at_s: int) -> Document:
    """A calendar: meetings end in office hours, people book at any time, hosts who fall ill, questions by slug."""
    host, work = someone(r, at_s, "host", 40), office(at_s)
    ill = weekday(at_s) < 5 and hour(at_s) in (7, 8) and block(f"ill {host % 8}", at_s, DAY_S) < 0.06
    kinds = ["CREATED", "RESCHEDULED", "CANCELLED", "PAID", "NO_SHOW_UPDATED", "REJECTED", "MEETING_ENDED"]
    kind = r.choices(kinds, [20 + 25 * day(at_s), 5 + 3 * work, 40 if ill else 6, 2, 0.8 * work, 0.25, 40 * work**2])[0]
    name = kind if kind[0] == "M" else f"BOOKING_{kind}"
    if kind == "NO_SHOW_UPDATED":
        absent = {"bookingUid": hexes(r, 20), "attendees": [{"email": "a@b.org", "noShow": r.random() < 0.9}]}
        return {"triggerEvent": name, "createdAt": iso(at_s), "payload": absent}
    zone = r.choices(["Europe/Berlin", "America/New_York", "Asia/Tokyo"], [6, 1 + 4 * day(at_s - 25_000), 1])[0]
    sort, tongue = host * 3 + r.choice([0, 0, 0, 1, 2]), r.choices(["en", "de", "fr", "ja"], [6, 3, 1, 0.3])[0]
    start_s = at_s // 1_800 * 1_800 + (-1_800 if kind == "MEETING_ENDED" else r.randint(2, 700) * 1_800)
    guest = {"name": r.choice(WORDS), "email": "a@example.com", "timeZone": zone, "language": {"locale": tongue}}
    others = [f"{n}@example.com" for n in range(1, min(6, int(r.paretovariate(2.2))))]
    answers: Document = {"name": {"label": "your_name", "value": guest["name"], "isHidden": False}}
    answers["guests"] = {"label": "additional_guests", "value": others, "isHidden": False}
    own: Document = {}
    for slug, share in (("company", 0.4), ("how-did-you-hear", 0.25), ("team-size", 0.2), (f"topic-{sort}", 0.3)):
        if habit("sort", sort, slug, share) and r.random() < 0.85:
            value: Any = r.randint(1, 90) if slug == "team-size" else [text(r)] if slug[0] == "h" else text(r)
            own[slug] = {"label": slug.replace("-", " "), "value": value, "isHidden": False}
    video = "daily" if moved("video", r.randint(0, 299), at_s) else "zoom"
    place = r.choices([f"integrations:{video}", "phone", "inPerson"], [80, 15, 4])[0]
    owner: Document = {"id": 500 + host, "username": None if host % 9 == 4 else f"host{host}", "utcOffset": 60}
    meeting: Document = {"type": f"{15 * (1 + sort % 3)}min", "title": text(r), "organizer": owner, "uid": hexes(r, 20)}
    meeting |= {"startTime": iso(start_s), "endTime": iso(start_s + 1_800), "location": place, "eventTypeId": sort}
    meeting |= {"attendees": [guest, *({**guest, "email": e} for e in others)], "responses": answers | own}
    meeting |= {"userFieldsResponses": own, "bookingId": 10**5 + (at_s - START_S) // 60, "status": "ACCEPTED"}
    meeting |= {"additionalNotes": text(r) if r.random() < 0.3 else "", "price": 0, "currency": "usd"}
    meeting["metadata"] = {"videoCallUrl": f"https://example.com/{hexes(r)}"} if ":" in place else {}
    meeting["destinationCalendar"] = {"integration": "google"} if habit("host", host, "calendar", 0.7) else None
    meeting |= {"team": {"id": host % 5, "members": []}} if habit("host", host, "team", 0.3) else {}
    why = "Host is ill" if ill else text(r) if r.random() < 0.6 else ""
    more: Document = {
        "CANCELLED": {"status": "CANCELLED", "cancellationReason": why, "cancelledBy": r.choice(["host", "guest"])},
        "RESCHEDULED": {"rescheduleId": r.getrandbits(24), "rescheduleStartTime": iso(start_s - DAY_S)},
        "PAID": {"paymentId": r.getrandbits(24), "price": r.choice([2_500, 5_000, 9_900]), "currency": "eur"},
        "REJECTED": {"status": "REJECTED", "rejectionReason": why or None},
    }
    return {"triggerEvent": name, "createdAt": iso(at_s), "payload": meeting | more.get(kind, {})}


def job(r: random.Random, name: str, stage: str, status: str, at_s: int) -> Document:
    begun, done, unit = status not in ("created", "skipped"), status in ("success", "failed"), r.randint(0, 79)
    tags = ["macos"] if unit > 70 else [] if unit > 60 else ["docker", "linux", *(["large"] * (unit % 5 == 0))]
    why = r.choices(["script_failure", "runner_system_failure", "stuck_or_timeout_failure"], [90, 6, 1])[0]
    runner: Document = {"id": unit, "tags": tags, "is_shared": unit < 60, "active": True}
    what: Document = {"id": r.getrandbits(33), "name": name, "stage": stage, "status": status, "manual": name == "prod"}
    what |= {"finished_at": iso(at_s) if done else None, "failure_reason": why if status == "failed" else None}
    what |= {"duration": round(r.expovariate(0.01), 3) if begun else None, "runner": runner if begun else None}
    tier = {"name": name, "action": "start", "deployment_tier": "production"} if name == "prod" else None
    return what | {"environment": tier, "artifacts_file": {"filename": "a.zip" if done and name == "pack" else None}}


def build(r: random.Random, at_s: int) -> Document:
    """Pipelines: a nightly one at two with other stages, flaky failures in clusters, runners with tags, deployments."""
    project, night = someone(r, at_s, "pipeline", 24), hour(at_s) == 2 and r.random() < 0.7
    flaky = 0.3 if block(f"flaky {project % 6}", at_s, 7_200) < 0.05 else 0.04
    source = "schedule" if night else r.choices(["push", "merge_request_event", "web", "api"], [50, 45, 2, 0.5])[0]
    kind = "pipeline" if night else r.choices(["pipeline", "build", "deployment"], [40, 55, 3 * office(at_s)])[0]
    body: Document = {"object_kind": kind, "project": {"id": project, "name": f"p{project}", "avatar_url": None}}
    body["user"] = {"id": r.randint(1, 60), "username": "ci-bot" if night else r.choice(WORDS), "email": "[REDACTED]"}
    if kind == "deployment":
        status = r.choices(["running", "success", "failed", "canceled"], [48, 48, 3, 0.4])[0]
        body |= {"status": status, "deployable_id": r.getrandbits(33), "environment": r.choice(["prod", "staging"])}
        return body | {"status_changed_at": iso(at_s), "short_sha": hexes(r, 8), "ref": "main", "commit_title": text(r)}
    names = [("lint", "test"), ("unit", "test"), ("pack", "build")] + [("e2e", "nightly"), ("scan", "nightly")] * night
    names += [("prod", "deploy")] if source == "push" and habit("pipeline", project, "deploys", 0.5) else []
    at = r.randint(0, len(names))
    states = ["success" if n < at else "running" if n == at else "created" for n in range(len(names))]
    if at and r.random() < flaky:
        states[at - 1 :] = ["failed"] + ["skipped"] * (len(names) - at)
    if kind == "build":
        n = r.randrange(len(names))
        body |= {f"build_{key}": value for key, value in job(r, *names[n], states[n], at_s).items()}
        return body | {"ref": "main", "tag": False, "sha": hexes(r, 40), "retries_count": int(r.random() < flaky)}
    state = "failed" if "failed" in states else "success" if at == len(names) else r.choice(["pending", "running"])
    about: Document = {"id": r.getrandbits(30), "iid": (at_s - START_S) // 300 + 900, "status": state, "source": source}
    about |= {"ref": "v1.2" if r.random() < 0.004 else "main", "stages": list(dict.fromkeys(s for _, s in names))}
    about["duration"] = r.randint(60, 3_000) if state in ("success", "failed") else None
    about["variables"] = [{"key": "NIGHTLY", "value": "true"}, {"key": "SUITE", "value": "full"}] if night else []
    body |= {"object_attributes": about, "merge_request": {"target_branch": "main"} if source[0] == "m" else None}
    return body | {"builds": [job(r, *names[n], states[n], at_s) for n in range(len(names))]}


def ride(r: random.Random, at_s: int) -> Document:
    """Scooters: rush hours, positions without accuracy under bridges, crews at night, firmware spread over weeks."""
    unit, rush = r.randint(0, 599), weekday(at_s) < 5 and hour(at_s) in (7, 8, 16, 17, 18)
    wet, crew = block("rain", at_s, 10_800) < 0.15, 6 if hour(at_s) in (1, 2, 3) else 0.4
    trips = (0.3 if wet else 1) * (20 if rush else 2 + 8 * day(at_s))
    kinds = ["telemetry", "trip_start", "trip_end", "reservation", "battery_swap", "rebalance", "maintenance", "fall"]
    kind = r.choices(kinds, [30, trips, trips, trips / 4, 2 * crew, crew, 0.4, 0.6 if wet else 0.2])[0]
    zone, on_trip = r.randint(0, 8), kind[:2] == "tr" or (kind[0] == "t" and r.random() < 0.6)
    bridge, new = r.random() < (0.2 if zone == 3 else 0.02), moved("firmware", unit, at_s)
    spot: Document = {"lat": round(52.5 + r.gauss(0, 0.03), 6), "lng": round(13.4 + r.gauss(0, 0.05), 6)}
    spot |= {"satellites": r.randint(0, 4) if bridge else r.randint(5, 14), "speed": round(r.uniform(0, 6), 1)}
    spot |= {} if bridge else {"accuracy": round(r.expovariate(0.2) + 2, 1), "heading": r.randint(0, 359)}
    power: Document = {"percent": max(3, 100 - int(r.expovariate(0.03))), "cycles": unit + (at_s - START_S) // 200_000}
    power["temperature"] = None if r.random() < 0.01 else round(8 + 9 * day(at_s) + r.gauss(0, 2), 1)
    board: Document = {"version": "7.3.1", "imu": {"tilt": round(r.gauss(0, 4), 1)}} if new else {"version": "7.2.4"}
    body: Document = {"event_id": hexes(r), "device_id": f"sc-{unit:04d}", "type": "scooter" if unit % 7 else "bike"}
    body |= {"event_types": [kind] if r.random() < 0.95 else [kind, "comms_restored"], "timestamp": at_s * 1_000}
    body |= {"trip_id": hexes(r) if on_trip else None, "location": spot, "battery": power, "firmware": board}
    body["geographies"] = [f"zone-{zone}", *(["no-parking"] * (r.random() < 0.06)), *(["slow"] * (zone == 5))]
    if kind == "trip_end":
        body |= {"fare": {"actual": r.randint(100, 1_500), "quoted": None if r.random() < 0.9 else 300}, "photo": True}
    elif kind in ("battery_swap", "rebalance", "maintenance"):
        body |= {"crew": {"id": r.randint(1, 9), "van": "van-1"}, "reason": r.choice([None, "low", "plan"])}
    return body | ({"buffered_s": r.randint(10, 900)} if block(f"mast {zone}", at_s, 3_600) < 0.02 else {})


def form(r: random.Random, at_s: int) -> Document:
    """Surveys: answers that depend on answers, hidden fields of partners' campaigns, languages by the time of day."""
    sheet, partner = someone(r, at_s, "sheet", 18), int(block("partner", at_s, 10_800) * 5)
    tongue = r.choices(["en", "de", "pt", "ja"], [4, 1 + 4 * day(at_s), 3 * day(at_s - 14_400), day(at_s + 32_400)])[0]
    score, part = r.choices(range(11), [1, 0.3, 0.3, 0.5, 0.5, 2, 2, 4, 6, 6, 5])[0], r.random() < 0.008
    told: list[tuple[str, str, str, Any]] = [("score", "opinion_scale", "number", score)]
    if score < 7 and r.random() < 0.8:
        sorts = {"labels": r.sample(["price", "speed", "support", "bugs"], r.randint(1, 3))}
        told.append(("why", "multiple_choice", "choices", sorts | ({"other": text(r)} if r.random() < 0.1 else {})))
        told.append(("call", "yes_no", "boolean", habit("sheet", sheet, "call back", 0.5) and r.random() < 0.3))
        told += [("phone", "phone_number", "phone_number", f"+49{r.randint(10**9, 10**10)}")] * told[-1][3]
    elif score > 8 and r.random() < 0.6:
        told.append(("friend", "email", "email", f"{r.choice(WORDS)}@example.com"))
    plan = {"label" if r.random() < 0.97 else "other": r.choice(["free", "team"])}
    told += [("plan", "dropdown", "choice", plan)] * habit("sheet", sheet, "plan", 0.6)
    told += [("words", "long_text", "text", text(r)), ("when", "date", "date", iso(at_s)[:10])][: r.randint(0, 2)]
    told += [("shot", "file_upload", "file_url", "https://example.com/a.png")] * (r.random() < 0.005)
    fields: list[Document] = [{"id": f"{sheet:02d}{t[0]}", "type": t[1], "ref": f"{t[0]}-{sheet}"} for t in told]
    answers = [{"type": t[2], t[2]: t[3], "field": field} for t, field in zip(told, fields, strict=True)]
    hidden: Document = {"lang": tongue, **({"user_id": hexes(r, 8)} if habit("sheet", sheet, "known", 0.5) else {})}
    if r.random() < (0.5 if block("campaign", at_s, 10_800) < 0.3 else 0.01):
        hidden |= {"utm_source": f"partner{partner}", "utm_medium": ("email", "social", "cpc")[partner % 3]}
    given: Document = {"form_id": f"f{sheet:05d}", "token": hexes(r, 24), "landed_at": iso(at_s - r.randint(9, 900))}
    given |= {"submitted_at": None if part else iso(at_s), "hidden": hidden, "calculated": {"score": score}}
    given |= {"answers": answers[:1] if part else answers, "definition": {"title": f"Survey {sheet}", "fields": fields}}
    given |= {} if part else {"ending": {"id": hexes(r, 8), "ref": "happy" if score > 8 else "default_tys"}}
    return {"event_id": hexes(r, 24), "event_type": "form_response" + "_partial" * part, "form_response": given}


def voice(r: random.Random, at_s: int) -> Document:
    """Calls: a ladder of states with nothing measured before the end, machines that answer, carriers with bad hours."""
    tenant, carrier = someone(r, at_s, "tenant", 20), r.randint(0, 3)
    out = r.random() < (0.7 * office(at_s) if habit("tenant", tenant, "dialer", 0.5) else 0.15)
    bad = 8 if block(f"carrier {carrier}", at_s, 3_600) < 0.015 else 0.4
    states = ["queued", "initiated", "ringing", "in-progress", "completed", "no-answer", "busy", "failed", "canceled"]
    status = r.choices(states, [3 * out, 20 * out, 20, 20, 26, 12 * out + 2, 3 * out, bad, 0.6])[0]
    sip, over, talked = habit("tenant", tenant, "sip", 0.35), status in states[4:], status == "completed"
    caller = f"sip:{r.choice(WORDS)}@pbx{tenant}.example.com" if sip else f"+1{r.randint(2 * 10**9, 10**10 - 1)}"
    call: Document = {"call_sid": f"CA{hexes(r, 32)}", "account_sid": f"AC{tenant:032x}", "call_status": status}
    call |= {"from": caller, "to": f"+1415555{tenant:04d}", "direction": "outbound-api" if out else "inbound"}
    call |= {"start_time": iso(at_s - 90) if talked else None, "end_time": iso(at_s) if over else None}
    call |= {"duration": str(int(r.expovariate(0.01))) if talked else "0" if over else None, "annotation": None}
    call |= {"queue_time": str(int(r.expovariate(0.004))), "sequence_number": states.index(status), "price": None}
    call |= {"trunk_sid": f"TK{tenant:032x}" if sip else None, "answered_by": None, "forwarded_from": None}
    call |= {"codec": r.choice(["opus", "PCMU"]), "sip_call_id": f"{hexes(r)}@pbx"} if sip else {"stir_verstat": None}
    call |= {} if sip or out else {"stir_verstat": r.choice(["Passed-A", "Failed"]), "city": r.choice(["", *WORDS])}
    if out and habit("tenant", tenant, "machines", 0.6) and status in ("in-progress", "completed"):
        heard = r.choices(["human", "machine_start", "machine_end_beep", "unknown", "fax"], [60, 20, 12, 5, 0.4])[0]
        call |= {"answered_by": heard, "machine_detection_ms": r.randint(900, 5_000)}
    if talked:
        call["price"] = None if r.random() < 0.6 else {"amount": f"-{r.random():.4f}", "unit": "USD"}
        call |= {"recording": {"sid": hexes(r, 32), "channels": 2}} if habit("tenant", tenant, "records", 0.4) else {}
    elif status == "failed":
        code = r.choices([13_224, 13_227, 32_011, 31_005], [4, 2, 3, 1])[0]
        call["error"] = {"code": code, "message": text(r), "sip_response_code": r.choice([404, 480, 503])}
    call |= {"transferred_to": f"+1{r.getrandbits(33)}"} if r.random() < 0.004 else {}
    kind = f"voice.status-callback.call.{'completed' if over else status}"
    return {"specversion": "1.0", "type": kind, "source": f"/carriers/{carrier}", "time": iso(at_s), "data": call}


UNSEEN: dict[str, Make] = {"repository": repository, "shop": shop, "booking": booking, "build": build}
UNSEEN |= {"ride": ride, "form": form, "voice": voice}
