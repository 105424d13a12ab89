"""More payload families that nobody looked at when drift was made, by another hand."""

from __future__ import annotations

import random

from families import WORDS, Document, Make, day, text
from habits import DAY_S, START_S, block, habit, iso, someone

STEPS = ["llm.response", "tool.call", "tool.result", "llm.retry", "run.finished"]
ERRORS = {429: "rate_limit_error", 529: "overloaded_error", 500: "api_error"}
RUNGS = ["pre_transit", "in_transit", "out_for_delivery", "delivered", "available_for_pickup", "return_to_sender"]
ALERTS: dict[str, tuple[float, str]] = {"HighCPU": (20, "instance mode"), "TargetDown": (6, "instance")}
ALERTS |= {"PodCrashLooping": (18, "namespace pod container"), "HTTPErrorRate": (16, "service route")}
ALERTS |= {"DiskWillFill": (8, "instance device"), "KafkaConsumerLag": (10, "topic consumergroup partition")}
ALERTS |= {"CertExpiresSoon": (0.4, "domain issuer"), "BackupSlow": (0.3, "database"), "RaidDegraded": (0.1, "array")}
CRITICAL = {"PodCrashLooping", "HTTPErrorRate", "TargetDown", "RaidDegraded"}
STAGES = ["Application Review", "Phone Screen", "Take Home", "Onsite", "Reference Check", "Offer"]
ACTIONS = ["new_candidate_application", "candidate_stage_change", "reject_candidate", "update_candidate"]
ACTIONS += ["new_prospect_application", "offer_created", "hire_candidate", "candidate_anonymized"]
SOURCES = {"Jobs page": 8, "LinkedIn": 7, "Indeed": 5, "Referral": 2, "Agency": 2, "Career Fair": 0.1}
CUSTOM = {"desired_salary": "currency", "notice_period": "text", "visa_needed": "yes_no", "languages": "multi_select"}
CUSTOM |= {"signing_bonus": "currency", "shirt_size": "text", "relocation": "yes_no", "skills": "multi_select"}
FEATURES = ["balcony", "garden", "lift", "garage", "fitted_kitchen", "cellar", "pets_allowed", "barrier_free", "sauna"]
LINES = {"motor": ["plate", "police_ref", "workshop"], "home": ["cause", "rooms"], "travel": ["flight_no", "booking"]}
LINES |= {"health": ["provider", "diagnosis"], "pet": ["animal", "vet"], "marine": ["vessel", "port"]}
PAPERS, PERILS = ["photo", "invoice", "form", "police"], ["collision", "water", "theft", "fire", "other"]
SEEN = ["chat.message", "follow", "subscribe", "subscription.gift", "cheer", "raid", "update", "ban"]
BADGES = {"subscriber": 0.4, "premium": 0.15, "moderator": 0.03, "vip": 0.02, "bits": 0.1, "founder": 0.01}


