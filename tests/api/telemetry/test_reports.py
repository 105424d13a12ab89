"""Own reports over the API: who may do what, what they show, and what a link opens."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pypdf
import pytest
from fastapi import FastAPI

from botwatch import limits
from botwatch.clock import ManualClock
from botwatch.notify import book as ways
from botwatch.notify.book import Base
from botwatch.state import Database
from botwatch.store.client import Store
from tests.api.conftest import NOW_NS, Secrets, bearer, browser, error_of
from tests.api.telemetry.conftest import NOW_S, Asker, Bots

PATH = "/api/reports"
PANEL = {"measure": "messages.count", "by": ["channel"], "title": "Messages"}
DAILY = {"every": "day", "at": "09:00", "channel": "mail", "to": ["board@example.com"]}


@pytest.fixture
def store(shared_store: Store) -> Store:
    return shared_store


@pytest.fixture
def mail(database: Database) -> None:
    """A channel that sends mail, and one that does not."""
    for name, kind, options in (
        ("mail", "email", {"host": "127.0.0.1", "sender": "b@example.com", "to": ["ops@example.com"]}),
        ("hook", "webhook", {"url": "https://example.com/hook"}),
    ):
        given: tuple[str, str, dict[str, Any], bool] = (name, kind, options, True)
        database.write_now(lambda session, given=given: ways.put_channel(session, NOW_NS, "ann", Base({}, ()), given))  # type: ignore[misc]


@pytest.fixture
async def bob(app: FastAPI, people: None) -> httpx.AsyncClient:
    """A monitor, who is not the monitor of the token."""
    return await browser(app, "bob")


async def send(asker: Asker, method: str, path: str, body: Any = None) -> httpx.Response:
    return await asker.client.request(method, path, json=body, headers=bearer(asker.secret))


async def added(asker: Asker, *panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = await send(asker, "POST", PATH, {"name": "The week", "panels": list(panels or (PANEL,)), **more})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def test_a_report_is_kept_changed_and_deleted(admin: Asker) -> None:
    made = await added(admin, period="7d")
    assert made["report"]["panels"][0] == {
        "title": "Messages", "measure": "messages.count", "by": ["channel"], "where": [], "aggregation": "",
        "drawn": "lines", "period": None,
    }  # fmt: skip
    assert (made["owner"], made["revision"], made["may_change"], made["due"]) == ("token:admins", 1, True, None)
    assert (await admin.get(PATH))["items"] == [made] == [await admin.get(f"{PATH}/{made['id']}")]
    changed = {**made["report"], "name": "Another"}
    response = await send(admin, "PUT", f"{PATH}/{made['id']}", {"revision": 1, "report": changed})
    assert (response.json()["report"]["name"], response.json()["revision"]) == ("Another", 2)
    late = await send(admin, "PUT", f"{PATH}/{made['id']}", {"revision": 1, "report": changed})
    assert error_of(late) == (409, "conflict")
    assert (await send(admin, "DELETE", f"{PATH}/{made['id']}")).status_code == 204
    assert error_of(await admin.response(f"{PATH}/{made['id']}")) == (404, "not_found")
    told = [(entry["what"], entry["subject"]) for entry in (await admin.get("/api/audit"))["items"]]
    assert told[:3] == [("report.remove", "Another"), ("report.change", "Another"), ("report.add", "The week")]


async def test_a_report_is_changed_by_its_owner_and_by_admins(
    admin: Asker, monitor: Asker, bob: httpx.AsyncClient
) -> None:
    made = await added(monitor)
    path, body = f"{PATH}/{made['id']}", {"revision": 1, "report": {**made["report"], "name": "Mine"}}
    assert (await bob.get(path)).json()["may_change"] is False
    assert error_of(await bob.put(path, json=body)) == (403, "forbidden")
    assert error_of(await bob.delete(path)) == (403, "forbidden")
    assert (await send(monitor, "PUT", path, body)).json()["revision"] == 2
    assert (await send(admin, "PUT", path, {**body, "revision": 2})).json()["changed_by"] == "token:admins"
    assert (await send(monitor, "DELETE", path)).status_code == 204


async def test_only_admins_send_and_share(admin: Asker, monitor: Asker, mail: None) -> None:
    scheduled = {"name": "Mine", "panels": [PANEL], "schedule": DAILY}
    assert error_of(await send(monitor, "POST", PATH, scheduled)) == (403, "forbidden")
    made = await added(monitor)
    path, own = f"{PATH}/{made['id']}", {**made["report"], "schedule": DAILY}
    assert error_of(await send(monitor, "PUT", path, {"revision": 1, "report": own})) == (403, "forbidden")
    for method, where in (("GET", "/shares"), ("POST", "/shares"), ("DELETE", "/shares/1"), ("POST", "/send")):
        assert error_of(await send(monitor, method, path + where, {"label": "x"})) == (403, "forbidden"), where
    timed = (await send(admin, "PUT", path, {"revision": 1, "report": own})).json()
    assert timed["due"] == "2027-01-15T09:00:00Z"
    assert timed["report"]["schedule"]["zone"] == "UTC"
    # Who owns it may change its charts; when it is sent stays as it is, and what is due stays due.
    charts = {**timed["report"], "panels": []}
    assert (await send(monitor, "PUT", path, {"revision": 2, "report": charts})).json()["due"] == timed["due"]
    off = {"revision": 3, "report": {**charts, "schedule": None}}
    assert error_of(await send(monitor, "PUT", path, off)) == (403, "forbidden")
    assert (await send(admin, "PUT", path, off)).json()["due"] is None


WRONG_PANELS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"measure": "mesages.count"}, "panel 1: measure: there is none called 'mesages.count'; did you mean messages."),
    ({"measure": "messages.count", "by": ["chanel"]}, "has no label 'chanel'; did you mean channel"),
    ({"measure": "messages.count", "where": ["channel"]}, "panel 1: where: expected label=value"),
    ({"measure": "cpu.usage", "aggregation": "rate"}, "cpu.usage is computed one way only"),
    ({"measure": "metric:orders.totl"}, "no metric 'orders.totl' has come; did you mean orders.total"),
    ({"measure": "messages.count", "by": ["bot", "bot"]}, "different labels to group by"),
    ({"measure": "messages.count", "drawn": "pie"}, "'lines', 'bars', 'number' or 'table'"),
    ({"measure": "messages.count", "period": "401d"}, "expected 60s to 400d"),
    ({"measure": "messages.count", "period": "soon"}, "expected a duration such as"),
    ({"measure": "messages.count", "title": "two\nlines"}, "expected one line of printable text"),
    ({"measure": "messages.count", "title": "\u202egnp.exe"}, "expected one line of printable text"),
    ({"measure": "messages.count", "colour": "red"}, "Extra inputs are not permitted"),
    ({"measure": "x" * 2_000}, "at most 1024 characters"),
    ({"measure": "messages.count", "by": [str(n) for n in range(9)]}, "at most 8 items"),
)
WRONG_SCHEDULES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"channel": "mial"}, "found 'mial'; did you mean mail?"),
    ({"channel": "hook"}, "a channel that sends mail, found 'hook'"),
    ({"channel": "mail", "zone": "Mars/Olympus"}, "expected an IANA zone"),
    ({"channel": "mail", "at": "25:00"}, "expected a time of day"),
    ({"channel": "mail", "to": ["a@b.c\r\nBcc: x@y.z"]}, "pattern"),
    ({"channel": "mail", "to": [f"a{n}@example.com" for n in range(51)]}, "at most 50 items"),
    ({"channel": "mail", "files": []}, "at least 1 item"),
    ({"channel": "mail", "files": ["pdf", "pdf"]}, "each file and each address once"),
    ({"channel": "mail", "day": 32}, "less than or equal to 31"),
)


async def test_a_panel_that_cannot_be_asked_is_refused_and_told(monitor: Asker, bots: Bots) -> None:
    bots.put("series", {"metric": "orders.total", "kind": "delta", "unit": "1", "last_seen": NOW_S})
    for panel, told in WRONG_PANELS:
        for path, body in ((PATH, {"name": "x", "panels": [panel]}), (f"{PATH}/preview", {"panels": [panel]})):
            response = await send(monitor, "POST", path, body)
            assert error_of(response) == (422, "bad_request"), panel
            assert told in response.json()["error"]["message"]
    assert (await monitor.get(PATH))["items"] == []


async def test_a_schedule_that_does_not_fit_is_refused_and_told(admin: Asker, mail: None) -> None:
    for schedule, told in WRONG_SCHEDULES:
        response = await send(admin, "POST", PATH, {"name": "x", "schedule": schedule})
        assert error_of(response) == (422, "bad_request"), schedule
        assert told in response.json()["error"]["message"]


async def test_there_can_be_so_many(admin: Asker, monitor: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REPORTS_PER_OWNER_MAX", 2)
    monkeypatch.setattr(limits, "REPORTS_MAX", 3)
    for _ in range(2):
        await added(monitor)
    assert error_of(await send(monitor, "POST", PATH, {"name": "x"})) == (409, "conflict")
    await added(admin)
    assert error_of(await send(admin, "POST", PATH, {"name": "x"})) == (409, "conflict")
    pages = await admin.pages(PATH, limit=2)
    assert [len(page) for page in pages] == [2, 1]


async def test_panels_show_what_the_measures_say(admin: Asker, bots: Bots) -> None:
    for number in range(3):
        bots.talk(f"s{number}", 4_000 + number, channel="web" if number else "email")
    panel = {"measure": "messages.count", "where": ["bot=shop"]}
    made = await added(
        admin,
        {**panel, "by": ["channel"]},
        {**panel, "drawn": "number"},
        {**panel, "by": ["channel"], "drawn": "table", "period": "2h"},
        {**panel, "drawn": "bars", "period": "1h"},
        {"measure": "turns.unanswered", "drawn": "number", "where": ["bot=nobody"]},
    )
    data = await admin.get(f"{PATH}/{made['id']}/data")
    lines, number, table, bars, nothing = data["answers"]
    history = await admin.get(
        "/api/monitoring/history", measure="messages.count", by="channel", where="bot=shop", period="24h", step="600s"
    )
    of_history = {tuple(series["labels"].items()): series["points"] for series in history["series"]}
    assert [series["labels"] for series in lines["series"]] == [{"channel": "web"}, {"channel": "email"}]
    for series in lines["series"]:
        assert series["points"] == of_history[tuple(series["labels"].items())]
    assert number["series"][0]["points"] == [[NOW_S - 86_400, 6]]
    assert (number["step_seconds"], number["unit"]) == (None, "count")
    assert [(series["labels"], series["points"][0][1]) for series in table["series"]] == [
        ({"channel": "web"}, 4),
        ({"channel": "email"}, 2),
    ]
    assert (bars["step_seconds"], bars["from"]) == (60, "2027-01-15T07:00:00Z")
    assert nothing["series"] == []
    assert (nothing["bounds"], nothing["problem"]) == (None, "")
    window = {"from": "2027-01-15T06:53:00Z", "to": "2027-01-15T06:54:00Z"}
    narrow = await admin.get(f"{PATH}/{made['id']}/data", **window)
    assert {answer["from"] for answer in narrow["answers"]} == {window["from"]}
    assert narrow["answers"][1]["series"][0]["points"][0][1] == 6
    preview = await send(admin, "POST", f"{PATH}/preview", {"panels": made["report"]["panels"][:1]})
    assert preview.json()["answers"] == [lines]


async def test_many_series_are_cut_to_the_greatest(admin: Asker, bots: Bots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REPORT_SERIES_MAX", 2)
    bots.said(*({"ago": 600, "session": f"m{bot}{n}", "bot": f"bot{bot}"} for bot in range(4) for n in range(bot + 1)))
    panel = {**PANEL, "by": ["bot"], "where": ["bot~bot?"]}
    (answer,) = (await send(admin, "POST", f"{PATH}/preview", {"panels": [panel]})).json()["answers"]
    assert [series["labels"]["bot"] for series in answer["series"]] == ["bot3", "bot2"]
    assert answer["left_out"] == 2


async def test_it_is_taken_home_as_pdf_and_as_csv(admin: Asker, bots: Bots) -> None:
    evil = '=HYPERLINK("http://evil.example")'
    bots.talk("e1", 600, channel=evil, bot="evil")
    panel = {**PANEL, "title": "+1 Сообщения", "where": ["bot=evil"]}
    made = await added(admin, panel, {**panel, "title": "", "by": [], "drawn": "number"})
    pdf = await admin.response(f"{PATH}/{made['id']}/report.pdf")
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.headers["content-disposition"] == 'attachment; filename="the-week-20270115-0800.pdf"'
    reader = pypdf.PdfReader(io.BytesIO(pdf.content))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert len(reader.pages) == 1
    for told in ("The week", "24 hours: 2027-01-14 08:00 – 2027-01-15 08:00 UTC", "+1 Сообщения", evil, "page 1 of 1"):
        assert told in text
    sheet = await admin.response(f"{PATH}/{made['id']}/report.csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(sheet.text)))
    assert list(rows[0]) == ["panel", "from", "to", "measure", "channel", "value", "unit"]
    assert {row["panel"] for row in rows} == {"'+1 Сообщения", "messages.count"}
    assert {row["channel"] for row in rows} == {f"'{evil}", ""}
    assert rows[-1] == {
        "panel": "messages.count", "from": "2027-01-14T08:00:00Z", "to": "2027-01-15T08:00:00Z",
        "measure": "messages.count", "channel": "", "value": "2.0", "unit": "count",
    }  # fmt: skip
    assert sum(float(row["value"]) for row in rows[:-1] if row["value"]) == 2
    for kind in ("pdf", "csv"):
        refused = await admin.response(f"{PATH}/{made['id']}/report.{kind}", period="5000d")
        assert error_of(refused) == (422, "bad_request")


async def shared(admin: Asker, report: int, **given: Any) -> dict[str, Any]:
    response = await send(admin, "POST", f"{PATH}/{report}/shares", {"label": "the board", **given})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def test_a_link_shows_one_report_and_opens_nothing_else(
    app: FastAPI, admin: Asker, bots: Bots, secrets: Secrets, mail: None
) -> None:
    bots.talk("l1", 600, bot="linked")
    made = await added(admin, schedule=DAILY)
    secret = (await shared(admin, made["id"]))["secret"]
    assert secret.startswith("bw_shr_")
    key, client = bearer(secret), admin.client
    shown = await client.get("/api/shared/report", headers=key)
    own = await admin.get(f"{PATH}/{made['id']}/data")
    assert shown.json() == own
    assert set(own) == {"name", "period", "as_of", "panels", "answers"}  # and not whom it is sent to
    assert (await client.get("/api/shared/report.pdf", headers=key)).content.startswith(b"%PDF-")
    assert (await client.get("/api/shared/report.csv", headers=key)).text.startswith("panel,from,to")
    for path in ("/api/auth/me", PATH, f"{PATH}/{made['id']}", f"{PATH}/{made['id']}/data", "/api/monitoring/status"):
        assert error_of(await client.get(path, headers=key)) == (401, "unauthorised"), path
        cookie = {"cookie": f"botwatch_8600={secret}"}
        assert error_of(await client.get(path, headers=cookie)) == (401, "unauthorised"), path
    wider = await client.get("/api/shared/report?period=30d", headers=key)
    assert wider.json()["answers"][0]["from"] == own["answers"][0]["from"]
    for wrong in (secret[:-1], secret + "x", "bw_shr_", "bw_shr_" + "x" * 60_000, secrets.admin, secret.upper()):
        assert error_of(await client.get("/api/shared/report", headers=bearer(wrong))) == (401, "unauthorised")


async def test_a_link_ends_when_it_is_revoked_expires_or_its_report_goes(
    admin: Asker, clock: ManualClock, database: Database
) -> None:
    made, other = await added(admin), await added(admin)
    links = [await shared(admin, report["id"], days=days) for report, days in ((made, 2), (made, 9), (other, 9))]
    told = str(await admin.get("/api/audit"))
    with database.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM report_shares").all()
    assert "report.share" in told
    assert all(link["secret"] not in told + str(kept) for link in links)

    async def opens() -> list[bool]:
        asked = [await admin.client.get("/api/shared/report", headers=bearer(link["secret"])) for link in links]
        assert {response.status_code for response in asked} <= {200, 401}
        return [response.status_code == 200 for response in asked]

    assert await opens() == [True, True, True]
    wrong = await send(admin, "DELETE", f"{PATH}/{other['id']}/shares/{links[1]['share']['id']}")
    assert error_of(wrong) == (404, "not_found")
    clock.advance(2 * 86_400)
    assert await opens() == [False, True, True]
    assert [share["id"] for share in await admin.get(f"{PATH}/{made['id']}/shares")] == [links[1]["share"]["id"]]
    assert (await send(admin, "DELETE", f"{PATH}/{made['id']}/shares/{links[1]['share']['id']}")).status_code == 204
    assert await opens() == [False, False, True]
    assert (await send(admin, "DELETE", f"{PATH}/{other['id']}")).status_code == 204
    assert await opens() == [False, False, False]


async def test_a_report_nobody_gets_is_not_sent(admin: Asker, mail: None) -> None:
    made = await added(admin)
    assert error_of(await send(admin, "POST", f"{PATH}/{made['id']}/send")) == (422, "bad_request")
    timed = await added(admin, schedule=DAILY)
    receipt = (await send(admin, "POST", f"{PATH}/{timed['id']}/send")).json()
    assert (receipt["status"], receipt["purpose"], receipt["title"]) == ("waiting", "report", "Report: The week")
    assert (await admin.get(f"{PATH}/{timed['id']}"))["delivery"] == receipt["id"]
    assert (await admin.get(f"/api/deliveries/{receipt['id']}"))["text"].startswith("The week, 24 hours: 2027-01-14")