def weekday(at_s: int) -> int:
    """0 on Monday."""
    return (at_s // DAY_S + 3) % 7


def office(at_s: int) -> float:
    """1 when people sit at their desks, near 0 when they do not."""
    return 0.06 if weekday(at_s) > 4 else 1.0 if 8 <= at_s % DAY_S // 3_600 < 18 else 0.08


def reached(name: str, who: int, at_s: int, first: float, per_day: float) -> bool:
    """Whether a roll-out that grows a little every day has reached this one of thousands."""
    return block(f"{name} {who}", 0, 1) < min(0.9, first + per_day * (at_s - START_S) / DAY_S)


def arguments(r: random.Random, tool: str, tenant: int) -> Document:
    if tool == "search_docs":
        narrow = habit("answer", tenant, "filters", 0.4) and r.random() < 0.5
        return {"query": text(r), "top_k": r.choice([3, 5, 8])} | ({"filters": {"lang": ["en"]}} if narrow else {})
    if tool == "run_sql":
        return {"sql": text(r), "timeout_s": r.choice([10, 30]), "params": [r.randint(1, 99)] * r.randint(0, 2)}
    if tool == "handoff":
        return {"queue": r.choice(["billing", "tier2"]), "summary": text(r), "urgent": r.random() < 0.1}
    if tool == "lookup_order":
        return {"order_id": str(r.randint(10**6, 10**7)), "include": r.sample(["items", "notes"], r.choice([0, 1, 2]))}
    money = {"order_id": str(r.randint(10**6, 10**7)), "cents": r.randint(100, 9_999), "reason": r.choice(WORDS)}
    return money | ({"note": text(r)} if r.random() < 0.2 else {})


def answer(r: random.Random, at_s: int) -> Document:
    """Steps of language model agents: tools by tenant, an evaluation every night, rate limits that come in clusters."""
    evaluation = 3_600 <= at_s % DAY_S < 3 * 3_600 and r.random() < 0.6
    tenant = 2 if evaluation else someone(r, at_s, "answer", 30)
    user = r.randint(1, 4_000)
    limited = block("answer limited", at_s, 600) < 0.03
    kind = r.choices(STEPS, [40, 26, 25, 45 if limited else 0.4, 9])[0]
    large = f"claude-3-5-sonnet-{'20241022' if reached('answer model', user, at_s, 0.25, 0.006) else '20240620'}"
    body: Document = {"id": f"step_{r.getrandbits(56):014x}", "run_id": f"run_{r.getrandbits(40):010x}", "type": kind}
    body |= {"ts": iso(at_s), "step": min(24, int(r.paretovariate(0.9))), "tenant": f"t_{tenant:03d}"}
    body |= {"user": None if evaluation else f"u_{user}", "tags": {"env": "eval" if evaluation else "prod"}}
    body["model"] = "claude-3-haiku-20240307" if habit("answer", tenant, "small", 0.4) else large
    body["tags"] |= {"suite": f"nightly-{at_s // DAY_S}"} if evaluation else {}
    if kind.startswith("tool"):
        weights = [6, 4, 0.5, 3 * habit("answer", tenant, "sql", 0.3), 0.06]
        name = r.choices(["search_docs", "lookup_order", "create_refund", "run_sql", "handoff"], weights)[0]
        body["tool"] = {"name": name, "call_id": f"toolu_{r.getrandbits(40):010x}"}
        took = {"is_error": r.random() < 0.015, "duration_ms": int(r.lognormvariate(5.5, 1)), "content": text(r)}
        body["tool"] |= {"arguments": arguments(r, name, tenant)} if kind == "tool.call" else took
    elif kind == "llm.response":
        reason = r.choices(["end_turn", "tool_use", "max_tokens", "refusal"], [55, 43, 1.5, 0.3])[0]
        usage: Document = {"input_tokens": int(r.lognormvariate(7, 1)), "output_tokens": r.randint(5, 900)}
        if habit("answer", tenant, "cache", 0.6):
            hit = r.random() < 0.2 + 0.6 * day(at_s)
            usage |= {"cache_read": r.choice([1_024, 4_096]) if hit else 0, "cache_creation": None if hit else 2_048}
        body |= {"stop_reason": reason, "usage": usage, "latency_ms": int(r.lognormvariate(7.5, 0.6))}
        body["text"] = None if reason == "tool_use" and r.random() < 0.8 else text(r)
    elif kind == "llm.retry":
        code = r.choices([429, 529, 500], [30 if limited else 3, 2, 0.5])[0]
        body |= {"attempt": r.choices([1, 2, 3], [6, 3, 1])[0], "error": {"status": code, "type": ERRORS[code]}}
        body["error"] |= {"retry_after_s": r.randint(1, 60)} if code == 429 else {}
    else:
        body["outcome"] = r.choices(["resolved", "handed_off", "aborted"], [90, 8, 2])[0]
        liked = {"score": r.choice([1, 1, -1]), "comment": text(r)} if r.random() < 0.06 else None
        body |= {"cost_usd": round(r.expovariate(40), 5), "feedback": liked}
    return body


def parcel(r: random.Random, at_s: int) -> Document:
    """Tracking: delivered by day but not on Sundays, customs only abroad, weather for half a day, sales of one shop."""
    sale = block("parcel sale", at_s, DAY_S) < 0.06 and r.random() < 0.4
    shop = 5 if sale else someone(r, at_s, "shop", 35)
    carrier = ["DHLParcel", "UPS", "Hermes", "PostNL"][int(block(f"carrier {shop} {r.randint(0, 2)}", 0, 1) * 4)]
    moving = (1, 1, 1, 1, 1, 0.5, 0.03)[weekday(at_s)] if 8 <= at_s % DAY_S // 3_600 < 20 else 0.03
    weights = [40 if sale else 8 + 8 * office(at_s), 45, 14 * moving, 22 * moving, 3 * moving, 0.3]
    rung = r.choices(range(6), weights)[0]
    last = min(rung, 3)
    country = r.choices(["DE", "AT", "NL", "FR", "CH", "GB", "US", "NO"], [70, 8, 6, 5, 4, 3, 1, 0.4])[0]
    region = r.randint(0, 4)
    stormy = rung in (1, 2) and block(f"weather {region}", at_s, DAY_S // 2) < 0.05 and r.random() < 0.5
    details: list[Document] = []
    for n in range(max(0, last - 2), last + 1):
        place = {"city": f"Hub {region}-{r.randint(1, 9)}" if n else None, "country": country if n > 1 else "DE"}
        passed = iso(at_s - (last - n) * r.randint(9_000, 60_000))
        details.append({"status": RUNGS[rung if n == last else n], "datetime": passed, "location": place})
    result: Document = {"id": f"trk_{r.getrandbits(56):014x}", "tracking_code": str(r.randint(10**11, 10**12))}
    result |= {"carrier": carrier, "status": RUNGS[rung], "status_detail": "weather_delay" if stormy else "as_planned"}
    result["weight"] = round(r.lognormvariate(0.5, 0.8), 2) if r.random() < 0.8 else None
    result["signed_by"] = text(r) if rung == 3 and r.random() < 0.3 else None
    result["est_delivery_date"] = None if rung > 2 or r.random() < 0.1 else iso(at_s + (2 - rung) * DAY_S)[:10]
    result |= {"destination": {"country": country, "residential": r.random() < 0.85}, "tracking_details": details}
    if rung == 2 and carrier in ("UPS", "DHLParcel"):
        result["delivery_window"] = {"from": iso(at_s + 3_600), "to": iso(at_s + r.choice([2, 3, 5]) * 3_600)}
    if country in ("CH", "GB", "US", "NO") and rung > 0:
        duties = {"amount": r.randint(0, 90), "currency": "EUR"} if r.random() < 0.5 else None
        result["customs"] = {"state": r.choice(["cleared", "submitted"]), "duties": duties}
        if rung == 1 and r.random() < 0.08:
            result["customs"] |= {"state": "held", "missing": r.sample(["invoice", "hs_code", "eori"], r.randint(1, 2))}
    if rung == 3 and carrier == "Hermes" and reached("parcel photo", r.randint(1, 3_000), at_s, 0.3, 0.008):
        result["proof"] = {"type": "photo", "url": f"https://pod.example.com/{r.getrandbits(32):08x}.jpg"}
    if habit("parcel", shop, "reference", 0.5):
        result["metadata"] = {"order": f"{shop}-{r.randint(1, 10**6)}"} | ({"gift": True} if r.random() < 0.03 else {})
    body: Document = {"object": "Event", "id": f"evt_{r.getrandbits(56):014x}", "user_id": f"user_{shop}"}
    body |= {"description": "tracker.updated" if rung else "tracker.created", "created_at": iso(at_s)}
    return body | {"previous_attributes": {"status": RUNGS[min(rung, 4) - 1]} if rung else {}, "result": result}


def alarm(r: random.Random, at_s: int) -> Document:
    """Notifications of an alert manager: labels by the alert, storms of one alert for twenty minutes, silences."""
    if r.random() < 0.004 + 0.012 * office(at_s):
        names = r.sample(["alertname", "cluster", "instance"], r.randint(1, 2))
        matchers = [{"name": n, "value": r.choice(WORDS), "isRegex": r.random() < 0.2} for n in names]
        silence: Document = {"matchers": matchers, "createdBy": r.choice(WORDS), "comment": text(r)}
        silence |= {"startsAt": iso(at_s), "endsAt": iso(at_s + r.choice([1, 2, 8]) * 3_600)}
        return {"version": "4", "kind": "silence", "silence": silence}
    storm, backups = block("alarm storm", at_s, 1_200), 7_200 <= at_s % DAY_S < 14_400
    weights = [w * (20 if backups and n == "BackupSlow" else 1) for n, (w, _) in ALERTS.items()]
    name = r.choices(list(ALERTS), weights)[0]
    if storm < 0.05 and r.random() < 0.85:
        name = list(ALERTS)[int(storm * 20 * 6)]
    severity = "critical" if name in CRITICAL else "warning"
    cluster = r.choices(["eu-1", "us-1", "eu-2", "staging"], [5, 4, 2, 2 * office(at_s) + 0.1])[0]
    team = int(block(f"alert team {name} {cluster}", 0, 1) * 5)
    common: Document = {"alertname": name, "cluster": cluster, "severity": severity}
    common |= {"team": f"team-{team}"} if habit("alarm", team, "team", 0.7) else {}
    noted: Document = {"summary": f"{name} in {cluster}"}
    noted |= {"runbook_url": f"https://runs.example.com/{name}"} if habit("alarm", team, "runbook", 0.6) else {}
    noted |= {"value": f"{r.uniform(80, 100):.1f}"} if severity == "warning" else {}
    resolved, alerts = r.random() < 0.45, []
    for _ in range(min(6, int(r.paretovariate(0.8 if storm < 0.05 else 1.8)))):
        over = resolved or r.random() < 0.1
        alert: Document = {"status": "resolved" if over else "firing", "fingerprint": f"{r.getrandbits(64):016x}"}
        alert["labels"] = common | {place: f"{place[:3]}-{r.randint(0, 40)}" for place in ALERTS[name][1].split()}
        alert["annotations"] = noted | ({"description": text(r)} if r.random() < 0.7 else {})
        alert["startsAt"] = iso(at_s - int(r.lognormvariate(6, 1)))
        alerts.append(alert | {"endsAt": iso(at_s) if over else "0001-01-01T00:00:00Z"})
    body: Document = {"version": "4", "kind": "alerts", "groupLabels": {"alertname": name}}
    body["status"] = "firing" if any(a["status"] == "firing" for a in alerts) else "resolved"
    body |= {"receiver": "pager" if severity == "critical" else "chat", "commonLabels": common, "alerts": alerts}
    return body | {"commonAnnotations": noted, "truncatedAlerts": r.randint(1, 30) if len(alerts) == 6 else 0}


def hire(r: random.Random, at_s: int) -> Document:
    """An applicant tracking system: office hours, applications at night too, a fair at times."""
    busy = office(at_s)
    fair = block("job fair", at_s, DAY_S) < 0.05 and 9 <= at_s % DAY_S // 3_600 < 18 and r.random() < 0.45
    company = 4 if fair else someone(r, at_s, "company", 18)
    rejects = 80 if block("hire rejects", at_s, 3_600) < 0.04 else 14
    weights = [20 + 15 * day(at_s), 40 * busy, rejects * busy, 12 * busy + 0.5, 200 if fair else 1, 1.2 * busy]
    action = r.choices(ACTIONS, [*weights, 0.6 * busy, 0.3])[0]
    person: Document = {"id": r.randint(10**6, 10**7)}
    if action == "candidate_anonymized":
        person["anonymized_fields"] = r.sample(["full_name", "emails", "phone_numbers", "notes"], 3)
        return {"action": action, "payload": {"candidate": person}}
    phone = {"value": f"+49{r.getrandbits(29)}", "type": r.choice(["mobile", "home"])}
    school = {"school_name": r.choice(WORDS), "degree": r.choice(["BSc", "MSc", None])}
    person |= {"first_name": r.choice(WORDS), "title": r.choice(WORDS) if r.random() < 0.6 else None}
    person |= {"phone_numbers": [phone] if r.random() < 0.7 else [], "educations": [school] * r.choice([0, 1, 1, 2])}
    person["attachments"] = [{"type": t} for t in ("resume", "cover_letter") if r.random() < (0.2 if fair else 0.8)]
    person["tags"] = ["fair", f"fair-{at_s // DAY_S}"] if fair else r.sample(WORDS, r.choice([0, 0, 0, 1, 2]))
    source = "Career Fair" if fair else r.choices(list(SOURCES), list(SOURCES.values()))[0]
    stage = 0 if action.startswith("new") else r.choices(range(6), [3, 8, 4, 4, 0.3, 1])[0]
    status = {"reject_candidate": "rejected", "hire_candidate": "hired"}.get(action, "active")
    body: Document = {"id": r.randint(10**7, 10**8), "status": status, "source": {"id": len(source), "name": source}}
    body |= {"applied_at": iso(at_s - stage * r.randint(1, 6) * DAY_S), "rejected_at": None, "candidate": person}
    body |= {"prospect": action == "new_prospect_application", "current_stage": None, "jobs": []}
    if action != "new_prospect_application":
        talk = {"id": r.randint(1, 999), "status": r.choice(["scheduled", "awaiting_feedback"])}
        body["current_stage"] = {"id": stage, "name": STAGES[stage], "interviews": [talk] * (stage in (1, 3))}
        band = {"min": 40_000, "max": 60_000} if habit("hire", company, "salary", 0.4) else None
        body["jobs"] = [{"id": company * 100 + r.randint(0, 12), "department": r.choice(WORDS), "salary_range": band}]
    pay, skills = {"amount": r.randint(30, 99) * 1_000, "unit": "EUR"}, r.sample(WORDS, r.choice([1, 2, 3]))
    said = {"currency": pay, "text": r.choice(WORDS), "yes_no": r.random() < 0.3, "multi_select": skills}
    body["custom_fields"] = {}
    for name in (n for n in CUSTOM if habit("hire", company, n, 0.4)):
        value = said[CUSTOM[name]] if r.random() < 0.7 else None
        body["custom_fields"][name] = {"name": name, "type": CUSTOM[name], "value": value}
    if action == "reject_candidate":
        reason = r.choice(["Not qualified", "Position filled", "Withdrew"])
        body |= {"rejected_at": iso(at_s), "rejection_reason": {"id": len(reason), "name": reason}}
    elif action in ("offer_created", "hire_candidate"):
        body["offer"] = {"version": r.choices([1, 2, 3], [8, 2, 0.2])[0], "starts_at": iso(at_s + 40 * DAY_S)[:10]}
    return {"action": action, "payload": {"application": body}}


def listing(r: random.Random, at_s: int) -> Document:
    """Snapshots of a property market: agents fill in what they like, one agency imports in bulk each Tuesday night."""
    bulk = weekday(at_s) == 1 and at_s % DAY_S >= 20 * 3_600 and r.random() < 0.85
    agency = 3 if bulk else someone(r, at_s, "agency", 28)
    agent = agency * 10 + r.randint(0, 3)
    sale, kind = r.random() < 0.4, r.choices(["apartment", "house", "office", "plot", "castle"], [60, 28, 8, 4, 0.2])[0]
    asked = r.randint(90, 900) * 1_000 if sale else r.randint(4, 30) * 100
    status = r.choices(["active", "reserved", "closed", "withdrawn"], [80, 8, 9, 1.5])[0]
    body: Document = {"listing_id": r.randint(10**6, 10**7), "updated_at": iso(at_s), "status": status}
    body["source"] = "openimmo" if agency == 3 else r.choices(["portal", "api"], [6 * office(at_s), 2])[0]
    body["type"] = kind
    body |= {"deal": "sale" if sale else "rent", "price": {"amount": asked, "currency": "EUR"}}
    body |= {"price": None} if r.random() < (0.08 if sale else 0.01) else {}
    if not sale and body["price"] and habit("listing", agent, "deposit", 0.6):
        body["price"] |= {"deposit": asked * 3, "heating_included": r.random() < 0.5}
    body["area_m2"] = r.randint(18, 300) if r.random() < 0.6 else round(r.uniform(18, 300), 1)
    if kind != "plot":
        body |= {"rooms": r.choice([1, 2, 2.5, 3, 4]), "built": r.randint(1890, 2023) if r.random() < 0.7 else None}
    if r.random() < 0.85 and not bulk:
        body["features"] = [f for f in FEATURES if r.random() < (0.01 if f == "sauna" else 0.25)]
    hidden = habit("listing", agent, "hides", 0.3) and r.random() < 0.8
    geo = None if hidden else {"lat": round(r.uniform(47, 55), 5), "lon": round(r.uniform(6, 15), 5)}
    body["address"] = {"zip": f"{r.randint(10**4, 99_999)}", "street": None if hidden else text(r), "geo": geo}
    if habit("listing", agent, "energy", 0.6) and kind != "plot":
        body["energy"] = {"class": r.choice("ABCDEFGH"), "kwh": r.randint(20, 300), "by": r.choice(["need", "use"])}
    media = r.choices(["photo", "photo", "photo", "plan", "tour"], k=0 if bulk else min(9, int(r.paretovariate(0.8))))
    body["media"] = [{"type": t, "url": f"https://img.example.com/{r.getrandbits(32):08x}"} for t in media]
    phone = f"+49{10**8 + agent}" if habit("listing", agent, "phone", 0.5) else None
    body["agent"] = {"id": agent, "agency": f"agency-{agency}", "phone": phone}
    if reached("listing score", r.randint(1, 5_000), at_s, 0.2, 0.007):
        body["quality"] = {"score": r.randint(30, 100), "hints": r.sample(["photos", "text", "price"], r.randint(0, 2))}
    if status == "active" and body["price"] and r.random() < (0.3 if weekday(at_s) == 0 else 0.05):
        body["price_history"] = [{"amount": asked + 5_000 * n, "until": iso(at_s - n * 9 * DAY_S)} for n in (1, 2)]
    batch = f"full-{at_s // DAY_S}" if bulk else None
    return body | ({"external_id": f"OI-{r.randint(1, 10**5)}", "batch": batch} if agency == 3 else {})


def claim(r: random.Random, at_s: int) -> Document:
    """Claims read from e-mail: half of the places null, confidence by the scan, hail for two days at times."""
    desk = office(at_s)
    hail = block("claim hail", at_s, 2 * DAY_S) < 0.12 and r.random() < 0.5
    broker = someone(r, at_s, "broker", 22) if r.random() < 0.15 + 0.45 * desk else None
    line = r.choice(["motor", "home"]) if hail else r.choices(list(LINES), [40, 22, 14, 18, 6, 0.3])[0]
    kind = r.choices(["claim.new", "claim.followup", "claim.document", "mail.unreadable"], [50, 30, 19, 0.5])[0]
    scanned = r.random() < (0.9 if broker is not None and habit("claim", broker, "fax", 0.2) else 0.25)
    body: Document = {"event": kind, "id": f"{r.getrandbits(48):012x}", "received_at": iso(at_s), "attachments": []}
    for name in r.choices(PAPERS, [9 if hail else 3, 4, 5, 0.4], k=r.choice([0, 1, 1, 2, 4])):
        sure = round(max(0.2, 1 - r.expovariate(5 if scanned else 16)), 3)
        body["attachments"].append({"type": name, "confidence": sure, "pages": r.choice([None, 1, 2, 6])})
    body["from"] = {"role": "claimant" if broker is None else "broker", "broker": broker, "lang": "de"}
    if kind == "mail.unreadable":
        return body | {"reason": r.choice(["encrypted_pdf", "empty_body", "unknown_language"]), "queue": "manual"}
    typed = {"amount": r.randint(50, 9_000), "loss_date": iso(at_s - r.randint(0, 20) * DAY_S)[:10]}
    fields: Document = {}
    for name in ("policy_no", "loss_date", "iban", "phone", "amount", *LINES[line]):
        fields[name] = None
        if r.random() < (0.85 if name == "policy_no" else 0.25 if name in ("iban", "police_ref") else 0.6):
            sure = round(max(0.2, 1 - r.expovariate(6 if scanned else 20)), 3)
            value = typed.get(name, f"{name[:2].upper()}-{r.getrandbits(28)}")
            fields[name] = {"value": value, "confidence": sure} | ({"page": r.randint(1, 4)} if scanned else {})
    body |= {"line": line, "peril": "hail" if hail else r.choices(PERILS, [8, 6, 3, 1, 5])[0], "summary": text(r)}
    body["extraction"] = {"model": "intake-7", "ocr": scanned, "fields": fields}
    body["claim_no"] = None if kind == "claim.new" or r.random() < 0.2 else f"C-{r.randint(1, 10**6):07d}"
    if reached("claim tone", r.randint(1, 4_000), at_s, 0.3, 0.006):
        body["tone"] = r.choices(["neutral", "upset", "legal_threat"], [80, 18, 0.6])[0]
    doubt = [n for n, f in fields.items() if f and f["confidence"] < 0.8]
    body["review"] = {"fields": doubt, "assignee": r.choice(WORDS) if doubt and desk == 1 else None}
    return body | ({"fraud": {"score": r.randint(70, 99), "rules": r.sample(WORDS, 2)}} if r.random() < 0.006 else {})


def stream(r: random.Random, at_s: int) -> Document:
    """Live chats: channels are live some evenings, with raids and gifts in bursts, and otherwise nearly silent."""
    hour, likely = at_s % DAY_S // 3_600, 0.4 + 0.06 * weekday(at_s)
    live = [n for n in range(8) if 0 <= hour - 16 - n % 4 < 4 and block(f"live {n}", at_s, DAY_S) < likely]
    channel = r.choice(live) if live and r.random() < 0.93 else r.randint(0, 7)
    gifts, raided = (block(f"{what} {channel}", at_s, 600) < 0.06 for what in ("gifts", "raided"))
    weights = [90, 5, 2, 30 if gifts else 0.5, 2.5, 1.5 if raided else 0.1, 0.2, 0.8]
    kind = r.choices(SEEN, weights if channel in live else [9, 6, 1, 0.05, 0.05, 0.03, 1, 0.3])[0]
    who = someone(r, at_s, f"chat {channel}", 3_000)
    event: Document = {"broadcaster": {"id": str(70_000 + channel), "login": f"{WORDS[channel]}_tv"}}
    if kind not in ("update", "raid"):
        hidden = kind == "subscription.gift" and r.random() < 0.1
        event["user"] = None if hidden else {"id": str(10**6 + who), "login": f"{WORDS[who % 17]}{who}"}
    if kind in ("chat.message", "cheer"):
        many = r.choice([0, 0, 0, 1, 2, 5 if raided else 1])
        emotes = [{"id": f"emotesv2_{r.choice(WORDS)}", "begin": 4 * n, "end": 4 * n + 3} for n in range(many)]
        badges = {n: str(who % 24 + 1) for n, share in BADGES.items() if habit("badge", who, n, share)}
        event |= {"message": {"text": text(r), "emotes": emotes}, "badges": badges, "color": f"#{who * 997:06X}"}
        event |= {"reply": {"parent_id": f"{r.getrandbits(48):x}", "to": r.choice(WORDS)}} if r.random() < 0.08 else {}
        event |= {"bits": r.choice([1, 50, 100, 100, 1_000])} if kind == "cheer" else {}
    elif kind in ("subscribe", "subscription.gift"):
        event["tier"] = r.choices(["1000", "2000", "3000", "Prime"], [60, 3, 0.5, 30])[0]
        event |= {"total": r.choice([1, 5, 10, 50]), "cumulative": r.choice([None, 60])} if "gift" in kind else {}
        if kind == "subscribe" and r.random() < 0.5:
            event |= {"months": r.randint(2, 40), "streak": r.choice([None, 3, 7]), "message": {"text": text(r)}}
    elif kind == "raid":
        event |= {"from": {"id": str(r.randint(10**5, 10**6))}, "viewers": int(r.lognormvariate(4, 1.2))}
    elif kind == "update":
        event |= {"title": text(r), "category": r.choice(["Chess", "Music"]), "labels": r.choice([[], ["Mature"]])}
    elif kind == "ban":
        ends = None if r.random() < 0.2 else iso(at_s + r.choice([60, 600, 86_400]))
        event |= {"reason": r.choice(["", text(r)]), "ends_at": ends, "is_permanent": ends is None}
    version = "2" if reached("stream v2", r.randint(1, 5_000), at_s, 0.2, 0.005) else "1"
    sub: Document = {"type": f"channel.{kind}", "version": version, "status": "enabled"}
    return {"subscription": sub, "message_id": f"{r.getrandbits(64):016x}", "timestamp": iso(at_s), "event": event}


UNSEEN_MORE: dict[str, Make] = {"answer": answer, "parcel": parcel, "alarm": alarm, "hire": hire, "listing": listing}
UNSEEN_MORE |= {"claim": claim, "stream": stream}
